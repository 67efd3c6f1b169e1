// SPDX-License-Identifier: Apache-2.0
import Net

/// Our reading of a level beside tshark's, field by field. Fields that tshark does not name are not compared; how often each was is
/// counted, so that none is forgotten.
struct Comparison {
    /// What differs, a line each.
    private(set) var differences: [String] = []
    /// How often each field was compared.
    private(set) var compared: [String: Int] = [:]

    /// Notes a field: what tshark says, and what we do.
    mutating func expect<Value: Equatable>(_ field: String, _ theirs: Value?, _ ours: Value) {
        guard let theirs else { return }
        compared[field, default: 0] += 1
        if theirs != ours { differences.append("\(field): tshark \(theirs), Wire \(ours)") }
    }

    /// Compares one level. `outer` is the level around it.
    mutating func compare(_ reading: Reading, with level: Level, isFrame: Bool) {
        compareLink(reading, level, isFrame: isFrame)
        guard let network = level.network else {
            expect("kind", Reading.Kind.link, reading.kind)
            return
        }
        expect("network offset", network.position, Int(reading.networkOffset))
        switch network.name {
        case "arp": compareARP(reading, network)
        case "ip": compareIPv4(reading, network, level)
        default: compareIPv6(reading, network, level)
        }
        guard network.name != "arp" else { return }
        if reading.kind == .fragment, reading.fragmentOffset != 0 { return }
        compareTransport(reading, level)
    }

    private mutating func compareLink(_ reading: Reading, _ level: Level, isFrame: Bool) {
        if let ethernet = level.ethernet {
            expect("destination MAC", ethernet.text("eth.dst"), reading.destinationMAC.description)
            expect("source MAC", ethernet.text("eth.src"), reading.sourceMAC.description)
            let types =
                [level.llc?.number("llc.type")]
                + level.tags.reversed().map { $0.number("vlan.etype") ?? $0.number("ieee8021ah.etype") }
            // tshark gives a type, or a length and the type behind LLC.
            let type = types.compactMap { $0 }.first ?? ethernet.number("eth.type") ?? ethernet.number("eth.len")
            if level.llc?.number("llc.type") == nil || level.network != nil { expect("ether type", type, Int(reading.etherType)) }
        }
        if isFrame {
            let identifiers = level.tags.compactMap { $0.number("vlan.id") ?? $0.number("ieee8021ad.id") }.filter { $0 != 0 }
            expect("VLANs", identifiers, reading.vlans.identifiers.map { Int($0) })
        }
        expect("row of layer 2", LinkProtocol.named(by: level), reading.link)
    }

    private mutating func compareARP(_ reading: Reading, _ arp: Dissection.Layer) {
        expect("kind", Reading.Kind.arp, reading.kind)
        expect("source", arp.text("arp.src.proto_ipv4"), reading.source.description)
        expect("destination", arp.text("arp.dst.proto_ipv4"), reading.destination.description)
        expect("claimed MAC", arp.text("arp.src.hw_mac"), reading.claimedMAC.description)
        expect("end", arp.position + 28, Int(reading.end))
    }

    private mutating func compareIPv4(_ reading: Reading, _ ip: Dissection.Layer, _ level: Level) {
        expect("source", ip.text("ip.src"), reading.source.description)
        expect("destination", ip.text("ip.dst"), reading.destination.description)
        expect("hop limit", ip.number("ip.ttl"), Int(reading.hopLimit))
        expect("do-not-fragment", ip.number("ip.flags.df"), reading.marks.contains(.dontFragment) ? 1 : 0)
        expect("more fragments", ip.number("ip.flags.mf"), reading.marks.contains(.moreFragments) ? 1 : 0)
        expect("end", ip.number("ip.len").map { ip.position + $0 }, Int(reading.end))
        // In units of eight bytes, as on the wire.
        let offset = (ip.number("ip.frag_offset") ?? 0) * 8
        if offset != 0 || ip.number("ip.flags.mf") == 1 {
            expect("kind", Reading.Kind.fragment, reading.kind)
            expect("fragment offset", offset, Int(reading.fragmentOffset))
            expect("identification", ip.number("ip.id"), Int(reading.identification))
        }
        let number = level.authentication?.number("ah.next_header") ?? ip.number("ip.proto")
        expect("protocol", offset == 0 ? number : ip.number("ip.proto"), Int(reading.protocolNumber.rawValue))
        let headerEnd = ip.number("ip.hdr_len").map { ip.position + $0 }
        expect(
            "transport offset", level.authentication == nil ? headerEnd : level.transport?.position, Int(reading.transportOffset))
    }

    private mutating func compareIPv6(_ reading: Reading, _ ip: Dissection.Layer, _ level: Level) {
        expect("source", ip.text("ipv6.src"), reading.source.description)
        expect("destination", ip.text("ipv6.dst"), reading.destination.description)
        expect("hop limit", ip.number("ipv6.hlim"), Int(reading.hopLimit))
        expect("end", ip.number("ipv6.plen").map { ip.position + 40 + $0 }, Int(reading.end))
        expect("do-not-fragment", true, reading.marks.contains(.dontFragment))
        let isFragment = ip.number("ipv6.fraghdr.offset").map { $0 != 0 } == true || ip.number("ipv6.fraghdr.more") == 1
        expect("more fragments", ip.number("ipv6.fraghdr.more"), reading.marks.contains(.moreFragments) ? 1 : 0)
        expect("identification", ip.number("ipv6.fraghdr.ident"), Int(reading.identification))
        if isFragment {
            expect("kind", Reading.Kind.fragment, reading.kind)
            expect("fragment offset", ip.number("ipv6.fraghdr.offset").map { $0 * 8 }, Int(reading.fragmentOffset))
        }
        expect("protocol", lastNextHeader(ip, level), Int(reading.protocolNumber.rawValue))
        let position = level.transport.map(\.position)
        if reading.fragmentOffset == 0 { expect("transport offset", position, Int(reading.transportOffset)) }
    }

    /// The number that the chain ends with: as many headers as there are, each names the one behind it.
    private func lastNextHeader(_ ip: Dissection.Layer, _ level: Level) -> Int? {
        let names = [
            0: "ipv6.hopopts.nxt", 43: "ipv6.routing.nxt", 44: "ipv6.fraghdr.nxt", 51: "ah.next_header", 60: "ipv6.dstopts.nxt",
        ]
        var taken: [String: Int] = [:]
        var number = ip.number("ipv6.nxt")
        while let current = number, let name = names[current], let next = ip.fields[name] ?? level.authentication?.fields[name] {
            let index = taken[name, default: 0]
            guard index < next.count else { break }
            taken[name] = index + 1
            number = Int(next[index])
        }
        return number
    }
}
