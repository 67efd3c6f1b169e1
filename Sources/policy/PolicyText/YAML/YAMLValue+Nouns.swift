// SPDX-License-Identifier: Apache-2.0
public import Net
public import Policy

/// The nouns of networks and policies, as texts write them.
extension YAMLValue {
    /// A mapping of labels: texts by names of the writer's own.
    public func labels(_ what: String) throws(PolicyError) -> [String: String] {
        var labels: [String: String] = [:]
        for entry in try dictionary(what) { labels[entry.key] = try entry.value.text("the label \"\(entry.key)\"") }
        return labels
    }

    /// A name: letters, digits, `.`, `_` and `-`, starting and ending with a letter or a digit, at most 253 of them.
    public func name(_ what: String) throws(PolicyError) -> String {
        let text = try text(what)
        let isWord: (Unicode.Scalar) -> Bool = {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0)
        }
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last, isWord(first), isWord(last), scalars.count <= 253,
            scalars.allSatisfy({ isWord($0) || "._-".unicodeScalars.contains($0) })
        else {
            throw error("\(what) \"\(text)\" is no name", remedy: "use letters, digits, \".\", \"_\" and \"-\", 253 at most")
        }
        return text
    }

    /// A list of names.
    public func names(_ what: String) throws(PolicyError) -> [String] {
        var names: [String] = []
        for item in try list(what) { names.append(try item.name("an item of \(what)")) }
        return names
    }

    /// A DNS name, or a pattern of names.
    public func dnsPattern(_ what: String) throws(PolicyError) -> DNSPattern {
        let text = try text(what)
        guard let pattern = DNSPattern(text) else {
            throw error(
                "\"\(text)\" is no DNS name",
                remedy: "write www.example.com, *.example.com for one label, or **.example.com for one or more")
        }
        return pattern
    }

    /// An address or a block of addresses.
    public func prefix(_ what: String) throws(PolicyError) -> Prefix {
        let text = try text(what)
        guard let prefix = Prefix(text) else {
            throw error(
                "\"\(text)\" is no address and no CIDR block",
                remedy: "write 10.0.0.1, 10.0.0.0/8 or fd00::/8, with no bits set behind the length")
        }
        return prefix
    }

    /// A list of addresses and blocks.
    public func prefixes(_ what: String) throws(PolicyError) -> [Prefix] {
        var prefixes: [Prefix] = []
        for item in try list(what) { prefixes.append(try item.prefix("an item of \(what)")) }
        return prefixes
    }

    /// The hardware address of one interface, as `02:00:00:00:00:01` or with `-` between the bytes.
    public func hardwareAddress(_ what: String) throws(PolicyError) -> MACAddress {
        let text = try text(what)
        let separator: Character = text.contains("-") ? "-" : ":"
        let bytes = text.split(separator: separator, omittingEmptySubsequences: false).map { part in
            part.utf8.count == 2 && !part.hasPrefix("+") ? UInt8(part, radix: 16) : nil
        }
        guard bytes.count == 6, !bytes.contains(nil) else {
            throw error("\"\(text)\" is no hardware address", remedy: "write it as 02:00:00:00:00:01")
        }
        let address = MACAddress(bits: bytes.reduce(0) { $0 << 8 | UInt64($1 ?? 0) })
        guard !address.isGroup, address.bits != 0 else {
            throw error("\(address) is not the address of one interface", remedy: "write the one that it sends from")
        }
        return address
    }

    /// A point in time (RFC 3339) as Unix seconds.
    public func unixSeconds(_ what: String) throws(PolicyError) -> UInt64 {
        let text = try text(what)
        guard let seconds = Timestamp.unixSeconds(text) else {
            throw error("\(what) must be a point in time, as 2027-01-31T18:00:00Z, not \"\(text)\"")
        }
        return seconds
    }

    /// A length of time in whole seconds, at least one and at most a year: `30s`, `5m`, `2h`, `1d`.
    public func seconds(_ what: String) throws(PolicyError) -> UInt32 {
        let text = try text(what)
        let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let digits = text.dropLast()
        guard let unit = text.last.flatMap({ units[$0] }), (1...8).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt64(digits),
            (1...31_536_000).contains(number * unit)
        else {
            throw error("\(what) must be a length of time, as 30s, 5m, 2h or 1d, a year at most, not \"\(text)\"")
        }
        return UInt32(number * unit)
    }
}
