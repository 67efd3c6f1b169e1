// SPDX-License-Identifier: Apache-2.0
internal import Compiler
package import Net
internal import Policy

/// An end of a connection that somebody asks about, looked up: what a frame of it is made of.
package struct EndAsked: Sendable {
    /// Its address; of a workload the first one of the family that both ends have.
    package var address: Address
    /// The zone that it is seen in.
    package var zone: String
    /// The hardware address that its workload names first.
    package var hardwareAddress: MACAddress?
}

extension PolicyView {
    /// Looks up both ends as `explain` does, and throws what it would.
    package func asked(
        from: String, to: String, zoneFrom: String?, zoneTo: String?
    ) throws(QuestionError) -> (source: EndAsked, destination: EndAsked) {
        let (source, destination) = try ends(from: from, to: to, zoneFrom: zoneFrom, zoneTo: zoneTo)
        return (asked(source), asked(destination))
    }

    /// The service that a text names towards a destination.
    package func asked(service text: String, of destination: EndAsked) throws(QuestionError) -> ServiceKey {
        try service(text, of: workload(Reference.End(address: destination.address, zone: destination.zone)))
    }

    /// The workload that owns an address in a zone, as `namespace/name`.
    package func owner(of address: Address, zone: String) -> String? {
        workload(Reference.End(address: address, zone: zone))?.name.description
    }

    private func asked(_ end: Reference.End) -> EndAsked {
        EndAsked(address: end.address, zone: end.zone, hardwareAddress: workload(end)?.hardwareAddresses.first)
    }
}
