// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Net
import Record
import TestSupport
import Testing

/// A TCP connection of the town through a bench, over either family: `>` is a segment of the client, `<` one of the web server.
struct Talk {
    let bench: PairBench
    var isIPv4 = true
    var clientPort: UInt16 = 40000
    var webPort: UInt16 = 443

    func packet(
        _ direction: Character, _ flags: TCPFlags, _ sequence: UInt32, _ acknowledgement: UInt32 = 0, window: UInt16 = 65535,
        scale: UInt8? = nil, length: Int = 0
    ) -> Packet {
        let isClient = direction == ">"
        let segment = TCP(
            from: isClient ? clientPort : webPort, to: isClient ? webPort : clientPort, flags, sequence: sequence,
            acknowledgement: acknowledgement, window: window, windowScale: scale)
        let ends4 = isClient ? (client, web) : (web, client)
        let ends6 = isClient ? (client6, web6) : (web6, client6)
        let frame =
            isIPv4
            ? Ethernet() / IPv4(from: ends4.0, to: ends4.1) / segment : Ethernet() / IPv6(from: ends6.0, to: ends6.1) / segment
        return length == 0 ? frame : frame / Payload(count: length)
    }

    /// Demands that a segment passes.
    func pass(
        _ direction: Character, _ flags: TCPFlags, _ sequence: UInt32, _ acknowledgement: UInt32 = 0, window: UInt16 = 65535,
        scale: UInt8? = nil, length: Int = 0, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let packet = packet(direction, flags, sequence, acknowledgement, window: window, scale: scale, length: length)
        try bench.expectForwarded(packet, port: direction == ">" ? 0 : 1, location)
    }

    /// Demands that a segment is dropped for a reason.
    func drop(
        _ direction: Character, _ flags: TCPFlags, _ sequence: UInt32, _ acknowledgement: UInt32 = 0, window: UInt16 = 65535,
        scale: UInt8? = nil, length: Int = 0, as reason: DropReason = .outOfWindow, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let packet = packet(direction, flags, sequence, acknowledgement, window: window, scale: scale, length: length)
        try bench.expectDropped(packet, reason, port: direction == ">" ? 0 : 1, location)
    }

    /// A handshake behind which both sequence numbers are 1.
    func open(clientWindow: UInt16 = 65535, webWindow: UInt16 = 65535, scales: (UInt8?, UInt8?) = (nil, nil)) throws {
        try pass(">", [.syn], 0, window: clientWindow, scale: scales.0)
        try pass("<", [.syn, .ack], 0, 1, window: webWindow, scale: scales.1)
        try pass(">", [.ack], 1, 1, window: clientWindow)
    }

    /// The state of the bench's only flow.
    var state: FlowState { isIPv4 ? bench.worker.lane.flows.v4[0].state : bench.worker.lane.flows.v6[0].state }

    /// The initiator of the bench's only flow; the client is the low end.
    var initiator: FlowEnd { isIPv4 ? bench.worker.lane.flows.v4[0].initiator : bench.worker.lane.flows.v6[0].initiator }

    /// Events since the last call, as their numbers.
    var events: [FlowRecord.Event?] { bench.worker.takeEvents().map { FlowRecord.Event(rawValue: $0.event) } }
}

extension SmallPolicy {
    /// The town, with other settings for connections.
    static func town(flows change: (inout FlowSettings) -> Void, _ rest: (inout SmallPolicy) -> Void = { _ in }) -> SmallPolicy {
        town {
            change(&$0.flows)
            rest(&$0)
        }
    }

    /// The town in which the web server may open towards the client's high ports, too.
    static func mutual() -> SmallPolicy {
        town {
            let range = ServiceKey(.tcp, port: 40_000).rawValue...ServiceKey(.tcp, port: 40_999).rawValue
            $0.ingress(of: ownClass(clients), from: ownClass(webs), range)
            $0.ingress(of: ownClass(clients), from: anyone, 0...0, denied)
        }
    }
}
