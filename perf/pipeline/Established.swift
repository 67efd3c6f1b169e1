// SPDX-License-Identifier: Apache-2.0
import Datapath
import Flow
import Glibc
import Measure
import Net
import Record

// Frames of flows that the table knows, and what is measured beside them.

extension Question {
    /// A worker whose table is full of established flows, and a stream of their frames.
    func established(_ stream: Stream, _ loaded: Loaded) throws -> Worker {
        let worker = try Worker(stream, loaded.inForce, capacity: flows, isIPv4: isIPv4, huge: huge)
        try worker.establish(stream, flows, isIPv4: isIPv4, at: Self.now)
        fill(stream)
        return worker
    }

    /// Frames of established TCP connections, beside the same in C.
    func established() throws -> Fields {
        let stream = Stream(huge: huge)
        let loaded = try Loaded(Estate.small(), flows: settings, huge: huge)
        let worker = try established(stream, loaded)
        let reference = try Reference(stream, like: worker, isIPv4: isIPv4, huge: huge)
        _ = (try forward(worker, stream), try forward(reference, stream))
        var row = row(try Pairs(pairs) { try forward($0 ? worker as any Side : reference, stream) })
        row.add("a_a", try Pairs(min(pairs, 5)) { _ in try forward(worker, stream) })
        return row
    }

    /// The same beside the reference with DPDK's hash table in place of the index.
    func besideRTEHash() throws -> Fields {
        guard isIPv4, let library else { throw Trouble.noLibrary("--rte-hash names no library, or the family is IPv6") }
        let stream = Stream(huge: huge)
        let loaded = try Loaded(Estate.small(), flows: settings, huge: huge)
        let worker = try established(stream, loaded)
        let reference = try Reference(stream, like: worker, isIPv4: isIPv4, huge: huge)
        try OtherIndex(library).take(worker, for: reference)
        _ = (try forward(worker, stream), try forward(reference, stream))
        return row(try Pairs(pairs) { try forward($0 ? worker as any Side : reference, stream) })
    }

    /// Frames that end inside their IP header, beside frames of established flows.
    func unreadable() throws -> Fields {
        let stream = Stream(huge: huge)
        let loaded = try Loaded(Estate.small(), flows: settings, huge: huge)
        let worker = try established(stream, loaded)
        let cut = Stream(huge: huge)
        fill(cut)
        cut.cut(to: 30)
        let other = try Worker(cut, loaded.inForce, capacity: 1, isIPv4: isIPv4, huge: huge)
        _ = (try forward(worker, stream), try drop(other, cut, as: .truncated))
        return row(try Pairs(pairs) { try $0 ? drop(other, cut, as: .truncated) : forward(worker, stream) })
    }

    /// Datagrams of connections that policy denies, all but the first of each, beside frames of as many established flows; and both in C.
    func denied() throws -> Fields {
        let stream = Stream(huge: huge)
        let loaded = try Loaded(Estate.small(), flows: settings, huge: huge)
        let worker = try established(stream, loaded)
        let reference = try Reference(stream, like: worker, isIPv4: isIPv4, huge: huge)
        let refused = Stream(huge: huge)
        try fillRefused(refused)
        let other = try Worker(refused, loaded.inForce, capacity: max(flows, 4_096), isIPv4: isIPv4, huge: huge)
        let refusing = try Reference(refused, like: other, isIPv4: isIPv4, huge: huge, refuses: true)
        _ = (try forward(worker, stream), try drop(other, refused, as: .denied))
        _ = (try forward(reference, stream), try drop(refusing, refused))
        let before = other.counters.refusedAgain
        var (deniedInC, establishedInC): ([Double], [Double]) = ([], [])
        let ours = try Pairs(pairs) { isDenied in
            if isDenied {
                deniedInC.append(try drop(refusing, refused))
                return try drop(other, refused, as: .denied)
            }
            establishedInC.append(try forward(reference, stream))
            return try forward(worker, stream)
        }
        let inC = Pairs(deniedInC, establishedInC)
        var row = row(ours)
        row.add("in_c_ns", inC.first, digits: 2)
        row.add("in_c_reference_ns", inC.second, digits: 2)
        row.add("in_c_ratio", inC)
        row.add("bulkhead_to_in_c", ours.first / inC.first, digits: 3)
        let asked = pairs * Stream.count - Int(other.counters.refusedAgain - before)
        row.add("asked_per_million", Double(asked) * 1e6 / Double(pairs * Stream.count))
        return row
    }

