// SPDX-License-Identifier: Apache-2.0
internal import Net

extension ServiceRange {
    /// The range as policies write it: `any`, a protocol, ports, or ICMP types and codes; `nil` for one that runs over the border of a
    /// protocol, which no policy can write.
    public var text: String? {
        if self == .any { return "any" }
        if self == .everything { return "everything" }
        let number = IPProtocol(rawValue: UInt8(truncatingIfNeeded: first >> 16))
        guard first < end, isWithin(number) else { return nil }
        if self == ServiceRange(number) { return number.name }
        let (low, high) = (first & 0xffff, (end - 1) & 0xffff)
        guard number.isICMP else { return number.hasPorts ? "\(number.name)/\(low)" + (low == high ? "" : "-\(high)") : nil }
        if low == high { return "\(number.name)/\(low >> 8).\(low & 0xff)" }
        return low & 0xff == 0 && high == low | 0xff ? "\(number.name)/\(low >> 8)" : nil
    }
}

extension Service {
    /// The destination as policies write it, without source ports and programs.
    public var text: String {
        switch destination {
        case .range(let range): range.text ?? "\(range.first)..<\(range.end)"
        case .named(let name, nil): name
        case .named(let name, let carrier?): "\(carrier.name)/\(name)"
        }
    }
}

extension ServiceList {
    /// A list of services, with the text that would be written for it.
    public init(_ services: [Service]) {
        self.init(services, text: "services: [\(services.map(\.text).joined(separator: ", "))]")
    }
}
