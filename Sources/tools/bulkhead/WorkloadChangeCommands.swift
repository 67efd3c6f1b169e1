// SPDX-License-Identifier: Apache-2.0
import API
import ArgumentParser

/// `bulkhead workload label`.
struct WorkloadLabelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label", abstract: "Set and remove labels of a registered workload.",
        discussion: """
              bulkhead workload label shop/web-9 release=canary old-
            """)

    @Argument(help: .init("The workload, NAMESPACE/NAME or NAME.", valueName: "name"))
    var name: String

    @Argument(help: .init("KEY=VALUE sets a label, KEY- removes one.", valueName: "label"))
    var labels: [String]

    @OptionGroup var inventory: InventoryOptions

    func validate() throws { _ = try changes() }

    func run() async throws {
        var request = UpdateRequest()
        request.labels = try changes()
        let body = try await inventory.daemon.client.ask(.patch, "/v1/workloads/\(DaemonClient.escaped(name))", body: request)
        try inventory.tell(body, "labelled")
    }

    private func changes() throws -> [String: String?] {
        var changes: [String: String?] = [:]
        for text in labels {
            switch LabelChange(text) {
            case .set(let key, let value): changes.updateValue(value, forKey: key)
            case .remove(let key): changes.updateValue(nil, forKey: key)
            case nil: throw ValidationError("\"\(text)\" is no change of a label: write KEY=VALUE, or KEY- to remove it")
            }
        }
        guard changes.count == labels.count else { throw ValidationError("each label can change once") }
        return changes
    }
}

/// `bulkhead workload renew`.
struct WorkloadRenewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Renew the lease of a registered workload.",
        discussion: """
              bulkhead workload renew shop/web-9
              bulkhead workload renew shop/web-9 --lease 5m
            """)

    @Argument(help: .init("The workload, NAMESPACE/NAME or NAME.", valueName: "name"))
    var name: String

    @Option(name: .long, help: .init("From now on this long, 10s to 30d; as long as before without it.", valueName: "time"))
    var lease: Seconds?

    @OptionGroup var inventory: InventoryOptions

    func validate() throws { try lease?.check("--lease", 10...2_592_000, "10s to 30d") }

    func run() async throws {
        var request = UpdateRequest()
        request.lease = lease?.count
        let body = try await inventory.daemon.client.ask(.patch, "/v1/workloads/\(DaemonClient.escaped(name))", body: request)
        try inventory.tell(body, "renewed")
    }
}

/// `bulkhead workload remove`.
struct WorkloadRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove registered workloads, one after the other.",
        discussion: """
            Those of files go when the files do.

              bulkhead workload remove shop/web-9
            """)

    @Argument(help: .init("The workloads, NAMESPACE/NAME or NAME.", valueName: "name"))
    var names: [String]

    @OptionGroup var inventory: InventoryOptions

    func run() async throws {
        for name in names {
            let body = try await inventory.daemon.client.ask(.delete, "/v1/workloads/\(DaemonClient.escaped(name))")
            try inventory.tell(body, "removed")
        }
    }
}
