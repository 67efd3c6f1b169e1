// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

@Suite struct Fragments {
    @Test func `an IPv4 fragment is readable and says where it belongs`() {
        let first = reading(of: Ethernet() / IPv4(identification: 0xbeef, moreFragments: true) / UDP() / Payload(count: 8))
        #expect(first.kind == .fragment)
        #expect(first.marks == [.fragment, .moreFragments])
        #expect(first.fragmentOffset == 0)
        #expect(first.identification == 0xbeef)
        #expect(first.protocolNumber == .udp)
        #expect([first.fragmentStart, first.transportOffset, first.end] == [34, 34, 50])
        let last = reading(of: Ethernet() / IPv4(identification: 0xbeef, offset: 64, next: 6) / Payload(count: 3))
        #expect(last.marks == .fragment)
        #expect([last.fragmentOffset, last.fragmentStart] == [64, 34])
        #expect([last.sourcePort, last.destinationPort] == [0, 0])
    }

    @Test func `an IPv6 fragment is readable and says where it belongs`() {
        let packet = Ethernet() / IPv6() / Fragment(offset: 1232, more: true, identification: 0xdead_beef, next: 6)
        let reading = reading(of: packet / Payload(count: 16))
        #expect(reading.kind == .fragment)
        #expect(reading.marks == [.fragment, .moreFragments, .dontFragment])
        #expect(reading.fragmentOffset == 1232)
        #expect(reading.identification == 0xdead_beef)
        #expect(reading.protocolNumber == .tcp)
        #expect([reading.fragmentStart, reading.transportOffset, reading.payloadOffset, reading.end] == [62, 62, 62, 78])
    }

    @Test func `a first fragment has its transport, behind its chain`() {
        let chain = IPv6() / Extension.hopByHop() / Fragment(more: true) / Extension.destination()
        let six = reading(of: Ethernet() / chain / TCP(to: 22, [.syn], windowScale: 7) / Payload(count: 8))
        #expect([six.fragmentStart, six.transportOffset] == [70, 78])
        #expect(six.destinationPort == 22)
        #expect(six.tcpFlags == .syn)
        #expect(six.windowScale == 7)
        let four = reading(of: Ethernet() / IPv4(moreFragments: true) / ICMP.echo(identifier: 9) / Payload(count: 1472))
        #expect([four.sourcePort, four.destinationPort] == [9, 0x0800])
        // The datagram goes on in other fragments.
        #expect(reading(of: Ethernet() / IPv4(moreFragments: true) / UDP(length: 4000) / Payload(count: 8)).destinationPort == 53)
        #expect(reading(of: Ethernet() / IPv4(moreFragments: true) / SCTP() / Raw([0, 3, 9, 9])).destinationPort == 3868)
        expect(Ethernet() / IPv4(moreFragments: true) / TCP([.syn, .fin]) / Payload(count: 4), .badTCP)
        // What looks into datagrams or tunnels waits for whole ones.
        let tunnel = reading(of: Ethernet() / IPv4(moreFragments: true) / UDP(to: 4789) / Payload(count: 8))
        #expect(tunnel.carried.kind == .none)
    }

    @Test func `an atomic fragment is a packet`() {
        let reading = reading(of: Ethernet() / IPv6() / Fragment(identification: 5) / UDP(to: 123))
        #expect(reading.kind == .packet)
        #expect(reading.marks == .dontFragment)
        #expect(reading.identification == 5)
        #expect(reading.service == ServiceKey(.udp, port: 123))
        expect(Ethernet() / IPv6() / Fragment() / TCP([.syn, .fin]), .badTCP)
        expect(Ethernet() / IPv6() / Fragment(next: 17) / Payload(count: 7), .truncated)
    }

    @Test(arguments: [(6, 16, 24), (17, 0, 8), (132, 8, 16)] as [(UInt8, Int, Int)])
    func `a first fragment without its whole transport header is tiny`(number: UInt8, tooFew: Int, enough: Int) {
        // A segment whose bytes are all 0x50 has ports, a data offset of 5, and ACK set in its flags.
        for header in [
            Ethernet() / IPv4(moreFragments: true, next: number), Ethernet() / IPv6() / Fragment(more: true, next: number),
        ] {
            if tooFew > 0 { expect(header / Payload(count: tooFew, of: 0x50), .tinyFragment) }
            expect(header / Payload(count: enough, of: 0x50), nil)
        }
    }

