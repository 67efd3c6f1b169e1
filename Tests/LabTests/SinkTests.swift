// SPDX-License-Identifier: Apache-2.0
import Glibc
import Link
import Net
import Testing

@testable import Lab

extension Kernel {
    /// What a sink counts, by frames that are given to its program one by one, and over a wire.
    @Suite struct SinkTests {
        /// A sink on a port of the thread's namespace, and so many frames of a generator.
        private func withSink(frames count: Int, _ body: (Sink, [[UInt8]]) throws -> Void) throws {
            try inFreshNamespace {
                try makeWire("bh-lab-a", "bh-lab-b")
                let port = try Interface(named: "bh-lab-b")
                let sink = try Sink(on: port, ages: true)
                let generator = try Generator(GeneratorOrder(shape), by: port)
                try body(sink, try (0..<count).map { _ in try #require(try generator.makeFrame()) })
            }
        }

        private var shape: FrameShape {
            let usual = FrameShape.benchmarking(isIPv6: false)
            return FrameShape(sources: usual.sources, destinations: usual.destinations)
        }

        @Test func `frames in order are counted, and none is missed`() throws {
            try withSink(frames: 100) { sink, frames in
                for frame in frames { try sink.run(on: frame) }
                #expect(sink.arrived == Arrived(frames: 100, bytes: 6000, numbered: 100))
                #expect(sink.ages.count == 100)
            }
        }

        @Test func `a gap, a frame that comes late and one that comes twice are told apart`() throws {
            try withSink(frames: 10) { sink, frames in
                for number in [0, 1, 2, 5, 4, 4, 9] { try sink.run(on: frames[number]) }
                let arrived = sink.arrived
                #expect(arrived.frames == 7 && arrived.numbered == 7)
                // 3, 6, 7 and 8 are missing; 4 came behind 5, twice.
                #expect(arrived.lost == 4 && arrived.reordered == 2 && arrived.duplicated == 1)
            }
        }

        @Test func `a second stream and other frames are foreign`() throws {
            try withSink(frames: 2) { sink, frames in
                for frame in frames { try sink.run(on: frame) }
                var other = frames[0]
                other[44] ^= 0xff
                try sink.run(on: other)
                try sink.run(on: [UInt8](repeating: 0, count: 60))
                #expect(sink.arrived == Arrived(frames: 4, bytes: 240, numbered: 2, foreign: 2))
            }
        }

        @Test func `a frame that was cut is corrupt`() throws {
            try withSink(frames: 1) { sink, frames in
                var frame = frames[0]
                frame[17] += 1
                try sink.run(on: frame)
                #expect(sink.arrived.corrupt == 1)
            }
        }

        @Test func `100,000 frames over a wire arrive and are counted exactly`() throws {
            try inFreshNamespace {
                try makeWire("bh-lab-a", "bh-lab-b")
                let sink = try Sink(on: Interface(named: "bh-lab-b"), ages: true)
                var order = GeneratorOrder(shape)
                (order.flows, order.frames) = (10_000, 100_000)
                let sent = try Generator(order, by: Interface(named: "bh-lab-a")).run(until: Interruption())
                #expect(sent.frames == 100_000 && sent.bytes == 6_000_000)
                #expect(sink.arrived == Arrived(frames: 100_000, bytes: 6_000_000, numbered: 100_000))
                #expect(sink.ages.count == 100_000)
                #expect(sink.ages.percentile(50) > 0 && sink.ages.percentile(50) <= sink.ages.greatest)
            }
        }

        @Test func `a paced stream is no faster than its rate`() throws {
            try inFreshNamespace {
                try makeWire("bh-lab-a", "bh-lab-b")
                let sink = try Sink(on: Interface(named: "bh-lab-b"), ages: false)
                var order = GeneratorOrder(shape)
                (order.rate, order.frames) = (20_000, 10_000)
                let sent = try Generator(order, by: Interface(named: "bh-lab-a")).run(until: Interruption())
                // The last one leaves 9,999 intervals behind the first, or later where the machine is slow.
                #expect(sent.frames == 10_000 && sent.seconds >= 0.4999)
                #expect(sink.arrived.frames == sent.frames && sink.ages.count == 0)
            }
        }
    }
}
