// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import TestSupport

extension FuzzTarget {
    /// Documents of policy: the input is the text of a file.
    static let policyText = FuzzTarget(
        "policy-text", "a text is a set or is refused with places inside of it, 20 at most, and again the same",
        seeds: PolicyDocuments.seeds, mutate: PolicyDocuments.mutated, flaw: PolicyDocuments.flaw)
}

private enum PolicyDocuments {
    private static let words = [
        "{", "}", "[", "]", ": ", ", ", "- ", "---\n", "\n", "  ", "'", "\"", "#", "&a ", "*a", "!x ", "~", "|\n", "null", "true",
        "7",
        "1e999", "-0", "spec: ", "metadata: ", "name: ", "labels: ", "selector: ", "from: ", "to: ", "terms: ", "entities: [x]",
        "all()",
        "tcp/1-2", "10.0.0.0/8", "::/0", "30s", "2027-01-31T18:00:00Z", "matchExpressions: ", "*.a.b", "é", "\u{feff}", "\t",
        "\r",
    ]

    /// The sample set document by document, and as a whole.
    @Sendable static func seeds() -> [FuzzTarget.Seed] {
        let documents = PolicySample.everything.split(separator: "---\n").enumerated()
        return documents.map { ("document \($0.offset + 1)", Array($0.element.utf8)) }
            + [("the whole set", Array(PolicySample.everything.utf8))]
    }

    @Sendable static func mutated(_ input: [UInt8], _ random: inout PacketRandom) -> [UInt8] {
        TextChange.mutated(input, words: words, &random)
    }

    /// What a text becomes: the number of its objects, or its errors.
    private static func outcome(_ text: String) -> (objects: Int, errors: [PolicyError]) {
        do throws(PolicyError) {
            let documents = try decode(text, file: "f")
            _ = try PolicySet(documents)
            return (documents.count, [])
        } catch {
            return (0, error.all)
        }
    }

    @Sendable static func flaw(_ input: [UInt8]) -> String? {
        let text = String(decoding: input, as: UTF8.self)
        let (first, second) = (outcome(text), outcome(text))
        guard first.objects == second.objects, first.errors == second.errors else { return "read twice, it is two things" }
        guard first.errors.count <= PolicyError.most else { return "\(first.errors.count) errors" }
        let lines =
            1 + text.unicodeScalars.count { $0 == "\n" || $0 == "\r" || $0 == "\u{85}" || $0 == "\u{2028}" || $0 == "\u{2029}" }
        for error in first.errors {
            guard error.place.file == "f", (1...lines + 1).contains(error.place.line), error.place.column >= 1 else {
                return "an error at \(error.place), of \(lines) lines"
            }
            guard !error.message.isEmpty, error.further.isEmpty else { return "an error that says nothing, or has others inside" }
        }
        return nil
    }
}
