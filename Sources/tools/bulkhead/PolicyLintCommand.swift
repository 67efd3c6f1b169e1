// SPDX-License-Identifier: Apache-2.0
import Analysis
import ArgumentParser
import Policy

/// `bulkhead policy lint`.
struct PolicyLintCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint", abstract: "Find what policies say in vain, too widely, too long, or otherwise than meant.",
        discussion: """
            What it says about rules that decide nothing is proved on the compiled policy, not guessed; what could not be proved within
            the steps is said to be not proved. docs/analysis.md has a row for every code.

              bulkhead policy lint --policies policies/ --config bulkhead.yaml
              bulkhead policy lint --level note

            Without files and configuration it looks at the policy in force. Exit code 1 when something of the level, or worse, was found.
            """)

    @OptionGroup var set: PolicySetOptions

    @Option(name: .long, help: "The least level to tell, and to fail for: note, warning or error.")
    var level = "warning"

    @Option(name: .long, help: "The time to ask about, as 2027-01-31T18:00:00Z; now if absent.")
    var now: String?

    @Option(name: .long, help: "What expires within this long expires soon: 30s, 5m, 2h, 7d.")
    var soon = "7d"

    @Option(name: .long, help: "The permissiveness from which on a rule is over-wide, 1 to 100.")
    var wide = 60

    @OptionGroup var steps: StepOptions

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    func validate() throws {
        _ = try leastLevel()
        _ = try seconds()
        _ = try time().unixSeconds()
        guard (1...100).contains(wide) else { throw ValidationError("--wide is a number from 1 to 100") }
    }

    private func leastLevel() throws -> LintCode.Level {
        guard let known = LintCode.Level(rawValue: level) else {
            throw ValidationError("--level is note, warning or error, not \"\(level)\"")
        }
        return known
    }

    private func seconds() throws -> UInt64 {
        let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = soon.last.flatMap({ units[$0] }), let count = UInt64(soon.dropLast()), count < 1_000_000 else {
            throw ValidationError("--soon is a length of time, as 30s, 5m, 2h or 7d")
        }
        return count * unit
    }

    private func time() -> TimeOptions {
        var options = TimeOptions()
        options.at = now
        return options
    }

    func run() async throws {
        let level = try leastLevel()
        let options = Lint.Options(now: try time().unixSeconds(), soon: try seconds(), wide: wide, budget: steps.budget)
        let lint = Lint(try await set.view(), options)
        say(json ? lint.json(from: level) : lint.text(from: level, .ofTerminal))
        if lint.findings.contains(where: { $0.level >= level }) { throw Outcome.failed }
    }
}
