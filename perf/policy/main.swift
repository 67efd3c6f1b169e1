// SPDX-License-Identifier: Apache-2.0
import Glibc
import Measure

// One row of `scripts/perf policy`: a process of its own, so that the most memory that was resident is the row's.

let usage = """
    usage: bulkhead-perf-policy --shape labels|labels-broad|cidrs --rules N [--pairs N]
           bulkhead-perf-policy --shape NAME --rules N --write FILE [--changed]

    Compiles one policy set of a shape and asks it for first frames; prints one JSON object. scripts/perf policy runs all rows.

      --shape   labels: 1,000,000 addresses of 10,000 label sets; labels-broad: the same with rules that name many of them;
                cidrs: the rules of a firewall, two blocks each
      --rules   how many rules, from 10
      --pairs   pairs of measurements in turn for each ratio (default 9)
      --write   writes the set into a file instead, with a workload for each label set
      --changed with one rule that names another port
    """

if CommandLine.arguments.contains("--help") {
    print(usage)
    exit(0)
}
guard let shape = option("--shape"), Shape.names.contains(shape), let rules = option("--rules").flatMap({ Int($0) }), rules >= 10,
    let pairs = option("--pairs").map({ Int($0) }) ?? 9, pairs > 0
else {
    complain(usage)
    exit(2)
}
do {
    if let path = option("--write") {
        try Verbs.write(shape: shape, rules: rules, isChanged: CommandLine.arguments.contains("--changed"), to: path)
        exit(0)
    }
    print(try Row.measured(shape: shape, rules: rules, pairs: pairs).json)
} catch {
    complain("bulkhead-perf-policy: \(error)")
    exit(1)
}