    @Test func `a first fragment that cuts the options or the chain is tiny`() {
        expect(Ethernet() / IPv4(moreFragments: true) / TCP([.ack], dataOffset: 8) / Payload(count: 4), .tinyFragment)
        expect(Ethernet() / IPv6() / Fragment(more: true) / TCP([.ack], dataOffset: 15) / Payload(count: 36), .tinyFragment)
        expect(Ethernet() / IPv6() / Fragment(more: true, next: 60) / Raw([6, 1, 1, 4, 0, 0, 0, 0]), .tinyFragment)
        expect(Ethernet() / IPv6() / Fragment(more: true, next: 60) / Raw([6, 0, 1, 4, 0, 0, 0, 0]), .tinyFragment)
        expect(Ethernet() / IPv4(moreFragments: true, next: 51) / Raw([6, 4, 0, 0, 0, 0, 16, 0]), .tinyFragment)
    }

    @Test func `a later fragment must not reach back into the headers`() {
        for offset in stride(from: 8, through: 64, by: 8) {
            for number in [6, 51] as [UInt8] {
                expect(Ethernet() / IPv4(offset: offset, next: number) / Payload(count: 8), offset < 60 ? .tinyFragment : nil)
                expect(
                    Ethernet() / IPv6() / Fragment(offset: offset, next: number) / Payload(count: 8),
                    offset < 60 ? .tinyFragment : nil)
            }
            expect(Ethernet() / IPv4(offset: offset, next: 132) / Payload(count: 8), offset < 16 ? .tinyFragment : nil)
            expect(Ethernet() / IPv4(offset: offset, next: 17) / Payload(count: 8), nil)
        }
    }

    @Test func `a second Fragment header is refused, in later fragments too`() {
        expect(Ethernet() / IPv6() / Fragment() / Fragment() / UDP(), .extensionHeader)
        expect(Ethernet() / IPv6() / Fragment(more: true) / Fragment() / UDP(), .extensionHeader)
        expect(Ethernet() / IPv6() / Fragment(offset: 64) / Fragment() / UDP(), .extensionHeader)
        expect(Ethernet() / IPv6() / Fragment(offset: 64) / Extension.hopByHop() / UDP(), .extensionHeader)
        expect(Ethernet() / IPv6() / Fragment() / Extension.destination() / Fragment() / UDP(), .extensionHeader)
    }

    @Test func `a middle fragment ends at a multiple of 8`() {
        expect(Ethernet() / IPv4(moreFragments: true, next: 17) / Payload(count: 9), .badLength)
        expect(Ethernet() / IPv6() / Fragment(more: true, next: 17) / Payload(count: 9), .badLength)
        expect(Ethernet() / IPv4(offset: 8, next: 17) / Payload(count: 9), nil)
        expect(Ethernet() / IPv6() / Fragment(offset: 8, next: 17) / Payload(count: 9), nil)
    }

    @Test func `a fragment holds something`() {
        expect(Ethernet() / IPv4(offset: 8, next: 17) / Padding(to: 60), .badLength)
        expect(Ethernet() / IPv6() / Fragment(offset: 8, next: 17) / Padding(to: 80), .badLength)
    }

    @Test func `no fragment ends behind the largest packet`() {
        expect(Ethernet() / IPv4(offset: 65528, next: 1) / Payload(count: 7), nil)
        expect(Ethernet() / IPv4(offset: 65528, next: 1) / Payload(count: 8), .badLength)
        expect(Ethernet() / IPv6() / Fragment(offset: 65528, next: 17) / Payload(count: 7), nil)
        expect(Ethernet() / IPv6() / Fragment(offset: 65528, next: 17) / Payload(count: 8), .badLength)
    }

    @Test func `a Fragment header cut short is truncated`() {
        expect(Ethernet() / IPv6(payloadLength: 7) / Fragment(), .truncated)
    }

    @Test func `neighbour discovery in fragments is refused, atomic ones included, other ICMPv6 is not`() {
        let network = IPv6(from: linkLocal, to: group6, hopLimit: 255)
        for type in [133, 134, 135, 136, 137] as [UInt8] {
            let message = ICMPv6(type: type, body: [UInt8](repeating: 0, count: 40))
            expect(Ethernet() / network / Fragment() / message, .badNeighbour)
            expect(Ethernet() / network / Fragment(more: true) / message, .badNeighbour)
            expect(Ethernet() / network / Fragment(more: true) / Extension.destination() / message, .badNeighbour)
        }
        expect(Ethernet() / IPv6() / Fragment() / ICMPv6.echo(), nil)
        expect(Ethernet() / IPv6() / Fragment(more: true) / ICMPv6.echo() / Payload(count: 1200), nil)
        // Nothing tells what it is of; without its first one no host takes it for a message.
        expect(Ethernet() / network / Fragment(offset: 8, next: 58) / Payload(count: 24), nil)
    }
}
