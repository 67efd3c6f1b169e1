// SPDX-License-Identifier: Apache-2.0
import API
import Analysis
import Classifier
import Compiler
import Control
import Net
import Replay
import Telemetry
import Trace

/// Whom a trace asks: the appliance that runs, or what files say of one.
struct TracedAppliance {
    /// What it judges by.
    let surroundings: Surroundings
    private let client: DaemonClient?

    /// The appliance that the options name.
    init(_ options: PolicySetOptions) async throws {
        guard options.asksDaemon else {
            let reading = try await options.read()
            let configuration = try options.config.map(Configuration.load)
            surroundings = Surroundings(
                set: reading.set, zones: reading.zones, failsafe: reading.failsafe, links: configuration?.links ?? .init(),
                flows: configuration?.flows ?? .init(), ports: configuration?.ports ?? [])
            client = nil
            return
        }
        let client = try options.daemon.client
        let policy = try DaemonClient.decode(PolicyReport.self, try await client.get("/v1/policy"))
        let status = try DaemonClient.decode(StatusReport.self, try await client.get("/v1/status"))
        surroundings = Surroundings(
            set: try policy.set(), zones: policy.placements, failsafe: try policy.failsafe?.failsafe() ?? .init(),
            generation: policy.generation,
            ports: status.pairs.map { pair in status.ports.filter { $0.pair == pair.name }.map(\.name) })
        self.client = client
    }

    /// The connection as its worker has it; where nobody has it untagged, as the last flows of these ends say that it is tagged.
    func ask(_ tuple: Tuple, of tracer: Tracer, at seconds: UInt64) async throws -> LiveTrace? {
        guard let client, let connection = try tracer.connection(tuple) else { return nil }
        var (found, asked) = (try await report(connection, client), connection)
        if found.live == nil, connection.vlans.count == 0, connection.tunnel.kind == .none {
            for other in try await tagged(connection, client) where found.live == nil {
                let report = try await report(other, client)
                if report.live != nil { (found, asked) = (report, other) }
            }
        }
        let follower = try Tracer(surroundings.under(found.terms))
        return LiveTrace(found, next: try follower.next(asked, in: found, at: seconds))
    }

    private func report(_ connection: TracedConnection, _ client: DaemonClient) async throws -> TraceReport {
        let query = connection.parameters.map { "\($0.key)=\(DaemonClient.escaped($0.value))" }.joined(separator: "&")
        return try DaemonClient.decode(TraceReport.self, try await client.get("/v1/trace?" + query))
    }

    /// What `GET /v1/flows` answers.
    private struct Recent: Decodable {
        let flows: [FlowReport]
    }

    /// The same connection with the tags and tunnels that recent flows between its ends had.
    private func tagged(_ connection: TracedConnection, _ client: DaemonClient) async throws -> [TracedConnection] {
        let ends = "from=\(connection.source)&to=\(connection.destination)&protocol=\(connection.number.name)"
        let recent = try DaemonClient.decode(Recent.self, try await client.get("/v1/flows?\(ends)&last=100"))
        var found: [TracedConnection] = []
        for flow in recent.flows.reversed() {
            guard flow.source.port ?? connection.sourcePort == connection.sourcePort,
                flow.destination.port ?? connection.destinationPort == connection.destinationPort
            else { continue }
            var other = connection
            for vlan in flow.vlans { other.vlans.append(vlan) }
            if let tunnel = flow.tunnel, let kind = Tunnel.Kind.allCases.first(where: { "\($0)" == tunnel.kind }) {
                other.tunnel = Tunnel(kind, identifier: tunnel.identifier, depth: 1)
            }
            if other != connection, !found.contains(other) { found.append(other) }
        }
        // Each takes up to a second.
        return Array(found.prefix(4))
    }
}

/// A frame that somebody gives.
enum GivenFrame {
    /// The bytes of hexadecimal, or of a frame of a capture: `FILE` or `FILE:N`, counted from 1.
    static func bytes(_ text: String) throws -> [UInt8] {
        let digits = text.filter { !$0.isWhitespace && $0 != ":" }
        if digits.count >= 28, digits.count % 2 == 0, digits.allSatisfy(\.isHexDigit) {
            var bytes: [UInt8] = []
            var rest = digits[...]
            while let byte = UInt8(rest.prefix(2), radix: 16) {
                bytes.append(byte)
                rest = rest.dropFirst(2)
            }
            return bytes
        }
        var (file, number) = (text, 1)
        if let colon = text.lastIndex(of: ":"), let given = Int(text[text.index(after: colon)...]) {
            (file, number) = (String(text[..<colon]), given)
        }
        guard number > 0 else { throw TraceError("frames are counted from 1") }
        do {
            guard let bytes = try frame(number, ofCapture: file) else { throw TraceError("\(file) has no frame \(number)") }
            return bytes
        } catch let error as ReplayError {
            throw TraceError("\(error)")
        }
    }
}
