# SPDX-License-Identifier: Apache-2.0
"""The policy that every stateful appliance gets, in each one's language: so many rules, of which the last is the traffic's.

All others name sources that do not occur, one each, towards the same destinations and port: an appliance cannot leave them out of
its work because of where frames go. What belongs to a known connection passes; what no rule allows is dropped.
"""
import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True)
class Traffic:
    """What the generator sends: from a block of addresses to another, to one port of each protocol."""
    sources: str
    destinations: str
    port: int
    protocols: tuple = ("udp",)


def sources(count, traffic):
    """The source block of each rule: the traffic's own last."""
    others = ipaddress.ip_network("172.16.0.0/12")
    if count < 1 or count > others.num_addresses or others.overlaps(ipaddress.ip_network(traffic.sources)):
        raise ValueError(f"{count} rules for {traffic.sources} cannot be made")
    return [f"{others[number]}" for number in range(count - 1)] + [traffic.sources]


def nft(count, traffic):
    """For nft: a table whose forward chain tracks connections."""
    lines = [f"    ip saddr {source} ip daddr {traffic.destinations} {protocol} dport {traffic.port} accept"
             for source in sources(count, traffic) for protocol in traffic.protocols]
    return "\n".join(["table ip peers {", "  chain forward {", "    type filter hook forward priority filter; policy drop;",
                      "    ct state established,related accept", *lines, "  }", "}", ""])


def openflow(count, traffic):
    """For ovs-ofctl: what enters one port leaves by the other, if connection tracking and the rules let it."""
    lines = ["table=0,priority=0,actions=drop", "table=1,priority=0,actions=drop",
             "table=0,priority=100,ip,ct_state=-trk,actions=ct(table=1)"]
    for here, there in ((1, 2), (2, 1)):
        lines.append(f"table=0,priority=200,arp,in_port={here},actions=output:{there}")
        lines.append(f"table=1,priority=65000,ip,ct_state=+trk+est-inv,in_port={here},actions=output:{there}")
        lines.append(f"table=1,priority=65000,ip,ct_state=+trk+rel-inv,in_port={here},actions=output:{there}")
    # The first rule is asked first, as in the other languages.
    for number, source in enumerate(sources(count, traffic)):
        match = f"udp,ct_state=+trk+new,nw_src={source},nw_dst={traffic.destinations},tp_dst={traffic.port}"
        lines += [f"table=1,priority={60_000 - number},{match},in_port={here},actions=ct(commit),output:{there}"
                  for here, there in ((1, 2), (2, 1))]
    return "\n".join(lines) + "\n"


def bulkhead(count, traffic):
    """For Bulkhead: the destinations are a workload, and policies of a hundred rules each isolate it."""
    documents = ["\n".join([
        "apiVersion: bulkhead/v1", "kind: Workload", "metadata: {name: servers, labels: {app: servers}}",
        f"spec: {{addresses: [{traffic.destinations}]}}"])]
    named = sources(count, traffic)
    for start in range(0, count, 100):
        number = start // 100 + 1
        documents.append("\n".join([
            "apiVersion: bulkhead/v1", "kind: Policy", f"metadata: {{name: list-{number}}}", "spec:", f"  order: {number}",
            "  subject: {selector: 'app == \"servers\"'}", "  isolates: {ingress: all}", "  rules:",
            *[f"    - {{action: allow, from: {{cidrs: [{source}]}}, services: [udp/{traffic.port}]}}"
              for source in named[start:start + 100]]]))
    return "\n---\n".join(documents) + "\n"
