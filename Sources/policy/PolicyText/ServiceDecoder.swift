// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Reads services: `tcp/5432`, `udp/1000-2000`, `icmp/8.0`, `icmp/8`, `tcp`, a protocol number, `any`, or a name of the destination's.
enum ServiceDecoder {
    static let protocols: [(name: String, number: IPProtocol)] = [
        ("tcp", .tcp), ("udp", .udp), ("sctp", .sctp), ("icmp", .icmp), ("icmp6", .icmp6),
    ]

    static func list(_ value: YAMLValue, _ what: String) throws(PolicyError) -> ServiceList {
        var services: [Service] = []
        var texts: [String] = []
        for item in try value.list(what) {
            services.append(try service(item))
            switch item.content {
            case .text(let text), .integer(_, let text): texts.append(text)
            default: break
            }
        }
        return ServiceList(services, text: "\(what): [\(texts.joined(separator: ", "))]")
    }

    static func service(_ value: YAMLValue) throws(PolicyError) -> Service {
        if case .integer(let number, _) = value.content {
            guard let number = UInt8(exactly: number) else {
                throw value.error("a protocol's number is at most 255, not \(number)")
            }
            return .range(ServiceRange(IPProtocol(rawValue: number)))
        }
        let text = try value.text("a service")
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 1 {
            if text == "any" { return .range(.any) }
            if let known = protocols.first(where: { $0.name == text }) { return .range(ServiceRange(known.number)) }
            if let number = UInt8(text) { return .range(ServiceRange(IPProtocol(rawValue: number))) }
            return .named(try serviceName(text, value.place))
        }
        guard let known = protocols.first(where: { $0.name == parts[0] }) else {
            throw value.error(
                "there is no protocol \"\(parts[0])\" with ports",
                remedy: Spelling.remedy(parts[0], among: protocols.map(\.name)) ?? "there are tcp, udp, sctp, icmp and icmp6")
        }
        let range = known.number.isICMP ? icmp(parts[1], known.number) : ports(parts[1], known.number)
        guard let range else {
            throw value.error(
                "\"\(text)\" is no service",
                remedy: known.number.isICMP
                    ? "write type and code, as \(known.name)/8.0, or the type alone, as \(known.name)/8"
                    : "write a port from 0 to 65535, as \(known.name)/443, or a range, as \(known.name)/1000-2000")
        }
        return .range(range)
    }

    private static func ports(_ text: String, _ number: IPProtocol) -> ServiceRange? {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { digits($0, UInt16.self) }
        guard let first = ends[0], let last = ends.count == 2 ? ends[1] : first, first <= last else { return nil }
        return ServiceRange(number, ports: first...last)
    }

    private static func icmp(_ text: String, _ number: IPProtocol) -> ServiceRange? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map { digits($0, UInt8.self) }
        guard let type = parts[0] else { return nil }
        if parts.count == 1 { return ServiceRange(number, ports: UInt16(type) << 8...UInt16(type) << 8 | 255) }
        guard let code = parts[1] else { return nil }
        return ServiceRange(number, ports: UInt16(type) << 8 | UInt16(code)...UInt16(type) << 8 | UInt16(code))
    }

    private static func digits<Number: FixedWidthInteger>(_ text: Substring, _ type: Number.Type) -> Number? {
        text.utf8.allSatisfy { (48...57).contains($0) } ? Number(text) : nil
    }

    /// A name for a service: a letter first, then letters, digits, `.`, `_` and `-`; no protocol's name and not `any`.
    static func serviceName(_ text: String, _ place: Place) throws(PolicyError) -> String {
        let scalars = Array(text.unicodeScalars)
        let isLetter: (Unicode.Scalar) -> Bool = { ("a"..."z").contains($0) || ("A"..."Z").contains($0) }
        guard let first = scalars.first, isLetter(first), scalars.count <= 63,
            scalars.allSatisfy({ isLetter($0) || ("0"..."9").contains($0) || "._-".unicodeScalars.contains($0) })
        else {
            throw PolicyError(
                place, "\"\(text)\" is no service",
                remedy: "write tcp/5432, udp/1000-2000, icmp/8.0, any, or a name of the destination's")
        }
        guard text != "any", !protocols.contains(where: { $0.name == text }) else {
            throw PolicyError(place, "\"\(text)\" cannot be a name of one's own for a service")
        }
        return text
    }
}
