// SPDX-License-Identifier: Apache-2.0
import Foundation
import Net
import Policy
import PolicyText

/// Sets as files, for `scripts/perf policy --case verbs` to ask `bulkhead policy` about.
enum Verbs {
    /// Writes a set of a shape with so many rules into a file: in labels with a workload of each label set. `isChanged`: one rule in the
    /// middle speaks of another service, so that a comparison has something to find.
    static func write(shape: String, rules: Int, isChanged: Bool, to path: String) throws {
        var documents = try Shape.named(shape, rules: rules, addresses: 20_000).set.documents
        if isChanged { change(&documents) }
        let text = documents.map(\.yaml).joined(separator: "---\n")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private static func change(_ documents: inout [Document]) {
        let policies = documents.indices.filter { documents[$0].kind == "Policy" }
        guard !policies.isEmpty, case .policy(var policy) = documents[policies[policies.count / 2]] else { return }
        policy.rules[0].services = Shape.list(7_777)
        documents[policies[policies.count / 2]] = .policy(policy)
    }
}
