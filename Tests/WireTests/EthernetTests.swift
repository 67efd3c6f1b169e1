// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

@Suite struct EthernetHeaders {
    @Test func `addresses, ether type and the offset behind them are read`() {
        let reading = reading(of: Ethernet(from: "02:00:00:00:00:0a", to: "06:01:02:03:04:05") / IPv4() / UDP())
        #expect(reading.sourceMAC == "02:00:00:00:00:0a")
        #expect(reading.destinationMAC == "06:01:02:03:04:05")
        #expect(reading.etherType == 0x0800)
        #expect(reading.networkOffset == 14)
        #expect(reading.vlans.count == 0)
        #expect(!reading.marks.contains(.group))
    }

    @Test(arguments: [0x8100, 0x88a8, 0x9100] as [UInt16])
    func `each tag type is read`(type: UInt16) {
        let reading = reading(of: Ethernet() / VLAN(10, tagType: type) / IPv4() / UDP())
        #expect(reading.vlans == VLANTags(10))
        #expect(reading.networkOffset == 18)
    }

    @Test func `two tags are read, a third is too many`() {
        let two = reading(of: Ethernet() / VLAN(100, tagType: 0x88a8) / VLAN(200) / IPv6() / UDP())
        #expect(two.vlans.identifiers == [100, 200])
        #expect(two.networkOffset == 22)
        expect(Ethernet() / VLAN(1) / VLAN(2) / VLAN(3) / IPv4() / UDP(), .tooManyTags)
    }

    @Test func `priority bits do not change the VLAN`() {
        #expect(reading(of: Ethernet() / VLAN(10, priority: 7) / IPv4() / UDP()).vlans == VLANTags(10))
    }

    @Test func `VLAN 0 equals no tag`() {
        #expect(reading(of: Ethernet() / VLAN(0, priority: 5) / IPv4() / UDP()).vlans == VLANTags())
        #expect(reading(of: Ethernet() / VLAN(0) / VLAN(10) / IPv4() / UDP()).vlans == VLANTags(10))
        #expect(reading(of: Ethernet() / VLAN(10) / VLAN(0) / IPv4() / UDP()).vlans == VLANTags(10))
    }

    @Test func `VLAN 0 counts for the depth`() {
        expect(Ethernet() / VLAN(0) / VLAN(0) / IPv4() / UDP(), nil)
        expect(Ethernet() / VLAN(0) / VLAN(0) / VLAN(10) / IPv4() / UDP(), .tooManyTags)
    }

    @Test func `a frame shorter than its headers is truncated`() {
        let tagged = (Ethernet() / VLAN(1) / VLAN(2) / IPv4() / UDP()).bytes
        for length in 0..<42 { #expect(outcome(of: Array(tagged.prefix(length))).reason == .truncated, "\(length)") }
    }

    @Test func `a frame longer than its offsets can say is truncated`() {
        let packet = (Ethernet() / IPv4() / UDP()).bytes
        #expect(outcome(of: packet + [UInt8](repeating: 0, count: 65535 - packet.count)).reason == nil)
        #expect(outcome(of: packet + [UInt8](repeating: 0, count: 65536 - packet.count)).reason == .truncated)
    }

    @Test func `a group as source is a martian`() {
        expect(Ethernet(from: "03:00:00:00:00:01") / IPv4() / UDP(), .martian)
        expect(Ethernet(from: "ff:ff:ff:ff:ff:ff") / ARP(), .martian)
        expect(Ethernet(from: "fe:ff:ff:ff:ff:ff") / ARP(), nil)
    }

    @Test func `a frame to a group is marked`() {
        #expect(reading(of: Ethernet(to: "ff:ff:ff:ff:ff:ff") / ARP()).marks == .group)
        #expect(reading(of: Ethernet(to: "01:00:5e:00:00:05") / IPv4(to: "224.0.0.5") / UDP()).marks == .group)
        #expect(reading(of: Ethernet() / IPv4(to: "224.0.0.5") / UDP()).marks == .group)
        #expect(reading(of: Ethernet() / IPv4(to: "255.255.255.255") / UDP()).marks == .group)
        #expect(reading(of: Ethernet() / IPv6(to: group6) / UDP()).marks == [.group, .dontFragment])
    }

    @Test func `a reading holds nothing of the one before`() {
        var reused = Reading()
        let first = Ethernet() / VLAN(9) / IPv4(dontFragment: true) / TCP([.syn], windowScale: 9)
        #expect(read(first.bytes, into: &reused) == nil)
        let second = (Ethernet() / ARP()).bytes
        #expect(read(second, into: &reused) == nil)
        #expect("\(reused)" == "\(outcome(of: second).reading)")
    }
}
