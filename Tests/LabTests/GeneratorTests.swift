// SPDX-License-Identifier: Apache-2.0
import Glibc
import Link
import Net
import Testing
import Wire

@testable import Lab

extension Kernel {
    /// Frames as the generator's program makes them, read by the firewall's own reader.
    @Suite struct GeneratorTests {
        struct Case: CustomTestStringConvertible {
            let shape: FrameShape
            var testDescription: String {
                let vlan = shape.vlan.map { ", VLAN \($0)" } ?? ""
                let family = shape.sources.address.isIPv4 ? "IPv4" : "IPv6"
                return "\(family)\(vlan), \(shape.isSYN ? "SYN" : "UDP"), \(shape.size) bytes"
            }
        }

        /// Shapes of all families, with and without a tag, from the shortest to the longest.
        static let shapes: [FrameShape] = [false, true].flatMap { isIPv6 in
            [nil, UInt16(100)].flatMap { vlan in
                [false, true].flatMap { isSYN in
                    let usual = FrameShape.benchmarking(isIPv6: isIPv6)
                    var shape = FrameShape(sources: usual.sources, destinations: usual.destinations)
                    (shape.from, shape.to) = (MACAddress(bits: 0x0200_0000_0001), MACAddress(bits: 0x0200_0000_0002))
                    (shape.vlan, shape.isSYN) = (vlan, isSYN)
                    return [shape.sizes.lowerBound, 256, shape.sizes.upperBound].map { size in
                        var sized = shape
                        sized.size = size
                        return sized
                    }
                }
            }
        }

        @Test(arguments: shapes.map(Case.init)) func `frames of each shape can be read and have right checksums`(_ row: Case)
            throws
        {
            let shape = row.shape
            let generator = try Generator(order(shape, flows: 1000), by: .somewhere)
            for number in 0..<200 {
                let frame = try #require(try generator.makeFrame())
                let reading = try read(frame)
                #expect(frame.count == shape.size)
                #expect(reading.isIPv4 == shape.sources.address.isIPv4)
                #expect(reading.protocolNumber == (shape.isSYN ? .tcp : .udp))
                #expect(reading.destinationPort == shape.port)
                #expect(shape.sources.contains(reading.source) && shape.destinations.contains(reading.destination))
                #expect(transportState(of: frame, reading) == .right, "frame \(number)")
                #expect(networkSum(of: frame, tagged: shape.vlan != nil) == 0xffff || !reading.isIPv4)
            }
        }

        @Test(arguments: [1, 7, 1000]) func `as many flows occur as were asked for, each with its own source`(_ flows: Int) throws
        {
            let generator = try Generator(order(Self.shapes[0], flows: flows), by: .somewhere)
            var sources: [UInt64: Set<UInt64>] = [:]
            for _ in 0..<(flows * 20) {
                let reading = try read(try #require(try generator.makeFrame()))
                let source = reading.source.low << 16 | UInt64(reading.sourcePort)
                sources[source, default: []].insert(reading.destination.low)
            }
            // A random twentieth part of the frames misses a flow with probability e⁻²⁰.
            #expect(sources.count == flows)
            #expect(sources.values.allSatisfy { $0.count == 1 })
        }

        @Test func `flows beyond the source addresses get further ports, and none twice`() throws {
            var shape = Self.shapes[0]
            shape.sources = try #require(Prefix("198.18.0.0/30"))
            let generator = try Generator(order(shape, flows: 3000), by: .somewhere)
            var sources = Set<UInt64>()
            for _ in 0..<60_000 {
                let reading = try read(try #require(try generator.makeFrame()))
                #expect((1...2).contains(reading.source.v4 & 3))
                sources.insert(reading.source.low << 16 | UInt64(reading.sourcePort))
            }
            #expect(sources.count == 3000)
        }

        @Test func `renewed flows leave and new ones take their place`() throws {
            var order = order(Self.shapes[0], flows: 100)
            order.newShare = 1000
            let generator = try Generator(order, by: .somewhere)
            var sources = Set<UInt64>()
            for _ in 0..<2000 {
                let reading = try read(try #require(try generator.makeFrame()))
                sources.insert(reading.source.low << 16 | UInt64(reading.sourcePort))
                usleep(20)
            }
            // 100,000 a second, for 40 ms at least.
            #expect(sources.count > 1000)
        }

        @Test func `a frame is made only when its time has come, and none after the last`() throws {
            var order = order(Self.shapes[0], flows: 1)
            (order.rate, order.frames) = (100, 3)
            let generator = try Generator(order, by: .somewhere)
            #expect(try generator.makeFrame() != nil)
            #expect(try generator.makeFrame() == nil)
            for _ in 0..<2 {
                usleep(10_100)
                #expect(try generator.makeFrame() != nil)
            }
            usleep(10_100)
            #expect(try generator.makeFrame() == nil)
        }

        @Test func `what was there in a copy of the template is overwritten`() throws {
            // The kernel gives the program frames that somebody behind the port may have changed: the hop limit by a router, addresses
            // by a translator, all of it by a reflector.
            let generator = try Generator(order(Self.shapes[0], flows: 1), by: .somewhere)
            var spoilt = Self.shapes[0].template
            for place in [22, 24, 25] + Array(26..<36) + [40, 41] + Array(42..<60) { spoilt[place] = 0xa5 }
            let frame = try #require(try generator.makeFrame(from: spoilt))
            let reading = try read(frame)
            #expect(transportState(of: frame, reading) == .right && networkSum(of: frame, tagged: false) == 0xffff)
            #expect(frame[22] == 64)
        }

        private func order(_ shape: FrameShape, flows: Int) -> GeneratorOrder {
            var order = GeneratorOrder(shape)
            order.flows = flows
            return order
        }
    }
}
