// SPDX-License-Identifier: Apache-2.0
package import Classifier
public import Compiler
package import Net
public import Policy
internal import Record

/// A set and what the compiler makes of it, loaded as workers load it: what every question is asked of. The decision always comes from
/// the compiled snapshot, by the code that judges frames; the model is asked for names, places and reasons only.
public struct PolicyView: Sendable {
    /// The set, as an appliance sees it that places these zones.
    public var set: PolicySet { compiled.set }
    /// Where zones lie, as far as a configuration says so.
    public let placements: [ZonePlacement]
    /// What no policy can close.
    public let failsafe: Failsafe
    let compiled: Compiled
    let inventory: Inventory
    let memory: ProbeMemory
    let reference: Reference
    let owners: OwnerIndex

    /// Compiles and loads a set. `zones` and `failsafe` are what the appliance's configuration says. Throws what the compiler refuses.
    public init(
        set: PolicySet, zones: [ZonePlacement] = [], failsafe: Failsafe = Failsafe(), generation: UInt32 = 1
    ) throws(CompileError) {
        try self.init(set: set, zones: zones, beside: [], failsafe: failsafe, generation: generation)
    }

    /// The same with everything that a configuration says: `links` of layer 2, `flows` of connections. Zones lie `beside` where the
    /// appliance places them too, and nothing but frames knows.
    package init(
        set: PolicySet, zones: [ZonePlacement], beside: [ZonePlacement], links: LinkTable = LinkTable(),
        flows: FlowSettings = FlowSettings(), failsafe: Failsafe, generation: UInt32
    ) throws(CompileError) {
        var inventory = Inventory()
        compiled = try compile(
            set, zones: zones + beside, links: links, flows: flows, failsafe: failsafe, generation: generation,
            inventory: &inventory)
        memory = try ProbeMemory(compiled, &inventory)
        self.inventory = inventory
        placements = zones
        reference = Reference(compiled.set, failsafe: failsafe)
        self.failsafe = failsafe
        owners = OwnerIndex(compiled.set)
    }

    /// The compiled set as workers map it, as long as this view lives.
    package var snapshot: Snapshot { memory.snapshot }

    /// The address map that goes with it, as long as this view lives.
    package var map: AddressMap { memory.map }

    /// The name of a zone by its number in this snapshot.
    package func name(ofZone number: ZoneNumber) -> String {
        set.zoneNames.first { inventory.zone($0) == number } ?? Zone.implicit
    }

    /// The source's port where a question names none.
    static let usualSourcePort: UInt16 = 50_000

    /// The number of a zone in this snapshot; zones that it does not know are the implicit one.
    func zone(_ name: String) -> ZoneNumber { inventory.zone(name) ?? 0 }

    /// What the snapshot says of a connection, as workers ask it: nothing is asked for a source whose address belongs to another zone,
    /// and a frame to a group is judged by its source's side alone.
    func judge(_ connection: Reference.Connection) -> Judgement {
        snapshot.judge(
            NumberedConnection(
                from: connection.source.address, in: zone(connection.source.zone), to: connection.destination.address,
                in: zone(connection.destination.zone), service: connection.service, sourcePort: connection.sourcePort,
                time: connection.time), in: memory.map)
    }

    /// Why a frame whose source address belongs to another zone is dropped: no side is asked.
    static let spoofed = Cause(side: .egress, layers: [Cause.Layer(layer: .zone, decision: .deny, end: .spoofed)])

    /// Where an address belongs that is spoofed in a zone: its owner and the zones that this one may appear in.
    func belongings(of address: Address) -> String {
        guard let owner = owners.owner(of: address, zone: nil) else { return "\(address) belongs to another zone" }
        let zones = set.zones(of: set.workloads[owner])
        return "\(address) belongs to \(set.workloads[owner].name) in zone \(zones.joined(separator: ", "))"
    }

