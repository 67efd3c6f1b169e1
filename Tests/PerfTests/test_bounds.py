# SPDX-License-Identifier: Apache-2.0
"""Bounds: held or not, and whether the same work in C would have held them."""
import unittest

import bounds


def name(row):
    return row["case"]


class BoundsTests(unittest.TestCase):
    def test_a_figure_on_its_bound_holds_it(self):
        self.assertEqual(bounds.judged(0.97, least=0.97), {"bound": "at least 0.97", "held": "yes"})
        self.assertEqual(bounds.judged(1.1, most=1.1), {"bound": "at most 1.1", "held": "yes"})

    def test_what_c_misses_too_is_told_from_what_c_holds(self):
        self.assertEqual(bounds.judged(0.9, least=0.97)["held"], "no")
        self.assertEqual(bounds.judged(0.9, least=0.97, in_c=0.98)["held"], "no")
        self.assertEqual(bounds.judged(0.9, least=0.97, in_c=0.96)["held"], "no, nor in C")
        self.assertEqual(bounds.judged(1.2, most=1.1, in_c=1.15)["held"], "no, nor in C")

    def test_a_report_counts_the_runs_in_which_a_bound_was_held(self):
        rows = [{"case": "a", **bounds.judged(value, least=1, in_c=0.5)} for value in (1.0, 0.9, 1.1)] + [{"case": "no bound"}]
        self.assertEqual(bounds.sentences(rows, name),
                         ["a: at least 1, held in 2 of 3 runs; in 1 of them the same work in C misses it too."])

    def test_a_single_run_is_told_in_a_word(self):
        rows = [{"case": "a", **bounds.judged(2, most=1)}, {"case": "b", **bounds.judged(2, most=2)}]
        self.assertEqual(bounds.sentences(rows, name), ["a: at most 1, not held.", "b: at most 2, held."])


if __name__ == "__main__":
    unittest.main()
