// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Net
import Record
import TestSupport
import Testing

// Tunnels between two ends in front of the town, 10.8.0.1 and 10.8.0.2 (fd08::1 and fd08::2). Nothing judges what goes between these two,
// unless a test says so; what is inside goes from the client to the web server, which lets the client in to TCP 443 and UDP 53.

private let near: Address = "10.8.0.1"
private let far: Address = "10.8.0.2"
private let near6: Address = "fd08::1"
private let far6: Address = "fd08::2"
private let four = Ethernet() / IPv4(from: near, to: far)
private let six = Ethernet() / IPv6(from: near6, to: far6)
private let frame = Ethernet(from: "0a:00:00:00:00:01", to: "0a:00:00:00:00:02")

/// A kind of tunnel with the identifier that a zone names.
struct Around: CustomTestStringConvertible, Sendable {
    let name: String
    let identifier: UInt32
    let packet: Packet
    let service: ServiceKey
    /// Whether there is Ethernet inside.
    let carriesFrames: Bool
    var testDescription: String { name }

    /// What it looks like around a packet.
    func around(_ packet: Packet) -> Packet { carriesFrames ? self.packet / frame / packet : self.packet / packet }
}

private func service(_ number: UInt8) -> ServiceKey { ServiceKey(IPProtocol(rawValue: number), port: 0) }

let tunnels = [
    Around(name: "IP in IPv4", identifier: 0, packet: four, service: service(4), carriesFrames: false),
    Around(name: "IPv4 in IPv6", identifier: 0, packet: six, service: service(4), carriesFrames: false),
    Around(name: "GRE without a key", identifier: 0, packet: four / GRE(), service: service(47), carriesFrames: false),
    Around(name: "GRE with a key", identifier: 7, packet: four / GRE(key: 7), service: service(47), carriesFrames: false),
    Around(name: "frames in GRE over IPv6", identifier: 7, packet: six / GRE(key: 7), service: service(47), carriesFrames: true),
    Around(
        name: "VXLAN", identifier: 7, packet: four / UDP(to: 4789) / VXLAN(7), service: ServiceKey(.udp, port: 4789),
        carriesFrames: true),
    Around(
        name: "VXLAN over IPv6", identifier: 7, packet: six / UDP(to: 4789) / VXLAN(7), service: ServiceKey(.udp, port: 4789),
        carriesFrames: true),
    Around(
        name: "Geneve", identifier: 7, packet: four / UDP(to: 6081) / Geneve(7, options: [1, 2, 3, 0]),
        service: ServiceKey(.udp, port: 6081), carriesFrames: false),
    Around(
        name: "frames in Geneve", identifier: 7, packet: four / UDP(to: 6081) / Geneve(7), service: ServiceKey(.udp, port: 6081),
        carriesFrames: true),
]

/// Label sets of the tunnels' ends.
private let (nears, fars) = (guests, guests + 1)

