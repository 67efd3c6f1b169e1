// SPDX-License-Identifier: Apache-2.0
import Net
import Telemetry
import Testing

/// A connection as parameters of the API.
@Suite("Traced connections") struct TracedConnectionTests {
    private func read(_ parameters: [(key: String, value: String)]) -> Result<TracedConnection, TracedConnectionFault> {
        var reader = TracedConnectionReader()
        for (key, value) in parameters {
            if let fault = reader.set(key, to: value) {
                Issue.record("\(fault)")
            }
        }
        return reader.connection()
    }

    @Test func `what is written as parameters is read back`() throws {
        let (a, b) = (Address(v4: 0x0a00_0001), Address(v4: 0x0a00_0002))
        let (c, d) = (Address(high: 0xfd00 << 48, low: 1), Address(high: 0xfd00 << 48, low: 2))
        var tagged = TracedConnection(.udp, from: c, 40_000, to: d, 53)
        (tagged.vlans, tagged.tunnel) = (VLANTags(10, 4095), Tunnel(.vxlan, identifier: .max, depth: 2))
        for connection in [
            TracedConnection(.tcp, from: a, 0, to: b, .max), tagged, TracedConnection(.icmp, from: a, 4711, to: b, 8 << 8),
            TracedConnection(.icmp6, from: c, 1, to: d, 128 << 8 | 3),
            TracedConnection(.init(rawValue: 47), from: a, 0, to: b, 0),
        ] { #expect(try read(connection.parameters).get() == connection) }
    }

    private static let tcp = [
        ("source", "10.0.0.1"), ("destination", "10.0.0.2"), ("source-port", "1"), ("destination-port", "2"),
    ]

    @Test(
        arguments: [
            ([], "protocol is one of"), ([("protocol", "256")], "protocol is one of"),
            ([("protocol", "tcp"), ("source", "10.0.0.1"), ("destination", "fd00::1")], "addresses of one family"),
            ([("protocol", "tcp"), ("source", "10.0.0.1"), ("destination", "10.0.0.2")], "has source-port and destination-port"),
            (tcp + [("protocol", "icmp")], "source-port means nothing to icmp"),
            (tcp + [("protocol", "47")], "means nothing to 47"),
            (tcp + [("protocol", "tcp"), ("identifier", "1")], "identifier means nothing to tcp"),
            (tcp + [("protocol", "tcp"), ("vlans", "0")], "from 1 to 4095"),
            (tcp + [("protocol", "tcp"), ("vlans", "1,2,3")], "from 1 to 4095"),
            (tcp + [("protocol", "tcp"), ("vlans", "1,")], "from 1 to 4095"),
            (tcp + [("protocol", "tcp"), ("tunnel", "none")], "tunnel is one of"),
            (tcp + [("protocol", "tcp"), ("tunnel", "gre"), ("tunnel-depth", "3")], "depth 1 or 2"),
            (tcp + [("protocol", "tcp"), ("tunnel-depth", "1")], "means nothing without tunnel"),
        ] as [([(String, String)], String)])
    func `what is no connection says what is missing`(parameters: [(String, String)], why: String) {
        let fault = #expect(throws: TracedConnectionFault.self) { try read(parameters.map { (key: $0.0, value: $0.1) }).get() }
        #expect(fault?.description.contains(why) == true, "\(String(describing: fault))")
    }

    @Test func `parameters that are none, and those that come twice, are refused at once`() {
        var reader = TracedConnectionReader()
        #expect(reader.set("port", to: "1")?.contains("is no parameter of a trace") == true)
        #expect(reader.set("source", to: "10.0.0.1") == nil)
        #expect(reader.set("source", to: "10.0.0.1") == "source is given twice")
    }
}
