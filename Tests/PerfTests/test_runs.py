# SPDX-License-Identifier: Apache-2.0
"""Each comparison's report: it is written from rows as they are measured, with the curves that it promises."""
import tempfile
import unittest
from pathlib import Path

from runs import inline, latency, peers, pipeline, policy

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

    def test_pipeline_tells_what_being_observed_costs(self):
        rows = [{**ESTABLISHED, "case": "observed", "family": "IPv4", "flows": flows, "difference_ns": 1.25, "uncaptured_ns": 50.5,
                 "uncaptured_difference_ns": 0.5, "budget_ns": 2.0, "records": 7} for flows in pipeline.OBSERVED]
        _, text = self.written(pipeline, rows)
        self.assertIn("difference_ns | uncaptured_ns | uncaptured_difference_ns | budget_ns | records |", text)
        self.assertIn("| 1.25 | 50.5 | 0.5 | 2.0 | 7 |", text)

    def test_observed_is_measured_at_each_of_its_numbers_of_flows(self):
        options = type("Options", (), {"flows": [1_000]})
        self.assertEqual([case[2] for case in pipeline.cases(options, None) if case[0] == "observed"], pipeline.OBSERVED)

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

    def test_inline_draws_both_sides_and_not_ours_again(self):
        rows = [{"subject": subject, "frame_bytes": size, "bulkhead_mpps": 0.24, "reference_mpps": 0.25, "ratio": 0.96,
                 "ratio_interval": [0.95, 0.97]} for subject in ("bulkhead", "a/a") for size in inline.SIZES]
        names, text = self.written(inline, rows)
        self.assertEqual(names, ["inline.md", "inline.svg"])
        self.assertEqual(text.count(">bare forwarder in C<"), 1)
        self.assertIn("0.95 to 0.97", text)

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
