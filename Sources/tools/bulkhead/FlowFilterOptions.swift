// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Telemetry

/// The conditions of every verb that chooses flows. Each may be given several times, and then any of its values will do; different
/// ones must all hold; `--not` before one turns it round.
struct FlowFilterOptions: ParsableArguments {
    @Option(name: .long, help: "Only where either end is this: NAMESPACE/NAME, NAMESPACE/ for all of one, an address or a block.")
    var workload: [String] = []

    @Option(name: .long, help: "Only where who opened the connection is this, written as for --workload.")
    var from: [String] = []

    @Option(name: .long, help: "Only where the connection was opened to this, written as for --workload.")
    var to: [String] = []

    @Option(name: .long, help: "Only where either end is a workload with this label: app=web, or app whatever its value.")
    var label: [String] = []

    @Option(name: .long, help: "Only where either end is a workload of this namespace.")
    var namespace: [String] = []

    @Option(name: .long, help: "Only where either end lies in this zone.")
    var zone: [String] = []

    @Option(name: .long, help: "Only where either end has this address, or one of this block.")
    var ip: [String] = []

    @Option(name: .long, help: "Only where either end has this port.")
    var port: [String] = []

    @Option(name: .long, help: "Only where the protocol is this: tcp, udp, sctp, icmp, icmp6, or a number.")
    var `protocol`: [String] = []

    @Option(name: .long, help: "Only where the connection got this: allow, deny or reject.")
    var decision: [String] = []

    @Option(name: .long, help: "Only where it was dropped for this reason, by its name in docs/drop-reasons.md.")
    var reason: [String] = []

    @Option(name: .long, help: "Only where audit would have given it this: allow, deny or reject.")
    var audit: [String] = []

    @Option(name: .long, help: "Only where this policy had the last word on one of the sides, NAMESPACE/NAME.")
    var policy: [String] = []

    @Option(name: .long, help: "Only where this happened: start, change, update, end or refused.")
    var event: [String] = []

    @Option(name: .long, help: "Nothing before this: a time (RFC 3339), or how long ago (90s, 10m, 2h, 3d).")
    var since: String?

    @Option(name: .long, help: "Nothing at this or later, written as for --since.")
    var until: String?

    @Option(name: .customLong("not-workload"), help: .hidden)
    var notWorkload: [String] = []

    @Option(name: .customLong("not-from"), help: .hidden)
    var notFrom: [String] = []

    @Option(name: .customLong("not-to"), help: .hidden)
    var notTo: [String] = []

    @Option(name: .customLong("not-label"), help: .hidden)
    var notLabel: [String] = []

    @Option(name: .customLong("not-namespace"), help: .hidden)
    var notNamespace: [String] = []

    @Option(name: .customLong("not-zone"), help: .hidden)
    var notZone: [String] = []

    @Option(name: .customLong("not-ip"), help: .hidden)
    var notIp: [String] = []

    @Option(name: .customLong("not-port"), help: .hidden)
    var notPort: [String] = []

    @Option(name: .customLong("not-protocol"), help: .hidden)
    var notProtocol: [String] = []

    @Option(name: .customLong("not-decision"), help: .hidden)
    var notDecision: [String] = []

    @Option(name: .customLong("not-reason"), help: .hidden)
    var notReason: [String] = []

    @Option(name: .customLong("not-audit"), help: .hidden)
    var notAudit: [String] = []

    @Option(name: .customLong("not-policy"), help: .hidden)
    var notPolicy: [String] = []

    @Option(name: .customLong("not-event"), help: .hidden)
    var notEvent: [String] = []

    /// The words of a command line with `--not --port 53` as one option.
    static func joined(_ words: [String]) -> [String] {
        var joined: [String] = []
        var isNegated = false
        for word in words {
            if word == "--not" && !isNegated {
                isNegated = true
            } else if isNegated {
                joined += word.hasPrefix("--") ? ["--not-" + word.dropFirst(2)] : ["--not", word]
                isNegated = false
            } else {
                joined.append(word)
            }
        }
        return isNegated ? joined + ["--not"] : joined
    }

    private var given: [(key: String, values: [String])] {
        [
            ("workload", workload), ("not-workload", notWorkload),
            ("from", from), ("not-from", notFrom),
            ("to", to), ("not-to", notTo),
            ("label", label), ("not-label", notLabel),
            ("namespace", namespace), ("not-namespace", notNamespace),
            ("zone", zone), ("not-zone", notZone),
            ("ip", ip), ("not-ip", notIp),
            ("port", port), ("not-port", notPort),
            ("protocol", `protocol`), ("not-protocol", notProtocol),
            ("decision", decision), ("not-decision", notDecision),
            ("reason", reason), ("not-reason", notReason),
            ("audit", audit), ("not-audit", notAudit),
            ("policy", policy), ("not-policy", notPolicy),
            ("event", event), ("not-event", notEvent),
        ]
    }

    /// The conditions as the API takes them. Throws where one is wrong.
    func conditions() throws -> [(key: String, value: String)] {
        var all = given.flatMap { option in option.values.map { (key: option.key, value: $0) } }
        for (key, text) in [("since", since), ("until", until)] {
            if let text { all.append((key, String(try nanoseconds(text, of: key)))) }
        }
        var filter = FlowFilter()
        for (key, value) in all {
            if let fault = filter.set(key, to: value) { throw ValidationError(fault) }
        }
        return all
    }

    /// The conditions as a query.
    func query() throws -> [String] { try conditions().map { "\($0.key)=\(DaemonClient.escaped($0.value))" } }
}
