# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf policy`."""
import json
import subprocess
import sys

import report
from machine import build

SHAPES = ["labels", "cidrs"]
RULES = [10, 1_000, 10_000, 100_000]
COLUMNS = ["shape", "rules", "compile_s", "memory_mib", "image_mib", "first_packet_ns", "ratio", "owners_ns", "p999_ns", "staged_ns",
           "staged_ratio", "swept_ns", "matched_ns", "chosen_ns"]


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
