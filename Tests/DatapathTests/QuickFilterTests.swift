// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import Record
import TestSupport
import Testing

@testable import Datapath

@Suite("Quick filters") struct QuickFilterTests {
    private static let hosts: [Address] = [
        "10.0.0.1", "10.0.1.1", "10.1.0.1", "192.0.2.7", "fd00::1", "fd00:0:0:1::1", "2001:db8::7",
    ]
    private static let blocks = [
        "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/23", "10.0.0.1/32", "::/0", "fd00::/16", "fd00::/64", "fd00::1/128", "::ffff:0:0/95",
    ].compactMap { Prefix($0) }
    private static let ports: [UInt16] = [22, 443, 50_000]

    @Test func `nothing that the order wants is ruled out, and one block or port rules out the rest`() {
        var random = PacketRandom(seed: 41)
        var ruledOut = 0
        for _ in 0..<20_000 {
            var order = CaptureOrder()
            (order.families, order.blockCount, order.portCount) = (.random(in: 1...3, using: &random), 0, 0)
            for index in 0..<Int.random(in: 0...2, using: &random) {
                order.blocks[index] = CaptureBlock(Self.blocks.randomElement(using: &random) ?? Self.blocks[0])
                order.blockCount = UInt8(index + 1)
            }
            for index in 0..<Int.random(in: 0...2, using: &random) {
                order.ports[index] = Self.ports.randomElement(using: &random) ?? 22
                order.portCount = UInt8(index + 1)
            }
            let source = Self.hosts.randomElement(using: &random) ?? Self.hosts[0]
            let others = Self.hosts.filter { $0.isIPv4 == source.isIPv4 && $0 != source }
            let destination = others.randomElement(using: &random) ?? others[0]
            let ends = (Self.ports.randomElement(using: &random) ?? 22, Self.ports.randomElement(using: &random) ?? 22)
            var reading = Reading()
            (reading.kind, reading.protocolNumber) = (.packet, .udp)
            (reading.source, reading.sourcePort) = (source, ends.0)
            (reading.destination, reading.destinationPort) = (destination, ends.1)
            let isRuledOut = QuickFilter(order).rulesOut(FlowKeys(of: reading, pair: 0))
            let isWanted = order.wants(reading)
            #expect(!(isRuledOut && isWanted), "\(order) \(source) \(destination) \(ends)")
            if order.blockCount < 2 && order.portCount < 2 {
                #expect(isRuledOut != isWanted, "\(order) \(source) \(destination)")
            }
            if isRuledOut { ruledOut += 1 }
        }
        #expect(ruledOut > 2_000)
    }
}
