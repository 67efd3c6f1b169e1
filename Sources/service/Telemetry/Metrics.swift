// SPDX-License-Identifier: Apache-2.0
internal import Net

/// What Prometheus scrapes: the daemon's counters under the names of `docs/observing.md`. Label values are those of the configuration
/// and of the closed lists (ports, queues, reasons, decisions), so that nothing from the wire makes a new series; rules, which policy
/// may have any number of, are cut off at `Hits.metered`.
public struct Metrics: Sendable {
    /// The content type of `text`.
    public static let contentType = Exposition.contentType

    /// The state of the daemon.
    public var status: StatusReport
    /// What each rule has decided.
    public var hits: Hits
    /// Events that went through the hub, and those that somebody did not get.
    public var events: EventHub.Counts
    /// What became of them beside.
    public var kept: Observations.Counts
    /// Where a candidate is shadowed.
    public var shadow: ShadowSlot

    /// Metrics from their parts.
    public init(
        status: StatusReport, hits: Hits, events: EventHub.Counts, kept: Observations.Counts = .init(),
        shadow: ShadowSlot = ShadowSlot()
    ) {
        self.status = status
        self.hits = hits
        self.events = events
        self.kept = kept
        self.shadow = shadow
    }

    /// The exposition.
    public var text: String {
        var page = Exposition()
        page.add("bulkhead_build_info", .gauge, "The daemon's version.", [([("version", Release.version)], 1)])
        addState(to: &page)
        addFrames(to: &page)
        addWorkers(to: &page)
        addFlows(to: &page)
        addConnections(to: &page)
        addShadow(to: &page)
        return page.text
    }

    private func addState(to page: inout Exposition) {
        page.add("bulkhead_policy_generation", .gauge, "Policy generation in force.", UInt64(status.generation))
        page.add("bulkhead_inventory_epoch", .gauge, "Inventory epoch in force.", UInt64(status.epoch))
        page.add(
            "bulkhead_process_up", .gauge, "Whether a process of the daemon runs.",
            status.processes.map { ([("process", $0.name)], $0.pid == 0 ? 0 : 1) })
        page.add(
            "bulkhead_process_restarts_total", .counter, "How often a process of the daemon was started again.",
            status.processes.map { ([("process", $0.name)], UInt64($0.restarts)) })
        let modes = ["block", "closed", "open", "bypass"]
        page.add(
            "bulkhead_pair_mode", .gauge, "What the mode word of a port pair says; 1 for the mode that it has.",
            status.pairs.flatMap { pair in
                modes.map { ([("pair", pair.name), ("mode", $0)], pair.mode == $0 ? 1 : 0) }
            })
        page.add(
            "bulkhead_port_up", .gauge, "Whether a port has a link.",
            status.ports.map { ([("pair", $0.pair), ("port", $0.name)], $0.link == "up" ? 1 : 0) })
    }

    private func addFrames(to page: inout Exposition) {
        func each(_ value: (StatusReport.Queue) -> UInt64) -> [Exposition.Sample] {
            status.ports.flatMap { port in port.queues.map { (Self.labels(port, $0), value($0)) } }
        }
        page.add("bulkhead_frames_received_total", .counter, "Frames taken from a port.", each(\.received))
        page.add("bulkhead_frames_forwarded_total", .counter, "Frames of a port that left by the other one.", each(\.forwarded))
        page.add("bulkhead_frames_generated_total", .counter, "Frames of our own sent by a port.", each(\.generated))
        page.add("bulkhead_frames_held", .gauge, "Frames of a port that wait, as fragments do for their first.", each(\.held))
        page.add(
            "bulkhead_frames_dropped_total", .counter, "Frames of a port that ended here, by reason (docs/drop-reasons.md).",
            status.ports.flatMap { port in
                port.queues.flatMap { queue in
                    DropReason.allCases.map { reason in
                        (Self.labels(port, queue) + [("reason", reason.name)], queue.dropped[reason.name] ?? 0)
                    }
                }
            })
        let kernel: [(String, (StatusReport.Kernel) -> UInt64)] = [
            ("rx_dropped", { $0.dropped }), ("rx_invalid_descs", { $0.invalidDescriptors }),
            ("tx_invalid_descs", { $0.transmitInvalidDescriptors }), ("rx_ring_full", { $0.ringFull }),
            ("rx_fill_ring_empty_descs", { $0.fillRingEmpty }), ("tx_ring_empty_descs", { $0.transmitRingEmpty }),
        ]
        page.add(
            "bulkhead_kernel_statistics_total", .counter, "The kernel's statistics of a port's AF_XDP socket (XDP_STATISTICS).",
            status.ports.flatMap { port in
                port.queues.flatMap { queue in
                    kernel.map { (Self.labels(port, queue) + [("statistic", $0.0)], $0.1(queue.kernel)) }
                }
            })
    }

