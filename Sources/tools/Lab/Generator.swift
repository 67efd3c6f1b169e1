// SPDX-License-Identifier: Apache-2.0
internal import CXDP
public import Link

/// What a generator is to send.
public struct GeneratorOrder: Sendable {
    /// What its frames look like.
    public var shape: FrameShape
    /// Flows at a time.
    public var flows = 1
    /// Share of the flows that is renewed in a second, 0 to 1000.
    public var newShare = 0.0
    /// Frames in a second; nil: as many as go.
    public var rate: Double?
    /// How long, in seconds; nil: until it is stopped.
    public var duration: Double?
    /// Frames in all; nil: no limit.
    public var frames: UInt64?

    /// Frames of a shape, one flow, without end.
    public init(_ shape: FrameShape) { self.shape = shape }
}

/// What a generator has sent.
public struct Sent: Sendable, Encodable {
    /// Frames handed to the port; whether the port took them is not known here.
    public var frames: UInt64
    /// Their bytes, without FCS.
    public var bytes: UInt64
    /// From the first frame's time to the end.
    public var seconds: Double
    /// Flows that were renewed.
    public var renewed: UInt64
    /// Frames that were given up, because the generator was late by more than a millisecond.
    public var missed: UInt64

    /// In a second.
    public var rate: Double { seconds > 0 ? Double(frames) / seconds : 0 }

    enum CodingKeys: String, CodingKey { case frames, bytes, seconds, renewed, missed }
    private enum More: String, CodingKey { case rate = "frames_per_second" }

    /// With `frames_per_second`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(frames, forKey: .frames)
        try container.encode(bytes, forKey: .bytes)
        try container.encode(seconds, forKey: .seconds)
        try container.encode(renewed, forKey: .renewed)
        try container.encode(missed, forKey: .missed)
        var more = encoder.container(keyedBy: More.self)
        try more.encode(rate, forKey: .rate)
    }
}

/// Sends test frames by a port, from the kernel: `BPF_PROG_TEST_RUN` runs the program in `bpf/lab/generator.bpf.c` over live copies of a
/// template, so that a frame costs no system call and no copy. Pacing is the program's too: it is run again and again and looks at the
/// clock each time, so a CPU is busy all the while, at low rates as well.
@safe public final class Generator {
    private let program: LabProgram
    private let plan: UnsafeMutablePointer<cxdp_lab_plan>
    private let port: Interface
    private let order: GeneratorOrder
    private let template: [UInt8]

    /// Frames that the kernel takes in one go: many where throughput counts, one where each has its own time.
    private var batch: UInt32 { order.rate == nil ? 64 : 1 }

    /// Prepares; nothing is sent yet. The port is the caller's to choose: see `PortGuard`.
    public init(_ order: GeneratorOrder, by port: Interface) throws(LabError) {
        try order.shape.check(flows: order.flows)
        program = try LabProgram("generator", object: generatorObject, maps: ["plan"])
        unsafe plan = try unsafe program.entry(0, of: cxdp_lab_plan.self)
        self.port = port
        self.order = order
        template = order.shape.template
        prepare()
    }

    private func prepare() {
        unsafe order.shape.describe(in: &plan.pointee, stream: UInt16.random(in: .min ... .max))
        unsafe plan.pointee.flows = UInt64(max(1, order.flows))
        let renewed = Double(order.flows) * order.newShare
        unsafe plan.pointee.renewal = renewed > 0 ? UInt64(max(1, 1e9 / renewed)) : 0
        unsafe plan.pointee.interval = order.rate.map { UInt64(max(1, 256e9 / $0)) } ?? 0
        unsafe plan.pointee.limit = order.frames ?? 0
        unsafe plan.pointee.duration = order.duration.map { UInt64($0 * 1e9) } ?? 0
    }

    /// Sends until the order is done or a signal comes.
    public func run(until interruption: Interruption) throws(LabError) -> Sent {
        let thread = try SendingThread(program, frame: template, by: port, batch: batch)
        while !isDone, !thread.hasEnded {
            // Seldom: it disturbs the CPU that sends.
            if interruption.wait(seconds: min(0.02, left)) { break }
        }
        let end = min(monotonicNow(), end)
        unsafe plan.pointee.end = end
        try thread.stop()
        let (frames, begin) = unsafe (plan.pointee.sent, plan.pointee.begin)
        return unsafe Sent(
            frames: frames, bytes: frames * UInt64(template.count), seconds: begin == 0 ? 0 : Double(end - begin) / 1e9,
            renewed: plan.pointee.renewed, missed: plan.pointee.missed)
    }

    /// When its time is over; `.max` while that is not known.
    private var end: UInt64 { unsafe plan.pointee.end == 0 ? .max : plan.pointee.end }

    /// Seconds until then.
    private var left: Double {
        let now = monotonicNow()
        return end > now ? Double(min(end - now, 1_000_000_000)) / 1e9 : 0
    }

    /// Whether all frames are sent that were ordered, or its time is over.
    private var isDone: Bool { monotonicNow() >= end || order.frames.map { unsafe plan.pointee.sent >= $0 } ?? false }

    /// The next frame, made as it would be sent, and not sent, from a copy of the template or what has become of one; nil where none is
    /// due.
    package func makeFrame(from copy: [UInt8]? = nil) throws(LabError) -> [UInt8]? {
        let (action, frame) = try program.run(on: copy ?? template)
        let transmit: Int32 = 3  // XDP_TX
        return action == transmit ? frame : nil
    }
}
