// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// The words that services are written with: `tcp/5432`, `udp/1000-2000`, `icmp/8.0`, `icmp/8`, `tcp`, `esp`, `vxlan`, a protocol's
/// number, `any`, `everything`.
public enum ServiceWords {
    /// Protocols whose services have numbers.
    static let numbered: [(name: String, number: IPProtocol)] = [
        ("tcp", .tcp), ("udp", .udp), ("sctp", .sctp), ("icmp", .icmp), ("icmp6", .icmp6),
    ]

    /// Protocols that are named as a whole (IANA "Protocol Numbers"), beside the tunnels.
    static let whole: [(name: String, number: UInt8)] = [
        ("igmp", 2), ("dccp", 33), ("rsvp", 46), ("esp", 50), ("ah", 51), ("eigrp", 88), ("ospf", 89), ("pim", 103),
        ("vrrp", 112), ("l2tp", 115), ("udplite", 136),
    ]

    /// Every word that means a service by itself.
    public static let reserved: [String] =
        ["any", "everything"] + numbered.map(\.name) + whole.map(\.name) + Tunnels.all.map(\.name)

    /// The range of a word that stands for one by itself.
    static func range(_ word: String) -> ServiceRange? {
        if word == "any" { return .any }
        if word == "everything" { return .everything }
        if let known = numbered.first(where: { $0.name == word }) { return ServiceRange(known.number) }
        if let known = whole.first(where: { $0.name == word }) { return ServiceRange(IPProtocol(rawValue: known.number)) }
        if let known = Tunnels.all.first(where: { $0.name == word }) { return known.range }
        return digits(word[...], UInt8.self).map { ServiceRange(IPProtocol(rawValue: $0)) }
    }

    /// A range of ports of a protocol, or one port.
    static func ports(_ text: String) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { digits($0, UInt16.self) }
        guard let first = ends[0], let last = ends.count == 2 ? ends[1] : first, first <= last else { return nil }
        return first...last
    }

    /// A type of ICMP with a code, or with all of them.
    static func icmp(_ text: String) -> ClosedRange<UInt16>? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map { digits($0, UInt8.self) }
        guard let type = parts[0] else { return nil }
        if parts.count == 1 { return UInt16(type) << 8...UInt16(type) << 8 | 255 }
        guard let code = parts[1] else { return nil }
        return UInt16(type) << 8 | UInt16(code)...UInt16(type) << 8 | UInt16(code)
    }

    private static func digits<Number: FixedWidthInteger>(_ text: Substring, _ type: Number.Type) -> Number? {
        !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) } ? Number(text) : nil
    }

    /// A name of one's own for a service: a letter first, then letters, digits, `.`, `_` and `-`, 63 at most; no word that already
    /// means a service.
    static func ownName(_ text: String, _ place: Place) throws(PolicyError) -> String {
        let scalars = Array(text.unicodeScalars)
        let isLetter: (Unicode.Scalar) -> Bool = { ("a"..."z").contains($0) || ("A"..."Z").contains($0) }
        guard let first = scalars.first, isLetter(first), scalars.count <= 63,
            scalars.allSatisfy({ isLetter($0) || ("0"..."9").contains($0) || "._-".unicodeScalars.contains($0) })
        else {
            throw PolicyError(
                place, "\"\(text)\" is no service",
                remedy: "write tcp/5432, udp/1000-2000, icmp/8.0, any, or a name of the destination's")
        }
        guard !reserved.contains(text) else {
            throw PolicyError(place, "\"\(text)\" cannot be a name of one's own for a service")
        }
        return text
    }
}
