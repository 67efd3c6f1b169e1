// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import Testing

@Suite struct Refusals {
    @Test(arguments: objectRefusals + policyRefusals + termRefusals)
    func `what is not understood is refused with its place and a remedy`(refusal: Refusal) {
        #expect {
            try decode(refusal.text, file: "f.yaml")
        } throws: { error in
            let isSame = "\(error)" == "f.yaml:\(refusal.error)"
            if !isSame { print("found: \(error)") }
            return isSame
        }
    }

    @Test func `places count through a file of several documents`() {
        let text =
            "---\n" + Sample.head + "kind: Zone\nmetadata: {name: a}\n---\n# nothing here\n---\n" + Sample.head
            + "kind: Zone\nmetadata:\n  nme: b\n"
        #expect {
            try decode(text, file: "f.yaml")
        } throws: { error in
            "\(error)" == "f.yaml:11:3: metadata has no key \"nme\"; did you mean \"name\"?"
        }
    }

    @Test func `all documents that are wrong are told at once, 20 at most`() throws {
        let wrong = Sample.object("Zone", "unjudged: no") + "\n---\n"
        let right = Sample.head + "kind: Zone\nmetadata: {name: a}\n---\n"
        do {
            _ = try decode(wrong + right + wrong, file: "f.yaml")
            Issue.record("it was read")
        } catch {
            #expect(error.all.map(\.place.line) == [4, 13] && error.all.allSatisfy { $0.further.isEmpty })
            #expect("\(error)".split(separator: "\n").count == 2)
        }
        do {
            _ = try decode(String(repeating: wrong, count: 30), file: "f.yaml")
            Issue.record("it was read")
        } catch {
            #expect(error.all.count == PolicyError.most)
        }
    }
}
