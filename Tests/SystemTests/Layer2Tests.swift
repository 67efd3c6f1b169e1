// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    @Suite struct Layer2 {
        /// Asks as a host does, and prints the error's number: 111 for a refused connection, 113 for a host that says no.
        private func ask(_ lab: Lab, _ kind: String, _ target: String, _ port: Int) throws -> Int {
            let family = target.contains(":") ? "AF_INET6" : "AF_INET"
            let lines = """
                import socket
                s = socket.socket(socket.\(family), socket.SOCK_\(kind)); s.settimeout(3)
                try:
                    s.connect(("\(target)", \(port))); s.send(b"x" * 64); s.recv(1); print(0)
                except OSError as e: print(e.errno or -1)
                """
            let said = try Command.run(lab.web.namespace.command(["python3", "-c", lines]))
            return try #require(Int(said.trimmingCharacters(in: .whitespacesAndNewlines)))
        }

        @Test func `hosts believe what a rejected connection is told, over both families`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.writePolicy(ports: [Lab.allowedPort], rejected: [Lab.deniedPort])
            try lab.start()
            let (refused, unreachable, forbidden) = (111, 113, 13)
            #expect(try ask(lab, "STREAM", lab.db.ipv4, Lab.deniedPort) == refused)
            #expect(try ask(lab, "STREAM", lab.db.ipv6, Lab.deniedPort) == refused)
            #expect(try ask(lab, "DGRAM", lab.db.ipv4, Lab.deniedPort) == unreachable)
            #expect(try ask(lab, "DGRAM", lab.db.ipv6, Lab.deniedPort) == forbidden)
            let status = try lab.quietStatus()
            #expect(try status.port("p0").generated == 4 && status.port("p1").generated == 0)
            #expect(status.dropped("denied") == 4)
            for port in status.ports {
                for queue in port.queues { #expect(queue.received == queue.forwarded + queue.allDropped + queue.held) }
            }
        }

        @Test func `a reload lets a protocol of the link pass, and stops it again`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let run = try lab.start()
            /// Sends an LLDP frame from web and says whether it reached db.
            func crosses() throws -> Bool {
                let listen = """
                    import socket, sys
                    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88cc)); s.bind(("eth0", 0x88cc)); s.settimeout(1.5)
                    print("listening", flush=True)
                    try: s.recv(2000); print("came", flush=True)
                    except OSError: print("silence", flush=True)
                    """
                let listener = try Companion(
                    lab.db.namespace.command(["python3", "-c", listen]), in: lab.folder,
                    name: "lldp-\(UInt32.random(in: 0 ... .max))")
                try listener.waitForLine("listening", within: 10)
                let send = """
                    import socket
                    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
                    s.send(bytes.fromhex("0180c200000e02000000000b88cc" "0207040200000000" "010403076530" "06020078" "0000") + bytes(26))
                    """
                try Command.run(lab.web.namespace.command(["python3", "-c", send]))
                try listener.waitForEnd(within: 10)
                return listener.output.contains("came")
            }
            #expect(try !crosses())
            #expect(try lab.quietStatus().dropped("linkProtocol") == 1)
            for (text, passes) in [("layer2: {lldp: pass}\n", true), ("layer2: {lldp: drop}\n", false)] {
                let before = try lab.status().generation
                try lab.writeConfiguration(text)
                kill(run.pid, SIGHUP)
                try eventually("a new generation", within: 10, every: 0.05) { try lab.status().generation > before }
                #expect(try crosses() == passes, "\(text)")
            }
        }

        @Test func `in an on-link zone another card does not speak for a workload, in a live flow either`() throws {
            let lab = try Lab(.init(fixedNeighbours: false))
            defer { lab.remove() }
            let zones = """
                apiVersion: bulkhead/v1
                kind: Zone
                metadata: {name: left}
                spec: {on-link: true}
                ---
                apiVersion: bulkhead/v1
                kind: Zone
                metadata: {name: right}
                ---

                """
            try lab.writePolicy(ports: [Lab.allowedPort], webCard: "02:00:00:00:00:0b", documents: zones)
            try lab.writeConfiguration("zones: {left: {port: p0}, right: {port: p1}}\n")
            try lab.start()
            func replies() throws -> Int {
                let said = try Command.attempt(
                    lab.web.namespace.command(["ping", "-n", "-c", "3", "-i", "0.1", "-W", "1", lab.db.ipv4])
                ).output
                return said.contains("3 received") ? 3 : said.contains(" 0 received") ? 0 : -1
            }
            #expect(try replies() == 3)
            #expect(try lab.quietStatus().dropped("spoofed") == 0)
            try Command.run("ip", "-n", lab.web.namespace.name, "link", "set", "eth0", "address", "02:00:00:00:00:99")
            #expect(try replies() == 0)
            #expect(try lab.quietStatus().dropped("spoofed") > 0)
            try Command.run("ip", "-n", lab.web.namespace.name, "link", "set", "eth0", "address", "02:00:00:00:00:0b")
            #expect(try replies() == 3)
        }
    }
}
