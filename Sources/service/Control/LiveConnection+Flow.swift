// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Telemetry

extension LiveConnection {
    /// A flow that a worker copied, with names. What is no state and no change mode in this version is told by its number: the copy comes
    /// from another process.
    init(_ answer: Tracing.Answer, names: FlowDecoder, wallOffset: Int64) {
        let flow = answer.answer.flow
        self.init(FlowReport(names.decode(flow.record, wallOffset: wallOffset)), worker: answer.worker)
        state = FlowState(rawValue: flow.record.state)?.name ?? String(flow.record.state)
        marks = flow.marks
        if flow.record.protocolNumber == IPProtocol.tcp.rawValue {
            forward = Window(flow.forward, flags: flow.record.forwardFlags)
            reverse = Window(flow.reverse, flags: flow.record.reverseFlags)
        }
        age = Self.milliseconds(ticks: (flow.record.time &- flow.record.firstSeen) >> 20)
        quiet = Self.milliseconds(ticks: UInt64(flow.quiet))
        timeout = Self.milliseconds(ticks: UInt64(flow.timeout))
        change = SideRecord.Change(rawValue: flow.change & 3).map { "\($0)" } ?? String(flow.change & 3)
        drainSeconds = flow.drainSeconds
        if flow.validUntil != .max {
            let isGranted = flow.change & 4 != 0
            let wall = UInt64(clamping: (Int64(clamping: flow.record.time) &+ wallOffset) / 1_000_000_000)
            let now = isGranted ? flow.record.time / 1_000_000_000 : wall
            lapse = Lapse(isGranted: isGranted, seconds: UInt64(flow.validUntil) > now ? UInt64(flow.validUntil) - now : 0)
        }
    }

    /// Ticks are 2²⁰ ns.
    private static func milliseconds(ticks: UInt64) -> UInt64 { (ticks & 0xffff_ffff) * 1_048_576 / 1_000_000 }
}

extension LiveConnection.Window {
    fileprivate init(_ end: TracedFlow.End, flags: UInt8) {
        self.init(
            end: end.end, acknowledged: end.acknowledged, maximum: end.maximum, scale: end.scale, marks: end.marks, flags: flags)
    }
}
