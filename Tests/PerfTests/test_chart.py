# SPDX-License-Identifier: Apache-2.0
"""Curves: what is drawn lies where its numbers say."""
import re
import unittest
import xml.etree.ElementTree as tree

import chart
from chart import Chart, Curve

SVG = "{http://www.w3.org/2000/svg}"


def drawing(picture):
    """The parsed document; a document that is no XML fails here."""
    return tree.fromstring(chart.svg(picture))


def ways(document):
    """The places of each curve's points, in the order of the curves."""
    lines = [path.get("d") for path in document.iter(f"{SVG}path") if path.get("fill") == "none" and "L" in path.get("d")]
    return [[tuple(map(float, spot.split())) for spot in line[1:].split("L")] for line in lines]


class ChartTests(unittest.TestCase):
    def picture(self, *found, **more):
        return Chart("name", "Title", "flows", "ns", list(found), **more)

    def test_decades_lie_equally_far_apart(self):
        way = ways(drawing(self.picture(Curve("one", [(10, 5), (100, 5), (1_000, 5)]))))[0]
        self.assertAlmostEqual(way[1][0] - way[0][0], way[2][0] - way[1][0], delta=0.2)
        self.assertEqual(len({y for _, y in way}), 1)

    def test_the_greater_value_stands_higher_and_zero_is_the_lowest_line(self):
        way = ways(drawing(self.picture(Curve("one", [(1, 0), (2, 3), (3, 6)]))))[0]
        self.assertEqual(way[0][1], chart.HEIGHT - chart.BOTTOM)
        self.assertAlmostEqual(way[0][1] - way[1][1], way[1][1] - way[2][1], delta=0.2)

    def test_a_logarithmic_upright_axis_has_equal_decades_and_takes_zero_to_its_foot(self):
        way = ways(drawing(self.picture(Curve("one", [(1, 1), (2, 10), (3, 100), (4, 0)]), logarithmic=True)))[0]
        self.assertAlmostEqual(way[0][1] - way[1][1], way[1][1] - way[2][1], delta=0.2)
        self.assertEqual(way[3][1], chart.HEIGHT - chart.BOTTOM)

    def test_every_subject_has_a_curve_and_a_line_of_the_legend_of_its_own(self):
        names = [f"subject {number}" for number in range(8)]
        document = drawing(self.picture(*[Curve(name, [(1, 1), (2, 2)]) for name in names]))
        texts = [text.text for text in document.iter(f"{SVG}text")]
        self.assertEqual([text for text in texts if text in names], names)
        strokes = [(path.get("stroke"), path.get("stroke-dasharray")) for path in document.iter(f"{SVG}path")
                   if path.get("fill") == "none" and "L" in path.get("d")]
        self.assertEqual(len(set(strokes)), 8)

    def test_a_spread_is_drawn_and_is_inside_the_picture(self):
        document = drawing(self.picture(Curve("one", [(1, 50, 40, 180), (10, 50, 45, 55)])))
        lines = [path.get("d") for path in document.iter(f"{SVG}path") if path.get("opacity")]
        spreads = [re.fullmatch(r"M(\S+) (\S+)V(\S+)", line) for line in lines]
        self.assertEqual(len(spreads), 2)
        for spread in spreads:
            self.assertLess(float(spread[3]), float(spread[2]))
            self.assertGreaterEqual(float(spread[3]), chart.TOP)

    def test_the_picture_is_as_wide_as_its_longest_name_needs(self):
        narrow, wide = (float(drawing(self.picture(Curve("x" * length, [(1, 1)]))).get("width")) for length in (5, 50))
        self.assertGreaterEqual(wide - narrow, 45 * 6)

    def test_names_with_marks_of_xml_are_text(self):
        document = drawing(self.picture(Curve("bridge & <nft>", [(1, 1)])))
        self.assertIn("bridge & <nft>", [text.text for text in document.iter(f"{SVG}text")])

    def test_nothing_below_one_has_a_place_on_a_logarithmic_axis(self):
        for x in (0, -1):
            with self.assertRaises(ValueError):
                chart.svg(self.picture(Curve("one", [(x, 1)])))

    def test_no_curve_and_one_point_are_pictures_too(self):
        for found in ([], [Curve("one", [(60, 0.25)])], [Curve("none", [])]):
            self.assertEqual(drawing(self.picture(*found)).tag, f"{SVG}svg")

    def test_numbers_below_the_axis_do_not_touch(self):
        values = [1, 1.01, 10, 10_000_000]
        place = {1: 100, 1.01: 103, 10: 140, 10_000_000: 400}.get
        self.assertEqual(chart.sparse(values, place), [1, 10, 10_000_000])

    def test_axes_end_at_round_numbers(self):
        ends = {0.43: [0, 0.1, 0.2, 0.3, 0.4, 0.5], 158: [0, 50, 100, 150, 200], 7: [0, 2, 4, 6, 8], 0: [0, 1]}
        for top, expected in ends.items():
            self.assertEqual(chart.steps(top), expected)
        self.assertEqual(chart.decades(3, 150), [1, 10, 100, 1_000])
        self.assertEqual([chart.short(value) for value in (0.25, 60, 1_514, 100_000, 10_000_000)],
                         ["0.25", "60", "1,514", "100 k", "10 M"])

    def test_rows_become_curves_by_subject_in_the_order_of_x(self):
        rows = [{"who": "a", "n": 100, "ns": 2, "span": [1, 3]}, {"who": "b", "n": 10, "ns": 5}, {"who": "a", "n": 10, "ns": 0},
                {"who": "c", "n": 0, "ns": 1}, {"who": "d", "n": 10}]
        found = chart.curves(rows, "who", "n", "ns", "span")
        self.assertEqual(found, [Curve("a", [(10, 0), (100, 2, 1, 3)]), Curve("b", [(10, 5)])])


if __name__ == "__main__":
    unittest.main()
