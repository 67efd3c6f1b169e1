// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net

// What layer 2 decides before any policy is asked: the table of the protocols by which a network runs itself, how many group frames
// a port may bring in, and whether a sender is who the inventory says. An ordinary packet to one host, of a policy without zones
// that are on the link itself, passes all of it with the compares of `isOwn` and two tests.

extension Lane {
    /// Whether a frame comes from one of the pair's own ports, or goes to one. The first has run in a circle; the second is for this
    /// machine, and whoever receives promiscuously on the other side has no business with it.
    @_noLocks
    func isOwn(_ reading: borrowing Reading) -> Bool {
        let (source, destination) = (reading.sourceMAC.bits, reading.destinationMAC.bits)
        let (first, second) = (ports[0].ownAddress, ports[1].ownAddress)
        return source == first || source == second || destination == first || destination == second
    }

    /// What layer 2 says of a frame that is of its protocols or goes to a group; `nil` where policy is to judge it.
    @_noLocks @inline(never)
    mutating func judgeLink(
        _ reading: borrowing Reading, port: UInt8, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict? {
        let link = reading.link.number
        let isUnknown = link == LinkProtocol.unknown.number
        let setting =
            isUnknown ? policy.snapshot.setting(ofEtherType: reading.etherType) : policy.snapshot.setting(of: reading.link)
        if setting == LinkSetting.drop.number { return .drop(isUnknown ? .unknownEtherType : .linkProtocol) }
        var isGroup = reading.marks.rawValue & Reading.Marks.group.rawValue != 0
        if case .link = reading.kind { isGroup = true }
        if isGroup, !storms[Int(port & 1)].take(limit: policy.snapshot.stormFrames, at: now.nanoseconds) { return .drop(.storm) }
        if link == LinkProtocol.none.number || setting == LinkSetting.judge.number { return nil }
        // Of a packet in parts only the first tells what it is: they share the way of all fragments.
        if case .fragment = reading.kind { return nil }
        let sender = Sender(reading, port: port, pair: pair, policy)
        let fault = setting == LinkSetting.check.number ? sender.checked(reading, policy) : sender.passed(reading, policy)
        if let fault { return .drop(fault) }
        return .forward
    }
}

/// Where a frame came in and where it would leave, and what the inventory says of those who send it.
struct Sender: BitwiseCopyable {
    /// The zone that the frame came from.
    let zone: ZoneNumber
    /// The zone that it would enter.
    let otherZone: ZoneNumber
    /// Whether the workloads of `zone` are on the link itself.
    let isOnLink: Bool
    /// Who sent the frame.
    let hardware: MACAddress

    @_noLocks
    init(_ reading: borrowing Reading, port: UInt8, pair: UInt8, _ policy: borrowing PolicyInForce) {
        zone = policy.snapshot.zone(pair: pair, port: port, vlans: reading.vlans, tunnel: reading.tunnel)
        otherZone = policy.snapshot.zone(pair: pair, port: 1 &- port, vlans: reading.vlans, tunnel: reading.tunnel)
        isOnLink = policy.snapshot.isOnLink(zone)
        hardware = reading.sourceMAC
    }

    /// What is wrong with a frame that the table passes. What the table could check and was told to pass is not looked at; anything
    /// else that is carried in IP is held to its source, as every packet is.
    @_noLocks
    func passed(_ reading: borrowing Reading, _ policy: borrowing PolicyInForce) -> DropReason? {
        guard case .packet = reading.kind, reading.link.number != LinkProtocol.dhcp.number else { return nil }
        return fault(of: reading.source, policy)
    }

    /// What is wrong with a frame that the table checks.
    @_noLocks
    func checked(_ reading: borrowing Reading, _ policy: borrowing PolicyInForce) -> DropReason? {
        let link = reading.link.number
        if link == LinkProtocol.arp.number { return faultOfARP(reading, policy) }
        if link == LinkProtocol.dhcp.number { return faultOfDHCP(reading, policy) }
        return faultOfNeighbour(reading, policy)
    }

    /// Whether an address may be spoken for by this sender: it is nobody's, or a workload's that may appear in this zone, and in a
    /// zone that is on the link itself comes from that workload's own hardware address.
    @_noLocks
    func fault(of address: Address, _ policy: borrowing PolicyInForce) -> DropReason? {
        guard !address.isUnspecified else { return nil }
        let owner = policy.snapshot.owner(of: address, zone: zone, in: policy.map)
        if owner.isElsewhere { return .spoofed }
        if policy.snapshot.isContested(owner) { return .contested }
        return faultOfBinding(address, hardware, policy)
    }

    /// Whether a hardware address may stand for an address on this link: the one that its workload is bound to, or any where it is
    /// bound to none.
    @_noLocks
    func faultOfBinding(_ address: Address, _ claimed: MACAddress, _ policy: borrowing PolicyInForce) -> DropReason? {
        guard isOnLink else { return nil }
        let claim = policy.map.boundClaim(on: address, zone: zone)
        if claim.isContested { return .contested }
        let isBound = claim.isThere && claim.hardwareAddress.bits != 0
        return isBound && claim.hardwareAddress.bits != claimed.bits ? .spoofed : nil
    }

    /// ARP speaks for its sender's address. On the link itself it says the same hardware address as the frame, or one of both lies.
    @_noLocks
    private func faultOfARP(_ reading: borrowing Reading, _ policy: borrowing PolicyInForce) -> DropReason? {
        let claimed = reading.claimedMAC.bits
        if isOnLink && claimed != hardware.bits { return .spoofed }
        return fault(of: reading.source, policy)
    }

    /// Neighbour discovery speaks for its source; an advertisement for its target as well, a redirect for where it points.
    @_noLocks
    private func faultOfNeighbour(_ reading: borrowing Reading, _ policy: borrowing PolicyInForce) -> DropReason? {
        if let reason = fault(of: reading.source, policy) { return reason }
        let (isAdvertisement, isRedirect) = (reading.icmpType == 136, reading.icmpType == 137)
        let claimed = reading.claimedMAC
        if isOnLink && claimed.bits != 0 && claimed.bits != hardware.bits && !isRedirect { return .spoofed }
        if isAdvertisement, let reason = fault(of: reading.target, policy) { return reason }
        if isRedirect {
            let owner = policy.snapshot.owner(of: reading.target, zone: zone, in: policy.map)
            if owner.isElsewhere { return .spoofed }
            if claimed.bits != 0, let reason = faultOfBinding(reading.target, claimed, policy) { return reason }
        }
        guard reading.link.number == LinkProtocol.routerAdvertisement.number else { return nil }
        // Who tells hosts where to send must be somebody.
        let router = policy.snapshot.owner(of: reading.source, zone: zone, in: policy.map)
        return policy.snapshot.isWorkload(router) ? nil : .spoofed
    }

    /// Servers answer from zones that say so, and clients ask only there: who answers from elsewhere pretends to be a server, and a
    /// question to elsewhere is nobody's.
    @_noLocks
    private func faultOfDHCP(_ reading: borrowing Reading, _ policy: borrowing PolicyInForce) -> DropReason? {
        let isServer = reading.marks.rawValue & Reading.Marks.fromServer.rawValue != 0
        guard policy.snapshot.hasDHCPServer(isServer ? zone : otherZone) else { return isServer ? .spoofed : .linkProtocol }
        return fault(of: reading.source, policy)
    }
}
