// SPDX-License-Identifier: Apache-2.0
public import Classifier
public import Net
public import Policy

/// Everything about a workload that policies can ask for, and nothing else: workloads with the same label set are the same to them.
public struct LabelSet: Hashable, Sendable {
    /// Whether the label set belongs to one workload alone. That is so where a workload owns whole blocks: an address inside one does
    /// not lead to the workload's number, so that its label set must tell that both ends are the same.
    public enum Owner: Hashable, Sendable {
        /// Any number of workloads share it.
        case shared
        /// The single addresses of this workload.
        case hosts(ObjectName)
        /// The blocks of this workload.
        case blocks(ObjectName)

        /// The one workload, where there is one.
        public var workload: ObjectName? {
            switch self {
            case .shared: nil
            case .hosts(let name), .blocks(let name): name
            }
        }
    }

    /// The workload's namespace.
    public var namespace: String?
    /// Its labels.
    public var labels: [String: String]
    /// Its service account.
    public var serviceAccount: String?
    /// Its named services.
    public var services: [String: ServiceRange]
    /// Whether it names hardware addresses, which bind in some zones.
    public var isBindable: Bool
    /// Whose it is alone, if it is.
    public var owner: Owner

    /// The principal that it speaks as, as patterns see it; `nil` without an account.
    var principal: String? { serviceAccount.map { "\(Principal.trustDomain)/ns/\(namespace ?? "")/sa/\($0)" } }

    /// The label set of a workload's hosts or blocks.
    public init(of workload: Workload, blocks: Bool = false) {
        namespace = workload.name.namespace
        labels = workload.labels
        serviceAccount = workload.serviceAccount
        services = workload.services
        isBindable = !workload.hardwareAddresses.isEmpty
        let ownsBlocks = workload.addresses.contains { !$0.isHost }
        owner = !ownsBlocks ? .shared : blocks ? .blocks(workload.name) : .hosts(workload.name)
    }
}

/// One claim for the address map.
public struct AddressClaim: Hashable, Sendable {
    /// The address.
    public var address: Address
    /// The zone's number, or `AddressMapLayout.anyZone`.
    public var zone: UInt16
    /// The label set's number.
    public var labelSet: UInt32
    /// The workload's number.
    public var workload: UInt32
    /// The hardware address that it is bound to, 0 for none.
    public var hardwareAddress: MACAddress
}

/// Numbers for label sets, workloads and zones that stay the same from generation to generation, because the address map and flow
/// records carry them. Numbers are handed out and never taken back; a control process that starts anew starts a new map as well.
public struct Inventory: Sendable {
    /// Label sets by number.
    public private(set) var labelSets: [LabelSet] = []
    /// Workloads by number.
    public private(set) var workloads: [ObjectName] = []
    /// Zones by number; 0 is the implicit one.
    public private(set) var zones: [String] = [Zone.implicit]
    private var labelSetNumbers = LabelSetNumbers()
    private var workloadNumbers: [ObjectName: UInt32] = [:]
    private var zoneNumbers: [String: ZoneNumber] = [Zone.implicit: 0]
    /// What the address map holds, by workload number.
    private var entered: [UInt32: Set<AddressClaim>] = [:]

    /// An inventory without numbers.
    public init() {}

    /// The number of a label set; a new one if it has none.
    public mutating func number(of labelSet: LabelSet) -> UInt32 {
        let number = labelSetNumbers.number(of: labelSet)
        if number == labelSets.count { labelSets.append(labelSet) }
        return number
    }

    /// The number of a workload; a new one if it has none.
    public mutating func number(of workload: ObjectName) -> UInt32 {
        if let known = workloadNumbers[workload] { return known }
        workloadNumbers[workload] = UInt32(workloads.count)
        workloads.append(workload)
        return UInt32(workloads.count - 1)
    }

    /// The number of a zone; a new one if it has none.
    public mutating func number(ofZone name: String) -> ZoneNumber {
        if let known = zoneNumbers[name] { return known }
        zoneNumbers[name] = ZoneNumber(zones.count)
        zones.append(name)
        return ZoneNumber(zones.count - 1)
    }

    /// The number of a zone that has one.
    public func zone(_ name: String) -> ZoneNumber? { zoneNumbers[name] }

