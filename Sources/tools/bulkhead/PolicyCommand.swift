// SPDX-License-Identifier: Apache-2.0
import Analysis
import ArgumentParser
import Compiler
import Dialects
import Glibc
import Policy
import PolicyText

/// `bulkhead policy`: what can be asked of policies.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Change the policy in force, and ask of policies, those of files or those in force.",
        subcommands: [
            PolicyApplyCommand.self, PolicyConfirmCommand.self, PolicyHistoryCommand.self, PolicyRollbackCommand.self,
            PolicyGetCommand.self, PolicyHitsCommand.self, PolicyLintCommand.self, PolicyExplainCommand.self,
            PolicyDiffCommand.self,
            PolicyTestCommand.self,
            PolicyMatrixCommand.self, ShadowCommand.self, ProbeCommand.self, PolicyImportCommand.self, PolicySchemaCommand.self,
        ])
}

/// `bulkhead policy probe`.
struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Ask what connections would get: JSON lines in, JSON lines out.",
        discussion: """
            Reads probes from standard input, one JSON object a line, and prints the answer to each in its place. The answer comes from
            the compiled policy by the code that judges frames.

              {"from": A, "to": B, "protocol": P, "port": N, "type": N, "code": N,
               "source_port": N, "zone_from": NAME, "zone_to": NAME, "at": TIME}

            A and B are an address or NAMESPACE/WORKLOAD; P is tcp, udp, sctp, icmp, icmp6 or 0 to 255; port is for protocols with
            ports, type and code for ICMP; TIME is RFC 3339, and now where it is absent. The answer names the decision, what each side
            said, and the cause:

              {"decision": "allow|deny|reject", "egress": …, "ingress": …, "cause": …}

            A line that is no probe is answered by {"error": …} and makes the exit code 1; a denied connection does not. Blank lines are
            passed over.

              bulkhead policy probe --policies policies/ < probes.jsonl
            """)

    @OptionGroup var documents: DocumentOptions
    @Flag(name: .long, help: "Accepted, as by every verb: answers are JSON lines either way.")
    var json = false

    func validate() throws {
        guard !documents.policies.isEmpty else {
            throw ValidationError("name the policies to ask: --policies PATH…")
        }
    }

    func run() throws {
        let contents = try Loader.contents(paths: documents.paths, dialects: Dialect.readers(isLossy: documents.lossy))
        DocumentOptions.tell(contents.losses)
        let session = try ProbeSession(set: try PolicySet(contents.documents))
        var isFaultless = true
        while let line = readLine() {
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            let answer = session.answer(line: line, now: UInt64(time(nil)))
            if answer.isError { isFaultless = false }
            say(answer.json)
        }
        if !isFaultless { throw Outcome.failed }
    }
}
