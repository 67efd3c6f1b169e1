# SPDX-License-Identifier: Apache-2.0
"""What every comparison of scripts/perf says beside its rows: the machine; and how a report is written."""
import os
import platform
import subprocess
from pathlib import Path

import chart

ROOT = Path(__file__).resolve().parent.parent
READING = "What the columns mean stands in [perf/README.md](../README.md)."


def first_line(*command):
    """What a command prints first, or "unknown"."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    except OSError:
        return "unknown"
    lines = (said.stdout or said.stderr).strip().splitlines()
    return lines[0] if said.returncode == 0 and lines else "unknown"


def machine(**more):
    """What the figures are measured on. `more` are facts of one comparison: driver, frame_bytes."""
    facts = dict(
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    names = {key.strip(): value.strip() for key, value in facts.items()}
    changed = first_line("git", "status", "--porcelain", "--untracked-files=no") != "unknown"
    return {
        "cpu": names.get("model name", "unknown"), "mhz": names.get("cpu MHz", "unknown"), "cpus": os.cpu_count(),
        "kernel": platform.release(), "compiler": first_line("swift", "--version"),
        "commit": first_line("git", "rev-parse", "--short", "HEAD") + (" and changes" if changed else ""),
        "load": round(os.getloadavg()[0], 2), **more,
    }


def cell(value):
    """A value inside a table: ranges with "to", numbers as they are, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return " to ".join(cell(part) for part in value)
    return str(value).replace("|", "\\|").replace("\n", " ")


def table(rows, columns):
    """Rows as a Markdown table. Columns that no row has are left out."""
    columns = [name for name in columns if any(row.get(name) is not None for row in rows)]
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    return lines + ["| " + " | ".join(cell(row.get(name)) for name in columns) + " |" for row in rows]


def write(folder, name, title, facts, rows, columns, charts=(), remarks=()):
    """Writes NAME.md with the machine, the pictures, the rows and what must be said beside them, and a file NAME-CHART.svg for each
    chart (NAME.svg where the chart has the report's own name)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = [f"# {title}", "", READING + " Measured on:", ""]
    text += [f"- {key}: {cell(value)}" for key, value in facts.items()] + [""]
    for picture in charts:
        file = f"{name}.svg" if picture.name == name else f"{name}-{picture.name}.svg"
        (folder / file).write_text(chart.svg(picture))
        text += [f"![{picture.title}]({file})", ""]
    text += table(rows, columns)
    if remarks:
        text += [""] + [f"- {remark}" for remark in remarks]
    (folder / f"{name}.md").write_text("\n".join(text) + "\n")
