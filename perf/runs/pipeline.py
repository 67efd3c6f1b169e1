# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf pipeline`."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import bounds
import packages
import report
from chart import Chart, curves
from machine import ROOT, build

# What is measured, and what only where it is asked for.
CASES = ["established", "rte_hash", "first", "unreadable", "denied", "flood"]
ON_REQUEST = ["observed"]
FLOWS = [1_000, 100_000, 1_000_000, 10_000_000]
# At more flows a record a second for each is more than a worker's ring holds between two looks of control.
OBSERVED = [1_000, 100_000]
COLUMNS = ["case", "family", "flows", "ns_per_frame", "reference_ns", "ratio", "ratio_spread", "in_c_ratio", "a_a", "growth",
           "reference_growth", "difference_ns", "uncaptured_difference_ns", "budget_ns", "held"]
# What a row's ratio may be at most.
MOST = {"established": 1.05, "rte_hash": 1, "first": 1.5, "unreadable": 1, "denied": 1, "flood": 2}


def other_index(options, folder):
    """DPDK's hash table as a library, or None where it cannot be had."""
    if options.install and subprocess.run(["pkg-config", "--exists", "libdpdk"], capture_output=True).returncode != 0:
        trouble = packages.install(["dpdk-dev", "pkg-config"])
        if trouble:
            print(f"scripts/perf: dpdk-dev could not be installed: {trouble}", file=sys.stderr)
    try:
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libdpdk"], capture_output=True, text=True, check=True).stdout
        library = Path(folder) / "rte_hash.so"
        subprocess.run(
            ["clang", "-O3", "-march=native", "-shared", "-fPIC", "-w", str(ROOT / "perf/dpdk/rte_hash.c"), "-o", str(library)]
            + flags.split(), check=True, capture_output=True, text=True)
        return library
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1:]
        print(f"scripts/perf: no rows for rte_hash: {' '.join(reason)} (Debian: apt-get install dpdk-dev)", file=sys.stderr)
        return None


def cases(options, library):
    """What is measured: case, family, flows and further options each."""
    for family in ["IPv4", "IPv6"]:
        yield from (("established", family, flows, []) for flows in options.flows)
    if library:
        # DPDK runs without huge pages here, so neither side has them.
        yield from (("rte_hash", "IPv4", flows, ["--rte-hash", library, "--pages", "small"]) for flows in options.flows)
    yield from (("first", "IPv4", 0, ["--rules", str(rules)]) for rules in [10, 100_000])
    yield from ((name, "IPv4", 1_000, []) for name in ["unreadable", "denied"])
    yield ("flood", "IPv4", 1_000_000, [])
    yield from (("observed", "IPv4", flows, []) for flows in OBSERVED)


def grown(row, before):
    """A row of established flows with what its frame costs in units of that at the fewest flows of the same run, on either side."""
    if row["case"] != "established":
        return row
    first = next((one for one in before if (one["case"], one["family"]) == (row["case"], row["family"])), row)
    sides = {"growth": "ns_per_frame", "reference_growth": "reference_ns"}
    return {**row, **{name: round(row[key] / first[key], 2) for name, key in sides.items()}}


def judged(row):
    """A row with its ratio's bound and whether it was held, where there is one."""
    most = MOST.get(row["case"])
    return {**row, **bounds.judged(row["ratio"], most=most, in_c=row.get("in_c_ratio"))} if most else row


def titled(row):
    """A row's name in words."""
    rules = f", {row['rules']:,} rules" if row.get("rules") else ""
    return f"{row['case']}, {row['family']}, {row['flows']:,} flow{'' if row['flows'] == 1 else 's'}{rules}"


def rows(options):
    """The rows, one process each."""
    product = build("bulkhead-perf-pipeline")
    found = []
    with tempfile.TemporaryDirectory(prefix="bulkhead-perf-") as folder:
        for name, family, flows, more in cases(options, other_index(options, folder)):
            if name not in (options.case or CASES):
                continue
            # Ten million SYNs in all are what a flood is.
            pairs = 10 if name == "flood" else 5 if flows > 1_000_000 else options.pairs
            command = [product, "--case", name, "--family", family, "--flows", flows or 1, "--pairs", pairs,
                       "--checksums", options.checksums, *more]
            measured = subprocess.run([str(part) for part in command], capture_output=True, text=True)
            if measured.returncode != 0 and name == "rte_hash":
                # DPDK is there, and does not start here: the others' rows are worth having.
                print(f"scripts/perf: no row for rte_hash at {flows} flows: {measured.stderr.strip()}", file=sys.stderr)
                found.append({"case": name, "family": family, "flows": flows, "error": measured.stderr.strip()})
            elif measured.returncode != 0:
                sys.exit(f"scripts/perf: {name} with {flows} flows could not be measured:\n{measured.stderr}")
            else:
                found.append(judged(grown(json.loads(measured.stdout.splitlines()[-1]), found)))
            if not options.json:
                report.show(found, COLUMNS)
    return found


def write(folder, facts, found):
    """The rows as Markdown, and the cost over the number of flows as a curve; what was asked for alone has a page of its own."""
    fields = ["case", "family", "flows", "rules", "ns_per_frame", "reference_ns", "ratio", "ratio_spread", "a_a", "a_a_spread",
              "in_c_ns", "in_c_reference_ns", "in_c_ratio", "in_c_ratio_spread", "bulkhead_to_in_c", "asked_per_million",
              "growth", "reference_growth", "difference_ns", "uncaptured_ns", "uncaptured_difference_ns", "budget_ns", "records", "held"]
    if all(row["case"] in ON_REQUEST for row in found):
        report.write(folder, "pipeline-observed", "Pipeline, observed", facts, found, fields, [])
        return
    sides = [{"side": f"{row['family']}, {name}", "flows": row["flows"], "ns": row[key]}
             for row in found if row["case"] == "established"
             for name, key in (("Bulkhead", "ns_per_frame"), ("C", "reference_ns"))]
    charts = [Chart("pipeline", "An established connection's frame", "flows", "ns a frame", curves(sides, "side", "flows", "ns"))]
    report.write(folder, "pipeline", "Pipeline", facts, found, fields, charts, bounds.sentences(found, titled))
