# SPDX-License-Identifier: Apache-2.0
"""Curves as SVG: one for each subject, over a logarithmic axis, drawn with nothing but text.

A chart is data (`Chart`, `Curve`); `svg` draws it. Colours are those of Okabe and Ito, which people who confuse red and green can
tell apart; markers and dashes differ too, so that a print in grey can be read.
"""
import math
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

HEIGHT = 420
# Where the plot begins and ends; behind EDGE comes the legend, as wide as its names.
LEFT, EDGE, TOP, BOTTOM = 74, 546, 40, 56
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#000000", "#e69f00", "#999999"]
DASHES = ["", "6 4", "2 3", "9 3 2 3"]


@dataclass
class Curve:
    """One subject. Points are (x, y), or (x, y, low, high) where a spread is known; x is above 0."""
    subject: str
    points: list


@dataclass
class Chart:
    """What one picture shows. `name` becomes a part of its file's name; `logarithmic` says so of the upright axis."""
    name: str
    title: str
    across: str
    upright: str
    curves: list = field(default_factory=list)
    logarithmic: bool = False


def curves(rows, subject, x, y, spread=None):
    """Rows as curves: one for each value of the field `subject`, in order of appearance. Rows that lack x or y are left out."""
    found = {}
    for row in rows:
        if not row.get(x) or row.get(y) is None:
            continue
        span = row.get(spread) if spread else None
        found.setdefault(str(row[subject]), []).append((row[x], row[y], *(span or [])))
    return [Curve(name, sorted(points)) for name, points in found.items()]


def short(value):
    """A number as an axis shows it: 12, 0.25, 1,514, 100 k, 10 M."""
    for unit, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= 10_000 and abs(value) >= unit:
            return f"{value / unit:g}{letter}"
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def steps(top):
    """Round numbers from 0 to at least `top`, at most seven of them."""
    if top <= 0:
        return [0.0, 1.0]
    rough = top / 5
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * 0.999)
    count = math.ceil(top / step - 1e-9)
    return [round(step * number, 12) for number in range(count + 1)]


def decades(low, high):
    """Powers of ten around a range, two at least."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    return [10.0 ** power for power in range(first, max(last, first + 1) + 1)]


def reach(point):
    """All upright values of a point: the figure, and its spread where there is one."""
    return point[1:]


def across(points):
    """A function from x to a place: logarithmic between the least and the greatest x of all curves."""
    values = sorted({point[0] for point in points})
    if values and values[0] <= 0:
        raise ValueError(f"{values[0]} has no place on a logarithmic axis")
    low, high = (math.log10(values[0]), math.log10(values[-1])) if values else (0, 1)
    inner = EDGE - LEFT - 40
    return values, lambda x: LEFT + 20 + (inner * (math.log10(x) - low) / (high - low) if high > low else inner / 2)


def upright(points, logarithmic):
    """The lines of the upright axis, and a function from y to a place."""
    values = [value for point in points for value in reach(point)]
    height = HEIGHT - TOP - BOTTOM
    if logarithmic:
        above = [value for value in values if value > 0]
        lines = decades(min(above), max(above)) if above else [1.0, 10.0]
        low, high = math.log10(lines[0]), math.log10(lines[-1])
        # What is 0 or less lies on the lowest line.
        return lines, lambda y: HEIGHT - BOTTOM - height * (math.log10(max(y, lines[0])) - low) / (high - low)
    lines = steps(max(values, default=0))
    return lines, lambda y: HEIGHT - BOTTOM - height * max(0.0, y) / lines[-1]


def sparse(values, place):
    """The values that can be written below the axis without touching each other."""
    shown = []
    for value in values:
        if not shown or place(value) - place(shown[-1]) >= 9 + 6 * len(short(value)):
            shown.append(value)
    return shown


def marker(number, x, y, colour):
    """A point: circle, square, triangle or diamond."""
    shapes = [f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", f"M{x - 3.5:.1f} {y - 3.5:.1f}h7v7h-7z",
              f"M{x:.1f} {y - 5:.1f}l4.5 8h-9z", f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z"]
    return f'<path d="{shapes[number % len(shapes)]}" fill="{colour}"/>'


def drawn(number, curve, place, level):
    """One curve with its spreads, its markers and its line of the legend."""
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number // 2 % len(DASHES)]
    stroke = f'stroke="{colour}" stroke-width="2"' + (f' stroke-dasharray="{dash}"' if dash else "")
    spots = [(place(point[0]), level(point[1])) for point in curve.points]
    parts = [f'<path d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in spots)}" fill="none" {stroke}/>'] if len(spots) > 1 else []
    for point in curve.points:
        if len(point) == 4:
            x = place(point[0])
            parts.append(f'<path d="M{x:.1f} {level(point[2]):.1f}V{level(point[3]):.1f}" stroke="{colour}" opacity="0.5"/>')
    parts += [marker(number, x, y, colour) for x, y in spots]
    line, x = TOP + 10 + 20 * number, EDGE + 16
    return parts + [f'<path d="M{x} {line}h26" fill="none" {stroke}/>', marker(number, x + 13, line, colour),
                    f'<text x="{x + 33}" y="{line + 4}">{escape(curve.subject)}</text>']


def svg(chart):
    """The chart as an SVG document. Raises ValueError for an x that is not above 0."""
    points = [point for curve in chart.curves for point in curve.points]
    values, place = across(points)
    lines, level = upright(points, chart.logarithmic)
    centre = (LEFT + EDGE) / 2
    width = EDGE + 60 + 7 * max((len(curve.subject) for curve in chart.curves), default=0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="12">',
        f"<title>{escape(chart.title)}</title>", f'<rect width="{width}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{centre:.0f}" y="22" text-anchor="middle" font-size="14">{escape(chart.title)}</text>']
    for value in lines:
        parts.append(f'<path d="M{LEFT} {level(value):.1f}H{EDGE}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 8}" y="{level(value) + 4:.1f}" text-anchor="end">{short(value)}</text>')
    for value in sparse(values, place):
        parts.append(f'<path d="M{place(value):.1f} {HEIGHT - BOTTOM}v5" stroke="#666"/>'
                     f'<text x="{place(value):.1f}" y="{HEIGHT - BOTTOM + 19}" text-anchor="middle">{short(value)}</text>')
    parts.append(f'<text x="{centre:.0f}" y="{HEIGHT - 14}" text-anchor="middle">{escape(chart.across)}</text>'
                 f'<text transform="rotate(-90 18 {HEIGHT / 2:.0f})" x="18" y="{HEIGHT / 2:.0f}" text-anchor="middle">'
                 f"{escape(chart.upright)}</text>")
    for number, curve in enumerate(chart.curves):
        parts += drawn(number, curve, place, level)
    return "\n".join(parts + ["</svg>"]) + "\n"
