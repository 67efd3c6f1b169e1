// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import TestSupport
import Testing

@Suite("Frames to a group") struct GroupTests {
    private let group: Address = "224.1.2.3"
    private let groupMAC: MACAddress = "01:00:5e:01:02:03"
    private let town = SmallPolicy.town {
        $0.egress(of: SmallPolicy.ownClass(clients), to: SmallPolicy.anyone, ServiceKey.udp(5353))
        $0.egress(of: SmallPolicy.ownClass(clients), to: SmallPolicy.anyone, ServiceKey.udp(1900), SmallPolicy.rejected)
    }

    private func packet(
        from: Address = client, to: Address? = nil, mac: MACAddress? = nil, port: UInt16 = 5353
    ) -> Packet {
        Ethernet(to: mac ?? groupMAC) / IPv4(from: from, to: to ?? group) / UDP(from: 5353, to: port) / Payload("who is there")
    }

    @Test func `the source's egress judges, and no flow is kept`() throws {
        let bench = try PairBench(PairShape(), town)
        for port in 0..<2 { try bench.expectForwarded(packet(), port: port) }
        try bench.expectForwarded(packet(to: "255.255.255.255", mac: everybody))
        #expect(bench.worker.counters.flows == 0)
        #expect(bench.worker.takeEvents().isEmpty)
        try bench.expectDropped(packet(port: 5354), .denied)
        let events = bench.worker.takeEvents()
        #expect(events.count == 1)
        #expect(events.first?.event == FlowRecord.Event.refused.rawValue && events.first?.destination == group)
        #expect(events.first?.egressRecord == SmallPolicy.denied && events.first?.ingressRecord == FlowRecord.none32)
        #expect(bench.fault == nil)
    }

    @Test func `over IPv6 as well`() throws {
        let bench = try PairBench(PairShape(), town)
        func frame(_ port: UInt16) -> Packet {
            Ethernet(to: "33:33:00:00:00:fb") / IPv6(from: client6, to: "ff02::fb") / UDP(from: 5353, to: port) / Payload("?")
        }
        try bench.expectForwarded(frame(5353))
        try bench.expectDropped(frame(5354), .denied)
    }

    @Test func `where no side judges, the zones do`() throws {
        let bench = try PairBench(PairShape(), town)
        try bench.expectDropped(packet(from: stranger), .unjudged)
        try bench.publish(.town(generation: 2) { $0.unjudgedRecord = SmallPolicy.allowed })
        try bench.expectForwarded(packet(from: stranger))
        try bench.expectDropped(packet(from: contested), .contested)
    }

    @Test func `a host's address in a frame to a group is judged by both sides, without a flow`() throws {
        let bench = try PairBench(PairShape(), town)
        // The web server lets nobody in to 5353, whatever the client may say to groups.
        try bench.expectDropped(packet(to: web, mac: everybody), .denied)
        try bench.expectDropped(packet(to: db, mac: groupMAC), .denied)
        try bench.expectForwarded(packet(to: otherStranger, mac: everybody))
        #expect(bench.worker.counters.flows == 0)
    }

    @Test func `a group's address in a frame to one host is the group's`() throws {
        let bench = try PairBench(PairShape(), town)
        try bench.expectForwarded(packet(mac: "02:00:00:00:00:02"))
        #expect(bench.worker.counters.flows == 0)
    }

    @Test func `nobody connects to a group, and a group answers no request`() throws {
        let bench = try PairBench(PairShape(), .town { $0.unjudgedRecord = SmallPolicy.allowed })
        for flags in [.syn, .ack, [.rst, .ack]] as [TCPFlags] {
            try bench.expectDropped(Ethernet(to: groupMAC) / IPv4(to: group) / TCP(to: 443, flags), .multicast)
            try bench.expectDropped(Ethernet(to: everybody) / IPv4() / TCP(to: 443, flags), .multicast)
        }
        try bench.expectDropped(Ethernet(to: everybody) / IPv4() / ICMP.echoReply(), .unrelatedICMP)
        try bench.expectDropped(
            Ethernet(to: everybody) / IPv4() / ICMP(type: 3, code: 1) / IPv4(from: web, to: client) / UDP(), .unrelatedICMP)
        #expect(bench.worker.takeEvents().isEmpty)
    }

    @Test func `a refusal to a group is never answered`() throws {
        let bench = try PairBench(PairShape(), town)
        try bench.expectDropped(packet(port: 1900), .denied)
        #expect(bench.worker.ports[0].waiting == 0 && bench.worker.counters.ports[0].generated == 0)
    }

    @Test func `a source that belongs to another zone is spoofed`() throws {
        let bench = try PairBench(PairShape(), .zoned { $0.unjudgedRecord = SmallPolicy.allowed })
        try bench.enter("10.0.0.77", in: dmz)
        try bench.expectDropped(packet(from: "10.0.0.77"), .spoofed)
        #expect(bench.worker.takeEvents().map(\.reason) == [DropReason.spoofed.rawValue])
        try bench.expectForwarded(packet(from: "10.0.0.77"), port: 1)
    }
}

@Suite("A storm of group frames") struct StormBudgetTests {
    private let question = Ethernet(to: everybody) / ARP()

    private func bench(_ frames: UInt32) throws -> PairBench {
        try PairBench(PairShape(), .town { $0.links.stormFrames = frames })
    }

    @Test func `so many pass a second, and time brings more at an even pace`() throws {
        let bench = try bench(10)
        for _ in 0..<10 { try bench.expectForwarded(question) }
        try bench.expectDropped(question, .storm)
        bench.clock.pass(milliseconds: 99)
        try bench.expectDropped(question, .storm)
        bench.clock.pass(milliseconds: 1)
        try bench.expectForwarded(question)
        try bench.expectDropped(question, .storm)
        bench.clock.pass(seconds: 100)
        for _ in 0..<10 { try bench.expectForwarded(question) }
        try bench.expectDropped(question, .storm)
        #expect(bench.fault == nil)
    }

    @Test func `each port has its own, and frames to one host take none`() throws {
        let bench = try bench(1)
        try bench.expectForwarded(question)
        try bench.expectDropped(question, .storm)
        try bench.expectForwarded(question, port: 1)
        try bench.expectDropped(question, .storm, port: 1)
        try bench.establish()
        for _ in 0..<5 { try bench.expectForwarded(Ethernet() / ARP(2)) }
    }

    @Test func `what is dropped anyway takes none`() throws {
        let bench = try bench(1)
        for _ in 0..<3 { try bench.expectDropped(Ethernet(to: "01:80:c2:00:00:0e") / Raw.lldp(), .linkProtocol) }
        try bench.expectForwarded(question)
    }

    @Test func `a protocol of the link takes from it, whomever it is sent to`() throws {
        let bench = try PairBench(
            PairShape(),
            .town {
                $0.links.stormFrames = 1
                $0.links[.lldp] = .pass
            })
        try bench.expectForwarded(Ethernet() / Raw.lldp())
        try bench.expectDropped(Ethernet() / Raw.lldp(), .storm)
    }

    @Test func `a limit of 0 is none, and a new generation brings its own`() throws {
        let bench = try bench(0)
        for _ in 0..<300 { try bench.expectForwarded(question) }
        try bench.publish(.town(generation: 2) { $0.links.stormFrames = 2 })
        for _ in 0..<2 { try bench.expectForwarded(question) }
        try bench.expectDropped(question, .storm)
        try bench.publish(.town(generation: 3) { $0.links.stormFrames = 1_000_000 })
        bench.clock.pass(milliseconds: 1)
        for _ in 0..<300 { try bench.expectForwarded(question) }
    }
}
