# SPDX-License-Identifier: Apache-2.0
"""The report: machine, pictures, rows and remarks, each where a reader looks for it."""
import tempfile
import unittest
from pathlib import Path

import machine
import report
from chart import Chart, Curve


class ReportTests(unittest.TestCase):
    def written(self, rows, columns, charts=(), remarks=()):
        with tempfile.TemporaryDirectory(prefix="bulkhead-report-") as folder:
            new = Path(folder) / "new"
            report.write(new, "peers", "Peers", {"cpu": "some", "frame_bytes": [60, 1514]}, rows, columns, charts, remarks)
            return {file.name: file.read_text() for file in new.iterdir()}

    def test_the_machine_stands_before_the_rows(self):
        text = self.written([{"subject": "bridge", "mpps": 0.7}], ["subject", "mpps"])["peers.md"]
        self.assertLess(text.index("- cpu: some"), text.index("| bridge | 0.7 |"))
        self.assertIn("- frame_bytes: 60 to 1514", text)

    def test_each_chart_is_a_file_that_the_text_shows(self):
        charts = [Chart("peers", "First", "x", "y", [Curve("one", [(1, 1)])]), Chart("cpu", "Second", "x", "y")]
        files = self.written([], ["subject"], charts)
        self.assertEqual(sorted(files), ["peers-cpu.svg", "peers.md", "peers.svg"])
        self.assertIn("![First](peers.svg)", files["peers.md"])
        self.assertIn("![Second](peers-cpu.svg)", files["peers.md"])

    def test_a_row_that_lacks_a_value_has_an_empty_cell_and_a_column_that_all_lack_is_left_out(self):
        text = self.written([{"a": 1, "b": 2}, {"a": 3}], ["a", "b", "c"])["peers.md"]
        self.assertIn("| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 |  |\n", text)

    def test_values_cannot_break_the_table(self):
        text = self.written([{"error": "no such\ndevice | driver"}], ["error"])["peers.md"]
        self.assertIn("| no such device \\| driver |", text)

    def test_remarks_come_last(self):
        text = self.written([{"a": 1}], ["a"], remarks=["the bridge wins"])["peers.md"]
        self.assertTrue(text.endswith("| 1 |\n\n- the bridge wins\n"))

    def test_the_machine_says_what_figures_need_beside_them(self):
        facts = machine.machine(driver="veth")
        for name in ("cpu", "cpus", "kernel", "compiler", "commit", "load", "driver"):
            self.assertTrue(str(facts[name]))
        self.assertEqual(machine.first_line("false"), "unknown")
        self.assertEqual(machine.first_line("/no/such/command"), "unknown")


if __name__ == "__main__":
    unittest.main()
