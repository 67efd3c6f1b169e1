// SPDX-License-Identifier: Apache-2.0
import Glibc

// How fast a worker judges the flows again that send nothing, how long a slice of it takes, and what it costs frames meanwhile.

let usage = """
    usage: bulkhead-perf-sweep [--flows N] [--hosts N]

    Fills a flow table over IPv4 with established UDP flows between hosts of an inventory and lets policy change; prints one JSON object a
    case: a new generation that allows all flows, one behind full bursts of frames, a new epoch, a generation that refuses all.

      --flows   flows in the table (default 1000000)
      --hosts   addresses of the inventory, half of them clients (default 100000)
    """

/// The number behind an option, or its default; `nil` where it is no number from 64.
func option(_ name: String, default value: Int) -> Int? {
    guard let place = CommandLine.arguments.firstIndex(of: name) else { return value }
    guard place + 1 < CommandLine.arguments.count, let number = Int(CommandLine.arguments[place + 1]), number >= 64 else {
        return nil
    }
    return number
}

guard !CommandLine.arguments.contains("--help") else {
    print(usage)
    exit(0)
}
guard let flows = option("--flows", default: 1_000_000), let hosts = option("--hosts", default: 100_000), hosts <= 1 << 24 else {
    print(usage)
    exit(2)
}
do {
    let bench = try SweepBench(flows: flows, hosts: hosts)
    try bench.fill()
    for row in try bench.rows() { print(row) }
} catch {
    print("bulkhead-perf-sweep: \(error)")
    exit(1)
}