/// A policy in which the far end lets these services in, and a zone lies in each of these tunnels.
private func policy(
    _ services: [ServiceKey], _ record: UInt32 = SmallPolicy.allowed, inside identifiers: [UInt32] = [],
    _ change: (inout SmallPolicy) -> Void = { _ in }
) -> SmallPolicy {
    var policy = SmallPolicy(labelSets: 5)
    let (client, web) = (SmallPolicy.ownClass(clients), SmallPolicy.ownClass(webs))
    policy.ingress(of: web, from: client, ServiceKey.tcp(443))
    policy.ingress(of: web, from: client, ServiceKey.udp(53))
    policy.ingress(of: web, from: client, ServiceKey.tcp(80), SmallPolicy.rejected)
    policy.ingress(of: web, from: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
    for service in services {
        policy.ingress(
            of: SmallPolicy.ownClass(fars), from: SmallPolicy.ownClass(nears), service.rawValue...service.rawValue, record)
    }
    policy.ingress(of: SmallPolicy.ownClass(fars), from: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
    policy.zones = identifiers.map {
        var entry = ZoneEntry()
        (entry.zone, entry.tunnel) = (other, $0)
        return entry
    }
    change(&policy)
    return policy
}

/// A bench with such a policy and both ends of the tunnels.
private func tunnelBench(_ policy: SmallPolicy, _ shape: PairShape = PairShape()) throws -> PairBench {
    let bench = try PairBench(shape, policy)
    for address in [near, near6] { try bench.enter(address, as: nears, workload: 90) }
    for address in [far, far6] { try bench.enter(address, as: fars, workload: 91) }
    return bench
}

@Suite("What tunnels carry") struct TunnelJudgementTests {
    let open = IPv4(from: client, to: web) / TCP(to: 443, [.syn])
    let closed = IPv4(from: client, to: web) / TCP(to: 22, [.syn])

    @Test(arguments: tunnels) func `a tunnel that no rule allows is denied, whatever is inside`(_ tunnel: Around) throws {
        for identifiers in [[], [tunnel.identifier]] {
            let bench = try tunnelBench(policy([], inside: identifiers))
            try bench.expectDropped(tunnel.around(open), .denied)
            #expect(bench.worker.counters.flows == 0)
            #expect(bench.worker.takeEvents().map(\.destination) == [tunnel.packet.layers[1] is IPv4 ? far : far6])
        }
    }

    @Test(arguments: tunnels) func `without a zone in it, it passes as a whole`(_ tunnel: Around) throws {
        for identifiers in [[], [99]] as [[UInt32]] {
            let bench = try tunnelBench(policy([tunnel.service], inside: identifiers))
            try bench.expectForwarded(tunnel.around(open))
            try bench.expectForwarded(tunnel.around(closed))
            try bench.expectForwarded(tunnel.around(IPv4(from: "127.0.0.1") / UDP()))
            #expect(bench.worker.counters.flows == 1)
        }
    }

    @Test(arguments: tunnels) func `with a zone in it, what is inside is judged as well`(_ tunnel: Around) throws {
        let bench = try tunnelBench(policy([tunnel.service], inside: [tunnel.identifier]))
        try bench.expectForwarded(tunnel.around(open))
        #expect(bench.worker.counters.flows == 2)
        var events = bench.worker.takeEvents()
        #expect(events.map(\.protocolNumber) == [UInt8(truncatingIfNeeded: tunnel.service.rawValue >> 16), 6])
        #expect(events.map(\.tunnelKind) == [0, tunnelKind(tunnel)])
        #expect(events.map(\.tunnelIdentifier) == [0, tunnel.identifier])
        #expect(events.last?.sourceZone == other && events.last?.destinationPort == 443)
        try bench.expectDropped(tunnel.around(closed), .denied)
        events = bench.worker.takeEvents()
        #expect(events.map(\.reason) == [DropReason.denied.number] && events.map(\.tunnelIdentifier) == [tunnel.identifier])
        // State is kept inside as it is outside.
        try bench.expectDropped(tunnel.around(IPv4(from: client, to: web) / TCP(from: 9, to: 443, [.ack])), .notOpening)
        try bench.expectDropped(tunnel.around(IPv4(from: client, to: db) / UDP(to: 53)), .unjudged)
        #expect(bench.worker.counters.flows == 2)
        #expect(bench.fault == nil)
    }

    @Test func `a fragment in a tunnel whose checksum is wrong leaves nothing behind`() throws {
        let bench = try tunnelBench(policy([ServiceKey(.udp, port: 4789)], inside: [7]))
        func fragment(_ checksum: Checksum) -> Packet {
            four / UDP(to: 4789, checksum: checksum) / VXLAN(7) / frame
                / IPv4(from: client, to: web, identification: 9, moreFragments: true) / UDP(to: 53) / Payload(count: 16)
        }
        try bench.expectDropped(fragment(.wrong), .badTransportChecksum)
        #expect(bench.worker.datagrams == 0)
        try bench.expectForwarded(fragment(.right))
        #expect(bench.worker.datagrams == 1 && bench.fault == nil)
    }

    private func tunnelKind(_ tunnel: Around) -> UInt8 {
        Net.Tunnel.Kind.allCases.first { "\($0)".lowercased() == tunnel.kindName }?.rawValue ?? .max
    }

    @Test func `the inside is its own flow, which no frame outside of the tunnel belongs to`() throws {
        let bench = try tunnelBench(policy([ServiceKey(.udp, port: 4789)], inside: [7, 8]))
        let there = four / UDP(to: 4789)
        let ack = IPv4(from: client, to: web) / TCP(to: 443, [.ack], sequence: 1001)
        try bench.expectForwarded(there / VXLAN(7) / frame / open)
        try bench.expectDropped(there / VXLAN(8) / frame / ack, .notOpening)
        try bench.expectDropped(Ethernet() / ack, .notOpening)
        #expect(bench.worker.counters.flows == 2)
    }

    @Test func `what cannot be read inside has its own reason`() throws {
        let bench = try tunnelBench(policy([ServiceKey(.udp, port: 4789), service(4)], inside: [0, 7]))
        let vxlan = four / UDP(to: 4789) / VXLAN(7) / frame
        for (inside, reason) in [
            (IPv4(from: "127.0.0.1") / UDP(), .martian), (IPv4() / TCP([.syn, .fin]), .badTCP),
            (IPv4(checksum: 1) / UDP(), .badChecksum),
            (VLAN(10) / IPv4() / UDP(), .tooManyTags), (IPv4() / UDP(length: 4), .badUDP),
        ] as [(Packet, DropReason)] {
            try bench.expectDropped(vxlan / inside, reason)
        }
        try bench.expectDropped(four / UDP(to: 4789) / VXLAN(7) / Payload(count: 10), .truncated)
        try bench.expectDropped(four / IPv4(from: "10.9.0.1", to: "10.9.0.1") / UDP(), .martian)
        #expect(bench.worker.counters.flows == 0)
    }

    @Test func `layer 2 inside follows the table, behind the rule for the tunnel`() throws {
        let lldp = four / UDP(to: 4789) / VXLAN(7) / frame / Raw.lldp()
        let arp = four / UDP(to: 4789) / VXLAN(7) / Ethernet(to: everybody) / ARP()
        for (services, passes) in [([], false), ([ServiceKey(.udp, port: 4789)], true)] as [([ServiceKey], Bool)] {
            let bench = try tunnelBench(policy(services, inside: [7]))
            try bench.expectDropped(lldp, passes ? .linkProtocol : .denied)
            if passes { try bench.expectForwarded(arp) } else { try bench.expectDropped(arp, .denied) }
        }
        let strict = try tunnelBench(policy([ServiceKey(.udp, port: 4789)], inside: [7]) { $0.links.stormFrames = 1 })
        try strict.expectForwarded(arp)
        try strict.expectDropped(arp, .storm)
    }

    @Test func `a rule that rejects the tunnel tells its sender, one that rejects what is inside tells nobody`() throws {
        let packet = four / GRE(key: 7) / IPv4(from: client, to: web) / TCP(to: 80, [.syn]) / Payload(count: 40)
        let refusing = try tunnelBench(policy([service(47)], SmallPolicy.rejected, inside: [7]))
        try refusing.expectDropped(packet, .denied)
        let told = refusing.worker.ports[0].send()
        #expect(told.count == 1 && told.first.map { $0[34] } == 3)
        let silent = try tunnelBench(policy([service(47)], inside: [7]))
        try silent.expectDropped(packet, .denied)
        #expect(silent.worker.ports[0].send().isEmpty)
        #expect(refusing.fault == nil && silent.fault == nil)
    }

    @Test func `ICMP errors are related inside of a tunnel as they are outside`() throws {
        let bench = try tunnelBench(policy([service(47)], inside: [7]))
        let asked = IPv4(from: client, to: web) / UDP(to: 53)
        let back = Ethernet() / IPv4(from: far, to: near) / GRE(key: 7)
        try bench.expectForwarded(four / GRE(key: 7) / asked)
        let error = IPv4(from: web, to: client) / ICMP(type: 3, code: 3) / asked
        try bench.expectForwarded(back / error, port: 1)
        try bench.expectDropped(Ethernet() / error, .unrelatedICMP, port: 1)
        // And a router may speak of the tunnel itself.
        let quoted = IPv4(from: near, to: far) / GRE(key: 7) / asked
        try bench.expectForwarded(
            Ethernet() / IPv4(from: stranger, to: near) / ICMP(type: 3, code: 4, sequence: 1400) / quoted, port: 1)
    }

    @Test func `parts of a tunnel's packets are refused where insides are judged`() throws {
        let part =
            Ethernet() / IPv4(from: near, to: far, identification: 9, moreFragments: true) / UDP(to: 4789) / VXLAN(7) / frame
            / IPv4() / UDP() / Payload(count: 6)
        let bench = try tunnelBench(policy([ServiceKey(.udp, port: 4789)], inside: [7]))
        try bench.expectDropped(part, .badTunnel)
        let last = Ethernet() / IPv4(from: near, to: far, identification: 9, offset: 64, next: 17) / Payload(count: 8)
        try bench.expectDropped(last, .badTunnel)
        // Where no inside is judged they go their way as a whole.
        let whole = try tunnelBench(policy([ServiceKey(.udp, port: 4789)]))
        try whole.expectForwarded(part)
        try whole.expectForwarded(last)
    }
}

extension Around {
    /// The name of its kind in `Tunnel.Kind`.
    fileprivate var kindName: String {
        if packet.layers.contains(where: { $0 is GRE }) { return "gre" }
        if packet.layers.contains(where: { $0 is VXLAN }) { return "vxlan" }
        return packet.layers.contains { $0 is Geneve } ? "geneve" : "ipip"
    }
}

@Suite("Tunnels in tunnels") struct NestedTunnelTests {
    private let gre = service(47)
    private let vxlan = ServiceKey(.udp, port: 4789)
    private let open = IPv4(from: client, to: web) / TCP(to: 443, [.syn])
    private let closed = IPv4(from: client, to: web) / TCP(to: 22, [.syn])

    /// VXLAN 9 in GRE 7.
    private func nested(_ inside: Packet) -> Packet {
        four / GRE(key: 7) / IPv4(from: near, to: far) / UDP(to: 4789) / VXLAN(9) / frame / inside
    }

    @Test func `two deep, each of the three must be allowed`() throws {
        for (services, allowed) in [([], 0), ([gre], 1), ([vxlan], 0), ([gre, vxlan], 3)] as [([ServiceKey], UInt64)] {
            let bench = try tunnelBench(policy(services, inside: [7, 9]))
            if allowed == 3 {
                try bench.expectForwarded(nested(open))
                try bench.expectDropped(nested(closed), .denied)
            } else {
                try bench.expectDropped(nested(open), .denied)
            }
            #expect(bench.worker.counters.flows == allowed)
            #expect(bench.fault == nil)
        }
    }

    @Test func `a tunnel inside whose identifier no zone has passes as a whole`() throws {
        let bench = try tunnelBench(policy([gre, vxlan], inside: [7]))
        try bench.expectForwarded(nested(closed))
        #expect(bench.worker.counters.flows == 2)
        let denying = try tunnelBench(policy([gre], inside: [7]))
        try denying.expectDropped(nested(open), .denied)
    }

    @Test func `a third tunnel is too many, and so is what nobody could read`() throws {
        for identifiers in [[0, 7, 9], [7, 9]] as [[UInt32]] {
            let bench = try tunnelBench(policy([gre, vxlan, service(4)], inside: identifiers))
            try bench.expectDropped(nested(IPv4(from: near, to: far) / open), .badTunnel)
            #expect(bench.worker.counters.flows == 0)
        }
    }
}

@Suite("Tunnels and several workers") struct TunnelOwnerTests {
    @Test(arguments: [2, 3]) func `the flow inside names the worker, and each keeps its own of the tunnel`(workers: Int) throws {
        var shape = PairShape()
        shape.workers = workers
        let bench = try tunnelBench(policy([ServiceKey(.udp, port: 4789)], inside: [7]), shape)
        let asked = (0..<40 as Range<UInt16>).map { source in
            four / UDP(to: 4789) / VXLAN(7) / frame / IPv4(from: client, to: web) / UDP(from: 5000 + source, to: 53)
        }
        try bench.receive(asked)
        bench.turnAll()
        #expect(bench.workers.map { $0.ports[1].send().count }.reduce(0, +) == 40)
        #expect(bench.workers.map(\.counters.flows).reduce(0, +) == UInt64(40 + workers))
        #expect(bench.workers.allSatisfy { $0.counters.flows > 1 })
        #expect(bench.fault == nil)
    }
}
