// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import Ring
import TestSupport
import Testing

/// A frame that Wire refuses, for each of its reasons; `nil` for the reasons of others.
func unreadable(_ reason: DropReason) -> Packet? {
    switch reason {
    case .truncated: Ethernet(type: 0x0800) / Raw([0x45, 0, 0, 40])
    case .tooManyTags: Ethernet() / VLAN(1) / VLAN(2) / VLAN(3) / IPv4() / UDP()
    case .unknownEtherType: Ethernet(type: 0x88b5) / Raw([UInt8](repeating: 0, count: 46))
    case .badLink: Ethernet() / SNAP(type: 60) / SNAP() / IPv4() / UDP()
    case .badLength: Ethernet() / IPv4(totalLength: 10) / UDP()
    case .badChecksum: Ethernet() / IPv4(checksum: 1) / UDP()
    case .badOptions: Ethernet() / IPv4(options: [131, 7, 4, 10, 0, 0, 9]) / UDP()
    case .extensionHeader: Ethernet() / IPv6() / Extension.routing(type: 0, segmentsLeft: 1) / UDP()
    case .tinyFragment: Ethernet() / IPv4(moreFragments: true, next: 6) / Payload(count: 16)
    case .unknownProtocol: Ethernet() / IPv4() / ICMPv6.echo()
    case .badTCP: Ethernet() / IPv4() / TCP([.syn, .fin])
    case .badUDP: Ethernet() / IPv4() / UDP(length: 4)
    case .badSCTP: Ethernet() / IPv4() / SCTP(tag: 0, SCTP.data())
    case .badICMP: Ethernet() / IPv4() / ICMP(type: 3) / Payload(count: 8)
    case .badIPsec: Ethernet() / IPv4() / ESP(1) / Payload(count: 8)
    case .badControl: Ethernet() / IPv4(ttl: 64) / Raw.vrrp()
    case .badDHCP: Ethernet() / IPv4() / UDP(from: 67, to: 68) / DHCP.discover()
    case .badNeighbour: Ethernet() / ARP(3)
    case .badTunnel: Ethernet() / IPv4() / UDP(to: 4789) / VXLAN(7, flags: 0) / Ethernet() / ARP()
    case .martian: Ethernet() / IPv4(from: "127.0.0.1") / UDP()
    case .multicast: Ethernet(to: "01:00:5e:01:02:03") / IPv4(to: "224.1.2.3") / TCP([.syn])
    case .linkProtocol: Ethernet(to: "01:80:c2:00:00:0e") / Raw.lldp()
    case .ownAddress: Ethernet(from: "02:bb:00:00:00:01") / IPv4() / UDP()
    default: nil
    }
}

