// SPDX-License-Identifier: Apache-2.0
public import Net

/// The table of layer 2: what becomes of the protocols by which a network runs itself, and how many group frames a port may bring in.
/// Part of the image, so that it changes with a generation and a worker finds its answer with one load.
@frozen public struct LinkTable: BitwiseCopyable, Sendable {
    /// Ether types that can have a setting of their own.
    public static let etherTypeLimit = 16
    /// The most group frames a second that a limit can name.
    public static let stormLimit: UInt32 = 1_000_000

    /// The `LinkSetting` number of each `LinkProtocol`, by its number.
    public var settings: InlineArray<32, UInt8> = .init(repeating: 0)
    /// Ether types that have a setting of their own, where nothing else is known of them; 0 ends the list.
    public var etherTypes: InlineArray<16, UInt16> = .init(repeating: 0)
    /// The `LinkSetting` number of each of `etherTypes`: drop or pass.
    public var etherTypeSettings: InlineArray<16, UInt8> = .init(repeating: 0)
    /// Group frames a second that a port may bring in, for each worker; 0 for no limit.
    public var stormFrames: UInt32 = 10_000
    /// Room up to a multiple of 8; 0.
    public var reserved: UInt32 = 0

    /// The defaults: the first of each protocol's settings.
    public init() {
        for link in LinkProtocol.allCases { self[link] = link.settings.first ?? .drop }
    }

    /// The setting of a protocol.
    public subscript(link: LinkProtocol) -> LinkSetting {
        get { LinkSetting(rawValue: settings[Int(link.rawValue)]) ?? .drop }
        set { settings[Int(link.rawValue)] = newValue.rawValue }
    }

    /// Gives an ether type a setting of its own; false where as many as can have one have it.
    public mutating func set(_ setting: LinkSetting, forEtherType type: UInt16) -> Bool {
        for index in 0..<Self.etherTypeLimit where etherTypes[index] == type || etherTypes[index] == 0 {
            etherTypes[index] = type
            etherTypeSettings[index] = setting.rawValue
            return true
        }
        return false
    }

    /// Whether every field holds what it may.
    var isPossible: Bool {
        for number in 0..<settings.count {
            guard let link = LinkProtocol(rawValue: UInt8(number)) else {
                if settings[number] != 0 { return false }
                continue
            }
            guard let setting = LinkSetting(rawValue: settings[number]), link.settings.contains(setting) else { return false }
        }
        for index in 0..<Self.etherTypeLimit where etherTypeSettings[index] > LinkSetting.pass.rawValue { return false }
        return stormFrames <= Self.stormLimit
    }
}

/// Facts about a zone that the data path needs, one word for each zone of the image.
@frozen public struct ZoneFacts: OptionSet, BitwiseCopyable, Sendable {
    /// The bits.
    public let rawValue: UInt32
    /// Facts from their bits.
    @_noLocks @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Its workloads are on the link itself, so that their frames carry their own hardware addresses.
    @inlinable public static var onLink: ZoneFacts { @_noLocks get { ZoneFacts(rawValue: 1) } }
    /// DHCP servers answer from it.
    @inlinable public static var dhcpServer: ZoneFacts { @_noLocks get { ZoneFacts(rawValue: 2) } }
    /// Every bit that means something.
    @inlinable static var all: UInt32 { @_noLocks get { 3 } }
}

extension Snapshot {
    /// The table of layer 2.
    public var linkTable: LinkTable { unsafe links.pointee }

    /// What the table says of a protocol, as a `LinkSetting` number.
    @_noLocks @inlinable public func setting(of link: LinkProtocol) -> UInt8 {
        // Fewer than 32 protocols, as a test pins.
        unsafe links.pointee.settings[Int(link.number)]
    }

    /// What the table says of an ether type that nothing else is known of, as a `LinkSetting` number.
    @_noLocks @inlinable public func setting(ofEtherType type: UInt16) -> UInt8 {
        var index = 0
        while index < 16 {
            let named = unsafe links.pointee.etherTypes[index]
            if named == 0 { break }
            if named == type { return unsafe links.pointee.etherTypeSettings[index] }
            index &+= 1
        }
        return setting(of: .unknown)
    }

    /// Group frames a second that a port may bring in, for each worker; 0 for no limit.
    @inlinable public var stormFrames: UInt32 { @_noLocks get { unsafe links.pointee.stormFrames } }

    /// Whether a zone's workloads are on the link itself.
    @_noLocks @inlinable public func isOnLink(_ zone: ZoneNumber) -> Bool { factsOfZone(zone) & 1 != 0 }

    /// Whether DHCP servers answer from a zone.
    @_noLocks @inlinable public func hasDHCPServer(_ zone: ZoneNumber) -> Bool { factsOfZone(zone) & 2 != 0 }

    /// Whether more than one workload claims the address, or what the map says of it could not be read.
    @_noLocks @inlinable public func isContested(_ owner: Owner) -> Bool { owner.classNumber == contestedClass }

    /// Whether a workload owns the address, by a host's claim or by a block.
    @_noLocks @inlinable public func isWorkload(_ owner: Owner) -> Bool {
        if owner.workload != SnapshotLayout.none { return true }
        return owner.classNumber < classTotal && classLine(owner.classNumber).flags & ClassEntry.workload != 0
    }

    /// A zone of another generation counts as zone 0.
    @_noLocks @inlinable func factsOfZone(_ zone: ZoneNumber) -> UInt32 {
        zoneFactsWord(UInt32(zone) < zoneCount ? UInt32(zone) : 0)
    }
}
