// SPDX-License-Identifier: Apache-2.0
public import Net

/// What is contested, for those who ask the writer and not the map.
extension AddressMapWriter {
    /// Whether more than one workload claims the address in some zone.
    public func isContested(_ address: Address) -> Bool { Self.meet(contenders[address] ?? []) }

    /// Addresses that are contested somewhere, so many at most, in their order.
    public func contested(limit: Int) -> [Address] {
        var found: [Address] = []
        for (address, holders) in contenders where Self.meet(holders) { found.append(address) }
        found.sort { ($0.high, $0.low) < ($1.high, $1.low) }
        return Array(found.prefix(limit))
    }

    /// Whether two workloads' claims hold in one zone.
    private static func meet(_ holders: [Holder]) -> Bool {
        holders.contains { holder in
            let here = holders.filter { $0.zone == holder.zone || $0.zone == AddressMapLayout.anyZone }
            return Set(here.map(\.workload)).count > 1
        }
    }
}
