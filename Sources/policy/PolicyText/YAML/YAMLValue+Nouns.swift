// SPDX-License-Identifier: Apache-2.0
public import Net
public import Policy

/// The nouns of networks and policies, as texts write them.
extension YAMLValue {
    /// A mapping of labels: texts by names of the writer's own.
    public func labels(_ what: String) throws(PolicyError) -> [String: String] {
        var faults = Faults()
        var labels: [String: String] = [:]
        for entry in try dictionary(what) {
            labels[entry.key] = faults.read(entry.value) { (value) throws(PolicyError) in
                let text = try value.text("the label \"\(entry.key)\"")
                if let fault = Label.fault(key: entry.key, value: text) { throw value.error(fault) }
                return text
            }
        }
        try faults.check()
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
        try items(what) { (item) throws(PolicyError) in try item.name("an item of \(what)") }
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
        let text = try words(what, "an address or a block")
        if let prefix = Prefix(text) { return prefix }
        throw blockFault(text)
            ?? error("\"\(text)\" is no address and no CIDR block", remedy: "write 10.0.0.1, 10.0.0.0/8 or fd00::/8")
    }

    /// What keeps the text from being a block where it has an address and a length; `nil` where it has not even these.
    public func blockFault(_ text: String) -> PolicyError? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let address = Address(parts[0]), parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
            let length = Int(parts[1])
        else { return nil }
        let (most, family) = address.isIPv4 && !parts[0].contains(":") ? (32, "IPv4") : (128, "IPv6")
        guard (0...most).contains(length) else {
            return error("\"\(text)\" is no block: the length of an \(family) block is 0 to \(most)")
        }
        guard let block = Prefix(covering: address, length: length), block.address != address else { return nil }
        return error("\"\(text)\" has bits set behind its length", remedy: "write \(block), or \(parts[0]) for the one address")
    }

    /// A list of addresses and blocks.
    public func prefixes(_ what: String) throws(PolicyError) -> [Prefix] {
        try items(what) { (item) throws(PolicyError) in try item.prefix("an item of \(what)") }
    }

    /// The hardware address of one interface, as `02:00:00:00:00:01` or with `-` between the bytes.
    public func hardwareAddress(_ what: String) throws(PolicyError) -> MACAddress {
        let text = try words(what, "a hardware address")
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
        let text = try words(what, "a point in time, as 2027-01-31T18:00:00Z")
        guard let seconds = Timestamp.unixSeconds(text) else {
            throw error("\(what) must be a point in time, as 2027-01-31T18:00:00Z, not \"\(text)\"")
        }
        return seconds
    }

    /// A length of time in whole seconds, at least one and at most `most`, which is a year unless something shorter is said: `30s`,
    /// `5m`, `2h`, `1d`.
    public func seconds(_ what: String, most: UInt32 = 31_536_000) throws(PolicyError) -> UInt32 {
        let form = "a whole number with a unit, as 30s, 5m, 2h or 1d"
        let text: String
        switch content {
        case .text(let word): text = word
        case .integer(_, let digits):
            throw error(
                "\(what) must be a length of time, and \(digits) has no unit", remedy: "write \(digits)s for seconds, or m, h, d")
        default: throw unexpected(what, form)
        }
        let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let digits = text.dropLast()
        guard let unit = text.last.flatMap({ units[$0] }), !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) })
        else {
            throw error("\(what) must be \(form), not \(kind)")
        }
        let bounds = "\(what) must be 1s to \(Self.shortest(most)), not \(text)"
        // A number that is too long for one is too long a time as well.
        let (seconds, isTooLong) = UInt64(digits)?.multipliedReportingOverflow(by: unit) ?? (0, true)
        guard !isTooLong, seconds <= most else { throw error(bounds, remedy: "write \(Self.shortest(most)) or less") }
        guard seconds > 0 else { throw error(bounds, remedy: "write 1s or more") }
        return UInt32(seconds)
    }

    /// A length of time in the largest unit that tells it.
    private static func shortest(_ seconds: UInt32) -> String {
        for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60)] as [(String, UInt32)] where seconds % length == 0 {
            return "\(seconds / length)\(unit)"
        }
        return "\(seconds)s"
    }
}
