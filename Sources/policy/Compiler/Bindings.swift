// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Refuses hardware addresses that a zone on the link itself asks to bind, and that the address map cannot: it holds one for each
/// single address, and none for blocks. Where no such zone is, hardware addresses only describe.
func checkBindings(_ set: PolicySet) throws(CompileError) {
    let onLink = Set(set.zones.values.filter(\.onLink).map(\.name))
    guard !onLink.isEmpty else { return }
    for workload in set.workloads where !workload.hardwareAddresses.isEmpty {
        let zones = set.zones(of: workload)
        guard let zone = zones.isEmpty ? onLink.min() : zones.filter(onLink.contains).min() else { continue }
        if workload.hardwareAddresses.count > 1 {
            throw .policy(
                PolicyError(
                    workload.place,
                    "Workload \"\(workload.name)\" has \(workload.hardwareAddresses.count) hardware addresses, and zone \"\(zone)\" "
                        + "is on-link: one is bound to each of a workload's addresses",
                    remedy: "describe each interface as a workload of its own with the same labels, or leave mac out"))
        }
        if let block = workload.addresses.first(where: { !$0.isHost }) {
            throw .policy(
                PolicyError(
                    workload.place,
                    "Workload \"\(workload.name)\" has a hardware address and the block \(block), and zone \"\(zone)\" is on-link: "
                        + "only single addresses are bound",
                    remedy: "list its addresses, or leave mac out"))
        }
    }
}
