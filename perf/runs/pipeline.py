# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf pipeline`."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import report
from machine import ROOT, build

FLOWS = [1_000, 100_000, 1_000_000, 10_000_000]
COLUMNS = ["case", "family", "flows", "ns_per_frame", "reference_ns", "ratio", "ratio_spread", "a_a"]


def other_index(options, folder):
    """DPDK's hash table as a library, or None where it cannot be had."""
    if options.install and subprocess.run(["pkg-config", "--exists", "libdpdk"], capture_output=True).returncode != 0:
        subprocess.run(["apt-get", "update", "-q"], capture_output=True)
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "dpdk-dev", "pkg-config"], capture_output=True)
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


def rows(options):
    """The rows, one process each."""
    product = build("bulkhead-perf-pipeline")
    found = []
    with tempfile.TemporaryDirectory(prefix="bulkhead-perf-") as folder:
        for name, family, flows, more in cases(options, other_index(options, folder)):
            if options.case and name not in options.case:
                continue
            # Ten million SYNs in all are what a flood is.
            pairs = 10 if name == "flood" else 5 if flows > 1_000_000 else options.pairs
            command = [product, "--case", name, "--family", family, "--flows", flows or 1, "--pairs", pairs,
                       "--checksums", options.checksums, *more]
            measured = subprocess.run([str(part) for part in command], capture_output=True, text=True)
            if measured.returncode != 0 and name == "rte_hash":
                print(f"scripts/perf: no row for rte_hash at {flows} flows: {measured.stderr.strip()}", file=sys.stderr)
                continue
            if measured.returncode != 0:
                sys.exit(f"scripts/perf: {name} with {flows} flows could not be measured:\n{measured.stderr}")
            found.append(json.loads(measured.stdout.splitlines()[-1]))
            if not options.json:
                report.show(found, COLUMNS)
    return found


def write(folder, facts, found):
    """The rows as Markdown, and the cost over the number of flows as a curve."""
    fields = ["case", "family", "flows", "rules", "ns_per_frame", "reference_ns", "ratio", "ratio_spread", "a_a", "a_a_spread"]
    established = [row for row in found if row["case"] == "established"]
    lines = []
    for colour, family in enumerate(["IPv4", "IPv6"]):
        for key, side in [("ns_per_frame", "Bulkhead"), ("reference_ns", "C")]:
            points = {row["flows"]: row[key] for row in established if row["family"] == family}
            if points:
                lines.append((f"{family}, {side}", points, colour, side == "C"))
    figure = ("Cost of a frame over the number of flows", report.curve(lines, "flows", "ns a frame"))
    report.write(folder, "pipeline", "Pipeline", facts, found, fields, figure)
