// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import TestSupport
import Testing

/// Fragments that come one by one, and what becomes of each.
struct FragmentCase: Sendable, CustomTestStringConvertible {
    let name: String
    let over6: Bool
    let frames: @Sendable (Packet) -> [Packet]
    let outcomes: [String]

    var testDescription: String { "\(name), \(over6 ? "IPv6" : "IPv4")" }

    init(_ name: String, over6: Bool, _ outcomes: [String], _ frames: @escaping @Sendable (Packet) -> [Packet]) {
        (self.name, self.over6, self.frames, self.outcomes) = (name, over6, frames, outcomes)
    }
}

extension FragmentCase {
    /// Over both families.
    private static func both(
        _ name: String, _ outcomes: [String], _ frames: @escaping @Sendable (Packet) -> [Packet]
    ) -> [FragmentCase] {
        [false, true].map { FragmentCase(name, over6: $0, outcomes, frames) }
    }

    private static func six(
        _ name: String, _ outcomes: [String], _ frames: @escaping @Sendable (Packet) -> [Packet]
    ) -> [FragmentCase] {
        [FragmentCase(name, over6: true, outcomes, frames)]
    }

    /// The header of an IPv6 packet from the client to the web server.
    private static var network: Packet { Ethernet() / IPv6(from: client6, to: web6) }

    /// What `protocols` of firewalls and hosts is tested with elsewhere: the packet has 72 bytes behind its IP header, and is allowed.
    static let all: [FragmentCase] =
        both("in order", ["1 sent", "1 sent", "1 sent"]) { $0.fragments(of: 24) }
        + both("every order: last, first, middle", ["1 held", "2 sent", "1 sent"]) {
            let pieces = $0.fragments(of: 24)
            return [pieces[2], pieces[0], pieces[1]]
        }
        + both("every order: middle, last, first", ["1 held", "1 held", "3 sent"]) {
            let pieces = $0.fragments(of: 24)
            return [pieces[1], pieces[2], pieces[0]]
        }
        + both("overlap at the head (pf, frag6_overhead)", ["1 held", "2 fragmentOverlap", "1 fragmentOverlap"]) {
            [$0.fragment(16..<48, more: true), $0.fragment(0..<24, more: true), $0.fragment(48..<72, more: false)]
        }
        + both("overlap at the tail (pf, frag6_overtail)", ["1 sent", "1 sent", "1 fragmentOverlap", "1 fragmentOverlap"]) {
            [
                $0.fragment(0..<24, more: true), $0.fragment(24..<48, more: true), $0.fragment(40..<72, more: false),
                $0.fragment(48..<72, more: false),
            ]
        }
        + both("overlap by one unit, the later one first (OVS)", ["1 held", "2 fragmentOverlap", "1 fragmentOverlap"]) {
            [$0.fragment(32..<72, more: false), $0.fragment(16..<40, more: true), $0.fragment(0..<16, more: true)]
        }
        + both("a hole filled too far (Suricata, CVE-2024-32867)", ["1 sent", "1 sent", "1 sent", "1 fragmentOverlap"]) {
            [
                $0.fragment(0..<16, more: true), $0.fragment(48..<72, more: false), $0.fragment(16..<24, more: true),
                $0.fragment(24..<56, more: true),
            ]
        }
        + both(
            "a number used again behind a whole datagram (Suricata, CVE-2024-37151)", ["1 sent", "1 sent", "1 sent", "1 sent"]
        ) {
            $0.fragments(of: 40) + $0.fragments(of: 40)
        }
        + both(
            "a whole datagram dropped with its overlap, and again behind it (pf, frag6_overdrop)",
            ["1 sent", "1 fragmentOverlap", "1 fragmentOverlap", "1 fragmentOverlap"]
        ) {
            [$0.fragment(0..<24, more: true), $0.fragment(16..<40, more: true)] + $0.fragments(of: 40)
        }
        + both("a first fragment cut in its transport header (RFC 1858)", ["1 tinyFragment"]) {
            [tiny(over6: $0.layers.contains { $0 is IPv6 })]
        }
        + six("an atomic fragment beside a datagram of its number (frag6_overatomic)", ["1 held", "1 sent", "2 sent", "1 sent"]) {
            let pieces = $0.fragments(of: 24)
            return [pieces[1], $0.fragment(0..<72, more: false), pieces[0], pieces[2]]
        }
        + six("an atomic fragment alone (frag6_udpatomic)", ["1 sent"]) { [$0.fragment(0..<72, more: false)] }
        + six("an atomic fragment without its transport header (frag6_shortatomic)", ["1 truncated"]) {
            [$0.fragment(0..<7, more: false)]
        }
        + six("a fragment that says more and is followed by an atomic one (frag6_mf0atomic)", ["1 sent", "1 sent"]) {
            [$0.fragment(0..<24, more: true), $0.fragment(0..<72, more: false)]
        }
        + six("a chain that goes on in the second fragment (frag6_ext)", ["1 tinyFragment", "1 held"]) { _ in
            [
                network / Fragment(more: true, identification: 7, next: 60) / Raw([17, 1, 1, 4, 0, 0, 0, 0]),
                network / Fragment(offset: 64, identification: 7, next: 60) / Payload(count: 16),
            ]
        }
        + six("a chain that is too long (frag6_ext2long)", ["1 extensionHeader"]) { _ in
            [
                network / Fragment(more: true, identification: 7, next: 60) / Raw([60, 31] + pad(254) + [17, 31] + pad(254))
                    / Payload(count: 64)
            ]
        }
        + six("two Fragment headers (CVE-2023-4809)", ["1 extensionHeader", "1 extensionHeader"]) { _ in
            [
                network / Fragment(identification: 7) / Fragment(more: true, identification: 8) / UDP() / Payload(count: 8),
                network / Fragment(offset: 64, identification: 7) / Fragment(identification: 8) / UDP(),
            ]
        }
        + six("other headers in front of later fragments (CVE-2019-5597)", ["1 sent", "1 sent"]) { packet in
            [
                packet.fragment(0..<24, more: true),
                network / Extension.hopByHop() / Extension.destination() / Fragment(offset: 24, identification: 7, next: 17)
                    / Payload(Array(packet.bytes[(54 + 24)...])),
            ]
        }

