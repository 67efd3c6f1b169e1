// SPDX-License-Identifier: Apache-2.0
import API
import ArgumentParser
import Dialects
import Net
import Policy
import PolicyText

/// `bulkhead workload add`.
struct WorkloadAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Register workloads, or put them into the place of those with their names; all or none.",
        discussion: """
            From documents of kind Workload:

              bulkhead workload add web-9.yaml

            or one from options:

              bulkhead workload add --name shop/web-9 --address 10.9.0.19 --label app=web --zone lan --lease 60s

            With --lease it ends by itself unless `bulkhead workload renew` comes in time.
            """)

    @Argument(help: .init("Files, and folders with all .yaml, .yml and .json below them.", valueName: "path"))
    var paths: [String] = []

    @Option(name: .long, help: .init("The workload's name, NAMESPACE/NAME or NAME.", valueName: "name"))
    var name: String?

    @Option(name: .long, help: .init("An address or block of it; as often as it has some.", valueName: "address"))
    var address: [String] = []

    @Option(name: .long, help: .init("A label of it.", valueName: "key=value"))
    var label: [String] = []

    @Option(name: .long, help: .init("A zone that it may appear in; any without one.", valueName: "zone"))
    var zone: [String] = []

    @Option(name: .long, help: .init("Its account.", valueName: "name"))
    var serviceAccount: String?

    @Option(
        name: .long, help: .init("How long it lasts unless it is renewed, 10s to 30d; for good without it.", valueName: "time"))
    var lease: Seconds?

    @OptionGroup var inventory: InventoryOptions

    func validate() throws {
        try lease?.check("--lease", 10...2_592_000, "10s to 30d")
        guard paths.isEmpty != (name == nil) else {
            throw ValidationError("name files of workloads, or one workload with --name")
        }
        guard name != nil || (address.isEmpty && label.isEmpty && zone.isEmpty && serviceAccount == nil) else {
            throw ValidationError("--address, --label, --zone and --service-account go with --name")
        }
        _ = try named()
    }

    func run() async throws {
        let files: [DocumentFile]
        if let workload = try named() {
            files = [DocumentFile(name: "(command line)", text: Document.workload(workload).yaml)]
        } else {
            files = try DocumentFile.read(paths)
        }
        let request = RegisterRequest(files: files, lease: lease?.count)
        try inventory.tell(try await inventory.daemon.client.ask(.post, "/v1/workloads", body: request), "registered")
    }

    /// The workload that the options describe.
    private func named() throws -> Workload? {
        guard let name else { return nil }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw ValidationError("--name is NAMESPACE/NAME or NAME, not \"\(name)\"")
        }
        let prefixes = try address.map { text in
            guard let prefix = Prefix(text) else { throw ValidationError("\"\(text)\" is no address and no CIDR block") }
            return prefix
        }
        guard !prefixes.isEmpty else { throw ValidationError("a workload needs at least one --address") }
        var labels: [String: String] = [:]
        for text in label {
            guard case .set(let key, let value) = LabelChange(text), labels.updateValue(value, forKey: key) == nil else {
                throw ValidationError("--label is KEY=VALUE, each key once, not \"\(text)\"")
            }
        }
        return Workload(
            name: ObjectName(parts[parts.count - 1], namespace: parts.count == 2 ? parts[0] : nil), labels: labels,
            serviceAccount: serviceAccount, addresses: prefixes, zones: zone)
    }
}

/// A label that comes, `KEY=VALUE`, or goes, `KEY-`.
enum LabelChange {
    /// It comes.
    case set(String, String)
    /// It goes.
    case remove(String)

    /// `nil` where the text is neither.
    init?(_ text: String) {
        if let equals = text.firstIndex(of: "="), equals != text.startIndex {
            self = .set(String(text[..<equals]), String(text[text.index(after: equals)...]))
        } else if text.hasSuffix("-"), text.count > 1 {
            self = .remove(String(text.dropLast()))
        } else {
            return nil
        }
    }
}

/// `bulkhead workload import`.
struct WorkloadImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Register the workloads of an inventory: Kubernetes pods, Ansible, CSV.",
        discussion: """
            Reads what `bulkhead policy import` reads, and registers the workloads in it, all or none. What else is in the files stays out
            of it, and is told.

              kubectl get pods -A -o yaml > pods.yaml && bulkhead workload import pods.yaml --lease 1h
              bulkhead workload import machines.csv
            """)

    @Argument(help: .init("Files, and folders with all .yaml, .yml and .json below them.", valueName: "path"))
    var paths: [String]

    @Option(name: .long, help: "Read every file as this: kubernetes, ansible or csv; else what a file is follows from itself.")
    var from: String?

    @Flag(name: .long, help: "Leave out what has no native form, and say what.")
    var lossy = false

    @Option(
        name: .long,
        help: .init("How long they last unless they are renewed, 10s to 30d; for good without it.", valueName: "time"))
    var lease: Seconds?

    @OptionGroup var inventory: InventoryOptions

    func validate() throws {
        try lease?.check("--lease", 10...2_592_000, "10s to 30d")
        guard let from, Dialect(rawValue: from) == nil else { return }
        throw ValidationError("--from is one of \(Dialect.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(from)\"")
    }

    func run() async throws {
        let alone = from.flatMap(Dialect.init).map { [$0.reader(isLossy: lossy, isAlone: true)] }
        let contents = try Loader.contents(paths: paths, dialects: alone ?? Dialect.readers(isLossy: lossy))
        DocumentOptions.tell(contents.losses)
        var workloads: [String] = []
        for document in contents.documents {
            if case .workload = document {
                workloads.append(document.yaml)
            } else {
                complain("\(document.place): not registered: \(document.kind) \(document.name)")
            }
        }
        guard !workloads.isEmpty else {
            complain("there is no workload in the files")
            throw Outcome.failed
        }
        let file = DocumentFile(name: paths.count == 1 ? paths[0] : "(import)", text: workloads.joined(separator: "---\n"))
        let request = RegisterRequest(files: [file], lease: lease?.count)
        try inventory.tell(try await inventory.daemon.client.ask(.post, "/v1/workloads", body: request), "registered")
    }
}
