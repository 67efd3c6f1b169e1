// SPDX-License-Identifier: Apache-2.0
import Glibc
import Measure
import Net

// One row of `scripts/perf pipeline`: a process of its own, so that its memory is its own.

let usage = """
    usage: bulkhead-perf-pipeline --case NAME [--family IPv4|IPv6] [--flows N] [--pairs N] [--pages huge|small]
                                  [--rules N] [--rte-hash LIBRARY] [--checksums on|off]
           bulkhead-perf-pipeline --case growth [--family IPv4|IPv6] [--flows N[,N…]] [--rules N[,N…]] [--pairs N]

    Lets frames in memory pass a worker's whole turn, in turn with what they are compared with; prints one JSON object.
    scripts/perf pipeline runs all rows; growth prints a row for each number of flows and of rules, for scripts/perf growth.
    """

if CommandLine.arguments.contains("--help") {
    print(usage)
    exit(0)
}
if option("--case") == "growth" {
    guard let sizes = numbers("--flows", or: [1_000, 100_000, 1_000_000, 10_000_000]),
        let counts = numbers("--rules", or: [10, 1_000, 10_000, 100_000]), let rounds = numbers("--pairs", or: [5])?.first
    else {
        complain(usage)
        exit(2)
    }
    var question = Question(
        name: "growth", isIPv4: option("--family") != "IPv6", flows: 0, pairs: rounds, rules: 0,
        huge: option("--pages") != "small")
    question.settings.reservedFlows = 0
    do {
        for row in try question.growth(flows: sizes, rules: counts) { print(row.json) }
        exit(0)
    } catch {
        complain("bulkhead-perf-pipeline: \(error)")
        exit(1)
    }
}
guard let name = option("--case"), Question.cases.contains(name), let flows = option("--flows").map({ Int($0) }) ?? 1_000,
    flows > 0,
    let pairs = option("--pairs").map({ Int($0) }) ?? 7, pairs > 0, ["IPv4", "IPv6"].contains(option("--family") ?? "IPv4"),
    let rules = option("--rules").map({ Int($0) }) ?? 100_000, rules >= 10,
    ["huge", "small"].contains(option("--pages") ?? "huge"), ["on", "off"].contains(option("--checksums") ?? "on")
else {
    complain(usage)
    exit(2)
}
var question = Question(
    name: name, isIPv4: option("--family") != "IPv6", flows: flows, pairs: pairs, rules: rules,
    huge: option("--pages") != "small", library: option("--rte-hash"))
// Tables are filled to the last place.
question.settings.reservedFlows = 0
question.settings.verifiesChecksums = option("--checksums") == "off" ? 0 : 1
do {
    print(try question.measured().json)
} catch {
    complain("bulkhead-perf-pipeline: \(error)")
    exit(1)
}
