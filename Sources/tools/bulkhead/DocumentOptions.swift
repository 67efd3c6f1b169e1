// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Policy
import PolicyText

/// The options of verbs that read documents without a daemon. Both take every kind of document: two names, so that a command line
/// says what is meant.
struct DocumentOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .upToNextOption,
        help: .init("Files or folders of policies (.yaml, .yml, .json; folders with all below them).", valueName: "path"))
    var policies: [String] = []

    @Option(
        name: .long, parsing: .upToNextOption,
        help: .init("Files or folders of workloads; any document may be in either.", valueName: "path"))
    var workloads: [String] = []

    /// All paths.
    var paths: [String] { policies + workloads }
}
