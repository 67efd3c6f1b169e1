// SPDX-License-Identifier: Apache-2.0
import Glibc
import Ring
import Testing

@Suite("Memory file") struct MemoryFileTests {
    /// What the descriptor leads to; 0 where it is closed. Numbers are used again at once, files are not.
    static func file(behind descriptor: Int32) -> UInt {
        var facts = stat()
        return unsafe fstat(descriptor, &facts) == 0 ? facts.st_ino : 0
    }

    @Test func `a new file is zero, whole pages long and page-aligned`() throws {
        let file = try MemoryFile.create("ring-tests", byteCount: 5000)
        #expect(file.byteCount == 8192)
        #expect(unsafe UInt(bitPattern: file.base) % 4096 == 0)
        #expect((0..<8192).allSatisfy { unsafe file.base.load(fromByteOffset: $0, as: UInt8.self) == 0 })
        #expect(file.isHuge == false)
    }

    @Test func `whoever adopts its descriptor sees the same bytes, and goes on when the maker is gone`() throws {
        var copy: Int32 = -1
        do {
            let file = try MemoryFile.create("ring-tests", byteCount: 4096)
            copy = dup(file.descriptor)
            unsafe file.base.storeBytes(of: 0x1122_3344, as: UInt32.self)
        }
        let adopted = try MemoryFile(adopting: copy)
        #expect(adopted.byteCount == 4096)
        #expect(unsafe adopted.base.load(as: UInt32.self) == 0x1122_3344)
        unsafe adopted.base.storeBytes(of: 5, toByteOffset: 4092, as: UInt32.self)
        let reader = try MemoryFile(reading: dup(copy))
        #expect(unsafe reader.base.load(fromByteOffset: 4092, as: UInt32.self) == 5)
        unsafe adopted.base.storeBytes(of: 6, toByteOffset: 4092, as: UInt32.self)
        #expect(unsafe reader.base.load(fromByteOffset: 4092, as: UInt32.self) == 6)
    }

    @Test func `what was mapped for reading cannot be written`() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            let file = try MemoryFile.create("ring-tests", byteCount: 4096)
            let reader = try MemoryFile(reading: dup(file.descriptor))
            unsafe reader.base.storeBytes(of: 1, as: UInt8.self)
        }
    }

    @Test func `it can neither grow nor shrink, so that no reader can be made to fault`() throws {
        let file = try MemoryFile.create("ring-tests", byteCount: 8192)
        #expect(ftruncate(file.descriptor, 4096) == -1)
        #expect(errno == EPERM)
        #expect(ftruncate(file.descriptor, 1 << 20) == -1)
        #expect(errno == EPERM)
    }

    @Test func `it says whether its size is fixed for ever, and whoever has it can add no seal`() throws {
        let file = try MemoryFile.create("ring-tests", byteCount: 4096)
        try file.expectSeals()
        // F_ADD_SEALS with F_SEAL_FUTURE_WRITE: the next process could not map it for writing.
        #expect(fcntl(file.descriptor, 1033, 0x0010) == -1)
        let plain = unsafe try #require(tmpfile())
        defer { unsafe fclose(plain) }
        let descriptor = unsafe dup(fileno(plain))
        try #require(ftruncate(descriptor, 4096) == 0)
        let other = try MemoryFile(adopting: descriptor)
        #expect(throws: RingError.self) { try other.expectSeals() }
    }

    @Test func `memory that cannot be had is missed when it is reserved, not later`() async {
        await #expect(processExitsWith: .success) {
            let file = try MemoryFile.create("ring-tests", byteCount: 4 << 20)
            // The pages lie in no file any more: as when none is left.
            unsafe munmap(file.base, file.byteCount)
            let error = #expect(throws: RingError.self) { try file.populate() }
            #expect(error?.description.contains("flows.capacity") == true)
        }
    }

    @Test func `a file without a byte is refused, and its descriptor closed`() throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        defer { close(ends[1]) }
        let before = Self.file(behind: ends[0])
        #expect(throws: RingError.self) { _ = try MemoryFile(adopting: ends[0]) }
        #expect(Self.file(behind: ends[0]) != before)
    }

    @Test func `a descriptor that is none is refused with the system's reason`() {
        #expect(throws: RingError.memory("cannot read the size of a memory file", errno: EBADF)) {
            _ = try MemoryFile(adopting: -1)
        }
    }

    @Test func `the last owner unmaps and closes`() throws {
        var descriptor: Int32 = -1
        var before: UInt = 0
        do {
            let file = try MemoryFile.create("ring-tests", byteCount: 4096)
            descriptor = file.descriptor
            before = Self.file(behind: descriptor)
        }
        #expect(before != 0)
        #expect(Self.file(behind: descriptor) != before)
    }

    @Test func `touching every page changes none`() throws {
        let file = try MemoryFile.create("ring-tests", byteCount: 64 * 4096)
        for page in 0..<64 { unsafe file.base.storeBytes(of: UInt64(page), toByteOffset: page * 4096, as: UInt64.self) }
        try file.populate()
        for page in 0..<64 {
            #expect(unsafe file.base.load(fromByteOffset: page * 4096, as: UInt64.self) == UInt64(page))
        }
    }

    @Test func `huge pages are taken where there are any, ordinary ones where not`() throws {
        let file = try MemoryFile.create("ring-tests", byteCount: 3 << 20, huge: true)
        #expect(file.byteCount >= 3 << 20)
        #expect(file.isHuge == (file.byteCount == 4 << 20))
        unsafe file.base.storeBytes(of: 1, toByteOffset: file.byteCount - 1, as: UInt8.self)
    }
}
