# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf growth`: what a frame costs over the number of flows and of rules, in memory, over both families."""
import json
import subprocess
import sys

import progress
import report
from chart import Chart, curves
from machine import build

FAMILIES = ["IPv4", "IPv6"]
FLOWS = [1_000, 100_000, 1_000_000, 10_000_000]
RULES = [10, 1_000, 10_000, 100_000]
COLUMNS = ["family", "flows", "rules", "established_ns", "established_growth", "first_ns", "first_growth", "bound", "held"]
# How much an established frame may cost at so many flows, in units of that at 1,000; a first frame, in units of that under ten rules.
MOST_ESTABLISHED, MOST_FIRST = {1_000_000: 2, 10_000_000: 3}, 1.5


def rows(options):
    """A row for each family, number of flows and number of rules. A process for each family, so that its memory is its own."""
    product, found = build("bulkhead-perf-pipeline"), []
    for family in FAMILIES:
        progress.tell(f"{family}: tables of {max(options.flows)} flows are filled, policies of {max(options.rules)} rules compiled")
        command = [product, "--case", "growth", "--family", family, "--pairs", min(options.pairs, 5),
                   "--flows", ",".join(map(str, options.flows)), "--rules", ",".join(map(str, options.rules))]
        measured = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if measured.returncode != 0:
            sys.exit(f"scripts/perf: {family} could not be measured:\n{measured.stderr}")
        for line in measured.stdout.splitlines():
            row = json.loads(line)
            found.append(row | judged(row))
            if not options.json:
                report.show(found, COLUMNS)
    return found


def judged(row):
    """What a row must come up to: both growths, as far as they have a bound there."""
    most = MOST_ESTABLISHED.get(row["flows"])
    wanted = ([f"established at most {most}"] if most else []) + ([f"first at most {MOST_FIRST}"] if row["rules"] > 10 else [])
    if not wanted:
        return {}
    held = (not most or row["established_growth"] <= most) and (row["rules"] <= 10 or row["first_growth"] <= MOST_FIRST)
    return {"bound": ", ".join(wanted), "held": "yes" if held else "no"}


def charts(found):
    """Both costs over both numbers: flows across for established frames, rules across for first ones, a curve for each of the others."""
    named = [{**row, "under": f"{row['family']}, {row['rules']:,} rules", "at": f"{row['family']}, {row['flows']:,} flows"}
             for row in found if row.get("run", 1) == 1]
    return [Chart("growth", "An established connection's frame over the flows in the table", "flows", "ns a frame",
                  curves(named, "under", "flows", "established_ns")),
            Chart("first", "A first frame over the rules in force", "rules", "ns a frame", curves(named, "at", "rules", "first_ns"))]


def remarks(found):
    """What became of the bounds, in a sentence for each family: a cell of the grid that did not hold its own is named."""
    said = []
    for family in FAMILIES:
        bound = [row for row in found if row["family"] == family and "held" in row]
        missed = [f"{row['flows']:,} flows under {row['rules']:,} rules" for row in bound if row["held"] != "yes"]
        if bound:
            said.append(f"{family}: {len(bound) - len(missed)} of {len(bound)} cells hold their bounds"
                        + (f"; not {', '.join(missed)}." if missed else "."))
    return said


def write(folder, facts, found):
    """The rows as Markdown, with curves."""
    report.write(folder, "growth", "Growth", facts, found, ["run", *COLUMNS], charts(found), remarks(found))
