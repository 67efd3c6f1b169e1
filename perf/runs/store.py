# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf store`."""
import json
import subprocess
import sys
import tempfile

import report
from machine import build

COLUMNS = ["records", "recordsPerSecond", "cpuSeconds", "decoded", "tables", "written", "bytesPerRecord"]


def rows(options):
    """One row: what control spends on a flow record; the store lies in the folder for temporary files."""
    product = build("bulkhead-perf-store")
    with tempfile.TemporaryDirectory() as folder:
        measured = subprocess.run([product, str(options.seconds), folder], capture_output=True, text=True)
    if measured.returncode != 0:
        sys.exit(f"scripts/perf: the store could not be measured:\n{measured.stderr}")
    found = [json.loads(measured.stdout)]
    if not options.json:
        report.show(found, COLUMNS)
    return found


def write(folder, facts, found):
    """The row as Markdown."""
    report.write(folder, "store", "Store", facts, found, COLUMNS, [])
