// SPDX-License-Identifier: Apache-2.0
import Analysis
import ArgumentParser
import Policy

/// `bulkhead policy matrix`.
struct PolicyMatrixCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix", abstract: "Show who may talk to whom.",
        discussion: """
            A row for each source and a column for each destination: workloads, or the values of a label, and what is no workload
            (outside). A cell says all or nothing only where that is so for every pair behind it.

              bulkhead policy matrix --policies policies/ --by app
              bulkhead policy matrix --by app --format svg > matrix.svg

            Without files and configuration it asks the policy in force.
            """)

    @OptionGroup var set: PolicySetOptions
    @OptionGroup var time: TimeOptions

    @Option(name: .long, help: "A label whose values are rows and columns, in place of workloads.")
    var by: String?

    @Option(name: .long, help: "table, csv or svg.")
    var format = "table"

    @OptionGroup var steps: StepOptions

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    func validate() throws {
        guard ["table", "csv", "svg"].contains(format) else {
            throw ValidationError("--format is table, csv or svg, not \"\(format)\"")
        }
        guard !json || format == "table" else { throw ValidationError("--json goes with no --format") }
    }

    func run() async throws {
        let matrix = try Matrix(try await set.view(), by: by, at: try time.unixSeconds(), budget: steps.budget)
        switch format {
        case _ where json: say(matrix.json)
        case "csv": say(matrix.csv)
        case "svg": say(matrix.svg)
        default: say(matrix.text(.ofTerminal))
        }
    }
}
