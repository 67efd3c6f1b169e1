// SPDX-License-Identifier: Apache-2.0
internal import Analysis
internal import Classifier
internal import Datapath
internal import Flow
internal import Net
internal import Replay

// The end of a frame's way: a whole turn of a worker's lane, over memory of this process. Everything before it is told by the same
// calls one by one; this one decides.

extension Walk {
    /// Lets a fresh worker take the frame, and tells what became of it.
    func judge(into trace: inout FrameTrace) {
        let worker = ReplayWorker(pair: place.port.pair, flows: Tracer.flows, now: Tracer.clock)
        warm(worker)
        take(with: worker, into: &trace)
    }

    /// Lets strangers' frames go before, so that what is measured is not a worker that touches its memory for the first time, and so that
    /// the worker is through with its round over the flows that a new generation finds.
    func warm(_ worker: ReplayWorker) {
        let policy = PolicyInForce(snapshot: place.view.snapshot, map: place.view.map)
        for number in 1...32 as ClosedRange<UInt16> {
            // Of 192.0.2.0/24, which is nobody's (RFC 5737).
            let frame = MadeFrame(
                source: Address(v4: 0xc000_02fd), destination: Address(v4: 0xc000_02fe), service: ServiceKey(.tcp, port: 9),
                sourcePort: number)
            _ = worker.feed(
                frame.bytes, port: Int(place.port.port), by: policy, at: Moment(nanoseconds: Tracer.clock, wall: time))
        }
    }

    /// Lets a worker take the frame, whatever it knows already.
    func take(with worker: ReplayWorker, into trace: inout FrameTrace) {
        let now = Moment(nanoseconds: Tracer.clock, wall: time)
        if isInGrace { worker.oweGrace(from: now) }
        let policy = PolicyInForce(snapshot: place.view.snapshot, map: place.view.map)
        guard let outcome = worker.feed(frame, port: Int(place.port.port), by: policy, at: now) else {
            trace.verdict = .drop(.truncated)
            trace.steps.append(.init("verdict", "drop (truncated): no frame is so long", [("verdict", .text("drop"))]))
            return
        }
        trace.verdict = outcome.verdict
        trace.flow = outcome.flow.map { ($0.text, $0.state.name) }
        trace.replies = outcome.replies.map(Self.told)
        let flow = trace.flow.map { "; flow \($0.text) \($0.state)" } ?? ""
        let told = trace.replies.map { "; its sender is told: \($0)" }.joined()
        trace.steps.append(
            .init(
                "verdict", trace.verdict.words + flow + told, nanoseconds: outcome.duration.inNanoseconds,
                [
                    ("verdict", .text(trace.verdict.name)), ("reason", .text(trace.verdict.reason?.name)),
                    ("flow", .text(trace.flow?.text)), ("state", .text(trace.flow?.state)),
                    ("replies", .list(trace.replies.map { .text($0) })),
                ]))
    }

    /// A frame of our own in words.
    private static func told(_ reply: [UInt8]) -> String {
        var reading = Reading()
        guard Trace.read(reply, into: &reading) == nil else { return "\(reply.count) bytes" }
        return reading.words
    }
}

extension Verdict {
    /// With its reason, as `drop (denied)`.
    package var words: String { name + (reason.map { " (\($0.name))" } ?? "") }
}

extension FrameTrace {
    /// Notes what was read of the frame, or why nothing could be.
    mutating func note(_ name: String, _ reading: Reading, _ fault: DropReason?, _ time: Double) {
        var facts: [(String, JSONText)] = [("readable", .truth(fault == nil)), ("reason", .text(fault?.name))]
        if fault == nil { facts += reading.facts }
        steps.append(
            Step(name, fault.map { "cannot be read: \($0.name)" } ?? reading.words, nanoseconds: time, facts))
    }
}

extension Reading {
    /// What it says in a line.
    var words: String {
        var words: [String] = []
        switch kind {
        case .packet: words.append("\(protocolNumber.name) \(end(source, sourcePort)) > \(end(destination, destinationPort))")
        case .fragment: words.append("fragment \(identification) of \(source) > \(destination) at \(fragmentOffset)")
        case .arp: words.append("ARP of \(source) for \(destination)")
        case .neighbour: words.append("neighbour discovery, type \(icmpType), \(source) > \(destination)")
        case .link: words.append("ether type 0x\(String(etherType, radix: 16)), \(sourceMAC) > \(destinationMAC)")
        }
        if kind == .packet, protocolNumber == .tcp { words.append(tcpFlags.words) }
        if kind == .packet, protocolNumber.isICMP { words.append("type \(icmpType) code \(icmpCode)") }
        if vlans.count > 0 { words.append("VLAN \(vlans.identifiers.map(String.init).joined(separator: " in "))") }
        if tunnel.kind != .none { words.append("in \(tunnel.kind) \(tunnel.identifier)") }
        if carried.kind != .none { words.append("carries \(carried.kind) \(carried.identifier)") }
        if link != .none { words.append("layer 2: \(link)") }
        return words.joined(separator: ", ")
    }

    private func end(_ address: Address, _ port: UInt16) -> String {
        guard protocolNumber.hasPorts else { return "\(address)" }
        return address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }

    /// The same, by name.
    fileprivate var facts: [(String, JSONText)] {
        var facts: [(String, JSONText)] = [
            ("kind", .text("\(kind)")), ("source_mac", .text("\(sourceMAC)")), ("destination_mac", .text("\(destinationMAC)")),
            ("ether_type", .number(Int(etherType))), ("vlans", .list(vlans.identifiers.map { .number(Int($0)) })),
            ("tunnel", tunnel.kind == .none ? .null : .text("\(tunnel.kind) \(tunnel.identifier)")),
        ]
        guard kind != .link else { return facts }
        facts += [("source", .text("\(source)")), ("destination", .text("\(destination)"))]
        guard kind == .packet else { return facts }
        facts += [("protocol", .text(protocolNumber.name)), ("hop_limit", .number(Int(hopLimit)))]
        if protocolNumber.hasPorts {
            facts += [("source_port", .number(Int(sourcePort))), ("destination_port", .number(Int(destinationPort)))]
        }
        if protocolNumber.isICMP { facts += [("type", .number(Int(icmpType))), ("code", .number(Int(icmpCode)))] }
        if protocolNumber == .tcp {
            facts += [
                ("flags", .text(tcpFlags.words)), ("sequence", .number(Int(sequence))),
                ("acknowledgement", .number(Int(acknowledgement))), ("window", .number(Int(window))),
            ]
        }
        return facts
    }
}

extension TCPFlags {
    private static var names: [(TCPFlags, String)] {
        [(.syn, "SYN"), (.ack, "ACK"), (.fin, "FIN"), (.rst, "RST"), (.psh, "PSH"), (.urg, "URG")]
    }

    /// Their names, as `SYN ACK`; `none` of none.
    package var words: String {
        let set = Self.names.filter { contains($0.0) }.map(\.1)
        return set.isEmpty ? "none" : set.joined(separator: " ")
    }

    /// Flags by their names, separated by commas or plus signs: `syn`, `syn,ack`.
    package init?(named text: String) {
        var flags: TCPFlags = []
        for word in text.split(whereSeparator: { ",+ ".contains($0) }) {
            guard let flag = Self.names.first(where: { $0.1.lowercased() == word.lowercased() }) else { return nil }
            flags.insert(flag.0)
        }
        self = flags
    }
}
