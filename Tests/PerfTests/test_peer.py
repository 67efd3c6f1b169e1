# SPDX-License-Identifier: Apache-2.0
"""A peer's processes: started apart, waited for with their own words, ended with all that stems from them."""
import os
import tempfile
import time
import unittest
from pathlib import Path

from peers import OpenVSwitch, Peer, Place, Testpmd
from rig import Trouble


class Outside:
    """In place of a namespace: commands run where the test runs."""

    def command(self, *words):
        return list(words)


def is_alive(pid):
    """Whether a process is there and not merely waiting to be noticed as dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class PeerTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bulkhead-peer-")
        self.addCleanup(folder.cleanup)
        self.peer = Peer(Place(Outside(), ("p0", "p1"), Path(folder.name), 1, 0), None, 10)
        self.addCleanup(self.peer.stop)

    def started(self, script):
        process = self.peer.spawn("log", "sh", "-c", script)
        self.peer.wait("sh", lambda: "up" in self.peer.said("log"), "log")
        return process

    def test_what_a_process_started_is_its_time_and_ends_with_it(self):
        process = self.started("sleep 60 & echo up; wait")
        family = self.peer.cpu_processes()
        self.assertEqual(family[0], process.pid)
        self.assertEqual(len(family), 2)
        self.peer.stop()
        self.assertEqual([pid for pid in family if is_alive(pid)], [])
        self.assertEqual(self.peer.cpu_processes(), [])

    def test_a_process_that_does_not_listen_is_killed(self):
        import peers.peer as peer
        process = self.started("trap '' TERM; echo up; while :; do sleep 1; done")
        peer.end(process, seconds=0.2)
        self.assertFalse(is_alive(process.pid))

    def test_a_process_has_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(self):
        self.assertNotEqual(os.getsid(self.started("echo up; sleep 60").pid), os.getsid(0))

    def test_a_start_that_fails_says_what_the_process_said_last(self):
        self.peer.spawn("log", "sh", "-c", "echo starting; echo no such device; exit 1")
        with self.assertRaisesRegex(Trouble, "switch: ended: no such device"):
            self.peer.wait("switch", lambda: False, "log")

    def test_a_start_that_takes_too_long_is_given_up(self):
        self.started("echo up; sleep 60")
        began = time.monotonic()
        with self.assertRaisesRegex(Trouble, "not there after 0.2 s"):
            self.peer.wait("switch", lambda: False, "log", seconds=0.2)
        self.assertLess(time.monotonic() - began, 5)

    def test_input_stays_open(self):
        process = self.started("echo up; read line")
        time.sleep(0.1)
        self.assertIsNone(process.poll())

    def test_a_package_that_nobody_has_is_missing(self):
        class Strange(Peer):
            packages = ("bulkhead-no-such-package",)
        self.assertEqual(Strange.missing(), ["bulkhead-no-such-package"])
        self.assertEqual(Peer.missing(), [])

    def test_a_switch_talks_to_sockets_of_its_own_folder_only(self):
        folder = self.peer.place.folder
        switch = OpenVSwitch(self.peer.place, None, 1)
        self.assertEqual(set(switch.environment.values()), {str(folder)})

    def test_a_driver_that_is_not_installed_is_named_with_its_package(self):
        class Strange(Testpmd):
            driver = "net_no_such_driver"
        with self.assertRaisesRegex(Trouble, "librte_net_no_such_driver.so.*librte-net-af-xdp23"):
            Strange(self.peer.place, None, 1).library()


if __name__ == "__main__":
    unittest.main()
