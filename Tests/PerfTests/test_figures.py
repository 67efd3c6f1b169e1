# SPDX-License-Identifier: Apache-2.0
"""From samples to rows and sentences: round by round, and honest about who wins."""
import unittest

from peers import accounting, figures
from peers.figures import Sample

TITLES = {"bulkhead": "Bulkhead", "bridge": "The bridge", "a/a": "Bulkhead again", "wire": "wire"}


def samples(**rates):
    """{(subject, 60): {round: Sample}}: each subject keeps one processor busy and gets half of what is sent."""
    return {(name, 60): {number: Sample(2e6 * rate, 1e6 * rate, 1.0, 0.9) for number, rate in enumerate(found) if rate}
            for name, found in rates.items()}


class FiguresTests(unittest.TestCase):
    def test_a_ratio_is_the_median_of_rounds_and_not_of_all(self):
        every = samples(bulkhead=[1.0, 2.0, 4.0], bridge=[2.0, 4.0, 2.0])
        row = figures.row("bridge", 60, every["bridge", 60], every)
        self.assertEqual((row["ratio"], row["ratio_spread"]), (0.5, [0.5, 2.0]))
        self.assertEqual((row["mpps"], row["mpps_spread"], row["sent_mpps"]), (2.0, [2.0, 4.0], 4.0))

    def test_a_round_that_one_side_lacks_is_left_out(self):
        every = samples(bulkhead=[1.0, None, 4.0], bridge=[2.0, 1.0, None])
        self.assertEqual(figures.row("bridge", 60, every["bridge", 60], every)["ratio_spread"], [0.5, 0.5])

    def test_a_frame_costs_the_time_of_all_cores_over_the_frames_that_arrived(self):
        every = samples(bulkhead=[0.5])
        row = figures.row("bulkhead", 60, every["bulkhead", 60], every)
        self.assertEqual((row["cpu_ns_per_frame"], row["task_ns_per_frame"]), (2_000, 1_800))
        self.assertNotIn("ratio", row)

    def test_generator_and_sink_are_taken_off_for_each_frame_sent(self):
        # On the wire a frame that arrived cost 100 ns; Bulkhead got 1 of 4 M frames: 0.4 processors of its 2 are not its own.
        every = {("wire", 60): {0: Sample(1e7, 1e7, 1.0, 1.0)}, ("bulkhead", 60): {0: Sample(4e6, 1e6, 2.0, 2.0)}}
        self.assertEqual(figures.row("bulkhead", 60, every["bulkhead", 60], every)["own_ns_per_frame"], 1_600)
        self.assertNotIn("own_ns_per_frame", figures.row("wire", 60, every["wire", 60], every))

    def test_nothing_that_arrived_has_no_cost_and_no_ratio(self):
        every = {("bulkhead", 60): {0: Sample(1e6, 1e6, 1.0, 1.0)}, ("bridge", 60): {0: Sample(1e6, 0.0, 1.0, 1.0)}}
        row = figures.row("bridge", 60, every["bridge", 60], every)
        self.assertEqual(row["mpps"], 0)
        self.assertFalse({"ratio", "cpu_ns_per_frame"} & set(row))
        self.assertEqual(figures.sentences([row], TITLES), [])

    def test_sentences_say_who_wins_and_where_that_cannot_be_told(self):
        for rates, verdict in (([2.0, 2.1], "wins"), ([0.5, 0.6], "loses"), ([0.9, 1.1], "is not told apart")):
            every = samples(bulkhead=[1.0, 1.0], bridge=rates)
            rows = [figures.row(name, 60, every[name, 60], every) for name in ("bulkhead", "bridge")]
            said = figures.sentences(rows, TITLES)
            self.assertEqual(len(said), 1)
            self.assertIn(f"The bridge, 60 bytes: {verdict} by rate", said[0])

    def test_what_is_within_the_noise_of_ours_against_ours_is_no_win(self):
        for again, verdict in (([1.0, 1.05], "wins"), ([1.0, 3.0], "is not told apart")):
            every = samples(bulkhead=[1.0, 1.0], bridge=[2.0, 2.1]) | {("a/a", 60): samples(again=again)["again", 60]}
            rows = [figures.row(name, 60, every[name, 60], every) for name in ("bulkhead", "bridge", "a/a")]
            self.assertIn(verdict, figures.sentences(rows, TITLES)[0])

    def test_a_win_is_told_in_times_of_ours(self):
        every = samples(bulkhead=[1.0], bridge=[4.0])
        every["wire", 60] = {0: Sample(1e8, 1e8, 1.0, 1.0)}
        rows = [figures.row(name, 60, every[name, 60], every) for name in ("bulkhead", "bridge")]
        self.assertEqual([row["own_ns_per_frame"] for row in rows], [880, 205])
        self.assertEqual(figures.sentences(rows, TITLES), [
            "The bridge, 60 bytes: wins by rate, 4.00 times Bulkhead's frames a second (4.00 to 4.00); 0.23 times its own "
            "processor time for each frame."])

    def test_work_of_others_makes_figures_doubtful(self):
        quiet, loud, louder = ({"subject": "bridge", "frame_bytes": 60, "cpu_ns_per_frame": all_cores, "task_ns_per_frame": 1_000}
                               for all_cores in (1_050, 1_200, 1_300))
        self.assertEqual(figures.doubts([quiet, {"subject": "none", "error": "missing"}]), [])
        self.assertIn("during 2 of 3 rows", figures.doubts([loud, quiet, louder])[0])
        self.assertIn("1.30 times", figures.doubts([loud, quiet, louder])[0])

    def test_curves_have_one_line_for_each_subject_but_not_for_ours_again(self):
        rows = [{"subject": name, "frame_bytes": size, "mpps": 1.0, "mpps_spread": [1.0, 1.0], "cpu_ns_per_frame": 5}
                for name in TITLES for size in (60, 1_514)]
        rate, cost = figures.charts(rows + [{"subject": "bridge", "error": "gone"}], TITLES)
        self.assertEqual([curve.subject for curve in rate.curves], ["Bulkhead", "The bridge"])
        self.assertEqual([curve.subject for curve in cost.curves], ["Bulkhead", "The bridge", "wire"])


class AccountingTests(unittest.TestCase):
    def test_idle_and_waiting_are_not_work_and_stolen_time_is_nobodys(self):
        stat = "cpu  10 1 20 1000 500 3 6 99 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
        self.assertEqual(accounting.parse_busy(stat, 4), 4 * (10 + 1 + 20 + 3 + 6))
        with self.assertRaises(ValueError):
            accounting.parse_busy("intr 1 2 3", 4)

    def test_a_task_that_came_counts_from_its_start_and_one_that_went_does_not_count_backwards(self):
        first = accounting.Reading(0, 0, {"1": 500, "2": 900})
        last = accounting.Reading(1_000, 1_500, {"1": 700, "3": 100})
        use = accounting.between(first, last)
        self.assertEqual((use.busy, use.tasks), (1.5, 0.3))
        with self.assertRaises(ValueError):
            accounting.between(last, first)

    def test_a_process_that_works_is_seen_to_work(self):
        import os
        import time
        before = accounting.read([os.getpid()])
        until = time.thread_time_ns() + 50_000_000
        while time.thread_time_ns() < until:
            pass
        use = accounting.between(before, accounting.read([os.getpid(), 0x7fffffff]))
        self.assertGreater(use.tasks, 0)
        self.assertLess(use.tasks, 1.5)


if __name__ == "__main__":
    unittest.main()
