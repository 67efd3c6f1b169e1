# SPDX-License-Identifier: Apache-2.0
"""The same policy in each language: so many rules, the traffic's last."""
import re
import unittest

from peers import Traffic, rules

TRAFFIC = Traffic("198.18.0.0/16", "198.19.0.0/16", 5432)


class RulesTests(unittest.TestCase):
    def test_there_are_as_many_sources_as_asked_for_each_its_own_and_the_traffic_comes_last(self):
        for count in (1, 2, 1_000):
            found = rules.sources(count, TRAFFIC)
            self.assertEqual(len(found), count)
            self.assertEqual(len(set(found)), count)
            self.assertEqual(found[-1], TRAFFIC.sources)

    def test_no_rule_and_rules_that_would_meet_the_traffic_are_refused(self):
        for count, traffic in ((0, TRAFFIC), (10, Traffic("172.16.0.0/16", "198.19.0.0/16", 1))):
            with self.assertRaises(ValueError):
                rules.sources(count, traffic)

    def test_nft_asks_connections_first_and_then_each_rule_in_order(self):
        lines = [line.strip() for line in rules.nft(1_000, TRAFFIC).splitlines()]
        allowed = [line for line in lines if line.startswith("ip saddr")]
        self.assertEqual(len(allowed), 1_000)
        self.assertLess(lines.index("ct state established,related accept"), lines.index(allowed[0]))
        self.assertEqual(allowed[-1], "ip saddr 198.18.0.0/16 ip daddr 198.19.0.0/16 udp dport 5432 accept")
        self.assertTrue(any("policy drop" in line for line in lines))

    def test_openflow_has_every_rule_in_both_directions_and_the_first_is_asked_first(self):
        flows = rules.openflow(1_000, TRAFFIC).splitlines()
        new = [flow for flow in flows if "+new" in flow]
        self.assertEqual(len(new), 2_000)
        priorities = [int(re.search(r"priority=(\d+)", flow)[1]) for flow in new if "in_port=1" in flow]
        self.assertEqual(priorities, sorted(priorities, reverse=True))
        self.assertTrue(all(0 < priority < 65_000 for priority in priorities))
        self.assertIn("nw_src=198.18.0.0/16", new[-1])
        self.assertIn("table=1,priority=0,actions=drop", flows)

    def test_bulkhead_has_every_rule_once_in_policies_that_isolate_the_destinations(self):
        for count in (1, 250, 1_000):
            text = rules.bulkhead(count, TRAFFIC)
            self.assertEqual(text.count("action: allow"), count)
            self.assertEqual(text.count("kind: Policy"), -(-count // 100))
            self.assertEqual(text.count("isolates: {ingress: all}"), text.count("kind: Policy"))
            self.assertIn("from: {cidrs: [198.18.0.0/16]}, services: [udp/5432]", text.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
