// SPDX-License-Identifier: Apache-2.0
import Keeper
import Link
import Telemetry

/// What `bulkhead doctor` says: one document for machines, or lines for people.
struct DoctorReport: Encodable {
    /// The machine.
    struct Machine: Encodable {
        let kernel: String
        let cpus, nodes: Int
        let hugePagesFree: Int?

        enum CodingKeys: String, CodingKey {
            case kernel, cpus, nodes
            case hugePagesFree = "huge_pages_free"
        }
    }
    /// A port that was looked at.
    struct Port: Encodable {
        let name: String
        let pair: String?
        let driver: String
        let version: String
        let mtu, queues: UInt32
        let link: String
        let xdp: String?
    }
    /// What was found.
    struct Finding: Encodable {
        let code, severity: String
        let port: String?
        let what, why: String
        let command, advice: String?
    }
    /// A step of the self-test.
    struct Step: Encodable {
        let name: String
        let good: Bool?
        let seen: String
    }

    let ok: Bool
    let machine: Machine
    let ports: [Port]
    let findings: [Finding]
    let selfTest: [Step]?

    enum CodingKeys: String, CodingKey {
        case ok, machine, ports, findings
        case selfTest = "self_test"
    }

    init(_ check: GroundCheck, _ test: SelfTest?) {
        let found = check.findings + (test?.findings ?? [])
        ok = !found.contains { $0.severity == .error }
        machine = Machine(
            kernel: check.machine.release, cpus: check.machine.allowedCPUs.count, nodes: max(1, check.machine.nodes.count),
            hugePagesFree: check.machine.freeHugePages)
        ports = check.pairs.flatMap { pair in pair.ports.map { Port($0, of: pair.name) } }
        findings = found.map(Finding.init)
        selfTest = test?.steps.map { Step(name: $0.name, good: $0.isGood, seen: $0.seen) }
    }
}

extension DoctorReport.Port {
    init(_ facts: PortFacts, of pair: String?) {
        let interface = facts.interface
        self.init(
            name: facts.name, pair: pair, driver: interface.driver.isEmpty ? interface.kind : interface.driver,
            version: facts.driverVersion, mtu: interface.mtu, queues: interface.receiveQueues,
            link: !interface.isUp ? "down" : interface.isRunning ? "up" : "no carrier", xdp: interface.xdp?.rawValue)
    }
}

extension DoctorReport.Finding {
    init(_ finding: Link.Finding) {
        var advice: String?
        if case .advice(let text) = finding.remedy { advice = text }
        self.init(
            code: finding.code.rawValue, severity: finding.severity.rawValue, port: finding.port, what: finding.what,
            why: finding.why, command: finding.remedy.command, advice: advice)
    }
}

/// Lines for people.
extension DoctorReport {
    /// Everything, errors first within what belongs together; with colours only where somebody looks.
    func text(colour: Bool) -> String {
        var lines = ["Linux \(machine.kernel), \(counted(machine.cpus, "CPU")), \(counted(machine.nodes, "NUMA node"))"]
        for port in ports {
            let place = port.pair.map { "pair \($0), " } ?? ""
            let xdp = port.xdp.map { ", \($0) XDP" } ?? ""
            lines.append(
                "\(port.name): \(place)\(port.driver), link \(port.link), MTU \(port.mtu), \(counted(Int(port.queues), "queue"))\(xdp)"
            )
        }
        for step in selfTest ?? [] {
            let word = step.good.map { $0 ? "good" : "bad" } ?? "seen"
            lines.append("self-test \(step.name): \(word): \(step.seen)")
        }
        lines = lines.map(TerminalText.escaped)
        for finding in findings { lines += ["", painted(finding, colour)] + remedyLines(finding) }
        let counts = ["error", "warning", "note"].map { severity in
            counted(findings.count { $0.severity == severity }, severity)
        }
        return (lines + ["", findings.isEmpty ? "nothing is in the way" : counts.joined(separator: ", ")]).joined(separator: "\n")
    }

    private func painted(_ finding: Finding, _ colour: Bool) -> String {
        let codes = ["error": "1;31", "warning": "1;33", "note": "1"]
        let word = colour ? "\u{1b}[\(codes[finding.severity] ?? "0")m\(finding.severity)\u{1b}[0m" : finding.severity
        return "\(word) " + TerminalText.escaped("\(finding.port ?? "this machine"): \(finding.what) (\(finding.code))")
    }

    private func remedyLines(_ finding: Finding) -> [String] {
        let remedy = finding.command.map { "run: \($0)" } ?? "no command mends it: \(finding.advice ?? "")"
        return ["    \(finding.why)", "    \(remedy)"].map(TerminalText.escaped)
    }

    private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