/// A bench in which frames were dropped for a reason; `nil` for the one reason that no lane has a part in.
func provoke(_ reason: DropReason) throws -> PairBench? {
    let bench = try PairBench()
    switch reason {
    case .truncated, .tooManyTags, .unknownEtherType, .badLength, .badLink, .badChecksum, .badOptions, .extensionHeader,
        .tinyFragment, .unknownProtocol, .badTCP, .badUDP, .badSCTP, .badICMP, .badIPsec, .badControl, .badDHCP, .badNeighbour,
        .badTunnel, .martian, .multicast, .linkProtocol, .ownAddress:
        try bench.expectDropped(#require(unreadable(reason)), reason)
    case .storm: return try provokeStorm()
    case .notOpening: try bench.expectDropped(Connection().ack, .notOpening)
    case .outOfWindow:
        try bench.establish()
        try bench.expectDropped(Talk(bench: bench).packet(">", [.ack], 101, 902), .outOfWindow)
    case .oneSided:
        try bench.expectForwarded(Connection().syn)
        try bench.expectDropped(Connection().ack, .oneSided)
    case .unrelatedICMP: try bench.expectDropped(Ethernet() / IPv4(from: web, to: client) / ICMP.echoReply(), .unrelatedICMP)
    case .flowTableFull: return try provokeFullTable()
    case .denied: try bench.expectDropped(Connection(to: db).syn, .denied)
    case .unjudged: try bench.expectDropped(Connection(from: stranger, to: otherStranger).syn, .unjudged)
    case .contested: try bench.expectDropped(Connection(to: contested).syn, .contested)
    case .spoofed:
        try bench.establish()
        try bench.expectDropped(Connection().request, .spoofed, port: 1)
    case .transmitFull:
        for number in 0..<130 as Range<UInt16> { try bench.receive([Connection(source: 1000 + number).syn]); bench.turn() }
    case .linkDown:
        bench.worker.ports[1].hasLink = false
        try bench.expectDropped(Connection().syn, .linkDown)
    case .stale:
        try bench.receive([Connection().syn])
        #expect(bench.worker.dropStale() == 1)
    case .handOffFull: return try provokeFullHandOff()
    case .oversize: try bench.expectDropped(Connection().syn / Payload(count: 1522 - 57), .oversize)
    case .lostWithWorker: return nil
    case .badTransportChecksum:
        try bench.expectDropped(Ethernet() / IPv4() / UDP(to: 53, checksum: .wrong) / Payload("who?"), .badTransportChecksum)
    case .partialChecksum: return try provokePartialChecksum()
    case .fragmentOverlap, .fragmentLimit, .fragmentTimeout: return try provokeByFragments(reason)
    case .errorLimit: return try provokeErrorLimit()
    case .sourceLimit: return try provokeSourceLimit()
    }
    return bench
}

/// One group frame a second is one more than two.
private func provokeStorm() throws -> PairBench {
    let bench = try PairBench(PairShape(), .town { $0.links.stormFrames = 1 })
    try bench.expectForwarded(Ethernet(to: "ff:ff:ff:ff:ff:ff") / ARP())
    try bench.expectDropped(Ethernet(to: "ff:ff:ff:ff:ff:ff") / ARP(), .storm)
    return bench
}

/// One ICMP error a second is one less than two.
private func provokeErrorLimit() throws -> PairBench {
    let bench = try PairBench(PairShape(), .town { $0.flows.errorsPerSecond = 1 })
    let asked = IPv4(from: client, to: web) / UDP(to: 53)
    try bench.expectForwarded(Ethernet() / asked)
    let error = Ethernet() / IPv4(from: web, to: client) / ICMP(type: 3, code: 3) / asked
    try bench.expectForwarded(error, port: 1)
    try bench.expectDropped(error, .errorLimit, port: 1)
    return bench
}

/// One new flow a second is one more than two.
private func provokeSourceLimit() throws -> PairBench {
    let bench = try PairBench(PairShape(), .town { ($0.flows.sourceRate, $0.flows.sourceBurst) = (1, 1) })
    try bench.expectForwarded(Connection().syn)
    try bench.expectDropped(Connection(source: 2000).syn, .sourceLimit)
    return bench
}

/// A table of established flows takes no other.
private func provokeFullTable() throws -> PairBench {
    var shape = PairShape()
    shape.flows = 4
    let bench = try PairBench(shape)
    for number in 0..<4 as Range<UInt16> { try bench.establish(Connection(source: 1000 + number)) }
    try bench.expectDropped(Connection(source: 2000).syn, .flowTableFull)
    return bench
}

/// What a sender leaves to its NIC, where that is not completed.
private func provokePartialChecksum() throws -> PairBench {
    var policy = SmallPolicy.town()
    policy.flows.partialChecksums = FlowSettings.Partial.refuse.rawValue
    let bench = try PairBench(PairShape(), policy)
    try bench.expectDropped(Ethernet() / IPv4() / TCP([.syn], checksum: .partial), .partialChecksum)
    return bench
}

/// More frames for another worker than the ring to it takes.
private func provokeFullHandOff() throws -> PairBench {
    var shape = PairShape()
    shape.workers = 2
    shape.handOffs = 8
    let bench = try PairBench(shape)
    try bench.receive((0..<64 as Range<UInt16>).map { Connection(source: 1000 + $0).syn })
    bench.turn(0)
    return bench
}
