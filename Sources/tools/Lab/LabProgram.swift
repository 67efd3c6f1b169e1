// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Glibc
internal import Link

/// A loaded program of the lab and those of its maps that are shared with it. Nothing is pinned: a program that is attached leaves its
/// port with this object, or with the process, however that ends.
@safe final class LabProgram {
    private let name: String
    private let program: Int32
    private let maps: [Int32]
    private var link: Int32 = -1
    private var memory: [Mapping] = []

    /// A map's entry in our memory.
    @safe private struct Mapping {
        let start: UnsafeMutableRawPointer
        let length: Int
    }

    /// Loads an embedded object (two letters a byte, as `embed-bpf` writes them) that has these maps.
    init(_ name: String, object letters: StaticString, maps names: [String]) throws(LabError) {
        let object = Self.bytes(letters)
        var descriptors = [Int32](repeating: -1, count: names.count)
        var log = [CChar](repeating: 0, count: 16384)
        var words = unsafe names.map { unsafe UnsafePointer(strdup($0)) }
        defer { unsafe words.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        let loaded = unsafe cxdp_lab_load(
            object, object.count, &words, UInt32(names.count), &descriptors, &log, log.count)
        guard loaded >= 0 else {
            if loaded == -EPERM { throw .privilege(doing: "loading the lab's \(name)") }
            let said = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw .programRefused(name: name, errno: -loaded, log: said)
        }
        self.name = name
        (program, maps) = (loaded, descriptors)
    }

    deinit {
        for piece in memory { unsafe cxdp_lab_unmap(piece.start, piece.length) }
        for descriptor in maps + [link, program] where descriptor >= 0 { close(descriptor) }
    }

    /// The entry of the map that was named in this place, as values of a type, which is the map's.
    func entry<Value>(_ place: Int, of type: Value.Type, count: Int = 1) throws(LabError) -> UnsafeMutablePointer<Value> {
        let length = MemoryLayout<Value>.stride * count
        var start: UnsafeMutableRawPointer?
        try checked(unsafe cxdp_lab_map(maps[place], length, &start), "mapping a map of the lab's \(name)")
        guard let start = unsafe start else { throw .refused(doing: "mapping a map of the lab's \(name)", errno: EINVAL) }
        unsafe memory.append(Mapping(start: start, length: length))
        // The kernel zeroed it and aligned it to a page; both sides have the type from one header.
        return unsafe start.bindMemory(to: type, capacity: count)
    }

    /// Puts the program on a port, natively or not at all.
    func attach(to port: Interface) throws(LabError) {
        let created = cxdp_link_create(program, port.index, UInt32(CXDP_ATTACH_NATIVE))
        switch -created {
        case EBUSY, EEXIST: throw .foreignProgram(port: port.name)
        case EOPNOTSUPP: throw .noNativeXDP(port: port.name)
        default: link = try checked(created, "attaching the lab's \(name) to \(port.name)")
        }
    }

    /// What the program makes of one frame: its XDP return code and the frame.
    func run(on frame: [UInt8]) throws(LabError) -> (action: Int32, frame: [UInt8]) {
        var out = [UInt8](repeating: 0, count: 4096)
        var length = UInt32(out.count)
        let action = unsafe cxdp_lab_try(program, frame, UInt32(frame.count), &out, &length)
        try checked(action, "trying the lab's \(name)")
        return (action, Array(out.prefix(Int(length))))
    }

    /// Runs the program over copies of a frame and sends by a port what it returns for sending. A signal ends it early, which is no error.
    func send(_ frame: [UInt8], by port: Interface, times: UInt32, batch: UInt32) throws(LabError) {
        let answer = unsafe cxdp_lab_send(program, port.index, frame, UInt32(frame.count), times, batch)
        guard answer != -EINTR else { return }
        try checked(answer, "sending by \(port.name)")
    }

    private static func bytes(_ object: StaticString) -> [UInt8] {
        // A StaticString's bytes live as long as the process; its length is that of its literal.
        let letters = unsafe UnsafeBufferPointer(start: object.utf8Start, count: object.utf8CodeUnitCount)
        let zero = UInt8(ascii: "a")
        return stride(from: 0, to: letters.count, by: 2).map {
            unsafe (letters[$0] - zero) << 4 | (letters[$0 + 1] - zero)
        }
    }
}
