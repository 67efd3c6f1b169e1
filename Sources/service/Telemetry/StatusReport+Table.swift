// SPDX-License-Identifier: Apache-2.0

extension StatusReport {
    /// The report as lines for people: what is in force, the processes, then a row for each queue with the reasons of its drops.
    public var table: String {
        let names = processes.map { "\($0.name) \($0.pid == 0 ? "down" : String($0.pid))\(restartText($0.restarts))" }
        var lines = [
            generation == 0 ? "no policy in force yet" : "policy generation \(generation), inventory epoch \(epoch)",
            "processes: " + names.joined(separator: ", ") + (processors.map { "; on processors \($0)" } ?? ""),
            "flows: \(flows.used) of \(flows.capacity)" + flowsText,
        ]
        if checksums.completed > 0 { lines.append("checksums: \(checksums.completed) completed") }
        lines += failsafe.map(\.line)
        lines += (conditions ?? []).map(\.line)
        for pair in pairs {
            lines.append("")
            lines.append("pair \(pair.name): \(pair.mode)")
            for port in ports where port.pair == pair.name {
                lines.append("  port \(port.name): link \(port.link), xdp \(port.xdp), \(port.copy)")
            }
            lines += (workers ?? []).filter { $0.pair == pair.name }.map { "  " + $0.line }
            lines += rows(of: pair.name).map { "  " + $0 }
        }
        return lines.map(TerminalText.escaped).joined(separator: "\n")
    }

    /// What has happened to the tables, as far as anything has.
    private var flowsText: String {
        let facts: [(UInt64?, String)] = [
            (flows.waiting, "waiting"), (flows.evicted, "evicted"), (flows.pickedUp, "picked up"),
            (flows.passedUntracked, "frames passed without a flow"), (flows.refusedAgain, "frames refused again"),
            (flows.expectedReplies, "of replies to groups"), (flows.forgottenReplies, "expected replies forgotten"),
            (flows.grace, "s of grace left"), (flows.replaced, "tables replaced"),
        ]
        let said = facts.compactMap { count, what in (count ?? 0) > 0 ? "\(count ?? 0) \(what)" : nil }
        return said.isEmpty ? "" : "; " + said.joined(separator: ", ")
    }

    private func restartText(_ count: UInt32) -> String {
        switch count {
        case 0: ""
        case 1: " (restarted once)"
        default: " (restarted \(count) times)"
        }
    }

    private func rows(of pair: String) -> [String] {
        var rows = [["PORT", "QUEUE", "RECEIVED", "FORWARDED", "DROPPED", "HELD", "GENERATED", "WHY DROPPED"]]
        for port in ports where port.pair == pair {
            for queue in port.queues {
                let numbers = [queue.received, queue.forwarded, queue.droppedInAll, queue.held, queue.generated].map {
                    String($0)
                }
                rows.append([port.name, String(queue.queue)] + numbers + [queue.reasons])
            }
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let pad = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 || column == row.count - 1 ? cell.0 + pad : pad + cell.0
            }.joined(separator: "  ").trimmingTrailingBlanks
        }
    }
}

extension StatusReport.Opening {
    /// `failsafe ssh (box): tcp/22 from 192.0.2.0/24`.
    fileprivate var line: String {
        var text = "failsafe \(name) (\(list)): \(services.joined(separator: ", "))"
        if !from.isEmpty { text += " from \(from.joined(separator: ", "))" }
        if !to.isEmpty { text += " to \(to.joined(separator: ", "))" }
        return text
    }
}

extension StatusReport.Condition {
    /// `! bypass since 2026-07-30T10:00:00.000000Z: everything passes …`.
    fileprivate var line: String { "! \(name)" + (since.map { " since \($0)" } ?? "") + ": \(detail)" }
}

extension StatusReport.Queue {
    /// All frames that ended here.
    public var droppedInAll: UInt64 { dropped.values.reduce(0, &+) }

    /// The reasons that occurred, most frequent first, with what the kernel dropped before a worker could see it.
    fileprivate var reasons: String {
        let own = dropped.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let kernelDrops = kernel.dropped &+ kernel.invalidDescriptors &+ kernel.ringFull
        let parts = own.map { "\($0.key) \($0.value)" } + (kernelDrops > 0 ? ["kernel \(kernelDrops)"] : [])
        return parts.joined(separator: ", ")
    }
}

extension String {
    fileprivate var trimmingTrailingBlanks: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
