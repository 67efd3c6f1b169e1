// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Many TCP connections of web's kernel to db's, each of which exchanges a byte now and then (Tests/Traffic/connections.py).
final class LiveConnections {
    /// What a census says of the connections to one port.
    struct Count: Decodable, Equatable {
        let port: Int
        /// Connections that were opened.
        let open: Int
        /// Those that brought a byte there and back.
        let answered: Int
        /// Those that were reset or closed.
        let broken: Int
    }

    private let server: Companion
    private let client: Companion
    private let ports: [Int]

    /// Opens so many, in turn to the ports.
    init(_ lab: Lab, count: Int, ports: [Int]) throws {
        let program = Requirement.traffic.appending(path: "connections.py").path
        self.ports = ports
        server = try Companion(
            lab.db.namespace.command([program, "serve", lab.db.ipv4] + ports.map(String.init)), in: lab.folder, name: "server")
        try server.waitForLine("listening", within: 10)
        client = try Companion(
            lab.web.namespace.command([program, "hold", lab.db.ipv4, "\(count)"] + ports.map(String.init)), in: lab.folder,
            name: "client")
        try client.waitForLine("open", within: 120)
    }

    /// Sends a byte on each connection and says for each port what became of it, once all have answered, or ten seconds are over. Where some
    /// are not to answer, three seconds are waited for them: a lost byte is repeated three times in them.
    func census(withSilence: Bool = false) throws -> [Count] {
        func counted() -> Int { client.output.split(separator: "\n").count { $0 == "counted" } }
        let before = counted()
        kill(client.pid, withSilence ? SIGUSR2 : SIGUSR1)
        try eventually("a census", within: 30, every: 0.02) { counted() > before }
        let lines = client.output.split(separator: "\n").filter { $0.hasPrefix("{") }.suffix(ports.count)
        return try lines.map { try JSONDecoder().decode(Count.self, from: Data($0.utf8)) }
    }

    /// Ends both programs.
    func end() throws {
        try client.end()
        try server.end()
    }
}
