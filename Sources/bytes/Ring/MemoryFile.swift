// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Glibc

/// What went wrong with memory or a ring; each says what to do next.
public enum RingError: Error, Equatable, CustomStringConvertible {
    /// A memory file could not be made or mapped.
    case memory(String, errno: Int32)
    /// A socket's rings could not be mapped.
    case rings(errno: Int32)
    /// A file from another process is not what it should be.
    case foreign(String)

    /// A sentence with the cause and the remedy.
    public var description: String {
        switch self {
        case .memory(let what, let code):
            "\(what): \(text(code)); free memory, or lower `flows.capacity`"
        case .rings(let code):
            "cannot map the rings of an AF_XDP socket: \(text(code)); is it bound, and the kernel 6.1 or later?"
        case .foreign(let what): "\(what): it was written by another version or is damaged; start without taking over"
        }
    }

    private func text(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}

/// Anonymous memory behind a file descriptor (memfd), mapped shared: what outlives a process because another one holds the
/// descriptor. Unmapped and closed with its owner.
@safe public struct MemoryFile: ~Copyable {
    /// The descriptor, to be handed to another process.
    public let descriptor: Int32
    /// The first byte; page-aligned.
    public let base: UnsafeMutableRawPointer
    /// Bytes mapped.
    public let byteCount: Int
    /// Whether the file lies in huge pages.
    public let isHuge: Bool

    /// Makes a file of zeros and maps it. With `huge`, 2 MiB pages are tried first and ordinary ones taken where none are free.
    /// The file can neither grow nor shrink afterwards, so that no reader can be made to fault.
    public static func create(_ name: String, byteCount: Int, huge: Bool = false) throws(RingError) -> MemoryFile {
        if huge {
            let rounded = (byteCount + 0x1f_ffff) & ~0x1f_ffff
            let descriptor = unsafe cxdp_memfd_create(name, UInt64(rounded), true)
            if descriptor >= 0, let file = try? MemoryFile(adopting: descriptor, isHuge: true) {
                file.fixSize()
                return file
            }
        }
        let page = 4095
        let rounded = (byteCount + page) & ~page
        let descriptor = unsafe cxdp_memfd_create(name, UInt64(rounded), false)
        guard descriptor >= 0 else { throw .memory("cannot make \(rounded) bytes for \(name)", errno: -descriptor) }
        let file = try MemoryFile(adopting: descriptor)
        file.fixSize()
        return file
    }

    /// What every file made here carries: its size is fixed, and no seal can be added, which would make it read-only under a writer.
    private static var seals: Int32 { Int32(CXDP_SEAL_SHRINK | CXDP_SEAL_GROW | CXDP_SEAL_SEAL) }

    /// Seals the size; a memory file of our own that was just made always can be.
    private func fixSize() { _ = cxdp_memfd_seal(descriptor, Self.seals) }

    /// Refuses a file that whoever has it could cut short, which would end this process at its next touch.
    public func expectSeals() throws(RingError) {
        let found = cxdp_memfd_seals(descriptor)
        guard found >= 0, found & Self.seals == Self.seals else { throw .foreign("a memory file that can still change its size") }
    }

    /// Maps a file that this or another process made. The descriptor is owned from now on, and closed when this throws.
    public init(adopting descriptor: Int32, isHuge: Bool = false) throws(RingError) {
        try self.init(mapping: descriptor, protection: PROT_READ | PROT_WRITE, isHuge: isHuge)
    }

    /// Maps a file for reading only; the descriptor is owned from now on, and closed when this throws.
    public init(reading descriptor: Int32) throws(RingError) {
        try self.init(mapping: descriptor, protection: PROT_READ, isHuge: false)
    }

    private init(mapping descriptor: Int32, protection: Int32, isHuge: Bool) throws(RingError) {
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_size > 0 else {
            let code = errno
            close(descriptor)
            throw .memory("cannot read the size of a memory file", errno: code)
        }
        let length = Int(facts.st_size)
        let address = unsafe mmap(nil, length, protection, MAP_SHARED, descriptor, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            let code = errno
            close(descriptor)
            throw .memory("cannot map \(length) bytes", errno: code)
        }
        self.descriptor = descriptor
        unsafe base = address
        byteCount = length
        self.isHuge = isHuge
    }

    /// Reserves every page now: no frame pays for it later, and memory that is not there is missed here, as an error, rather than by a
    /// signal in the middle of traffic.
    public func populate() throws(RingError) {
        let madvisePopulateWrite: Int32 = 23
        while unsafe madvise(base, byteCount, madvisePopulateWrite) != 0 {
            let code = errno
            guard code == EINTR else { throw .memory("cannot reserve \(byteCount >> 20) MiB", errno: code) }
        }
    }

    deinit {
        unsafe munmap(base, byteCount)
        close(descriptor)
    }
}
