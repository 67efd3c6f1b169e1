// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

@Suite struct IPv4Options {
    @Test(
        arguments: [
            [1, 1, 1, 1], [0, 0xff, 0xff, 0xff], [7, 7, 4, 0, 0, 0, 0, 0], [7, 3, 4, 0], [68, 4, 5, 0], [130, 3, 0, 0],
            [1, 1, 94, 2], [136, 4, 0, 1], [7, 3, 4, 68, 4, 5, 0, 0],
        ] as [[UInt8]])
    func `well-formed ones pass and move the transport`(options: [UInt8]) {
        #expect(Int(reading(of: Ethernet() / IPv4(options: options) / UDP()).transportOffset) == 34 + options.count)
    }

    @Test(
        arguments: [
            [131, 7, 4, 10, 0, 0, 9, 0], [137, 7, 4, 10, 0, 0, 9, 0], [1, 131, 3, 4], [7, 3, 4, 131, 3, 4, 0, 0], [131],
        ] as [[UInt8]])
    func `source routes are refused, wherever they stand`(options: [UInt8]) {
        expect(Ethernet() / IPv4(options: options) / UDP(), .badOptions)
    }

    @Test(
        arguments: [
            [68, 0, 0, 0], [68, 1, 0, 0], [68, 5, 5, 0], [68, 4, 4, 0], [68, 3, 5, 0], [1, 1, 1, 68], [7, 255, 4, 0],
            [94, 3, 0, 94],
            [7, 2, 1, 1], [7, 3, 3, 0], [7, 3, 4, 7, 3, 4, 0, 0], [68, 4, 5, 0, 68, 4, 5, 0], [130, 0, 0, 0], [130, 1, 0, 0],
            [1, 94, 1, 1],
        ] as [[UInt8]])
    func `malformed lists are refused`(options: [UInt8]) {
        expect(Ethernet() / IPv4(options: options) / UDP(), .badOptions)
    }

    @Test func `a router alert is for IGMP and RSVP, once`() {
        let alert: [UInt8] = [148, 4, 0, 0]
        expect(Ethernet() / IPv4(to: "224.0.0.22", ttl: 1, options: alert) / Raw.igmpReport(), nil)
        expect(Ethernet() / IPv4(options: alert, next: 46) / Payload(count: 40), nil)
        for packet in [IPv4(options: alert) / UDP(), IPv4(options: alert) / TCP([.syn]), IPv4(options: alert) / ICMP.echo()] {
            expect(Ethernet() / packet, .badOptions)
        }
        for options in [alert + alert, [148, 3, 0, 0], [148, 6, 0, 0, 0, 0, 0, 0]] as [[UInt8]] {
            expect(Ethernet() / IPv4(to: "224.0.0.22", ttl: 1, options: options) / Raw.igmpReport(), .badOptions)
        }
    }
}

@Suite struct ExtensionHeaders {
    @Test func `a chain is walked to its end, in any order`() {
        let first = Extension.hopByHop()
        let second = Extension.destination()
        let third = Extension.routing(type: 4, segmentsLeft: 0)
        let reading = reading(of: Ethernet() / IPv6() / first / third / second / Authentication() / TCP(to: 22, [.syn]))
        #expect(reading.kind == .packet)
        #expect(reading.protocolNumber == .tcp)
        #expect(reading.destinationPort == 22)
        #expect(reading.transportOffset == 54 + 8 + 24 + 8 + 24)
        expect(Ethernet() / IPv6() / second / third / second / UDP(), nil)
        expect(Ethernet() / IPv6() / Authentication() / second / UDP(), nil)
    }

    @Test(arguments: [43, 51, 135, 139, 140, 44, 0] as [UInt8])
    func `no header comes twice`(number: UInt8) {
        let body: [UInt8] = number == 43 ? [4, 0, 0, 0, 0, 0] : [UInt8](repeating: 1, count: 22)
        let header = Extension(
            number, body: number == 0 || number == 44 ? [0, 0, 0, 0, 0, 0] : body, length: number == 51 ? 4 : nil)
        expect(Ethernet() / IPv6() / header / UDP(), nil)
        expect(Ethernet() / IPv6() / header / header / UDP(), .extensionHeader)
        expect(Ethernet() / IPv6() / header / Extension.destination() / header / UDP(), .extensionHeader)
    }

    @Test func `destination options may come twice, hop-by-hop options first only`() {
        let options = Extension.destination()
        expect(Ethernet() / IPv6() / options / options / UDP(), nil)
        expect(Ethernet() / IPv6() / options / options / options / UDP(), .extensionHeader)
        expect(Ethernet() / IPv6() / options / Extension.hopByHop() / UDP(), .extensionHeader)
        expect(Ethernet() / IPv6() / Fragment() / Extension.hopByHop() / UDP(), .extensionHeader)
    }

    @Test func `a chain has at most 8 headers and 256 bytes`() {
        let (options, route) = (Extension.destination(), Extension.routing(type: 4, segmentsLeft: 0, []))
        let eight = IPv6() / Extension.hopByHop() / options / route / Fragment() / Authentication() / Extension(140) / options
        expect(Ethernet() / eight / Extension(139) / UDP(), nil)
        expect(Ethernet() / eight / Extension(139) / Extension(135) / UDP(), .extensionHeader)
        for (bytes, reason) in [(256, nil), (264, .extensionHeader)] as [(Int, DropReason?)] {
            expect(Ethernet() / IPv6() / Extension.destination([UInt8](repeating: 0, count: bytes - 2)) / UDP(), reason)
        }
    }

