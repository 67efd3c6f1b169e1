// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import TestSupport
import Testing

/// What an order asks for, and how much of a frame is copied.
@Suite("What a capture copies") struct CaptureFilterTests {
    /// A packet by what it is, and how many of its bytes are headers.
    struct Cut: CustomTestStringConvertible, Sendable {
        let name: String
        let packet: Packet
        let headers: Int
        var testDescription: String { name }
    }

    private static let cuts: [Cut] = [
        Cut(name: "a TCP segment", packet: Connection().request, headers: 54),
        Cut(name: "a SYN with an option", packet: Connection().syn, headers: Connection().syn.bytes.count),
        Cut(
            name: "a tagged datagram over IPv6",
            packet: Ethernet() / VLAN(9) / IPv6(from: client6, to: web6) / UDP(to: 53) / Payload("secret"), headers: 66),
        Cut(name: "an echo request", packet: Ethernet() / IPv4() / ICMP.echo() / Payload("secret"), headers: 42),
        Cut(
            name: "an error, which quotes headers",
            packet: Ethernet() / IPv4(from: web, to: client) / ICMP(type: 3, code: 3) / IPv4() / UDP(to: 53) / Payload("secret"),
            headers: 42 + 28),
        Cut(name: "a question of ARP", packet: Ethernet(to: everybody) / ARP(), headers: Int.max),
        Cut(name: "labels of MPLS", packet: Ethernet() / Raw.mpls() / IPv4() / UDP() / Payload("secret"), headers: 14),
        Cut(name: "a session of PPPoE", packet: Ethernet() / Raw.pppoe() / Padding(to: 60), headers: 14),
        Cut(name: "link discovery", packet: Ethernet(to: "01:80:c2:00:00:0e") / Raw.lldp(), headers: Int.max),
        Cut(name: "a later fragment", packet: question(2000).fragments(of: 1000)[1], headers: 34),
        Cut(name: "what cannot be read", packet: Ethernet() / IPv4(checksum: 1) / UDP() / Payload("secret"), headers: 42),
        Cut(
            name: "a segment with a wrong checksum",
            packet: Ethernet() / IPv4() / TCP([.syn], checksum: .wrong) / Payload("secret"), headers: 54),
        Cut(
            name: "a tunnel that nobody looks into",
            packet: Ethernet() / IPv4() / UDP(to: 4789) / VXLAN(7) / Ethernet() / IPv4() / UDP() / Payload("secret"), headers: 42),
    ]

    private func bench(_ change: (inout CaptureOrder) -> Void) throws -> (PairBench, CaptureBench) {
        let bench = try CaptureBench.$slots.withValue(256) { try PairBench() }
        let capture = try #require(bench.worker.capture)
        var order = CaptureBench.everything
        order.number = 2
        change(&order)
        capture.arm(order)
        return (bench, capture)
    }

    @Test(arguments: cuts) func `without its payload a frame ends behind its headers`(cut: Cut) throws {
        let (bench, capture) = try bench { ($0.withPayload, $0.sights) = (0, CaptureOrder.Bits.before) }
        try bench.receive([cut.packet])
        bench.turn()
        bench.clock.pass(seconds: 60)
        for _ in 0..<64 { bench.turn() }
        let sights = capture.take()
        try #require(sights.count == 1)
        #expect(sights[0].bytes == Array(cut.packet.bytes.prefix(cut.headers)), "\(sights[0].bytes.count)")
        #expect(sights[0].frame.length == UInt32(cut.packet.bytes.count))
    }

    @Test(arguments: [1, 60, 1856]) func `no more than the snap length is copied`(snap: UInt16) throws {
        let (bench, capture) = try bench { $0.snapLength = snap }
        let packet = question(1400)
        try bench.expectForwarded(packet)
        let sights = capture.take()
        #expect(sights.count == 2 && sights.allSatisfy { $0.bytes == Array(packet.bytes.prefix(Int(snap))) })
        #expect(sights.allSatisfy { $0.frame.length == UInt32(packet.bytes.count) })
    }

    /// The traffic that each filter below is asked about.
    private static let traffic: [(name: String, packet: Packet)] = [
        ("syn", Connection().syn), ("denied", Connection(to: db).syn), ("dns", question(20)),
        ("syn6", Ethernet() / IPv6(from: client6, to: web6) / TCP(to: 443, [.syn])),
        ("arp", Ethernet(to: everybody) / ARP()), ("lldp", Ethernet(to: "01:80:c2:00:00:0e") / Raw.lldp()),
        ("broken", Ethernet() / IPv4(checksum: 1) / UDP()),
    ]

    /// A filter by name, and what of the traffic fits it.
    struct Filter: CustomTestStringConvertible, Sendable {
        let name: String
        let fits: Set<String>
        let set: @Sendable (inout CaptureOrder) -> Void
        var testDescription: String { name }
    }

    private static let filters: [Filter] = [
        Filter(name: "nothing asked", fits: ["syn", "denied", "dns", "syn6", "arp", "lldp", "broken"]) { _ in },
        Filter(name: "the database's address", fits: ["denied"]) {
            ($0.blocks[0], $0.blockCount) = (CaptureBlock(Prefix(host: db)), 1)
        },
        Filter(name: "UDP", fits: ["dns"]) {
            $0.protocols = .init(repeating: 0)
            $0.protocols[0] = 1 << 17
        },
        Filter(name: "port 443 and 53", fits: ["syn", "denied", "syn6", "dns"]) {
            ($0.ports[0], $0.ports[1], $0.portCount) = (443, 53, 2)
        },
        Filter(name: "IPv6", fits: ["syn6"]) { $0.families = CaptureOrder.Bits.v6 },
        Filter(name: "neither family", fits: ["lldp", "broken"]) { $0.families = CaptureOrder.Bits.other },
        Filter(name: "what is dropped", fits: ["denied", "lldp", "broken"]) { $0.fates = CaptureOrder.Bits.dropped },
        Filter(name: "what is dropped for one reason", fits: ["denied"]) {
            ($0.fates, $0.reasons) = (CaptureOrder.Bits.dropped, 1 << UInt64(DropReason.denied.number))
        },
        Filter(name: "what is forwarded", fits: ["syn", "dns", "syn6", "arp"]) { $0.fates = CaptureOrder.Bits.forwarded },
        Filter(name: "nothing at all", fits: []) { $0.fates = 0 },
    ]

    @Test(arguments: filters) func `an order's filter is asked before anything is written`(filter: Filter) throws {
        let (bench, capture) = try bench {
            $0.sights = CaptureOrder.Bits.before
            filter.set(&$0)
        }
        var seen: Set<String> = []
        for (name, packet) in Self.traffic {
            try bench.receive([packet])
            bench.turn()
            let sights = capture.take()
            #expect(sights.allSatisfy { $0.bytes == packet.bytes } && sights.count < 2)
            if !sights.isEmpty { seen.insert(name) }
        }
        #expect(seen == filter.fits)
        #expect(capture.suppressed == 0 && bench.fault == nil)
    }

    @Test func `only the sights that are asked for are written`() throws {
        let (bench, capture) = try bench { $0.sights = CaptureOrder.Bits.after }
        try bench.expectForwarded(Connection().syn)
        try bench.expectDropped(Connection(to: db).syn, .denied)
        #expect(capture.take().map(\.kind) == [.after])
    }
}
