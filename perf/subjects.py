# SPDX-License-Identifier: Apache-2.0
"""What can stand between the rig's two ports: Bulkhead, the bare forwarder in C, the forwarder that judges, the kernel's bridge, the
bridge with nftables. Each is a context: it stands from the block's begin to its end, with `cpu_time()` for the CPU time of the thread
that forwards, in ns."""
import json
import os
import signal
import time
from pathlib import Path

import peers
from rig import PORT, Trouble, run

HOSTS = 254
# The blocks that the generator takes addresses from; each is one workload's.
SOURCE_BLOCK, DESTINATION_BLOCK = "198.18.0.0/24", "198.19.0.0/24"


def cpus():
    """Who runs where: (the generator's CPU, the CPUs of what is measured; its worker takes the last)."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[1:] or allowed


def thread_time(pid, name):
    """The CPU time of a process's thread of this name, in ns, as the scheduler counts it."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int((task / "schedstat").read_text().split()[0])
    raise Trouble(f"process {pid} has no thread {name}")


def documents(rules, shift=0):
    """Policies of so many rules and the workloads that they speak of: each web may open connections to each db by one service, and all
    other rules are about others, by ports that differ with `shift`."""
    text = []
    for number in range(1, HOSTS + 1):
        for app, block in (("web", "198.18.0"), ("db", "198.19.0")):
            text.append(f"""apiVersion: bulkhead/v1
kind: Workload
metadata: {{name: {app}-{number}, namespace: shop, labels: {{app: {app}}}}}
spec: {{addresses: [{block}.{number}]}}
""")
    text.append(f"""apiVersion: bulkhead/v1
kind: Policy
metadata: {{name: db, namespace: shop}}
spec:
  subject: {{selector: 'app == "db"'}}
  isolates: {{ingress: all}}
  rules:
    - {{action: allow, from: {{selector: 'app == "web"'}}, services: [udp/{PORT}, tcp/{PORT}]}}
""")
    text.append("""apiVersion: bulkhead/v1
kind: Policy
metadata: {name: web, namespace: shop}
spec:
  subject: {selector: 'app == "web"'}
  rules:
    - {action: allow, to: {selector: 'app == "db"'}, services: [any]}
""")
    others = [f"    - {{action: allow, from: {{selector: 'app == \"c{number % 10_000}\"'}}, services: [tcp/{1024 + (number + shift) % 3000}]}}"
              for number in range(rules - 2)]
    for first in range(0, len(others), 1000):
        text.append(f"""apiVersion: bulkhead/v1
kind: Policy
metadata: {{name: many-{first}, namespace: shop}}
spec:
  subject: {{selector: 'app == "db"'}}
  rules:
""" + "\n".join(others[first:first + 1000]) + "\n")
    return "---\n".join(text)


class Bulkhead:
    """The daemon as it is installed, with so many rules."""
    name = "bulkhead"

    def __init__(self, rig, binary, rules=1_000, capacity=1 << 17, verifies=True):
        self.rig, self.binary, self.rules, self.capacity = rig, binary, rules, capacity
        self.folder, self.verifies = rig.folder, verifies

    def write_policy(self, rules, shift=0):
        (self.folder / "policy.yaml").write_text(documents(rules, shift))

    def __enter__(self):
        self.write_policy(self.rules)
        (self.folder / "bulkhead.yaml").write_text(f"""pairs:
  - {{name: wire, ports: [p0, p1], fail: closed, on-stop: detach, xdp: native, copy: auto, poll: wait}}
policies: [{self.folder}/policy.yaml]
socket: {self.folder}/control.sock
state: {self.folder}/state
run: {self.folder}/run
flows: {{capacity: {self.capacity}}}
checksums: {{verify: {"true" if self.verifies else "false"}}}
""")
        command = ["taskset", "-c", ",".join(map(str, cpus()[1])), self.binary, "run", "--config", self.folder / "bulkhead.yaml"]
        self.process = self.rig.start(self.rig.appliance, command, "bulkhead")
        try:
            self.process.wait_for("ready", 60)
            self.data = self.find_data()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.rig.end(self.process)

    def find_data(self):
        """The number of the process whose threads forward."""
        for pid in self.rig.appliance.pids():
            if Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1:2] == [b"data"]:
                return pid
        raise Trouble("there is no data process")

    def cpu_time(self):
        return thread_time(self.data, "worker-0")

    def generation(self):
        """The number of the policy in force."""
        return json.loads(run(self.binary, "status", "--json", "--socket", self.folder / "control.sock"))["generation"]

    def change(self, rules, shift, seconds=60):
        """Puts another policy of so many rules in place; the seconds until it is in force."""
        self.write_policy(rules, shift + 1)
        before, begin = self.generation(), time.monotonic()
        self.process.process.send_signal(signal.SIGHUP)
        while self.generation() == before:
            if time.monotonic() - begin > seconds:
                raise Trouble(f"the new policy was not in force after {seconds} s: {self.process.err.read_text().strip()}")
            time.sleep(0.02)
        return time.monotonic() - begin


class Forwarder:
    """AF_XDP without a firewall: perf/forwarder."""
    name = "forwarder"
    mode = []

    def __init__(self, rig, binary, redirect):
        self.rig, self.binary, self.redirect = rig, binary, redirect

    def __enter__(self):
        command = [self.binary, *self.mode, self.redirect, "p0", "p1"]
        self.process = self.rig.start(self.rig.appliance, command, "forwarder", cpus()[1][-1])
        try:
            self.process.wait_for("ready", 20)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.rig.end(self.process)

    def cpu_time(self):
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0])


class JudgingForwarder(Forwarder):
    """The same with the reference pipeline between its rings (perf/reference): what a firewall's work costs in C."""
    name = "in C"
    mode = ["--judge"]


class KernelBridge:
    """The kernel's own bridge, without a rule, as `scripts/perf peers` sets it up."""
    name = "bridge"
    kind = peers.Bridge

    def __init__(self, rig):
        self.rig = rig

    def __enter__(self):
        traffic = peers.Traffic(SOURCE_BLOCK, DESTINATION_BLOCK, PORT, ("tcp", "udp"))
        generator, others = cpus()
        # The kernel works on the CPU of whoever sends.
        self.peer = self.kind(peers.Place(self.rig.appliance, ("p0", "p1"), self.rig.folder, others[-1], generator), traffic, 1)
        if self.peer.missing():
            raise Trouble(f"{self.name}: apt-get install {' '.join(self.peer.missing())}")
        try:
            self.peer.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.peer.stop()


class FilteringBridge(KernelBridge):
    """The bridge with nftables and connection tracking, as a transparent firewall is made of a kernel: the same service is open."""
    name = "bridge+nftables"
    kind = peers.BridgeFirewall
