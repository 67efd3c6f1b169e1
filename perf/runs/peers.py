# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf peers`: Bulkhead beside what else can stand between two ports."""
import progress
import report
from machine import build
from peers import comparison, figures

SIZES = [60, 1514]
RULES, FLOWS = 1_000, 10_000
NAMES = sorted(comparison.NAMES)
# The last ones are long, and stand in JSON and in the report.
SHOWN = figures.COLUMNS[:-3]


def rows(options):
    """A row for each subject and size, and in words who wins; each turn is told as it ends."""
    order = comparison.Order(
        str(build("bulkhead")), options.sizes or SIZES, FLOWS, RULES, options.pairs, options.seconds,
        tell=progress.tell)
    found = comparison.run(order, options.peer or [], options.install)
    if not options.json:
        for number in range(1, len(found) + 1):
            report.show(found[:number], SHOWN)
        print("\n" + "\n".join([*remarks(found), *(f"{row['subject']}: {row['error']}" for row in found if "error" in row)]))
    return found


def remarks(found):
    """Who wins, and what makes the figures doubtful."""
    return figures.sentences(found, comparison.TITLES) + figures.doubts(found)


def write(folder, facts, found):
    """The rows as Markdown, with curves over the size of frames."""
    report.write(folder, "peers", "Peers", facts, found, figures.COLUMNS, figures.charts(found, comparison.TITLES), remarks(found))