    /// The cause of a record as this side's: causes that both sides share are kept under one of them.
    func cause(_ record: UInt32, _ side: PolicySide) -> Cause? {
        guard var cause = compiled.causes.cause(ofRecord: record) else { return nil }
        cause.side = side
        return cause
    }

    /// Whether a record is the setting of a pair of zones, and no side's.
    func isUnjudged(_ record: UInt32) -> Bool { snapshot.record(record).map { $0.flags & SideRecord.unjudged != 0 } ?? false }
}

extension Judgement {
    /// Whether no policy was asked, because the source's address belongs to another zone.
    var isSpoofed: Bool { reason.number == DropReason.spoofed.number }
}

/// Whose address it is, without going through all workloads.
struct OwnerIndex: Sendable {
    private struct Block: Hashable {
        var first: UInt128
        var length: Int
    }

    private var hosts: [Address: [Int]] = [:]
    private var blocks: [Block: [Int]] = [:]
    private var lengths: [Int] = []
    private let zones: [[String]]

    init(_ set: PolicySet) {
        zones = set.workloads.map { set.zones(of: $0) }
        for (index, workload) in set.workloads.enumerated() {
            for prefix in Set(workload.addresses) {
                if prefix.isHost {
                    hosts[prefix.address, default: []].append(index)
                } else {
                    blocks[Block(first: prefix.address.number, length: prefix.mappedLength), default: []].append(index)
                }
            }
        }
        lengths = Set(blocks.keys.map(\.length)).sorted(by: >)
    }

    /// The workload that owns the address in a zone, or in any where none is named: the longest claim, as an index of the set's.
    func owner(of address: Address, zone: String?) -> Int? {
        func isThere(_ workload: Int) -> Bool { zone.map { zones[workload].isEmpty || zones[workload].contains($0) } ?? true }
        if let host = hosts[address]?.first(where: isThere) { return host }
        let isIPv4 = address.isIPv4
        for length in lengths where !isIPv4 || length >= 96 {
            let first = length == 0 ? 0 : address.number & ~(length == 128 ? 0 : UInt128.max >> UInt128(length))
            // A block of IPv6 never holds an IPv4 address, and the other way round.
            guard Address(number: first).isIPv4 == isIPv4 else { continue }
            if let found = blocks[Block(first: first, length: length)]?.first(where: isThere) { return found }
        }
        return nil
    }
}

extension Address {
    /// The address as one number; IPv4 in its mapped form.
    var number: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// The address of a number.
    init(number: UInt128) {
        self.init(high: UInt64(truncatingIfNeeded: number >> 64), low: UInt64(truncatingIfNeeded: number))
    }

    /// The first and the last IPv4 address, as numbers.
    static let numbersOfIPv4: ClosedRange<UInt128> = 0xffff_0000_0000...0xffff_ffff_ffff
}

extension Prefix {
    /// The addresses of the block, as numbers.
    var numbers: ClosedRange<UInt128> {
        let first = address.number
        return first...(first | (mappedLength == 128 ? 0 : UInt128.max >> UInt128(mappedLength)))
    }

    /// The fewest blocks that make up a range which lies in one family.
    static func blocks(of range: ClosedRange<UInt128>) -> [Prefix] {
        var found: [Prefix] = []
        var first = range.lowerBound
        let isIPv4 = Address(number: first).isIPv4
        while true {
            let room = range.upperBound - first
            var bits = min(first == 0 ? 128 : first.trailingZeroBitCount, isIPv4 ? 32 : 128)
            while bits > 0, (bits == 128 ? UInt128.max : (UInt128(1) << UInt128(bits)) - 1) > room { bits -= 1 }
            if let block = Prefix(Address(number: first), length: (isIPv4 ? 32 : 128) - bits) { found.append(block) }
            let last = first + (bits == 128 ? UInt128.max : (UInt128(1) << UInt128(bits)) - 1)
            if last >= range.upperBound { return found }
            first = last + 1
        }
    }
}