    /// Options of padding that fill so many bytes, at most 257.
    private static func pad(_ count: Int) -> [UInt8] { [1, UInt8(count - 2)] + [UInt8](repeating: 0, count: count - 2) }

    /// A first fragment with eight bytes of its TCP header.
    private static func tiny(over6: Bool) -> Packet {
        let header =
            over6 ? network / Fragment(more: true, identification: 7, next: 6) : Ethernet() / IPv4(moreFragments: true, next: 6)
        return header / Payload(count: 8)
    }
}

@Suite("Cases of fragments") struct FragmentCaseTests {
    @Test(arguments: FragmentCase.all) func `each fragment ends as it should`(example: FragmentCase) throws {
        let bench = try PairBench()
        var found: [String] = []
        for frame in example.frames(question(64, over6: example.over6)) {
            let before = bench.worker.counters.ports[0]
            try bench.receive([frame])
            bench.turn()
            let after = bench.worker.counters.ports[0]
            var words: [String] = []
            let sent = bench.worker.ports[1].send().count
            if sent > 0 { words.append("\(sent) sent") }
            for reason in DropReason.allCases {
                let count = after.dropped[Int(reason.number)] - before.dropped[Int(reason.number)]
                if count > 0 { words.append("\(count) \(reason.name)") }
            }
            if after.held > before.held { words.append("1 held") }
            found.append(words.joined(separator: ", "))
            bench.turn()
            #expect(bench.fault == nil)
        }
        #expect(found == example.outcomes)
    }
}