    private func addWorkers(to page: inout Exposition) {
        func each(_ value: (StatusReport.Worker) -> UInt64) -> [Exposition.Sample] {
            (status.workers ?? []).map { ([("pair", $0.pair), ("queue", String($0.queue))], value($0)) }
        }
        page.add("bulkhead_worker_turns_total", .counter, "Turns of a worker that found something to do.", each(\.turns))
        page.add(
            "bulkhead_worker_longest_turn_seconds", .gauge, "The longest turn of a worker since its counters were made.",
            nanoseconds: each(\.longestTurn))
        page.add(
            "bulkhead_worker_cpu_seconds_total", .counter, "CPU time of a worker's thread; begins anew with a data process.",
            nanoseconds: each(\.cpuTime))
        page.add(
            "bulkhead_worker_frames_handed_over_total", .counter, "Frames that a worker passed to another one of its pair.",
            each(\.handedOver))
    }

    private static func labels(_ port: StatusReport.Port, _ queue: StatusReport.Queue) -> [(String, String)] {
        [("pair", port.pair), ("port", port.name), ("queue", String(queue.queue))]
    }

    private func addFlows(to page: inout Exposition) {
        let flows = status.flows
        page.add("bulkhead_flows_capacity", .gauge, "Flows that fit into the tables.", flows.capacity)
        page.add("bulkhead_flows", .gauge, "Flows in the tables.", flows.used)
        page.add("bulkhead_flows_waiting", .gauge, "Flows that wait: half open, one-sided, or answered once.", flows.waiting ?? 0)
        page.add(
            "bulkhead_flows_admitted_total", .counter, "Connections that workers admitted.", flows.admitted ?? 0)
        page.add("bulkhead_flows_refused_total", .counter, "Connections that workers refused.", flows.refused ?? 0)
        page.add("bulkhead_flows_evicted_total", .counter, "Waiting flows that gave way to newer ones.", flows.evicted ?? 0)
        page.add(
            "bulkhead_flows_picked_up_total", .counter, "TCP flows opened by a segment from their middle.", flows.pickedUp ?? 0)
        page.add(
            "bulkhead_frames_untracked_total", .counter, "Frames that passed without a flow for want of room.",
            flows.passedUntracked ?? 0)
        page.add(
            "bulkhead_frames_refused_again_total", .counter, "Frames of connections that were refused within a second.",
            flows.refusedAgain ?? 0)
        page.add(
            "bulkhead_flow_tables_replaced_total", .counter, "Flow tables that were refused after a crash.", flows.replaced ?? 0)
        page.add("bulkhead_checksums_completed_total", .counter, "Partial checksums completed.", status.checksums.completed)
    }

    private func addConnections(to page: inout Exposition) {
        page.add("bulkhead_flow_events_total", .counter, "Flow events taken from the workers.", events.published)
        let losses = [
            ("worker", kept.lostByWorkers), ("queue", kept.unqueued.records), ("store", kept.unstored.records),
            ("log", kept.unlogged),
        ]
        page.add(
            "bulkhead_flow_events_lost_total", .counter, "Flow events that were not kept, by where they were lost.",
            losses.map { ([("place", $0.0)], $0.1) })
        page.add(
            "bulkhead_flow_events_undelivered_total", .counter, "Flow events that somebody who followed did not get.",
            events.undelivered)
        page.add(
            "bulkhead_connections_total", .counter, "Connections by what became of them.",
            Decision.allCases.map { ([("decision", "\($0)")], hits.connections[$0] ?? 0) })
        page.add(
            "bulkhead_audit_denials_total", .counter, "Admitted connections that audit would not have admitted.",
            hits.auditDenials)
        page.add(
            "bulkhead_rule_hits_total", .counter, "Connections that a rule, a tier's end or a default has decided.",
            hits.rules.map { rule, hit in
                ([("side", rule.side), ("policy", rule.policy), ("rule", rule.rule), ("decision", rule.decision)], hit.count)
            }.sorted { Self.order($0.labels) < Self.order($1.labels) })
        page.add("bulkhead_rule_hits_left_total", .counter, "Hits of rules that found no room in the table of rules.", hits.left)
    }

    private func addShadow(to page: inout Exposition) {
        let (counts, lost, isRunning) = shadow.totals
        page.add("bulkhead_shadow_running", .gauge, "Whether a candidate is judged on live connections.", isRunning ? 1 : 0)
        page.add(
            "bulkhead_shadow_connections_total", .counter,
            "Connections that came while a candidate was shadowed, by what it does to them.",
            [
                ("same", counts.same), ("closes", counts.closes), ("opens", counts.opens), ("changes", counts.changes),
                ("unjudged", counts.unjudged), ("untold", counts.untold),
            ].map { ([("effect", $0.0)], $0.1) })
        page.add(
            "bulkhead_shadow_lost_total", .counter,
            "Connections that shadow runs have not judged or not told, by where they were lost.",
            [("worker", lost.worker), ("queue", lost.queue), ("table", lost.table), ("reader", lost.reader)].map {
                ([("place", $0.0)], $0.1)
            })
    }

    private static func order(_ labels: [(String, String)]) -> String { labels.map(\.1).joined(separator: "\u{0}") }
}
