// SPDX-License-Identifier: Apache-2.0
import Flow
import Net

/// What a flow table means, without any of its machinery: a dictionary.
struct SlowFlowTable {
    struct Flow: Equatable {
        var number: UInt32
        var opened: Int
        var lastSeen: UInt32
        var bytes: UInt64
        var state: FlowState
        var isTCP: Bool

        var isWaiting: Bool { state == .oneSided || state == .answered || state == .synSent || state == .synReceived }

        static func == (a: Flow, b: Flow) -> Bool { a.number == b.number && a.opened == b.opened && a.bytes == b.bytes }
    }

    let capacity: Int
    var flows: [String: Flow] = [:]
    var opened = 0

    var pressure = 0

    var waiting: Int { flows.values.count { $0.isWaiting } }
    var canOpen: Bool { flows.count < capacity && waiting < mostWaiting }
    private var mostWaiting: Int { max(1, capacity * 875 / 1000) }

    mutating func open(_ key: String, number: UInt32, now: UInt32, isTCP: Bool) {
        opened += 1
        flows[key] = Flow(
            number: number, opened: opened, lastSeen: now, bytes: 0, state: isTCP ? .synSent : .oneSided, isTCP: isTCP)
    }

    /// The pressure is the highest since half of those that may wait were free.
    mutating func measurePressure() {
        let half = mostWaiting / 2
        pressure = waiting <= half ? 0 : max(pressure, (waiting - half) * 1024 / (mostWaiting - half))
    }

    /// How long a flow may be quiet, and not longer than two seconds under the highest pressure if it waits.
    func pressedLimit(_ flow: Flow, _ timeouts: FlowTimeouts) -> UInt32 {
        let limit = limit(flow, timeouts)
        guard flow.isWaiting else { return limit }
        return limit - UInt32(Int(limit - FlowTimeouts.ticks(seconds: 2)) * pressure / 1024)
    }

    func limit(_ flow: Flow, _ timeouts: FlowTimeouts) -> UInt32 {
        switch (flow.isTCP, flow.state) {
        case (true, .established): timeouts.tcpEstablished
        case (true, .closed): timeouts.tcpClosed
        case (true, _): timeouts.tcpOpening
        case (false, .established): timeouts.udpAnswered
        case (false, _): timeouts.udpOneSided
        }
    }
}
