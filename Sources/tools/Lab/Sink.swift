// SPDX-License-Identifier: Apache-2.0
internal import CXDP
public import Link

/// What came in by a port.
public struct Arrived: Sendable, Equatable {
    /// All frames.
    public var frames: UInt64 = 0
    /// Their bytes, without FCS.
    public var bytes: UInt64 = 0
    /// Frames of the generator whose numbers were followed: that of the first frame with a number.
    public var numbered: UInt64 = 0
    /// Frames of others.
    public var foreign: UInt64 = 0
    /// Numbers between the lowest and the highest that came, and that did not come.
    public var lost: UInt64 = 0
    /// Numbered frames that came after one with a higher number by the same receive queue.
    public var reordered: UInt64 = 0
    /// Numbered frames that had come before.
    public var duplicated: UInt64 = 0
    /// Numbered frames that were shorter than they said.
    public var corrupt: UInt64 = 0
}

/// Counts and drops what comes in by a port, by the program in `bpf/lab/sink.bpf.c`, which leaves the port with this object.
@safe public final class Sink {
    private let program: LabProgram
    private let counts: UnsafeMutablePointer<cxdp_lab_count>
    private let times: UnsafeMutablePointer<UInt64>

    /// Attaches to a port. With `ages` it also counts how old frames are. The port is the caller's to choose: see `PortGuard`.
    public init(on port: Interface, ages: Bool) throws(LabError) {
        program = try LabProgram("sink", object: sinkObject, maps: ["orders", "counts", "times"])
        let orders = try unsafe program.entry(0, of: cxdp_lab_orders.self)
        unsafe counts = try unsafe program.entry(1, of: cxdp_lab_count.self, count: Int(CXDP_LAB_QUEUES))
        unsafe times = try unsafe program.entry(2, of: UInt64.self, count: Int(CXDP_LAB_PLACES))
        unsafe orders.pointee.times = ages ? 1 : 0
        try program.attach(to: port)
    }

    /// What has come by now, over all queues.
    public var arrived: Arrived {
        var sum = Arrived()
        var (lowest, highest): (UInt64, UInt64) = (.max, 0)
        for queue in 0..<Int(CXDP_LAB_QUEUES) {
            // The queues write while this reads: each value is whole, together they may be a frame apart.
            let count = unsafe counts[queue]
            sum.frames &+= count.frames
            sum.bytes &+= count.bytes
            sum.numbered &+= count.numbered
            sum.foreign &+= count.foreign
            sum.reordered &+= count.reordered
            sum.duplicated &+= count.duplicated
            sum.corrupt &+= count.corrupt
            if count.lowest > 0 { lowest = min(lowest, count.lowest) }
            highest = max(highest, count.highest)
        }
        let came = sum.numbered &- min(sum.duplicated, sum.numbered)
        let expected = highest >= lowest ? highest - lowest + 1 : 0
        sum.lost = expected > came ? expected - came : 0
        return sum
    }

    /// How old frames were, those before this moment.
    public var ages: Ages { Ages((0..<Int(CXDP_LAB_PLACES)).map { unsafe times[$0] }) }

    /// What the program makes of one frame, for tests.
    package func run(on frame: [UInt8]) throws(LabError) { _ = try program.run(on: frame) }
}
