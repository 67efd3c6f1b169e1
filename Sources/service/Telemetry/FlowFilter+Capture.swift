// SPDX-License-Identifier: Apache-2.0
public import Net
public import Record

/// Workloads as a filter means them, whose addresses somebody knows.
public enum NamedParty: Hashable, Sendable {
    /// One by its name, `namespace/name`.
    case workload(String)
    /// All of a namespace.
    case namespace(String)
    /// All with a label, whatever its value where that is absent.
    case label(key: String, value: String?)
}

// A filter as workers can ask it: by addresses, ports, protocols, fates and reasons. What the filter lets through, the order does as
// well; the other way round need not be so, because whoever reads what was copied asks the filter itself. Conditions that are negated
// narrow nothing.

extension FlowFilter {
    /// Whether the filter names workloads otherwise than by their addresses, which may change.
    public var namesParties: Bool { conditions.contains { !$0.isNegated && $0.party != nil } }

    /// Narrows an order to what may fit. `addresses` says where workloads are, `nil` where that is not known or too much; a list that is too
    /// long for an order narrows nothing.
    public func narrow(_ order: inout CaptureOrder, addresses: (NamedParty) -> [Prefix]?) {
        let wanted = Dictionary(grouping: conditions.filter { !$0.isNegated }, by: \.key)
        var blocks: [Prefix]?
        for (_, alternatives) in wanted.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            guard let these = Self.blocks(of: alternatives, addresses), !these.isEmpty else { continue }
            if these.count <= CaptureOrder.blockCapacity, these.count < blocks?.count ?? .max { blocks = these }
        }
        order.blockCount = UInt8(blocks?.count ?? 0)
        for (place, block) in (blocks ?? []).enumerated() { order.blocks[place] = CaptureBlock(block) }
        narrow(&order, ports: Set((wanted[.port] ?? []).compactMap(\.number)))
        narrow(&order, protocols: (wanted[.protocol] ?? []).compactMap(\.number))
        narrow(&order, fates: wanted)
    }

    private func narrow(_ order: inout CaptureOrder, ports: Set<UInt16>) {
        guard ports.count <= CaptureOrder.portCapacity else { return }
        order.portCount = UInt8(ports.count)
        for (place, port) in ports.sorted().enumerated() { order.ports[place] = port }
    }

    private func narrow(_ order: inout CaptureOrder, protocols: [UInt16]) {
        guard !protocols.isEmpty else { return }
        order.protocols = .init(repeating: 0)
        for number in protocols { order.protocols[Int(number >> 6 & 3)] |= 1 << UInt64(number & 63) }
    }

    private func narrow(_ order: inout CaptureOrder, fates wanted: [Key: [Condition]]) {
        let ended = CaptureOrder.Bits.dropped | CaptureOrder.Bits.rejected
        if let reasons = wanted[.reason]?.compactMap(\.reason), !reasons.isEmpty {
            order.reasons = reasons.reduce(0) { $0 | 1 << UInt64($1.number) }
            order.fates &= ended
        }
        // A frame of a connection that is allowed may be dropped all the same; one of a connection that is not never passes.
        if let decisions = wanted[.decision]?.compactMap(\.decision), !decisions.contains(.allow) { order.fates &= ended }
    }

    /// The blocks that alternatives mean together; `nil` where one of them has none.
    private static func blocks(of alternatives: [Condition], _ addresses: (NamedParty) -> [Prefix]?) -> [Prefix]? {
        var all: Set<Prefix> = []
        for condition in alternatives {
            if let block = condition.block {
                all.insert(block)
            } else if let party = condition.party, let found = addresses(party) {
                all.formUnion(found)
            } else {
                return nil
            }
        }
        return all.sorted { "\($0)" < "\($1)" }
    }
}

extension FlowFilter.Condition {
    fileprivate var block: Prefix? {
        if case .block(let block) = test { return block }
        if case .party(let party) = test, case .block(let block) = party.kind { return block }
        return nil
    }
    fileprivate var party: NamedParty? {
        switch test {
        case .party(let party):
            switch party.kind {
            case .block: nil
            case .namespace(let name): .namespace(name)
            case .workload(let name): .workload(name)
            }
        case .label(let name, let value): .label(key: name, value: value)
        case .text(let text) where key == .namespace: .namespace(text)
        default: nil
        }
    }
    fileprivate var number: UInt16? {
        if case .number(let number) = test { return number }
        return nil
    }
    fileprivate var reason: DropReason? {
        if case .reason(let reason) = test { return reason }
        return nil
    }
    fileprivate var decision: Decision? {
        if case .decision(let decision) = test { return decision }
        return nil
    }
}
