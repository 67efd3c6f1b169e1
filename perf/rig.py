# SPDX-License-Identifier: Apache-2.0
"""The rig: an appliance between two ends, each in a network namespace of its own.

    source (198.18.0.0/16) eth0 ── p0 [appliance] p1 ── eth0 (198.19.0.0/16) sink

    with Rig("mine") as rig:
        rig.appliance.start([...])             # what is measured, between p0 and p1
        result = rig.measure(bulkhead, seconds=3, flows=10_000)

One queue in each direction, one veth a side, hardware addresses that are written down, no IP address and no stack in the way. The names
carry `bhr<pid>`; whatever ends the block, an exception or Ctrl-C included, ends the processes in the namespaces and removes them.

Two settings decide whether anything arrives: GRO is on at the ends of each wire, because what XDP redirects into a veth gets lost unless its
far end runs NAPI; checksums, segmentation and tags are never left to a veth.
"""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

BPFFS = Path("/sys/fs/bpf")
SOURCE_MAC, SINK_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
SOURCES, DESTINATIONS = "198.18.0.0/16", "198.19.0.0/16"
PORT = 5432


class Trouble(Exception):
    """Why something could not be measured."""


def run(*command, check=True):
    """Runs a command to its end and gives back what it printed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise Trouble(f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Process:
    """A process that runs beside, with its output in files; `end` asks it to end."""

    def __init__(self, command, folder, name, cpu=None):
        words = (["taskset", "-c", str(cpu)] if cpu is not None else []) + [str(word) for word in command]
        self.command, self.out, self.err = words, Path(folder) / f"{name}.out", Path(folder) / f"{name}.err"
        with open(self.out, "w") as out, open(self.err, "w") as err:
            environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}
            # A session of its own: Ctrl-C is ours alone to act on, and a scheduler that shares by session treats all alike.
            self.process = subprocess.Popen(
                words, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def wait_for(self, text, seconds=30):
        """Until it has printed this."""
        end = time.monotonic() + seconds
        while text not in self.out.read_text():
            if self.process.poll() is not None:
                raise Trouble(f"{' '.join(self.command)} ended: {self.err.read_text().strip()}")
            if time.monotonic() > end:
                raise Trouble(f"{' '.join(self.command)} did not say {text!r} within {seconds} s: {self.err.read_text().strip()}")
            time.sleep(0.01)

    def finish(self, seconds=60):
        """Waits for its own end; what it printed."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Trouble(f"{' '.join(self.command)} did not end within {seconds} s") from None
        if code != 0:
            raise Trouble(f"{' '.join(self.command)}: exit {code}: {self.err.read_text().strip()}")
        return self.out.read_text()

    def end(self, seconds=20):
        """Asks it to end, waits, and kills it when it does not; what it printed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.out.read_text()


class Namespace:
    """A network namespace that this process made."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        run("ip", "netns", "add", name)
        self.path = Path("/run/netns") / name
        self.inode = self.path.stat().st_ino
        # Its stack must put nothing of its own onto the wires.
        self.run("sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")

    def command(self, *words):
        """The command line that runs something inside. Not `ip netns exec`, which hides the BPF file system behind a fresh /sys."""
        return ["nsenter", f"--net={self.path}", *[str(word) for word in words]]

    def run(self, *words, check=True):
        return run(*self.command(*words), check=check)

    def start(self, words, name, cpu=None):
        """Starts something inside that runs beside."""
        pinned = ["taskset", "-c", str(cpu)] if cpu is not None else []
        return Process(self.command(*pinned, *words), self.folder, name)

    def pids(self):
        return sorted(int(pid) for pid in run("ip", "netns", "pids", self.name, check=False).split())

    def remove(self):
        """Ends every process inside, the oldest first (a keeper would start the others again), then removes it and its pins."""
        for _ in range(20):
            left = self.pids()
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not left:
                break
            time.sleep(0.05)
        run("ip", "netns", "del", self.name, check=False)
        shutil.rmtree(BPFFS / "bulkhead" / str(self.inode), ignore_errors=True)


