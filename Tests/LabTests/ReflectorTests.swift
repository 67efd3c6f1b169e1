// SPDX-License-Identifier: Apache-2.0
import Link
import Net
import Testing
import Wire

@testable import Lab

extension Kernel {
    /// What the reflector makes of frames, and round trips.
    @Suite struct ReflectorTests {
        @Test(arguments: [false, true], [nil, UInt16(7)])
        func `a frame goes back with its ends swapped and its checksums right`(_ isIPv6: Bool, _ vlan: UInt16?) throws {
            try inFreshNamespace {
                try makeWire("bh-lab-a", "bh-lab-b")
                let port = try Interface(named: "bh-lab-b")
                let reflector = try Reflector(on: port)
                let frame = try #require(try Generator(GeneratorOrder(shape(isIPv6, vlan)), by: port).makeFrame())
                let back = try reflector.run(on: frame)
                let (there, here) = (try read(frame), try read(back))
                #expect(here.source == there.destination && here.destination == there.source)
                #expect(here.sourcePort == there.destinationPort && here.destinationPort == there.sourcePort)
                #expect(back[0..<6] == frame[6..<12] && back[6..<12] == frame[0..<6] && back[12...].count == frame[12...].count)
                #expect(transportState(of: back, here) == .right)
                #expect(isIPv6 || networkSum(of: back, tagged: vlan != nil) == 0xffff)
                #expect(reflector.arrived.numbered == 1)
            }
        }

        @Test func `frames of others are not sent back`() throws {
            try inFreshNamespace {
                try makeWire("bh-lab-a", "bh-lab-b")
                let reflector = try Reflector(on: Interface(named: "bh-lab-b"))
                let frame = [UInt8](repeating: 0xff, count: 60)
                #expect(try reflector.run(on: frame) == frame)
                #expect(reflector.arrived.foreign == 1 && reflector.arrived.numbered == 0)
            }
        }

        @Test func `each frame of a stream makes its round`() throws {
            try inFreshNamespace {
                try makeWire("bh-lab-a", "bh-lab-b")
                let port = try Interface(named: "bh-lab-a")
                let reflector = try Reflector(on: Interface(named: "bh-lab-b"))
                let meter = try Sink(on: port, ages: true)
                var order = GeneratorOrder(shape(false, nil))
                (order.rate, order.frames, order.flows) = (20_000, 2000, 100)
                let sent = try Generator(order, by: port).run(until: Interruption())
                #expect(sent.frames == 2000 && reflector.arrived.numbered == 2000)
                #expect(meter.arrived.numbered == 2000 && meter.arrived.lost == 0)
                #expect(meter.ages.count == 2000 && meter.ages.percentile(99) > meter.ages.percentile(1))
            }
        }

        private func shape(_ isIPv6: Bool, _ vlan: UInt16?) -> FrameShape {
            let usual = FrameShape.benchmarking(isIPv6: isIPv6)
            var shape = FrameShape(sources: usual.sources, destinations: usual.destinations)
            (shape.from, shape.to) = (MACAddress(bits: 0x0200_0000_0001), MACAddress(bits: 0x0200_0000_0002))
            (shape.size, shape.vlan) = (128, vlan)
            return shape
        }
    }
}
