// SPDX-License-Identifier: Apache-2.0
import Measure
import Net
import Policy

/// CIDRs, as a firewall between a site and the world has them. The site owns 10.0.0.0/8. Each policy is the list of one of its
/// networks, 50 rules long: seven of ten speak for a /24, two for a /20 and one for a /16, so that an address is subject to
/// as many as three. A rule names two blocks of the world, each rule its own: a tenth of them IPv6. Six of ten blocks lie inside
/// one that another rule names, up to nine deep; lengths are spread as routing tables have them, with hosts added. Three rules of
/// four allow, one denies; each names one port, and one in twenty names none.
extension Shape {
    static func cidrs(rules: Int) throws -> Shape {
        var random = Seeded(12)
        var world = World()
        let site = Workload(name: ObjectName("site"), addresses: [Prefix("10.0.0.0/8")].compactMap { $0 })
        var documents: [Document] = [.workload(site)]
        var matched: [Probe] = []
        let lists = max(1, rules / 50)
        var subjects: Set<Prefix> = []
        for number in 0..<lists {
            var subject = network(&random)
            while !subjects.insert(subject).inserted { subject = network(&random) }
            var policy = Policy(name: ObjectName("list-\(number)"))
            policy.subject.cidrs = [subject]
            policy.order = Double(number)
            policy.ingress = .all
            for place in 0..<min(50, rules) {
                let blocks = [world.block(&random), world.block(&random)]
                var term = Term()
                term.cidrs = blocks
                let port = Shape.ports[random.below(Shape.ports.count)]
                var rule = Rule(
                    number: place + 1, action: random.below(4) == 0 ? .deny : .allow, direction: .ingress, peers: [term])
                if random.below(20) > 0 { rule.services = Shape.list(port) }
                policy.rules.append(rule)
                if matched.count < 4_096 {
                    let host = Address(high: subject.address.high, low: subject.address.low + UInt64(random.below(256)))
                    matched.append(Probe(source: blocks[0].address, destination: host, service: ServiceKey(.tcp, port: port)))
                }
            }
            documents.append(.policy(policy))
        }
        let services = Shape.ports.map { ServiceKey(.tcp, port: $0) } + [ServiceKey(.udp, port: 9)]
        let population = (0..<100_000).map { number in
            number % 2 == 0
                ? Address(v4: 0x0a00_0000 | UInt32(random.below(1 << 24)))
                : Self.host(in: world.blocks[random.below(world.blocks.count)], &random)
        }
        let chosen = world.deepest.map { block in
            Probe(
                source: block.address, destination: Address(v4: 0x0a00_0000 | UInt32(random.below(1 << 24))), service: services[0]
            )
        }
        return Shape(set: try PolicySet(documents), population: population, services: services, matched: matched, chosen: chosen)
    }

    /// A network of the site.
    private static func network(_ random: inout Seeded) -> Prefix {
        let draw = random.below(10)
        let length = draw < 7 ? 24 : draw < 9 ? 20 : 16
        let bits = UInt32(truncatingIfNeeded: random.next()) & 0x00ff_ffff & (~0 << UInt32(32 - length))
        return Prefix(Address(v4: 0x0a00_0000 | bits), length: length) ?? Prefix(host: Address(v4: 0))
    }

    static func host(in block: Prefix, _ random: inout Seeded) -> Address {
        let free = (block.address.isIPv4 ? 32 : 128) - block.length
        let low = free >= 64 ? random.next() : random.next() & (1 << UInt64(free) - 1)
        return Address(high: block.address.high, low: block.address.low | low)
    }
}

/// The blocks that rules name, each once, nested as routing tables are.
struct World {
    private(set) var blocks: [Prefix] = []
    private var depths: [Int] = []
    private var seen: Set<Prefix> = []
    private static let lengths4 = [8, 12, 14, 16, 16, 18, 20, 20, 22, 22, 24, 24, 24, 24, 24, 26, 28, 29, 32, 32]
    private static let lengths6 = [20, 29, 32, 32, 36, 40, 44, 48, 48, 48, 56, 64, 64, 128]

    /// A block that no rule names yet.
    mutating func block(_ random: inout Seeded) -> Prefix {
        while true {
            let isInside = !blocks.isEmpty && random.below(10) < 6
            let outer = isInside ? random.below(blocks.count) : nil
            let depth = outer.map { depths[$0] + 1 } ?? 1
            guard depth <= 9, let block = draw(outer.map { blocks[$0] }, &random), seen.insert(block).inserted else { continue }
            blocks.append(block)
            depths.append(depth)
            return block
        }
    }

    /// Those that lie deepest.
    var deepest: [Prefix] {
        let most = depths.max() ?? 0
        return blocks.indices.filter { depths[$0] == most }.map { blocks[$0] }
    }

    private func draw(_ outer: Prefix?, _ random: inout Seeded) -> Prefix? {
        let isIPv4 = outer?.address.isIPv4 ?? (random.below(10) > 0)
        let lengths = (isIPv4 ? Self.lengths4 : Self.lengths6).filter { $0 > outer?.length ?? 0 }
        guard !lengths.isEmpty else { return nil }
        let length = lengths[random.below(lengths.count)]
        var start = outer?.address ?? (isIPv4 ? Address(v4: 0) : Address(high: 0x2000_0000_0000_0000, low: 0))
        let outerLength = outer?.length ?? (isIPv4 ? 0 : 3)
        let (high, low) = (random.next(), random.next())
        if isIPv4 {
            let free = UInt32(truncatingIfNeeded: low) & (outerLength == 0 ? ~0 : UInt32(1 << (32 - outerLength) - 1))
            start = Address(v4: (start.v4 | free) & (~0 << UInt32(32 - length)))
            // Not the site's own block.
            if start.v4 >> 24 == 10 { return nil }
        } else {
            let inner = outerLength >= 64 ? 0 : high & (~0 >> UInt64(outerLength))
            start.high |= length >= 64 ? inner : inner & ~(~0 >> UInt64(length))
            if length == 128 { start.low |= low }
        }
        return Prefix(start, length: length)
    }
}