    @Test func `a route must have been gone, and types 0 and 1 are never taken`() {
        for type in [2, 3, 4, 5, 253] as [UInt8] {
            expect(Ethernet() / IPv6() / Extension.routing(type: type, segmentsLeft: 0) / UDP(), nil)
            expect(Ethernet() / IPv6() / Extension.routing(type: type, segmentsLeft: 1) / UDP(), .extensionHeader)
        }
        for type in [0, 1] as [UInt8] {
            for left in [0, 1] as [UInt8] {
                expect(Ethernet() / IPv6() / Extension.routing(type: type, segmentsLeft: left) / UDP(), .extensionHeader)
            }
        }
    }

    @Test(arguments: [0, 60] as [UInt8])
    func `an option passes if hosts may skip it`(header: UInt8) {
        for type in UInt8.min...UInt8.max {
            let packet = Ethernet() / IPv6() / Extension(header, body: [type, 4, 0, 0, 0, 0]) / UDP()
            // Pad1 has no length, so that its 4 is an option that runs out of the header; a router alert is no business of UDP.
            let expected: DropReason? =
                switch type {
                case 0xc2: .badLength
                case 5: .extensionHeader
                case 0..<0x40: nil
                default: .extensionHeader
                }
            #expect(outcome(of: packet.bytes).reason == expected, "option \(type)")
        }
    }

    @Test(arguments: [[1, 5, 0, 0, 0, 0], [1, 255, 0, 0, 0, 0], [1, 2, 0, 0, 0, 1], [1, 3, 0, 0, 0, 30]] as [[UInt8]])
    func `an option list fills its header`(options: [UInt8]) {
        expect(Ethernet() / IPv6() / Extension.hopByHop(options) / UDP(), .extensionHeader)
    }

    @Test func `a router alert is for ICMPv6 and RSVP, once`() {
        expect(Ethernet() / IPv6(hopLimit: 1) / Extension.routerAlert() / ICMPv6.echo(), nil)
        expect(Ethernet() / IPv6() / Extension.routerAlert() / Raw([0, 0, 0, 0], protocolNumber: 46), nil)
        expect(Ethernet() / IPv6() / Extension.routerAlert() / UDP(), .extensionHeader)
        expect(Ethernet() / IPv6() / Extension.hopByHop([5, 2, 0, 0, 5, 2, 0, 0]) / ICMPv6.echo(), .extensionHeader)
        expect(Ethernet() / IPv6() / Extension.hopByHop([5, 1, 0, 0, 0, 0]) / ICMPv6.echo(), .extensionHeader)
    }

    @Test(arguments: [0, 43, 51, 60, 135, 139, 140] as [UInt8])
    func `a header that the packet cuts is truncated`(number: UInt8) {
        expect(Ethernet() / IPv6(payloadLength: 7) / Extension(number) / UDP(), .truncated)
        expect(Ethernet() / IPv6() / Extension(number, length: 255) / UDP(), .truncated)
    }

    @Test func `behind them the packet may end`() {
        let bare = reading(of: Ethernet() / IPv6() / Extension.destination())
        #expect(bare.protocolNumber.rawValue == 59)
        #expect(bare.service.rawValue == 59 << 16)
        #expect(bare.transportOffset == bare.end)
    }

    @Test(arguments: [135, 139, 140] as [UInt8])
    func `a message of mobility, host identity or shim6 is judged as itself, a header before another is walked`(number: UInt8) {
        let message = reading(of: Ethernet() / IPv6() / Extension(number))
        #expect(message.protocolNumber.rawValue == number)
        #expect(message.transportOffset == 54)
        #expect(reading(of: Ethernet() / IPv6() / Extension(number) / UDP()).protocolNumber == .udp)
    }
}

@Suite struct SecurityHeaders {
    @Test func `authentication is walked over either family, in units of 4 bytes`() {
        for bytes in [0, 4, 12, 16, 32] {
            let header = Authentication(checkValue: [UInt8](repeating: 0, count: bytes))
            for packet in [Ethernet() / IPv4() / header / UDP(to: 9), Ethernet() / IPv6() / header / UDP(to: 9)] {
                let reading = reading(of: packet)
                #expect(reading.protocolNumber == .udp)
                #expect(reading.destinationPort == 9)
            }
        }
        #expect(reading(of: Ethernet() / IPv4() / Authentication() / IPv4() / UDP()).carried == Tunnel(.ipip, depth: 1))
    }

    @Test func `authentication without a length or with a reserved index is refused`() {
        expect(Ethernet() / IPv4() / Authentication(length: 0) / UDP(), .badIPsec)
        expect(Ethernet() / IPv6() / Authentication(length: 0) / UDP(), .badIPsec)
        for index in [0, 1, 255] as [UInt32] { expect(Ethernet() / IPv6() / Authentication(index) / UDP(), .badIPsec) }
        expect(Ethernet() / IPv6() / Authentication(256) / UDP(), nil)
        expect(Ethernet() / IPv4() / Authentication(length: 20) / UDP(), .truncated)
        expect(Ethernet() / IPv4() / Authentication() / Authentication() / UDP(), .extensionHeader)
    }

    @Test func `a security payload is protocol 50, with an index that can be`() {
        for packet in [Ethernet() / IPv4() / ESP(256) / Payload(count: 2), Ethernet() / IPv6() / ESP(256) / Payload(count: 2)] {
            let reading = reading(of: packet)
            #expect(reading.service.rawValue == 50 << 16)
            #expect(reading.payloadOffset == reading.transportOffset + 8)
        }
        expect(Ethernet() / IPv4() / ESP(255) / Payload(count: 2), .badIPsec)
        expect(Ethernet() / IPv4() / ESP() / Payload(count: 1), .truncated)
    }
}
