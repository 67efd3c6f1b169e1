// SPDX-License-Identifier: Apache-2.0

/// What this host does for itself on a port that is to be a wire.
extension Ground {
    /// Findings about the host behind the port.
    func hostFindings(_ port: PortFacts) -> [Finding] {
        let (name, host) = (port.name, port.host)
        var findings: [Finding] = []
        if host.isDefaultRoute {
            findings.append(
                Finding(
                    .hostRoute, .warning, port: name, what: "this host's default route leaves by it",
                    why: "with Bulkhead on it the host itself is cut off, and perhaps you with it",
                    remedy: .advice("use ports that carry nothing of the host's own, and manage it by another one")))
        }
        let quiet = "ip address flush dev \(name) && sysctl -qw net/ipv6/conf/\(name)/disable_ipv6=1"
        if host.addresses > 0, !host.isDefaultRoute {
            findings.append(
                Finding(
                    .hostAddresses, .warning, port: name, what: "this host has the address \(host.address) on it",
                    why: "whoever asks for it gets no answer: its frames go to the other port, not to the host",
                    remedy: .command(quiet)))
        } else if host.addresses == 0, host.linkLocal > 0 {
            findings.append(
                Finding(
                    .hostSpeaks, .note, port: name, what: "this host speaks IPv6 on it (\(host.address))",
                    why: "it sends solicitations and reports of its own onto the wire, past policy", remedy: .command(quiet)))
        }
        var switches: [String] = []
        if host.forwardsIPv4 { switches.append("net/ipv4/conf/\(name)/forwarding=0") }
        if host.forwardsIPv6 { switches.append("net/ipv6/conf/\(name)/forwarding=0") }
        if !switches.isEmpty {
            let unchecked = host.forwardsIPv4 && !host.checksSources ? ", whatever source it claims (rp_filter is off)" : ""
            findings.append(
                Finding(
                    .hostForwards, .warning, port: name, what: "this host routes what comes in by it",
                    why:
                        "whenever no program is on the port (`on-stop: detach`) it would pass frames on, past policy\(unchecked)",
                    remedy: .command("sysctl -qw " + switches.joined(separator: " "))))
        }
        return findings
    }
}
