// SPDX-License-Identifier: Apache-2.0
internal import Foundation
public import Net
internal import Telemetry

/// Why words are no connection, and how one is written.
public struct TupleError: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// A connection as people write it: both ends, what for, and where it runs. Ends are addresses or workloads; who they are is looked up
/// later, against a policy.
///
///     tcp 10.9.0.11:40000 -> 10.9.0.21:5432
///     10.9.0.11:40000 10.9.0.21:5432 tcp
///     shop/web:40000 -> shop/db tcp/5432
///     icmp 10.9.0.11:4711 -> 10.9.0.21          the number is the echo's identifier
///
/// and whatever `bulkhead flows` and `bulkhead replay` print of a connection, as a line or as JSON.
public struct Tuple: Hashable, Sendable {
    /// Who opens it: an address, `namespace/workload`, or a workload's name.
    public var source: String
    /// To whom.
    public var destination: String
    /// What for, as policies write it: `tcp/443`, `icmp/8.0`, `47`, or a name of the destination's.
    public var service: String
    /// The source's port, or the identifier of an echo; `nil` where nobody said.
    public var sourcePort: UInt16?
    /// VLAN identifiers, outermost first.
    public var vlans: [UInt16] = []
    /// The tunnel that it runs in.
    public var tunnel = Tunnel()

    /// Reads a connection from the words of a command line, or from one pasted line.
    public init(_ words: [String]) throws(TupleError) {
        let text = words.joined(separator: " ")
        if text.hasPrefix("{") {
            try self.init(json: text)
        } else {
            try self.init(parts: Self.parts(text))
        }
    }

    /// How a connection is written, for errors and help.
    public static let teaching = "write PROTOCOL FROM:PORT -> TO:PORT, as tcp 10.0.0.1:40000 -> 10.0.0.2:443"

    /// A flow as `bulkhead flows --json` prints it.
    private init(json: String) throws(TupleError) {
        guard let flow = try? JSONDecoder().decode(FlowReport.self, from: Data(json.utf8)) else {
            throw TupleError("the object is no flow as `bulkhead flows --json` prints it")
        }
        source = flow.source.address
        destination = flow.destination.address
        service = flow.protocol
        if let port = flow.destination.port { service += "/\(port)" }
        if let type = flow.type, let code = flow.code { service += "/\(type).\(code)" }
        sourcePort = flow.source.port
        vlans = flow.vlans
        if let around = flow.tunnel, let kind = Tunnel.Kind.allCases.first(where: { "\($0)" == around.kind }) {
            tunnel = Tunnel(kind, identifier: around.identifier, depth: 1)
        }
    }

    private init(parts: (from: String, to: String, service: String)) throws(TupleError) {
        let (from, to) = (Self.end(parts.from), Self.end(parts.to))
        (source, destination, sourcePort) = (from.host, to.host, from.port)
        let name = parts.service.replacing(":", with: "/", maxReplacements: 1)
        service = name
        let pieces = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let number = IPProtocol(named: pieces[0]) else {
            // A name of the destination's stands for a port; a second one would contradict it or say nothing.
            if to.port != nil { throw TupleError("\"\(parts.service)\" is no protocol: \(Self.teaching)") }
            return
        }
        guard number.hasPorts else {
            if to.port != nil { throw TupleError("\(number.name) has no ports, and \"\(parts.to)\" names one") }
            return
        }
        guard let port = to.port.map(String.init) ?? (pieces.count == 2 ? pieces[1] : nil) else {
            throw TupleError("to which port? \(Self.teaching), or \(number.name)/443")
        }
        if pieces.count == 2, pieces[1] != port {
            throw TupleError("\"\(parts.to)\" and \"\(parts.service)\" name two ports")
        }
        service = "\(pieces[0])/\(port)"
    }

    /// The two ends and the service of a line: times, events and arrows are left out, and what stands behind them in a pasted one.
    private static func parts(_ text: String) throws(TupleError) -> (from: String, to: String, service: String) {
        var tokens = text.split(whereSeparator: \.isWhitespace).map(String.init)
        let isPasted = tokens.first.map { isTime($0) } ?? false
        if isPasted {
            tokens.removeFirst()
            if let word = tokens.first, ["start", "change", "update", "end", "refused"].contains(word) { tokens.removeFirst() }
        }
        var items: [String] = []
        for token in tokens where !["->", ">", "→", "to"].contains(token) {
            if token.hasPrefix("("), token.hasSuffix(")"), !items.isEmpty {
                // `shop/web (10.9.0.11:40000)`: the address tells more than the name.
                items[items.count - 1] = String(token.dropFirst().dropLast())
            } else {
                items.append(token)
            }
        }
        guard items.count >= 3 else { throw TupleError("\"\(text)\" is no connection: \(teaching)") }
        guard items.count == 3 || isPasted else {
            throw TupleError("\"\(items[3])\" is one word too many: \(teaching)")
        }
        if IPProtocol(named: String(items[0].prefix { $0 != "/" && $0 != ":" })) != nil {
            return (items[1], items[2], items[0])
        }
        return (items[0], items[1], items[2])
    }

    /// Whether a word is a point in time as `flows` prints it.
    private static func isTime(_ word: String) -> Bool {
        word.count >= 20 && word.dropFirst(4).hasPrefix("-") && word.dropFirst(10).hasPrefix("T") && word.hasSuffix("Z")
    }

    /// `host`, `host:port` or `[address]:port`.
    private static func end(_ text: String) -> (host: String, port: UInt16?) {
        if Address(text) != nil { return (text, nil) }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return (unbracketed(text), nil)
        }
        return (unbracketed(String(text[..<colon])), port)
    }

    private static func unbracketed(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }
}

extension Tunnel {
    /// A tunnel as options name it: `vxlan:42`, `gre`, `ipip`.
    public init?(named text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let kind = Kind.allCases.first(where: { "\($0)" == parts[0] && $0 != .none }) else { return nil }
        guard parts.count == 2 else {
            self.init(kind, depth: 1)
            return
        }
        guard let identifier = UInt32(parts[1]), kind != .ipip else { return nil }
        self.init(kind, identifier: identifier, depth: 1)
    }
}