    /// Gives numbers to what an image speaks of: the set's zones and label sets. Workloads get theirs when their addresses are fed, which
    /// is where they are first spoken of.
    public mutating func register(_ set: PolicySet) {
        for zone in set.zoneNames { _ = number(ofZone: zone) }
        for index in set.workloads.indices {
            let addresses = set.workloads[index].addresses
            let (hosts, blocks) = addresses.reduce(into: (0, 0)) { counts, prefix in
                if prefix.isHost { counts.0 += 1 } else { counts.1 += 1 }
            }
            if blocks == 0 || hosts > 0 { _ = number(of: LabelSet(of: set.workloads[index])) }
            if blocks > 0 { _ = number(of: LabelSet(of: set.workloads[index], blocks: true)) }
        }
    }

    /// What a workload's single addresses claim; its blocks are part of the image.
    public mutating func claims(of workload: Workload, in set: PolicySet) -> [AddressClaim] {
        let labelSet = number(of: LabelSet(of: workload))
        let number = number(of: workload.name)
        let zones = set.zones(of: workload).map { self.number(ofZone: $0) }
        // The compiler refuses a set in which several would have to be bound.
        let bound = workload.hardwareAddresses.count == 1 ? workload.hardwareAddresses[0] : MACAddress(bits: 0)
        return Set(workload.addresses).filter(\.isHost).flatMap { prefix in
            (zones.isEmpty ? [AddressMapLayout.anyZone] : zones).map {
                AddressClaim(
                    address: prefix.address, zone: $0, labelSet: labelSet, workload: number, hardwareAddress: bound)
            }
        }
    }

    /// Brings an address map in line with a set: enters what is new or changed, then takes back what is gone, so that no address is
    /// nobody's meanwhile. With `afresh` the map is taken to be empty. Throws `mustGrow` where it is too small; then feed a larger
    /// one afresh.
    public mutating func feed(
        _ set: PolicySet, into writer: inout AddressMapWriter, afresh: Bool = false
    ) throws(AddressMapError) {
        if afresh { entered = [:] }
        var gone = entered
        for workload in set.workloads {
            let claims = Set(claims(of: workload, in: set))
            let number = number(of: workload.name)
            let known = entered[number] ?? []
            for claim in claims where !known.contains(claim) { try enter(claim, into: &writer) }
            // A claim whose label set changed was replaced in its slot and is not taken back.
            let places = Set(claims.map(Slot.init))
            gone[number] = known.filter { !places.contains(Slot($0)) }
            entered[number] = claims.union(gone[number] ?? [])
        }
        for (number, claims) in gone {
            for claim in claims {
                writer.release(claim.address, zone: claim.zone, workload: claim.workload)
                entered[number]?.remove(claim)
            }
        }
    }

    /// The number of a label set that has one. An image that was compiled since knows its class; where there is none, or the image is
    /// older, a new generation is needed.
    public func number(ifAny labelSet: LabelSet) -> UInt32? { labelSetNumbers.number(ifAny: labelSet) }

    /// Brings the single addresses of one workload in line, as it is added, changed or moved: what is new is entered before what is gone
    /// is taken back. In force for every worker when this returns, without a new generation. Takes as long as the workload has
    /// addresses, however many others there are.
    public mutating func update(
        _ workload: Workload, in set: PolicySet, into writer: inout AddressMapWriter
    ) throws(AddressMapError) {
        let claims = Set(claims(of: workload, in: set))
        let number = number(of: workload.name)
        let known = entered[number] ?? []
        for claim in claims where !known.contains(claim) { try enter(claim, into: &writer) }
        let places = Set(claims.map(Slot.init))
        entered[number] = claims
        for claim in known where !places.contains(Slot(claim)) {
            writer.release(claim.address, zone: claim.zone, workload: claim.workload)
        }
    }

    /// Takes back the single addresses of a workload that is gone.
    public mutating func remove(_ workload: ObjectName, from writer: inout AddressMapWriter) {
        guard let number = workloadNumbers[workload] else { return }
        for claim in entered.removeValue(forKey: number) ?? [] {
            writer.release(claim.address, zone: claim.zone, workload: claim.workload)
        }
    }

    private struct Slot: Hashable {
        var address: Address
        var zone: UInt16
        init(_ claim: AddressClaim) { (address, zone) = (claim.address, claim.zone) }
    }

    private func enter(_ claim: AddressClaim, into writer: inout AddressMapWriter) throws(AddressMapError) {
        try writer.claim(
            claim.address, zone: claim.zone, labelSet: claim.labelSet, workload: claim.workload,
            hardwareAddress: claim.hardwareAddress)
    }
}
