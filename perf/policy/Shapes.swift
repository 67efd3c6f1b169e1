// SPDX-License-Identifier: Apache-2.0
import Measure
import Net
import Policy

/// One thing that is asked again and again: from whom, to whom, for what.
struct Probe {
    var source: Address
    var destination: Address
    var service: ServiceKey
}

/// A policy set to measure with, and what is asked of it.
struct Shape {
    var set: PolicySet
    /// Addresses that the uniform questions draw from.
    var population: [Address]
    /// Services that the uniform questions draw from: those that rules name, and one that none does.
    var services: [ServiceKey]
    /// Questions that a rule answers, rather than an end.
    var matched: [Probe]
    /// Questions for the deepest nesting there is: what somebody would ask who chooses addresses to be slow.
    var chosen: [Probe]

    /// The shapes by name.
    static let names = ["labels", "cidrs", "labels-broad"]

    /// The shape of a name, with so many rules; in labels with so many addresses.
    static func named(_ name: String, rules: Int, addresses: Int = Shape.addresses) throws -> Shape {
        name == "cidrs"
            ? try .cidrs(rules: rules) : try .labels(rules: rules, broad: name == "labels-broad", addresses: addresses)
    }

    static let ports: [UInt16] = [
        22, 53, 80, 123, 389, 443, 445, 636, 1433, 2379, 3306, 5432, 5672, 6379, 8080, 8443, 9090, 9092, 9200, 11211,
    ]

    /// A list of one port of TCP.
    static func list(_ port: UInt16) -> ServiceList {
        ServiceList([.range(ServiceRange(.tcp, ports: port...port))], text: "services: [tcp/\(port)]")
    }
}
