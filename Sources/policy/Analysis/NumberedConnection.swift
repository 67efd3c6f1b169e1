// SPDX-License-Identifier: Apache-2.0
public import Classifier
public import Net

/// A connection in one snapshot's own numbers: what whoever is no worker asks an image about.
public struct NumberedConnection: Sendable {
    /// Who opens it.
    public var source: Address
    /// To whom.
    public var destination: Address
    /// The zone that the source is seen in.
    public var sourceZone: ZoneNumber
    /// The zone that the destination lies in.
    public var destinationZone: ZoneNumber
    /// What for.
    public var service: ServiceKey
    /// From which port; asked only of protocols that have ports.
    public var sourcePort: UInt16
    /// Unix seconds.
    public var time: UInt64

    /// A connection from its parts.
    public init(
        from source: Address, in sourceZone: ZoneNumber, to destination: Address, in destinationZone: ZoneNumber,
        service: ServiceKey, sourcePort: UInt16, time: UInt64
    ) {
        (self.source, self.sourceZone) = (source, sourceZone)
        (self.destination, self.destinationZone) = (destination, destinationZone)
        (self.service, self.sourcePort, self.time) = (service, sourcePort, time)
    }
}

extension Snapshot {
    /// What becomes of a connection, as workers ask it: nothing is asked for a source whose address belongs to another zone, and a
    /// frame to a group is judged by its source's side alone. The map may be written meanwhile.
    public func judge(_ connection: NumberedConnection, in map: AddressMap) -> Judgement {
        let source = owner(of: connection.source, zone: connection.sourceZone, in: map)
        if source.isElsewhere { return .unasked(.spoofed) }
        let destination = owner(of: connection.destination, zone: connection.destinationZone, in: map)
        if connection.destination.isMulticast || connection.destination.isBroadcast {
            return judgeGroup(
                source: source, destination: destination, sourceZone: connection.sourceZone,
                destinationZone: connection.destinationZone, service: connection.service, sourcePort: connection.sourcePort,
                now: connection.time)
        }
        return judge(
            source: source, destination: destination, sourceZone: connection.sourceZone,
            destinationZone: connection.destinationZone, service: connection.service, sourcePort: connection.sourcePort,
            now: connection.time)
    }
}
