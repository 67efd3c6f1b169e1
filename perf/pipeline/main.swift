// SPDX-License-Identifier: Apache-2.0
import Glibc
import Measure

// One row of `scripts/perf pipeline`: a process of its own, so that its memory is its own.

let usage = """
    usage: bulkhead-perf-pipeline --case NAME [--family IPv4|IPv6] [--flows N] [--pairs N] [--pages huge|small]

    Lets frames in memory pass a worker's whole turn, in turn with what they are compared with; prints one JSON object.
    scripts/perf pipeline runs all rows.
    """

if CommandLine.arguments.contains("--help") {
    print(usage)
    exit(0)
}
guard let name = option("--case"), let flows = option("--flows").map({ Int($0) }) ?? 1_000, flows > 0,
    let pairs = option("--pairs").map({ Int($0) }) ?? 7, pairs > 0, ["IPv4", "IPv6"].contains(option("--family") ?? "IPv4"),
    ["huge", "small"].contains(option("--pages") ?? "huge")
else {
    complain(usage)
    exit(2)
}
let question = Question(
    name: name, isIPv4: option("--family") != "IPv6", flows: flows, pairs: pairs, huge: option("--pages") != "small")
do {
    print(try question.measured().json)
} catch {
    complain("bulkhead-perf-pipeline: \(error)")
    exit(1)
}
