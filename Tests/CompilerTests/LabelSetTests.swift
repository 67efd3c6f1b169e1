// SPDX-License-Identifier: Apache-2.0
import Compiler
import Net
import Policy
import TestSupport
import Testing

/// A workload of which everything is said that a label set tells apart.
private let described = Workload(
    name: ObjectName("w", namespace: "shop"), labels: ["app": "web", "env": "prod", "tier": "1"], serviceAccount: "web",
    addresses: [Prefix(host: Address("10.0.0.1"))], hardwareAddresses: [MACAddress(bits: 1)],
    services: ["http": ServiceRange(.tcp, ports: 80...80), "dns": ServiceRange(.udp, ports: 53...53)])

private let differences: [@Sendable (inout LabelSet) -> Void] = [
    { $0.namespace = nil }, { $0.namespace = "web" }, { $0.serviceAccount = nil }, { $0.serviceAccount = "shop" },
    { $0.isBindable = false }, { $0.labels = [:] }, { $0.labels["tier"] = nil }, { $0.labels["tier"] = "2" },
    { $0.labels["zone"] = "1" }, { $0.labels = ["web": "app", "prod": "env", "1": "tier"] }, { $0.services = [:] },
    { $0.services["http"] = nil }, { $0.services["http"]?.end += 1 }, { $0.services["http"]?.namesTunnels.toggle() },
    { ($0.services["http"], $0.services["www"]) = (nil, $0.services["http"]) },
    { $0.owner = .hosts(ObjectName("w", namespace: "shop")) }, { $0.owner = .blocks(ObjectName("w", namespace: "shop")) },
    { $0.owner = .hosts(ObjectName("w")) },
]

@Suite struct LabelSets {
    @Test func `each difference makes another label set, and each has one number`() {
        var inventory = Inventory()
        var all = [LabelSet(of: described)]
        for difference in differences {
            var other = all[0]
            difference(&other)
            all.append(other)
        }
        #expect(all.map { inventory.number(of: $0) } == (0..<UInt32(all.count)).map { $0 })
        #expect(all.map { inventory.number(of: $0) } == (0..<UInt32(all.count)).map { $0 })
        #expect(inventory.labelSets == all)
        #expect(all.map { inventory.number(ifAny: $0) } == (0..<UInt32(all.count)).map { $0 })
    }

    @Test func `the order in which labels and services were entered tells nothing apart`() {
        var inventory = Inventory()
        let number = inventory.number(of: LabelSet(of: described))
        for keys in [["tier", "env", "app"], ["env", "app", "tier"], ["app", "tier", "env"]] {
            var other = described
            (other.labels, other.services) = ([:], [:])
            other.labels.reserveCapacity(100)
            for key in keys { other.labels[key] = described.labels[key] }
            for name in ["dns", "http"] { other.services[name] = described.services[name] }
            #expect(inventory.number(ifAny: LabelSet(of: other)) == number)
        }
    }

    @Test func `asking for a label set that has no number gives it none`() {
        var inventory = Inventory()
        let known = inventory.number(of: LabelSet(of: described))
        for difference in differences {
            var other = LabelSet(of: described)
            difference(&other)
            #expect(inventory.number(ifAny: other) == nil)
        }
        #expect(inventory.labelSets.count == 1 && inventory.number(ifAny: LabelSet(of: described)) == known)
    }
}
