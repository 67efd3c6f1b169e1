# SPDX-License-Identifier: Apache-2.0
"""Rounds of turns: everybody in each round, what fails is said and has a stand-in, and nothing is hidden."""
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import packages
from peers import Bridge, Bulkhead, OpenVSwitch, OpenVSwitchPacket, comparison
from peers.figures import Sample
from rig import Trouble


def order(pairs=2):
    return comparison.Order("bulkhead", [60, 1_514], 100, 10, pairs, 1.0, tell=lambda _: None)


class ComparisonTests(unittest.TestCase):
    def compared(self, failing=(), subjects=(Bulkhead, Bridge, OpenVSwitch), pairs=2, missing=()):
        """A comparison whose turns are played: those of `failing` fail, as often as it says. What took turns, and the rows."""
        turns, left = [], dict(failing)

        def turn(subject, order):
            turns.append(subject)
            if left.get(subject, 0) > 0:
                left[subject] -= 1
                raise Trouble("ovs-vswitchd: no AF_XDP here")
            return {size: Sample(2e6, 1e6, 1.0, 1.0) for size in order.sizes}, {"version": "1"}

        with mock.patch.object(comparison, "turn", turn), mock.patch.object(OpenVSwitchPacket, "missing", lambda: list(missing)):
            return turns, comparison.Comparison(order(pairs), subjects).run().rows()

    def test_everybody_takes_a_turn_in_each_round_and_ours_twice(self):
        turns, rows = self.compared()
        self.assertEqual(turns, 2 * [None, Bulkhead, Bridge, OpenVSwitch, Bulkhead])
        self.assertEqual([row["subject"] for row in rows], 2 * ["bulkhead", "bridge", "openvswitch", "wire", "a/a"])
        self.assertEqual({row["frame_bytes"] for row in rows}, {60, 1_514})

    def test_only_who_has_a_policy_has_rules(self):
        _, rows = self.compared()
        self.assertEqual({row["subject"] for row in rows if row.get("rules") == 10}, {"bulkhead", "a/a", "openvswitch"})

    def test_a_turn_that_fails_once_is_taken_again(self):
        turns, rows = self.compared(failing=[(OpenVSwitch, 1)])
        self.assertEqual(turns.count(OpenVSwitch), 3)
        self.assertFalse(any("error" in row for row in rows))

    def test_what_cannot_start_has_a_row_with_its_own_words_and_a_stand_in_in_its_place(self):
        turns, rows = self.compared(failing=[(OpenVSwitch, 99)])
        self.assertEqual(turns, [None, Bulkhead, Bridge, OpenVSwitch, OpenVSwitch, OpenVSwitchPacket, Bulkhead,
                                 None, Bulkhead, Bridge, OpenVSwitchPacket, Bulkhead])
        refused = [row for row in rows if row["subject"] == "openvswitch"]
        self.assertEqual(refused, [{"subject": "openvswitch", "error": "ovs-vswitchd: no AF_XDP here; see openvswitch-packet"}])

    def test_a_stand_in_that_is_not_installed_is_said_to_be_missing(self):
        turns, rows = self.compared(failing=[(OpenVSwitch, 99)], missing=["openvswitch-switch"])
        self.assertNotIn(OpenVSwitchPacket, turns)
        absent = next(row for row in rows if row["subject"] == "openvswitch-packet")
        self.assertIn("apt-get install openvswitch-switch", absent["error"])

    def test_a_subject_that_fails_later_keeps_its_figures_and_says_that_they_are_not_all(self):
        turns = []

        def turn(subject, order):
            turns.append(subject)
            if subject is Bridge and turns.count(Bridge) > 1:
                raise Trouble("gone")
            return {size: Sample(2e6, 1e6, 1.0, 1.0) for size in order.sizes}, {}

        with mock.patch.object(comparison, "turn", turn):
            rows = comparison.Comparison(order(3), (Bulkhead, Bridge)).run().rows()
        self.assertEqual(turns.count(Bridge), 3)
        kept = [row for row in rows if row["subject"] == "bridge"]
        self.assertEqual([(row["mpps"], row["error"]) for row in kept], 2 * [(1.0, "gone")])

    def test_a_program_that_prints_no_figure_is_trouble_and_not_a_crash(self):
        self.assertEqual(comparison.last_document('{"state": "listening"}\n{"frames": 1}\n'), {"frames": 1})
        for text in ("", "listening\n", "{"):
            with self.assertRaises(Trouble):
                comparison.last_document(text)

    def test_a_peer_that_is_not_installed_is_left_out_with_a_message(self):
        with mock.patch.object(comparison, "turn", lambda subject, order: ({60: Sample(1.0, 1.0, 1.0, 1.0)}, {})), \
                mock.patch.object(Bridge, "missing", lambda: ["bridge-package"]):
            rows = comparison.run(order(1), ["bridge"], False)
        self.assertEqual([row["error"] for row in rows if row["subject"] == "bridge"],
                         ["bridge-package missing: apt-get install bridge-package, or --install"])


class PinTests(unittest.TestCase):
    def left(self, before, during):
        """Whether the folder of pins is there behind a turn."""
        with tempfile.TemporaryDirectory(prefix="bulkhead-pins-") as folder, \
                mock.patch.object(comparison.rig, "BPFFS", Path(folder)):
            pins = Path(folder) / "xdp"
            if before:
                pins.mkdir()
            with comparison.no_pins_left():
                for name in during:
                    (pins / name).mkdir(parents=True)
            return pins.exists()

    def test_a_folder_that_a_peer_left_goes_and_one_that_was_there_or_is_used_stays(self):
        self.assertFalse(self.left(False, [""]))
        self.assertFalse(self.left(False, []))
        self.assertTrue(self.left(True, []))
        self.assertTrue(self.left(False, ["pinned"]))


class PackagesTests(unittest.TestCase):
    def installed(self, before):
        """What stood in the way of services while packages were installed, and what stands there behind it."""
        seen = []
        with tempfile.TemporaryDirectory(prefix="bulkhead-packages-") as folder:
            policy = Path(folder) / "policy-rc.d"
            if before:
                policy.write_text(before)

            def run(command, **_):
                seen.append(policy.read_text())
                return subprocess.CompletedProcess(command, 0, "", "")

            with mock.patch.object(packages, "POLICY", policy), mock.patch.object(packages.subprocess, "run", run):
                self.assertIsNone(packages.install(["one"]))
            return seen, policy.read_text() if policy.exists() else None

    def test_no_service_starts_while_a_peer_is_installed_and_nothing_stays(self):
        self.assertEqual(self.installed(None), (["#!/bin/sh\nexit 101\n"], None))

    def test_a_machine_that_has_its_own_rule_keeps_it(self):
        self.assertEqual(self.installed("exit 0\n"), (["exit 0\n"], "exit 0\n"))


if __name__ == "__main__":
    unittest.main()
