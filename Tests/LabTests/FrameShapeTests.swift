// SPDX-License-Identifier: Apache-2.0
import Net
import Testing

@testable import Lab

/// What can be asked for, and what is refused. Needs no kernel.
@Suite struct FrameShapeTests {
    private func shape(_ sources: String, _ destinations: String = "198.19.0.0/24") throws -> FrameShape {
        FrameShape(sources: try #require(Prefix(sources)), destinations: try #require(Prefix(destinations)))
    }

    @Test func `sizes that cannot carry the headers and the number are refused`() throws {
        var shape = try shape("198.18.0.0/24")
        for size in [0, 59, 1515] {
            shape.size = size
            #expect(throws: LabError.size(demanded: size, fits: 60...1514)) { try shape.check(flows: 1) }
        }
        shape.size = 60
        try shape.check(flows: 1)
        shape.vlan = 7
        #expect(shape.sizes == 64...1518)
        let wide = try self.shape("2001:2::/64", "2001:2:0:1::/64")
        #expect(wide.sizes == 80...1514)
    }

    @Test func `two address families are refused`() throws {
        let shape = try shape("198.18.0.0/24", "2001:2::/64")
        #expect(throws: LabError.families) { try shape.check(flows: 1) }
    }

    @Test func `more flows than source addresses have ports are refused`() throws {
        let shape = try shape("198.18.0.1/32")
        try shape.check(flows: 60_000)
        #expect(throws: LabError.tooManyFlows(demanded: 60_001, possible: 60_000)) { try shape.check(flows: 60_001) }
    }

    @Test(arguments: [
        ("198.18.0.0/24", 0xc612_0001 as UInt32, 254), ("198.18.0.9/32", 0xc612_0009, 1), ("198.18.0.0/31", 0xc612_0000, 2),
        ("198.18.0.0/30", 0xc612_0001, 2), ("198.0.0.0/8", 0xc600_0001, 65_534), ("2001:2::/64", 1, 65_534),
    ])
    func `network and broadcast addresses are left out`(_ block: String, _ first: UInt32, _ count: Int) throws {
        let hosts = FrameShape.hosts(of: try #require(Prefix(block)))
        #expect(hosts.first == first && hosts.count == count)
    }

    @Test func `ages are told to less than a hundredth, and places follow one another`() {
        for place in 1..<3712 { #expect(Ages.end(of: place) > Ages.end(of: place - 1)) }
        for (age, place) in [(0, 0), (255, 255), (256, 256), (257, 256), (511, 383), (512, 384)] {
            #expect(Ages.end(of: place) >= UInt64(age) && (place == 0 || Ages.end(of: place - 1) < UInt64(age)))
        }
        var counts = [UInt64](repeating: 0, count: 3712)
        (counts[100], counts[200]) = (98, 2)
        let ages = Ages(counts)
        #expect(ages.count == 100 && ages.percentile(50) == 100 && ages.percentile(98) == 100)
        #expect(ages.percentile(99) == 200 && ages.greatest == 200)
        #expect(Ages([]).percentile(50) == 0)
    }
}
