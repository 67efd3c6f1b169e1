// SPDX-License-Identifier: Apache-2.0
import Net
import Testing
import Trace

/// A connection as people write it.
@Suite("Tuple") struct TupleText {
    private static let written: [(text: String, source: String, destination: String, service: String, port: UInt16?)] = [
        ("tcp 10.0.0.1:40000 -> 10.0.0.2:443", "10.0.0.1", "10.0.0.2", "tcp/443", 40_000),
        ("10.0.0.1:40000 10.0.0.2:443 tcp", "10.0.0.1", "10.0.0.2", "tcp/443", 40_000),
        ("10.0.0.1:40000 -> 10.0.0.2 tcp:443", "10.0.0.1", "10.0.0.2", "tcp/443", 40_000),
        ("udp [fd00::1]:40000 [fd00::2]:53", "fd00::1", "fd00::2", "udp/53", 40_000),
        ("tcp/443 fd00::1 fd00::2", "fd00::1", "fd00::2", "tcp/443", nil),
        ("shop/web:40000 shop/db tcp/5432", "shop/web", "shop/db", "tcp/5432", 40_000),
        ("web db sql", "web", "db", "sql", nil),
        ("icmp 10.0.0.1:4711 > 10.0.0.2", "10.0.0.1", "10.0.0.2", "icmp", 4711),
        ("10.0.0.1 -> 10.0.0.2 icmp:8.0", "10.0.0.1", "10.0.0.2", "icmp/8.0", nil),
        ("47 10.0.0.1 10.0.0.2", "10.0.0.1", "10.0.0.2", "47", nil),
        // What `replay` prints.
        ("tcp 10.9.0.11:40000 > 10.9.0.21:5432", "10.9.0.11", "10.9.0.21", "tcp/5432", 40_000),
        // What `flows` prints, as a line and as a row of the table.
        (
            "2026-11-22T00:10:00.000000000Z start shop/web (10.9.0.11:40000) -> shop/db (10.9.0.21:5432) tcp:5432 allow policy p rule 1",
            "10.9.0.11", "10.9.0.21", "tcp/5432", 40_000
        ),
        (
            "2026-11-22T00:10:00.000000000Z  refused  web  db  tcp:5433  deny  default deny of tier default", "web", "db",
            "tcp/5433",
            nil
        ),
    ]

    @Test(arguments: written.indices) func `a connection is read however it is written`(row: Int) throws {
        let expected = Self.written[row]
        for words in [[expected.text], expected.text.split(separator: " ").map(String.init)] {
            let tuple = try Tuple(words)
            #expect(tuple.source == expected.source && tuple.destination == expected.destination, "\(expected.text)")
            #expect(tuple.service == expected.service && tuple.sourcePort == expected.port, "\(expected.text)")
        }
    }

    @Test func `a flow is read as flows prints it in JSON, with its tags and its tunnel`() throws {
        let line = """
            {"decision":"allow","destination":{"address":"10.9.0.21","port":5432,"zone":"wan"},"epoch":2,"event":"start",\
            "firstSeen":"2026-11-22T00:10:00Z","forward":{"bytes":0,"frames":0},"generation":1,"pair":"wire","port":"p0",\
            "protocol":"tcp","queue":0,"reverse":{"bytes":0,"frames":0},"source":{"address":"10.9.0.11","port":40000,"zone":"lan"},\
            "suppressed":0,"time":"2026-11-22T00:10:00Z","tunnel":{"identifier":42,"kind":"vxlan"},"vlans":[10]}
            """
        let tuple = try Tuple([line])
        #expect(tuple.source == "10.9.0.11" && tuple.destination == "10.9.0.21")
        #expect(tuple.service == "tcp/5432" && tuple.sourcePort == 40_000)
        #expect(tuple.vlans == [10] && tuple.tunnel == Tunnel(.vxlan, identifier: 42, depth: 1))
    }

    @Test(arguments: [
        ("", "is no connection"), ("tcp 10.0.0.1", "is no connection"), ("tcp 10.0.0.1:1 10.0.0.2", "to which port?"),
        ("tcp/22 10.0.0.1 10.0.0.2:23", "name two ports"), ("icmp 10.0.0.1 10.0.0.2:5", "has no ports"),
        ("tcp 10.0.0.1:1 10.0.0.2:2 now", "one word too many"), ("10.0.0.1:1 10.0.0.2:2 sql", "is no protocol"),
        ("{\"source\": 1}", "is no flow"),
    ]) func `what is no connection is refused with a lesson`(text: String, why: String) {
        let error = #expect(throws: TupleError.self) { try Tuple([text]) }
        #expect(error?.description.contains(why) == true, "\(String(describing: error))")
    }

    @Test(arguments: [
        ("vxlan:42", Tunnel(.vxlan, identifier: 42, depth: 1)), ("gre", Tunnel(.gre, depth: 1)),
        ("ipip", Tunnel(.ipip, depth: 1)),
        ("ipip:1", nil), ("none", nil), ("vxlan:", nil), ("l2tp", nil),
    ]) func `a tunnel is named by its kind and its identifier`(text: String, tunnel: Tunnel?) {
        #expect(Tunnel(named: text) == tunnel)
    }
}
