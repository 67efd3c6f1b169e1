# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf policy`."""
import json
import subprocess
import sys

import report
from chart import Chart, curves
from machine import build

SHAPES = ["labels", "cidrs"]
RULES = [10, 1_000, 10_000, 100_000]
COLUMNS = ["shape", "rules", "compile_s", "memory_mib", "image_mib", "first_packet_ns", "ratio", "owners_ns", "alone_ns", "alone_ratio",
           "p999_ns", "swept_ns", "matched_ns", "chosen_ns"]


def rows(options):
    """The rows, one process each."""
    product = build("bulkhead-perf-policy")
    found = []
    for shape in options.shape or SHAPES:
        for rules in options.rules:
            command = [product, "--shape", shape, "--rules", str(rules), "--pairs", str(options.pairs)]
            measured = subprocess.run(command, capture_output=True, text=True)
            if measured.returncode != 0:
                sys.exit(f"scripts/perf: {shape} with {rules} rules could not be measured:\n{measured.stderr}")
            found.append(json.loads(measured.stdout))
            if not options.json:
                report.show(found, COLUMNS)
    return found


def write(folder, facts, found):
    """The rows as Markdown, and how compiling, memory and the first frame grow with the number of rules."""
    charts = [
        Chart("first", "The decision on a first frame", "rules", "ns a decision",
              curves(found, "shape", "rules", "first_packet_ns")),
        Chart("compile", "Compiling a set", "rules", "s of processor time", curves(found, "shape", "rules", "compile_s"), True),
        Chart("memory", "Memory of the process that compiles", "rules", "MiB", curves(found, "shape", "rules", "memory_mib"), True)]
    report.write(folder, "policy", "Policy", facts, found, COLUMNS, charts)