    /// Writes a datagram of a random connection that policy denies at every place of the stream. Each client sends from behind its own
    /// port, as in a network.
    private func fillRefused(_ stream: Stream) throws {
        var random = Seeded(9)
        let connections = (0..<flows).map { Connection($0, isIPv4: isIPv4) }
        let behind = (0..<2).map { port in connections.filter { $0.port == port } }
        guard behind.allSatisfy({ !$0.isEmpty }) else { throw Trouble.otherFate("too few connections for two ports") }
        for place in 0..<Stream.count {
            let connection = behind[place & 1][random.below(behind[place & 1].count)]
            var segment = connection.data(fromClient: true)
            (segment.isDatagram, segment.payload) = (true, 18)
            (segment.sourcePort, segment.destinationPort) = (connection.clientPort, 9_999)
            stream.write(segment, at: place)
        }
    }

    /// One pass of the reference over a stream, all of whose frames must be dropped.
    private func drop(_ reference: Reference, _ stream: Stream) throws -> Double {
        let before = reference.dropped
        let time = reference.pass(stream, at: Self.now)
        guard reference.dropped - before == UInt64(Stream.count) else {
            throw Trouble.otherFate("in C \(reference.dropped - before) of \(Stream.count) frames were dropped")
        }
        return time
    }

    /// One pass of a worker over a stream, all of whose frames must be dropped for a reason.
    func drop(_ worker: Worker, _ stream: Stream, as reason: DropReason) throws -> Double {
        let before = worker.dropped(reason)
        let time = worker.pass(stream, at: Self.now)
        guard worker.dropped(reason) - before == UInt64(Stream.count) else {
            throw Trouble.otherFate("\(worker.dropped(reason) - before) of \(Stream.count) frames: \(worker.reasons)")
        }
        return time
    }
}

/// DPDK's `rte_hash`, loaded from a library that `scripts/perf` builds.
@safe struct OtherIndex {
    typealias Create = @convention(c) (UInt32) -> UnsafeMutableRawPointer?
    typealias Add = @convention(c) (UnsafeMutableRawPointer?, UnsafeRawPointer?, UInt32) -> Int32
    typealias Find =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<UnsafeRawPointer?>?, UInt32, UnsafeMutablePointer<UInt32>?
        ) -> Void

    private let create: Create
    private let add: Add
    private let find: Find

    init(_ path: String) throws {
        guard let library = unsafe dlopen(path, RTLD_NOW) else {
            throw Trouble.noLibrary(unsafe dlerror().map { unsafe String(cString: $0) } ?? path)
        }
        guard let create = unsafe dlsym(library, "index_create"), let add = unsafe dlsym(library, "index_add"),
            let find = unsafe dlsym(library, "index_find")
        else { throw Trouble.noLibrary("\(path) lacks a function") }
        // The library's own declarations, in perf/reference/rte_hash.c.
        unsafe self.create = unsafe unsafeBitCast(create, to: Create.self)
        unsafe self.add = unsafe unsafeBitCast(add, to: Add.self)
        unsafe self.find = unsafe unsafeBitCast(find, to: Find.self)
    }

    /// Enters all flows over IPv4 of a worker, and lets the reference find its own by them.
    func take(_ worker: Worker, for reference: Reference) throws {
        guard let table = unsafe create(UInt32(worker.capacity)) else { throw Trouble.noMemory }
        for number in 0..<worker.capacity {
            var key = worker.lane.flows.v4.key(of: UInt32(number))
            guard unsafe add(table, &key, UInt32(number)) >= 0 else { throw Trouble.otherFate("rte_hash is full at \(number)") }
        }
        unsafe reference.use(find, table)
    }
}
