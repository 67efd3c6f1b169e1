// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Net
internal import Policy

/// Why a line is no probe.
struct ProbeError: Error {
    var message: String
}

/// One line of `policy probe`: who, to whom, what for, when.
struct ProbeRequest {
    var from: String
    var to: String
    var service: ServiceKey
    var sourcePort: UInt16 = 50_000
    var zoneFrom: String?
    var zoneTo: String?
    var at: UInt64?

    private static let keys: Set<String> = [
        "from", "to", "protocol", "port", "type", "code", "source_port", "zone_from", "zone_to", "at",
    ]

    /// What a field of the line may hold.
    private enum Field: Decodable {
        case text(String)
        case number(Int)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else {
                self = .number(try container.decode(Int.self))
            }
        }
    }

    /// Reads a line; unknown keys are errors, as everywhere.
    init(line: String) throws(ProbeError) {
        let fields: [String: Field]
        do {
            fields = try JSONDecoder().decode([String: Field].self, from: Data(line.utf8))
        } catch {
            throw ProbeError(message: "the line is no JSON object of texts and whole numbers")
        }
        if let unknown = fields.keys.sorted().first(where: { !Self.keys.contains($0) }) {
            let remedy = Spelling.remedy(unknown, among: Self.keys.sorted()).map { "; \($0)" } ?? ""
            throw ProbeError(message: "there is no key \"\(unknown)\"\(remedy)")
        }
        from = try Self.text(fields["from"], "from")
        to = try Self.text(fields["to"], "to")
        service = try Self.service(fields)
        if fields["source_port"] != nil {
            sourcePort = UInt16(try Self.number(fields["source_port"], "source_port", 0...65_535))
        }
        if let zone = fields["zone_from"] { zoneFrom = try Self.text(zone, "zone_from") }
        if let zone = fields["zone_to"] { zoneTo = try Self.text(zone, "zone_to") }
        if let field = fields["at"] {
            let text = try Self.text(field, "at")
            guard let time = Timestamp.unixSeconds(text) else {
                throw ProbeError(message: "\"at\" must be a point in time, as 2027-01-31T18:00:00Z, not \"\(text)\"")
            }
            at = time
        }
    }

    private static func text(_ field: Field?, _ key: String) throws(ProbeError) -> String {
        guard let field else { throw ProbeError(message: "the key \"\(key)\" is missing") }
        guard case .text(let text) = field else { throw ProbeError(message: "\"\(key)\" must be a text") }
        return text
    }

    private static func number(_ field: Field?, _ key: String, _ range: ClosedRange<Int>) throws(ProbeError) -> Int {
        guard let field else { throw ProbeError(message: "the key \"\(key)\" is missing") }
        guard case .number(let number) = field, range.contains(number) else {
            throw ProbeError(message: "\"\(key)\" must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The service: ports need a port; an ICMP probe without a type is an echo request.
    private static func service(_ fields: [String: Field]) throws(ProbeError) -> ServiceKey {
        let number = try protocolNumber(fields["protocol"])
        if number.isICMP {
            let echo = number.rawValue == IPProtocol.icmp.rawValue ? 8 : 128
            let type = fields["type"] == nil ? echo : try Self.number(fields["type"], "type", 0...255)
            let code = fields["code"] == nil ? 0 : try Self.number(fields["code"], "code", 0...255)
            return ServiceKey(number, type: UInt8(type), code: UInt8(code))
        }
        guard number.hasPorts else { return ServiceKey(number, port: 0) }
        return ServiceKey(number, port: UInt16(try Self.number(fields["port"], "port", 0...65_535)))
    }

    private static func protocolNumber(_ field: Field?) throws(ProbeError) -> IPProtocol {
        let known: [String: IPProtocol] = ["tcp": .tcp, "udp": .udp, "sctp": .sctp, "icmp": .icmp, "icmp6": .icmp6]
        switch field {
        case .text(let name):
            if let number = known[name] { return number }
            throw ProbeError(message: "there is no protocol \"\(name)\"; there are tcp, udp, sctp, icmp, icmp6 and 0 to 255")
        default: return IPProtocol(rawValue: UInt8(try number(field, "protocol", 0...255)))
        }
    }
}
