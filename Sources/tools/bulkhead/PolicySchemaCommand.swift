// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import PolicyText

/// `bulkhead policy schema`.
struct PolicySchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of policy documents, for editors.",
        discussion: """
            The schema (draft 2020-12) says which kinds and keys there are and what each means, also where it is absent or empty. It comes
            from the description that the reader itself uses. The same text is docs/schema/bulkhead-v1.schema.json.

              bulkhead policy schema > bulkhead-v1.schema.json

            Editors that use yaml-language-server find it by a line at the top of a file:

              # yaml-language-server: $schema=bulkhead-v1.schema.json
            """)

    @Flag(name: .long, help: "Accepted, as by every verb: the schema is one JSON document either way.")
    var json = false

    func run() throws { say(PolicySchema.text) }
}
