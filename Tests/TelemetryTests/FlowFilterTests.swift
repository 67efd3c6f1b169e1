// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Telemetry
import Testing

/// web-1 in shop opens tcp/5432 to db-1; audit would have denied it.
private let sample = event {
    ($0.sourceZone, $0.ingressRecord) = (1, 2)
    $0.auditDecision = Decision.deny.rawValue
}

@Suite struct FlowFilters {
    @Test(arguments: [
        ("workload", "shop/db-1", true), ("workload", "shop/db-2", false), ("workload", "shop/", true),
        ("workload", "bank/", false), ("from", "shop/web-1", true), ("from", "shop/db-1", false), ("to", "shop/db-1", true),
        ("to", "shop/web-1", false), ("from", "10.9.0.0/28", true), ("to", "10.9.0.0/28", false), ("to", "10.9.0.21", true),
        ("ip", "10.9.0.11", true), ("ip", "10.9.0.12", false), ("ip", "10.9.0.0/24", true), ("ip", "fd00::/8", false),
        ("label", "app=web", true), ("label", "app=db", true), ("label", "app=cache", false), ("label", "tier", true),
        ("label", "team", false), ("namespace", "shop", true), ("namespace", "sho", false), ("zone", "lan", true),
        ("zone", "dmz", false), ("port", "5432", true), ("port", "443", false), ("protocol", "tcp", true),
        ("protocol", "17", false), ("decision", "allow", true), ("decision", "deny", false), ("audit", "deny", true),
        ("audit", "allow", false), ("policy", "shop/db", true), ("policy", "shop/cache", false), ("event", "start", true),
        ("event", "end", false), ("since", "0", true), ("since", "1", false), ("until", "1", true), ("until", "0", false),
        ("reason", "denied", false),
    ])
    func `a condition lets pass what fits it, and its negation what does not`(key: String, value: String, fits: Bool) {
        var filter = FlowFilter()
        #expect(filter.set(key, to: value) == nil)
        #expect(filter.matches(sample) == fits)
        guard key != "since" && key != "until" else { return }
        var negated = FlowFilter()
        #expect(negated.set("not-\(key)", to: value) == nil)
        #expect(negated.matches(sample) != fits)
    }

    @Test(arguments: [
        ("ip", "10.9.0"), ("port", "65536"), ("decision", "yes"), ("event", "begin"), ("wrkload", "x"), ("not-since", "0"),
        ("reason", "because"), ("protocol", "tpc"), ("label", "=web"), ("since", "yesterday"), ("audit", "perhaps"),
    ])
    func `a wrong value or key is said to be wrong`(key: String, value: String) {
        var filter = FlowFilter()
        #expect(filter.set(key, to: value) != nil)
    }

    @Test func `conditions of one key are alternatives, and those of several must all hold`() {
        var either = FlowFilter()
        for port in ["443", "5432"] { #expect(either.set("port", to: port) == nil) }
        #expect(either.matches(sample))
        #expect(either.set("decision", to: "deny") == nil)
        #expect(!either.matches(sample))
    }

    @Test func `of negated conditions none may hold`() {
        var filter = FlowFilter()
        for port in ["443", "5432"] { #expect(filter.set("not-port", to: port) == nil) }
        #expect(!filter.matches(sample))
    }

    @Test func `an identifier of ICMP is no port`() {
        var filter = FlowFilter()
        _ = filter.set("port", to: "2048")
        #expect(!filter.matches(event { ($0.protocolNumber, $0.destinationPort) = (1, 0x0800) }))
    }

    @Test func `a filter takes as many conditions as it says and no more`() {
        var filter = FlowFilter()
        for port in 0..<FlowFilter.most { #expect(filter.set("port", to: String(port)) == nil) }
        #expect(filter.set("port", to: "9999") != nil)
    }
}
