# SPDX-License-Identifier: Apache-2.0
"""How figures are told: a table that grows, and the same as Markdown with a curve."""
import statistics


def show(rows, columns, width=15):
    """The last row of the table, behind a head where it is the first."""
    if len(rows) == 1:
        print("  ".join(f"{name:>{width}}" for name in columns))
    print("  ".join(f"{told(rows[-1].get(name, '-')):>{width}}" for name in columns), flush=True)


def told(value):
    """A value for people."""
    return "-".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def middle(values, digits=4):
    """The median."""
    return round(statistics.median(values), digits)


def interval(values, digits=4):
    """An interval that holds the median of what was sampled with 95 % or more: the second smallest and second largest of nine, all of
    less than eight (order statistics, binomial)."""
    ordered, drop = sorted(values), 1 if len(values) >= 9 else 0
    return [round(ordered[drop], digits), round(ordered[-1 - drop], digits)]


def write(folder, name, title, facts, rows, fields, figure=None, notes=()):
    """Writes `name`.md into a folder: the machine, the rows, notes, and, with `figure` (alternative text, SVG), a curve beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    text = [f"# {title}", "", "What the columns mean stands in [perf/README.md](../README.md). Measured on:", ""]
    text += [f"- {fact}: {value}" for fact, value in facts.items()] + [""]
    if figure:
        text += [f"![{figure[0]}]({name}.svg)", ""]
        (folder / f"{name}.svg").write_text(figure[1])
    text += ["| " + " | ".join(fields) + " |", "| " + " | ".join("---" for _ in fields) + " |"]
    text += ["| " + " | ".join(told(row.get(field, "")) for field in fields) + " |" for row in rows]
    text += ["", *notes] if notes else []
    (folder / f"{name}.md").write_text("\n".join(text) + "\n")


COLOURS = ["#1f5fa8", "#c05020", "#3a8a4d", "#7a4fa0"]


def curve(lines, across, down):
    """An SVG of lines, each (name, {place: value}, colour's number, whether dashed), over places that stand evenly apart."""
    width, height, left, bottom = 640, 360, 60, 50
    top = max([value for _, points, _, _ in lines for value in points.values()] + [1e-9]) * 1.1
    places = sorted({place for _, points, _, _ in lines for place in points}) or [1]
    across_of = {place: left + 20 + number * (width - left - 160) / max(1, len(places) - 1) for number, place in enumerate(places)}

    def level(value):
        return height - bottom - value / top * (height - bottom - 20)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for step in range(6):
        value = top * step / 5
        parts.append(f'<path d="M{left} {level(value):.0f}H{width - 130}" stroke="#ddd"/>'
                     f'<text x="{left - 8}" y="{level(value) + 4:.0f}" text-anchor="end">{value:.{0 if top >= 10 else 2}f}</text>')
    parts += [f'<text x="{x:.0f}" y="{height - bottom + 18}" text-anchor="middle">{place:,}</text>' for place, x in across_of.items()]
    parts.append(f'<text x="{(width - 90) / 2:.0f}" y="{height - 10}" text-anchor="middle">{across}</text>'
                 f'<text x="14" y="{height / 2:.0f}" transform="rotate(-90 14 {height / 2:.0f})" text-anchor="middle">{down}</text>')
    for number, (name, points, colour, is_dashed) in enumerate(lines):
        stroke, dash = COLOURS[colour], ' stroke-dasharray="5 4"' if is_dashed else ""
        way = "L".join(f"{across_of[place]:.0f} {level(value):.0f}" for place, value in sorted(points.items()))
        parts.append(f'<path d="M{way}" fill="none" stroke="{stroke}" stroke-width="2"{dash}/>'
                     f'<path d="M{width - 125} {40 + 20 * number}h24" stroke="{stroke}" stroke-width="2"{dash}/>'
                     f'<text x="{width - 96}" y="{44 + 20 * number}">{name}</text>')
    return "\n".join(parts + ["</svg>"]) + "\n"
