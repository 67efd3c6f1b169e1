// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import TestSupport

// Two zones for the town: the first port's and the second's. Where a test needs tags, zone 3 is VLAN 30 of either port.

let (lan, dmz, other): (ZoneNumber, ZoneNumber, ZoneNumber) = (1, 2, 3)
let everybody: MACAddress = "ff:ff:ff:ff:ff:ff"
/// Hardware addresses of the packet builder's frames: the sender's, and one that nobody has.
let (card, strangeCard): (MACAddress, MACAddress) = ("02:00:00:00:00:01", "02:00:00:00:00:99")

extension SmallPolicy {
    /// The town with its zones. `facts` are those of `lan` and `dmz`.
    static func zoned(
        generation: UInt32 = 1, _ facts: (lan: ZoneFacts, dmz: ZoneFacts) = ([], []),
        _ change: (inout SmallPolicy) -> Void = { _ in }
    ) -> SmallPolicy {
        town(generation: generation) {
            var third = ZoneEntry()
            (third.vlans, third.zone) = (VLANTags(30).word, other)
            $0.zones = [third]
            for port in 0..<2 as Range<UInt8> {
                var zone = ZoneEntry()
                (zone.port, zone.zone) = (port, UInt16(port) + lan)
                $0.zones.append(zone)
            }
            $0.zoneFacts = [[], facts.lan, facts.dmz]
            change(&$0)
        }
    }
}

extension PairBench {
    /// A host of the inventory that may appear in one zone, bound to a card unless that is nobody's.
    func enter(
        _ address: Address, in zone: ZoneNumber = AddressMapLayout.anyZone, as labelSet: UInt32 = clients, workload: UInt32 = 90,
        card: MACAddress = MACAddress(bits: 0)
    ) throws {
        try addresses.writer.claim(address, zone: zone, labelSet: labelSet, workload: workload, hardwareAddress: card)
    }
}

/// A frame for each protocol of layer 2, as it goes over a link.
let linkFrames: [(link: LinkProtocol, packet: Packet)] = [
    (.arp, "ARP request"), (.neighbourDiscovery, "neighbour solicitation"), (.routerAdvertisement, "router advertisement"),
    (.routerAdvertisement, "redirect"), (.dhcp, "DHCP discover"), (.dhcp, "DHCP offer"), (.dhcp, "DHCPv6 solicit"),
    (.igmp, "IGMPv3 report"), (.mld, "MLDv2 report"), (.lldp, "LLDP"), (.spanningTree, "spanning tree"),
    (.spanningTree, "PVST in a VLAN"), (.slowProtocols, "LACP"), (.ptp, "PTP over Ethernet"), (.ptp, "PTP over UDP"),
    (.eapol, "EAPOL"), (.cdp, "CDP"), (.linkLocal, "link-local group"), (.vrrp, "VRRP"), (.ospf, "OSPF"), (.bfd, "BFD"),
    (.mpls, "MPLS"), (.pppoe, "PPPoE session"), (.macsec, "MACsec"), (.llc, "other LLC"), (.unknown, "other ether type"),
].map { link, name in (link, sample(name)) }

/// The sample of a name.
func sample(_ name: String) -> Packet {
    guard let sample = Sample.all.first(where: { $0.name == name }) else { preconditionFailure("no sample \(name)") }
    return sample.packet
}
