# SPDX-License-Identifier: Apache-2.0
"""Each comparison's report: it is written from rows as they are measured, with the curves that it promises."""
import subprocess
import tempfile
import unittest
from pathlib import Path

from machine import ROOT
from runs import growth, inline, latency, peers, pipeline, policy, sustained

ESTABLISHED = {"case": "established", "ns_per_frame": 70.0, "reference_ns": 50.0, "ratio": 1.4, "ratio_spread": [1.3, 1.5]}
TRIP = {"case": "round trip", "p50_us": 10.0, "p99_us": 20.0, "p999_us": 90.0}


class RunsTests(unittest.TestCase):
    def written(self, run, rows):
        """The names of the files of a report, its text and its curves' names."""
        with tempfile.TemporaryDirectory(prefix="bulkhead-report-") as folder:
            run.write(Path(folder), {"cpu": "some"}, rows)
            files = {file.name: file.read_text() for file in Path(folder).iterdir()}
        return sorted(files), "".join(text for _, text in sorted(files.items()))

    def test_pipeline_draws_established_flows_of_both_families_and_sides(self):
        rows = [{**ESTABLISHED, "family": family, "flows": flows} for family in ("IPv4", "IPv6") for flows in pipeline.FLOWS]
        rows.append({"case": "first", "family": "IPv4", "flows": 1, "rules": 10, "ns_per_frame": 600})
        names, text = self.written(pipeline, rows)
        self.assertEqual(names, ["pipeline.md", "pipeline.svg"])
        for curve in ("IPv4, Bulkhead", "IPv4, C", "IPv6, Bulkhead", "IPv6, C"):
            self.assertIn(f">{curve}<", text)
        self.assertIn("| first | IPv4 | 1 | 10 | 600 |", text)

    def test_pipeline_says_how_either_side_grows_with_the_flows_of_its_family(self):
        few = {**ESTABLISHED, "family": "IPv4", "flows": 1_000}
        other = {**few, "family": "IPv6", "ns_per_frame": 90.0}
        many = {**few, "flows": 10_000_000, "ns_per_frame": 140.0, "reference_ns": 125.0}
        found = []
        for row in (few, other, many):
            found.append(pipeline.grown(row, found))
        self.assertEqual([(row["growth"], row["reference_growth"]) for row in found], [(1.0, 1.0), (1.0, 1.0), (2.0, 2.5)])
        first = {"case": "first", "family": "IPv4", "ns_per_frame": 600}
        self.assertEqual(pipeline.grown(first, found), first)

    def test_pipeline_tells_what_being_observed_costs(self):
        rows = [{**ESTABLISHED, "case": "observed", "family": "IPv4", "flows": flows, "difference_ns": 1.25, "uncaptured_ns": 50.5,
                 "uncaptured_difference_ns": 0.5, "budget_ns": 2.0, "records": 7} for flows in pipeline.OBSERVED]
        names, text = self.written(pipeline, rows)
        self.assertEqual(names, ["pipeline-observed.md"])
        self.assertIn("difference_ns | uncaptured_ns | uncaptured_difference_ns | budget_ns | records |", text)
        self.assertIn("| 1.25 | 50.5 | 0.5 | 2.0 | 7 |", text)

    def test_pipeline_holds_each_case_against_its_bound_and_denied_frames_against_C_too(self):
        denied = {"case": "denied", "family": "IPv4", "flows": 1_000, "ns_per_frame": 33.0, "ratio": 1.1, "bulkhead_to_in_c": 1.03}
        self.assertEqual(pipeline.judged({**denied, "in_c_ratio": 0.9})["held"], "no")
        beyond = pipeline.judged({**denied, "in_c_ratio": 1.08})
        self.assertEqual((beyond["bound"], beyond["held"]), ("at most 1", "no, nor in C"))
        self.assertEqual(pipeline.judged({**denied, "ratio": 0.95, "in_c_ratio": 1.08})["held"], "yes")
        observed = {**denied, "case": "observed"}
        self.assertEqual(pipeline.judged(observed), observed)
        many = pipeline.judged({"case": "first", "family": "IPv4", "flows": 1, "rules": 100_000, "ratio": 1.2})
        _, text = self.written(pipeline, [beyond, many])
        self.assertIn("denied, IPv4, 1,000 flows: at most 1, not held; the same work in C misses it too, of which Bulkhead has 1.03.", text)
        self.assertIn("first, IPv4, 1 flow, 100,000 rules: at most 1.5, held.", text)

    def test_observed_is_measured_at_each_of_its_numbers_of_flows(self):
        options = type("Options", (), {"flows": [1_000]})
        self.assertEqual([case[2] for case in pipeline.cases(options, None) if case[0] == "observed"], pipeline.OBSERVED)

    def test_pipeline_measures_what_its_readers_know_unless_it_is_asked_for_more(self):
        options = type("Options", (), {"flows": pipeline.FLOWS})
        known = {case[0] for case in pipeline.cases(options, "library")}
        self.assertEqual(known, {*pipeline.CASES, *pipeline.ON_REQUEST})
        self.assertEqual(set(pipeline.CASES), {"established", "rte_hash", "first", "unreadable", "denied", "flood"})

    def test_a_case_that_there_is_not_is_wrong_usage_and_measures_nothing(self):
        for words in (["pipeline", "--case", "typo"], ["latency", "--case", "verbs"], ["inline", "--case", "established"]):
            said = subprocess.run([ROOT / "scripts/perf", *words], capture_output=True, text=True)
            self.assertEqual((said.returncode, said.stdout), (2, ""), words)
            self.assertIn(f"{words[0]} has no case {words[2]}; its cases are: ", said.stderr)

    def test_policy_draws_what_grows_with_the_number_of_rules(self):
        rows = [{"shape": shape, "rules": rules, "compile_s": rules / 1e5, "memory_mib": 10.0, "first_packet_ns": 150.0}
                for shape in policy.SHAPES for rules in policy.RULES]
        names, text = self.written(policy, rows)
        self.assertEqual(names, ["policy-compile.svg", "policy-first.svg", "policy-memory.svg", "policy.md"])
        self.assertEqual(text.count(">100 k<"), 3)

    def test_verbs_are_told_without_curves(self):
        rows = [{"case": "verbs", "verb": verb, "shape": "labels", "rules": 10_000, "seconds": 1.2, "cpu_s": 1.1, "within_s": 2.0,
                 "proved": True} for verb in ("lint", "diff", "explain")]
        names, text = self.written(policy, rows)
        self.assertEqual(names, ["policy-verbs.md"])
        self.assertIn("| diff | labels | 10000 | 1.2 | 1.1 | 2.0 | True |", text)

    def test_verbs_are_proved_unless_they_say_otherwise(self):
        self.assertTrue(policy.proved("lint", {"findings": [{"code": "any-any"}]}))
        self.assertFalse(policy.proved("lint", {"findings": [{"code": "any-any"}, {"code": "not-proved"}]}))
        self.assertFalse(policy.proved("diff", {"complete": False, "equal": False}))
        self.assertTrue(policy.proved("explain", {"decision": "deny"}))

    def test_a_verb_is_timed_by_the_clock_and_by_the_processor(self):
        wall, cpu, said = policy.timed(["sh", "-c", "sleep 0.05; echo done; exit 1"], 3)
        self.assertEqual(said, "done\n")
        self.assertGreaterEqual(wall, 0.05)
        self.assertLess(cpu, wall)
        with self.assertRaises(SystemExit):
            policy.timed(["sh", "-c", "exit 2"], 1)

    def inline_rows(self, mpps):
        """The rows of one round at 60 bytes, by everybody's M frames a second."""
        runs = {name: [{"mpps": each, "cpu": 1000.0, "busy": 100, "frames": 10}] for name, each in mpps.items()}
        own = inline.row_of("bulkhead", 60, runs["bulkhead"], runs["forwarder"]) | inline.beside(runs)
        return [own | inline.bounds.judged(own["ratio"], least=inline.LEAST, in_c=own["in_c_ratio"]),
                inline.row_of("a/a", 60, runs["bulkhead"], runs["again"])]

    def test_inline_draws_all_sides_once_and_puts_each_beside_the_forwarder(self):
        rows = self.inline_rows({"bulkhead": 0.9, "forwarder": 1.0, "in C": 0.92, "again": 0.9, "unverified": 0.95})
        names, text = self.written(inline, rows)
        self.assertEqual(names, ["inline.md", "inline.svg"])
        for curve in ("Bulkhead", "bare forwarder in C", "the same work in C", "Bulkhead, no checksums"):
            self.assertEqual(text.count(f">{curve}<"), 1)
        self.assertIn("| in C | 60 | 0.92 | forwarder | 1.0 | 0.92 | 0.92 to 0.92 |", text)
        self.assertIn("| unverified | 60 | 0.95 | forwarder |", text)
        self.assertIn("not held; the same work in C misses it too", text)
        self.assertEqual(rows[0]["bulkhead_to_in_c"], 0.9783)

    def test_sustained_says_of_bulkhead_alone_whether_it_loses_as_little_as_the_forwarder(self):
        rates = {(60, name): 1e6 for name in sustained.NAMES}
        losses = {(60, "bulkhead"): [0.0003], (60, "forwarder"): [0.0001], (60, "in C"): [0.0001]}
        rows = [sustained.row_of(name, 60, rates, losses, 9e5) for name in sustained.NAMES]
        self.assertEqual([row.get("held") for row in rows], ["no", None, None])
        names, text = self.written(sustained, rows)
        self.assertEqual(names, ["sustained.md"])
        self.assertIn("- Loss at 90 %, 60 bytes: at most 0.0002, not held.", text)

    def test_the_search_for_a_sustained_rate_lets_a_long_trial_have_the_last_word(self):
        trials = []

        def lost(rate, is_long):
            trials.append(is_long)
            return (0.0 if rate <= (700_000 if is_long else 800_000) else 0.1), rate

        found = sustained.highest(1_000_000, lost)
        self.assertTrue(680_000 <= found <= 700_000, found)
        self.assertEqual(trials[-1], True)
        self.assertLess(len(trials), 14)
        self.assertEqual(sustained.highest(1_000_000, lambda *_: (1.0, 0.0)), 0.0)

    def test_growth_judges_each_row_by_its_flows_and_rules(self):
        row = {"family": "IPv4", "established_ns": 40.0, "first_ns": 400.0, "first_growth": 1.6, "established_growth": 2.1}
        held = {(flows, rules): growth.judged({**row, "flows": flows, "rules": rules}).get("held")
                for flows in (1_000, 1_000_000, 10_000_000) for rules in (10, 1_000)}
        self.assertEqual(held, {(1_000, 10): None, (1_000, 1_000): "no", (1_000_000, 10): "no", (1_000_000, 1_000): "no",
                                (10_000_000, 10): "yes", (10_000_000, 1_000): "no"})
        names, text = self.written(growth, [{**row, "flows": flows, "rules": 10} for flows in growth.FLOWS])
        self.assertEqual(names, ["growth-first.svg", "growth.md", "growth.svg"])
        self.assertIn(">IPv4, 10 rules<", text)
        self.assertIn(">IPv4, 10,000,000 flows<", text)
        rows = [{**row, "flows": flows, "rules": 10, **growth.judged({**row, "flows": flows, "rules": 10})} for flows in growth.FLOWS]
        self.assertEqual(growth.remarks(rows), ["IPv4: 1 of 2 cells hold their bounds; not 1,000,000 flows under 10 rules."])

    def test_a_change_is_held_where_no_frame_is_lost_and_none_is_a_millisecond_late(self):
        for lost, growth, held in ((0, 1_000.0, "yes"), (1, 0.0, "no"), (0, 1_000.1, "no")):
            self.assertEqual(latency.change_judged({"lost": lost, "p999_growth_us": growth})["held"], held)

    def test_latency_draws_round_trips_where_there_are_some(self):
        rows = [{**TRIP, "subject": subject, "load": load} for subject in ("bulkhead", "forwarder") for load in latency.SHARES]
        names, text = self.written(latency, rows)
        self.assertEqual(names, ["latency.md", "latency.svg"])
        self.assertIn(">forwarder, p999<", text)
        self.assertEqual(self.written(latency, [{"case": "connections", "subject": "bridge", "per_second": 9}])[0], ["latency.md"])

    def test_peers_says_who_wins_and_what_is_missing(self):
        rows = [{"subject": "bulkhead", "frame_bytes": 60, "mpps": 0.25, "mpps_spread": [0.2, 0.3]},
                {"subject": "bridge", "frame_bytes": 60, "mpps": 0.75, "mpps_spread": [0.7, 0.8], "ratio": 0.33,
                 "ratio_spread": [0.3, 0.4]},
                {"subject": "testpmd", "error": "dpdk-dev missing"}]
        names, text = self.written(peers, rows)
        self.assertEqual(names, ["peers-cpu.svg", "peers.md", "peers.svg"])
        self.assertIn("- Linux bridge, 60 bytes: wins by rate", text)
        self.assertIn("dpdk-dev missing", text)


if __name__ == "__main__":
    unittest.main()
