// SPDX-License-Identifier: Apache-2.0
internal import Classifier
public import Net

/// Where a zone lies on this appliance, as its configuration says.
public struct ZonePlacement: Hashable, Sendable {
    /// The zone's name.
    public var zone: String
    /// The port pair, `nil` for any.
    public var pair: UInt8?
    /// The port of the pair, 0 or 1, `nil` for any.
    public var port: UInt8?
    /// The VLAN tags, `nil` for any.
    public var vlans: VLANTags?
    /// The tunnel's identifier, `nil` for frames in any tunnel and in none.
    public var tunnel: UInt32?

    /// A placement.
    public init(zone: String, pair: UInt8? = nil, port: UInt8? = nil, vlans: VLANTags? = nil, tunnel: UInt32? = nil) {
        self.zone = zone
        self.pair = pair
        self.port = port
        self.vlans = vlans
        self.tunnel = tunnel
    }

    /// How narrow it is: what names more comes first in the image.
    var narrowness: Int {
        (tunnel == nil ? 0 : 8) + (vlans.map { 2 + $0.count } ?? 0) + (port == nil ? 0 : 1) + (pair == nil ? 0 : 1)
    }

    /// The image's entry, for a zone of this number.
    func entry(number: ZoneNumber) -> ZoneEntry {
        var entry = ZoneEntry()
        entry.pair = pair ?? .max
        entry.port = port ?? .max
        entry.zone = number
        entry.vlans = vlans?.word ?? SnapshotLayout.none
        entry.tunnel = tunnel ?? SnapshotLayout.none
        return entry
    }
}
