// SPDX-License-Identifier: Apache-2.0

/// A name of fixed size: what keeper, control and data say to each other has no pointer and no length to trust.
@frozen public struct FixedName: BitwiseCopyable, Sendable, Equatable, CustomStringConvertible {
    /// UTF-8, padded with zeros; the last byte is always 0.
    public var bytes: InlineArray<32, UInt8> = .init(repeating: 0)

    /// The empty name.
    public init() {}

    /// A name of at most 31 bytes without a zero; `nil` for a longer one.
    public init?(_ text: String) {
        let utf8 = Array(text.utf8)
        guard utf8.count < 32, !utf8.contains(0) else { return nil }
        for (index, byte) in utf8.enumerated() { bytes[index] = byte }
    }

    /// The text; invalid UTF-8 becomes U+FFFD.
    public var description: String {
        var text: [UInt8] = []
        for index in 0..<31 where bytes[index] != 0 { text.append(bytes[index]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Two names are the same when all bytes are.
    public static func == (a: FixedName, b: FixedName) -> Bool { (0..<32).allSatisfy { a.bytes[$0] == b.bytes[$0] } }
}

/// A port of a pair.
@frozen public struct PortPlan: BitwiseCopyable, Sendable {
    /// Interface name.
    public var name = FixedName()
    /// Interface number in keeper's network namespace; found by keeper.
    public var index: UInt32 = 0
    /// Longest frame that may leave by the port, in bytes without the wire's checksum: MTU + 14 + two tags; found by keeper.
    public var maximumFrame: UInt32 = 0
    /// 1 when the sockets are zero-copy; found by keeper.
    public var isZeroCopy: UInt32 = 0
    /// 1 when the program is attached in the driver, 0 in generic mode; found by keeper.
    public var isNative: UInt32 = 0
    /// The port's own hardware address; found by keeper.
    public var hardwareAddress: UInt64 = 0

    /// An empty plan.
    public init() {}
}

/// A port pair: what control orders, completed by keeper with what it found on the machine.
@frozen public struct PairPlan: BitwiseCopyable, Sendable {
    /// What to do with the program on an orderly stop.
    @frozen public enum OnStop: UInt8, Sendable, CaseIterable {
        /// Take it off: the ports are as they were.
        case detach = 0
        /// Leave it: the fail mode goes on without Bulkhead.
        case keep
    }
    /// How frames cross between kernel and UMEM.
    @frozen public enum Copy: UInt8, Sendable, CaseIterable {
        /// Zero-copy where the driver can, else copy.
        case auto = 0
        /// Zero-copy or refuse.
        case zeroCopy
        /// Copy.
        case copy
    }
    /// What an idle worker does.
    @frozen public enum Poll: UInt8, Sendable, CaseIterable {
        /// It sleeps in poll after a bounded spin.
        case wait = 0
        /// It spins for ever.
        case spin
        /// It drives the NIC's interrupts itself (SO_PREFER_BUSY_POLL).
        case busy
    }

    /// The pair's name.
    public var name = FixedName()
    /// Its two ports.
    public var ports: InlineArray<2, PortPlan> = .init(repeating: PortPlan())
    /// `FailMode` number.
    public var fail: UInt8 = 0
    /// `OnStop` number.
    public var onStop: UInt8 = 0
    /// 1 when generic mode was asked for.
    public var generic: UInt8 = 0
    /// `Copy` number.
    public var copy: UInt8 = 0
    /// `Poll` number.
    public var poll: UInt8 = 0
    /// Queues of each port, which is the number of workers; found by keeper.
    public var queues: UInt8 = 0
    /// 1 while the pair waits for a port that is gone: it has no sockets, and its workers do not run; by keeper.
    public var isWaiting: UInt16 = 0
    /// Bytes of a UMEM frame; found by keeper.
    public var frameSize: UInt32 = 0
    /// Frames of each worker: enough to fill all four rings of frames that it has.
    public var framesPerWorker: UInt32 = 16_384
    /// Slots of each ring. The receive ring holds what comes while a worker cannot run: 11 ms at 350,000 frames a second, the two time
    /// slices that others on its processor may have from a kernel that ticks 250 times a second.
    public var ringSize: UInt32 = 4096
    /// Flows of each worker, both families together.
    public var flowCapacity: UInt32 = 0
    /// 1 when the owner of a flow is found by hash and frames cross between workers; 0 when the queue's worker owns it.
    public var ownerByHash: UInt32 = 0

    /// An empty plan.
    public init() {}
}

/// Everything that keeper and data agree on, in one value of fixed size without pointers. Control sends it as orders with only the
/// names and choices filled in, keeper checks every field's range, completes it, and writes it into the board, where a later keeper
/// finds it.
@frozen public struct Plan: BitwiseCopyable, Sendable {
    /// Pairs at most.
    public static let maximumPairs = 8
    /// Queues, and so workers, of a pair at most.
    public static let maximumQueues = 16
    /// Workers of all pairs at most.
    public static let maximumWorkers = 32
    /// Records that an event ring holds.
    public static let eventCapacity = 8192

    /// How many of `pairs` are used.
    public var pairCount: UInt32 = 0
    /// Seconds without a sign of life after which control is restarted.
    public var controlPatience: UInt32 = 10
    /// Flows of all workers together, as configured.
    public var flowCapacity: UInt64 = 262_144
    /// Absolute path of the folder for sockets and locks: UTF-8, padded with zeros, at most 85 bytes so that a socket's path fits.
    public var runFolder: InlineArray<96, UInt8> = .init(repeating: 0)
    /// Absolute path of the folder for what control keeps over a restart, in the same form, at most 250 bytes; empty for none.
    public var stateFolder: InlineArray<256, UInt8> = .init(repeating: 0)
    /// User and group of the data process; 0 where keeper is to choose.
    public var dataUser: UInt32 = 0
    /// See `dataUser`.
    public var dataGroup: UInt32 = 0
    /// User and group of the control process; 0 where keeper is to choose.
    public var controlUser: UInt32 = 0
    /// See `controlUser`.
    public var controlGroup: UInt32 = 0
    /// Number of a `SandboxMode`.
    public var sandbox: UInt32 = 0
    /// 1 where keeper, control and data's main thread may run on the processors of workers.
    public var sharesProcessors: UInt32 = 0
    /// The pairs.
    public var pairs: InlineArray<8, PairPlan> = .init(repeating: PairPlan())

    /// An empty plan.
    public init() {}

    /// The run folder as text, or `nil` when it is empty, too long, no UTF-8 or no absolute path.
    public var runFolderPath: String? {
        get { Self.path(runFolder, longest: 85) }
        set { Self.write(newValue, to: &runFolder) }
    }

    /// The folder for what control keeps as text, or `nil` when there is none, or it is too long, no UTF-8 or no absolute path.
    public var stateFolderPath: String? {
        get { Self.path(stateFolder, longest: 250) }
        set { Self.write(newValue, to: &stateFolder) }
    }

    private static func path<let n: Int>(_ bytes: InlineArray<n, UInt8>, longest: Int) -> String? {
        let text = bytes.indices.map { bytes[$0] }.filter { $0 != 0 }
        // What is no UTF-8 would become longer as a text.
        guard text.count <= longest, text.first == UInt8(ascii: "/") else { return nil }
        return String(validating: text, as: UTF8.self)
    }

    private static func write<let n: Int>(_ path: String?, to bytes: inout InlineArray<n, UInt8>) {
        bytes = .init(repeating: 0)
        for (index, byte) in (path ?? "").utf8.prefix(n).enumerated() { bytes[index] = byte }
    }

    /// Workers of all pairs together.
    public var workers: Int { (0..<min(Int(pairCount), Plan.maximumPairs)).reduce(0) { $0 + Int(pairs[$1].queues) } }

    /// Number of a pair's first worker among all workers.
    public func firstWorker(ofPair pair: Int) -> Int { (0..<pair).reduce(0) { $0 + Int(pairs[$1].queues) } }

    /// What is wrong with orders from control; `nil` when every field is in range. Keeper trusts nothing else about them.
    public var fault: String? {
        guard (1...UInt32(Plan.maximumPairs)).contains(pairCount) else { return "orders name \(pairCount) pairs, 1 to 8 can be" }
        guard (1024...(1 << 28)).contains(flowCapacity) else {
            return "flows.capacity \(flowCapacity) is not in 1024...268435456"
        }
        guard (2...3600).contains(controlPatience) else { return "control's patience \(controlPatience) is not in 2...3600 s" }
        guard runFolderPath != nil else { return "the run folder is no absolute path of at most 85 bytes" }
        guard stateFolderPath != nil || stateFolder[0] == 0 else {
            return "the state folder is no absolute path of at most 250 bytes"
        }
        let numbers = [dataUser, dataGroup, controlUser, controlGroup]
        guard numbers.allSatisfy({ $0 != .max }), sandbox < 3 else { return "the orders name an unknown user or sandbox" }
        guard sharesProcessors < 2 else { return "the orders hold an unknown choice of processors" }
        guard (dataUser == 0) == (dataGroup == 0), (controlUser == 0) == (controlGroup == 0) else {
            return "the orders name a user without a group, or root"
        }
        guard dataUser == 0 || dataUser != controlUser else { return "data and control would share a user" }
        var seen: [String] = []
        var pairNames: [String] = []
        for number in 0..<Int(pairCount) {
            let pair = pairs[number]
            guard pair.fail < 2, pair.onStop < 2, pair.generic < 2, pair.copy < 3, pair.poll < 3 else {
                return "orders for pair \(pair.name) hold an unknown choice"
            }
            guard isName(pair.name, longest: 31) else { return "pair \(number) has no usable name" }
            guard !pairNames.contains(pair.name.description) else { return "pair \(pair.name) is named twice" }
            pairNames.append(pair.name.description)
            guard (64...16384).contains(pair.ringSize), pair.ringSize.nonzeroBitCount == 1,
                (64...(1 << 20)).contains(pair.framesPerWorker)
            else { return "pair \(pair.name): \(pair.ringSize) slots and \(pair.framesPerWorker) frames cannot be" }
            for port in 0..<2 {
                let name = pair.ports[port].name
                guard isName(name, longest: 15) else { return "pair \(pair.name): \(name) is no interface name" }
                guard !seen.contains(name.description) else { return "port \(name) is named twice" }
                seen.append(name.description)
            }
        }
        return nil
    }

    /// What is wrong with what keeper has found out beside the orders, as a data process says it; `nil` when every field is in range.
    /// Valid only for a plan whose `fault` is `nil`.
    public var surveyFault: String? {
        for number in 0..<Int(pairCount) {
            let pair = pairs[number]
            guard (1...UInt8(Plan.maximumQueues)).contains(pair.queues), pair.isWaiting < 2, pair.ownerByHash < 2 else {
                return "pair \(pair.name) has \(pair.queues) queues, or an unknown state"
            }
            guard [2048, 4096].contains(pair.frameSize), (1024...(1 << 28)).contains(pair.flowCapacity) else {
                return "pair \(pair.name): frames of \(pair.frameSize) bytes and \(pair.flowCapacity) flows cannot be"
            }
        }
        return workers <= Plan.maximumWorkers ? nil : "\(workers) workers, \(Plan.maximumWorkers) can be"
    }

    /// Interface and pair names become parts of paths: no slash, no dot first, no blank, printable ASCII.
    private func isName(_ name: FixedName, longest: Int) -> Bool {
        let text = name.description.utf8
        return (1...longest).contains(text.count) && text.first != UInt8(ascii: ".")
            && text.allSatisfy { (33...126).contains($0) && $0 != UInt8(ascii: "/") }
    }
}