class Rig:
    """Source, appliance and sink, for the length of a `with` block."""

    def __init__(self, name="perf", addresses=False):
        """`addresses` gives the ends one IPv4 address each, for what needs a stack: then no lab tool takes them without --force."""
        if os.geteuid() != 0:
            raise Trouble("network namespaces and BPF need root: run it with sudo")
        self.prefix, self.addresses = f"bhr{os.getpid()}-{name}-", addresses
        self.folder = Path(f"/run/bulkhead-{self.prefix[:-1]}")
        self.namespaces, self.processes = [], []

    def __enter__(self):
        # Ctrl-C is an exception already; a SIGTERM becomes one, so that the block is left in order.
        self.former = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.had_bpffs = os.path.ismount(BPFFS)
        try:
            # The processes without privilege read their configuration here.
            self.folder.mkdir(mode=0o755)
            if not self.had_bpffs:
                run("mount", "-t", "bpf", "bpf", BPFFS)
            self.source, self.appliance, self.sink = (self._namespace(name) for name in ("source", "appliance", "sink"))
            self._wire(self.source, SOURCE_MAC, "p0", "198.18.0.1/15")
            self._wire(self.sink, SINK_MAC, "p1", "198.19.0.1/15")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # A second Ctrl-C must not interrupt the cleaning.
        former = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for process in reversed(self.processes):
            process.end()
        for namespace in self.namespaces:
            namespace.remove()
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self.had_bpffs and os.path.ismount(BPFFS):
            run("umount", BPFFS, check=False)
        signal.signal(signal.SIGINT, former)
        signal.signal(signal.SIGTERM, self.former)

    def _namespace(self, name):
        made = Namespace(self.prefix + name, self.folder)
        self.namespaces.append(made)
        return made

    def _wire(self, end, mac, port, address):
        """A veth of one queue from an end's eth0 to a port of the appliance."""
        single = ["numrxqueues", "1", "numtxqueues", "1"]
        run("ip", "-n", end.name, "link", "add", "eth0", "address", mac, *single, "type", "veth",
            "peer", "name", port, "netns", self.appliance.name, *single)
        run("ip", "-n", end.name, "link", "set", "eth0", "up", "promisc", "on")
        run("ip", "-n", self.appliance.name, "link", "set", port, "up", "promisc", "on")
        # Behind `up`, else a veth does not notice.
        off = ["tx", "off", "tso", "off", "gso", "off", "rxvlan", "off", "txvlan", "off"]
        end.run("ethtool", "-K", "eth0", "gro", "on", *off, check=False)
        self.appliance.run("ethtool", "-K", port, "gro", "on", *off, check=False)
        if self.addresses:
            run("ip", "-n", end.name, "address", "add", address, "dev", "eth0")

    def start(self, where, words, name, cpu=None):
        """Starts something in a namespace that is ended with the rig at the latest."""
        process = where.start(words, name, cpu)
        self.processes.append(process)
        return process

    def end(self, process):
        """Ends what `start` started."""
        self.processes.remove(process)
        return process.end()

    def measure(self, bulkhead, seconds=3.0, skip=0.5, ages=False, **traffic):
        """Sends from source to sink through whatever stands between, and gives back {"sent": …, "sink": …} as `lab send` and `lab sink`
        print them. Frames that arrived in a second: ["sink"]["frames_per_second"]. The rate is that of `seconds`, from `skip` seconds
        after the first frame on. `traffic` is as for `sending`."""
        with self.sinking(bulkhead, "--skip", skip, "--duration", seconds, *(["--ages"] if ages else [])) as sink:
            sent = self.send(bulkhead, seconds=skip + seconds + 0.3, **traffic)
        return {"sent": sent, "sink": sink.report}

    def measure_loss(self, bulkhead, seconds=10.0, **traffic):
        """The same, but the sink counts until the sender is done, so that each frame is accounted for: adds "lost" and "loss", the
        share of the frames sent that did not arrive."""
        with self.sinking(bulkhead) as sink:
            sent = self.send(bulkhead, seconds=seconds, **traffic)
            time.sleep(0.3)
        lost = sent["frames"] - (sink.report["numbered"] - sink.report["duplicated"])
        return {"sent": sent, "sink": sink.report, "lost": lost, "loss": lost / max(1, sent["frames"])}

    @contextlib.contextmanager
    def sinking(self, bulkhead, *options):
        """A sink at its end, for the length of a block; behind it `report` is what it said."""
        sink = self.start(self.sink, [bulkhead, "lab", "sink", "eth0", "--json", *options], "sink")
        try:
            sink.wait_for("listening")
            yield sink
        finally:
            said = self.end(sink)
        sink.report = json.loads(said.splitlines()[-1])

    def sending(self, bulkhead, seconds, verb="send", flows=1, size=60, rate=None, new_share=0.0, sources=SOURCES,
                destinations=DESTINATIONS, more=()):
        """The command line that sends for so long from the source's end: `rate` in frames a second, None for as many as go."""
        return [bulkhead, "lab", verb, "eth0", "--json", "--to", SINK_MAC, "--source", sources, "--destination", destinations,
                "--port", PORT, "--flows", flows, "--size", size, "--new-share", new_share, "--duration", seconds,
                *(["--rate", rate] if rate else []), *more]

    def send(self, bulkhead, seconds, cpu=0, **traffic):
        """Sends for so long, by a generator that is pinned to `cpu`; what it says. `traffic` is as for `sending`."""
        sender = self.start(self.source, self.sending(bulkhead, seconds, **traffic), "send", cpu)
        try:
            return json.loads(sender.finish(seconds + 30))
        finally:
            self.end(sender)
