# SPDX-License-Identifier: Apache-2.0
"""How figures are told: a table that grows, and the same as Markdown with curves."""
import statistics
from pathlib import Path

import chart


def show(rows, columns, width=15):
    """The last row of the table, behind a head where it is the first."""
    if len(rows) == 1:
        print("  ".join(f"{name:>{width}}" for name in columns))
    print("  ".join(f"{told(rows[-1].get(name, '-')):>{width}}" for name in columns), flush=True)


def told(value):
    """A value for people: a range with "to", nothing for None."""
    if value is None:
        return ""
    return " to ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def middle(values, digits=4):
    """The median."""
    return round(statistics.median(values), digits)


def interval(values, digits=4):
    """An interval that holds the median of what was sampled with 95 % or more: the second smallest and second largest of nine, all of
    less than eight (order statistics, binomial)."""
    ordered, drop = sorted(values), 1 if len(values) >= 9 else 0
    return [round(ordered[drop], digits), round(ordered[-1 - drop], digits)]


def table(rows, columns):
    """Rows as lines of a Markdown table. Columns that no row has are left out."""
    columns = [name for name in columns if any(row.get(name) is not None for row in rows)]
    cells = [[told(row.get(name)).replace("|", "\\|").replace("\n", " ") for name in columns] for row in rows]
    return ["| " + " | ".join(line) + " |" for line in [columns, ["---"] * len(columns), *cells]]


def write(folder, name, title, facts, rows, columns, charts=(), remarks=()):
    """Writes `name`.md into a folder: the machine, the charts, the rows, and what must be said beside them. A chart is a file
    NAME-CHART.svg, or NAME.svg where it has the report's own name."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = [f"# {title}", "", "What the columns mean stands in [perf/README.md](../README.md). Measured on:", ""]
    text += [f"- {fact}: {told(value)}" for fact, value in facts.items()] + [""]
    for picture in charts:
        file = f"{name}.svg" if picture.name == name else f"{name}-{picture.name}.svg"
        (folder / file).write_text(chart.svg(picture))
        text += [f"![{picture.title}]({file})", ""]
    text += table(rows, columns)
    text += ["", *(f"- {remark}" for remark in remarks)] if remarks else []
    (folder / f"{name}.md").write_text("\n".join(text) + "\n")
