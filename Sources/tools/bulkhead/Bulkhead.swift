// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Policy
import Telemetry

/// The command and its verbs.
struct Bulkhead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bulkhead",
        abstract:
            "A microsegmentation firewall between two ports: workloads are known by their labels, what is not allowed is denied.",
        discussion: """
            Write a configuration and policies, see whether they are understood, run, and look:

              bulkhead check --config /etc/bulkhead/bulkhead.yaml
              bulkhead doctor --config /etc/bulkhead/bulkhead.yaml
              bulkhead run --config /etc/bulkhead/bulkhead.yaml
              bulkhead status
              bulkhead flows --follow
              bulkhead capture --decision deny --output denied.pcapng

            Change policy so that a mistake heals itself:

              bulkhead policy apply policies/ --confirm 60s
              bulkhead policy confirm 8

            Ask what a connection would get, without a daemon and without privilege:

              bulkhead policy probe --policies policies/ < probes.jsonl

            Exit codes: 0 success, 1 the answer is no or it could not be done, 2 wrong usage.
            """,
        version: Release.version,
        subcommands: [
            RunCommand.self, StatusCommand.self, CheckCommand.self, DoctorCommand.self, PolicyCommand.self, FlowsCommand.self,
            TraceCommand.self, CaptureCommand.self, MapCommand.self, WorkloadCommand.self, BypassCommand.self, ReloadCommand.self,
            AuditCommand.self,
            ReplayCommand.self,
            LabCommand.self,
        ])

    /// Runs a verb that waits for nothing, on this very thread; the exit code.
    static func runAlone(_ words: [String]) -> Int32 {
        do {
            var command = try parseAsRoot(FlowFilterOptions.joined(words))
            try command.run()
            return 0
        } catch {
            return tell(error, words)
        }
    }

    /// Runs the verb that the words name; the exit code.
    static func run(_ words: [String]) async -> Int32 {
        do {
            var command = try parseAsRoot(FlowFilterOptions.joined(words))
            if var waiting = command as? any AsyncParsableCommand {
                try await waiting.run()
            } else {
                try command.run()
            }
            return 0
        } catch {
            return tell(error, words)
        }
    }

    /// Prints an error, or the help that somebody asked for; the exit code.
    private static func tell(_ error: any Error, _ words: [String]) -> Int32 {
        if let outcome = error as? Outcome { return outcome.exitCode }
        if let fault = error as? PolicyError {
            // Bare, so that people and editors find the place.
            complain("\(fault)")
            return 1
        }
        let code = exitCode(for: error)
        let text = fullMessage(for: error)
        let wanted = ["help", "--help", "-h", "--version", "--generate-completion-script"]
        if code == .success && words.contains(where: wanted.contains) {
            say(text)
            return 0
        }
        complain(text)
        // Without a verb ArgumentParser shows its help and calls that success.
        return code == .validationFailure || code == .success ? 2 : 1
    }
}

/// The answer is no, and has been told.
struct Outcome: Error {
    let exitCode: Int32

    /// It could not be done, or a check failed.
    static let failed = Outcome(exitCode: 1)
}

/// Writes a line to standard output, at once: whoever holds both ends of a pipe waits for it. A reader that has gone away ends us.
func say(_ text: String) {
    if !write(text, to: STDOUT_FILENO) { exit(1) }
}

/// Writes a line to standard error.
func complain(_ text: String) { _ = write(text, to: STDERR_FILENO) }

private func write(_ text: String, to descriptor: Int32) -> Bool {
    var bytes = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)[...]
    while !bytes.isEmpty {
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else {
            if errno == EINTR { continue }
            return false
        }
        bytes = bytes.dropFirst(count)
    }
    return true
}
