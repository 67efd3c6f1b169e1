# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf peers`: Bulkhead and each peer in turn, round after round, each alone on the machine while it is measured.

A turn is: two ends and an appliance between them are made (perf/rig.py), the subject is started, its connections are opened in both
directions, then frames come as fast as the generator can, at each size. What arrives is counted; processor time is read at the
beginning and the end of the same seconds. Nothing of one turn is there in the next.
"""
import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass, field

import rig
from packages import install
from rig import Rig, Trouble

from . import STAND_INS, SUBJECTS, accounting, figures
from .peer import Place
from .rules import Traffic

# What frames do before they are measured.
WARM_UP = 1.0
# Frames a second at which connections are opened: less than any subject passes, so that few are left out.
OPENING_RATE = 100_000
ALL = [*SUBJECTS, *STAND_INS.values()]
NAMES = {peer.name for peer in ALL[1:]}
STATEFUL = {figures.AGAIN, *(peer.name for peer in ALL if peer.stateful)}
TITLES = {peer.name: peer.title for peer in ALL} | {
    figures.WIRE: "generator and sink alone", figures.AGAIN: "Bulkhead again"}


@dataclass
class Order:
    """What is to be measured, and on which CPUs: the generator on the first, the data path on the last, all else of an appliance on the
    one before."""
    binary: str
    sizes: list
    flows: int
    rules: int
    pairs: int
    seconds: float
    tell: object = print
    cpus: list = field(default_factory=lambda: sorted(os.sched_getaffinity(0)))

    @property
    def traffic(self):
        return Traffic(rig.SOURCES, rig.DESTINATIONS, rig.PORT)


def open_connections(lab, order):
    """Lets every connection be seen in both directions. Raises Trouble when most frames do not come back."""
    reflector = lab.start(lab.sink, [order.binary, "lab", "reflect", "eth0"], "reflect")
    reflector.wait_for("listening")
    # Twelve frames for each flow, taken at random: one in 160,000 is left out.
    frames = 12 * order.flows
    sending = lab.sending(order.binary, frames / OPENING_RATE + 5, verb="rtt", flows=order.flows, rate=OPENING_RATE,
                          more=["--frames", frames])
    sender = lab.start(lab.source, sending, "open", order.cpus[0])
    try:
        came_back = last_document(sender.finish())["numbered"]
    finally:
        lab.end(sender)
        lab.end(reflector)
    if came_back < frames / 2:
        raise Trouble(f"of {frames} frames {came_back} came back")


def last_document(text):
    """The JSON document on the last line of what a program printed."""
    try:
        return json.loads(text.splitlines()[-1])
    except (IndexError, ValueError):
        raise Trouble(f"a figure was expected, not {text[-200:]!r}") from None


def sample(lab, order, size, sink_at, processes):
    """One measurement at one size; the sink is at `sink_at`, a namespace and its port."""
    where, port = sink_at
    sink = lab.start(where, [order.binary, "lab", "sink", port, "--json", "--skip", WARM_UP, "--duration", order.seconds], "sink")
    sender = None
    try:
        sink.wait_for("listening")
        sending = lab.sending(order.binary, WARM_UP + order.seconds + 0.6, flows=order.flows, size=size)
        sender = lab.start(lab.source, sending, "send", order.cpus[0])
        # The sink begins to count when the first frames have come for so long.
        time.sleep(WARM_UP + 0.2)
        pids = [*processes(), sender.pid, sink.pid, *accounting.softirq_daemons()]
        before = accounting.read(pids)
        time.sleep(max(0.1, order.seconds - 0.2))
        use = accounting.between(before, accounting.read(pids))
        sent = last_document(sender.finish())["frames_per_second"]
        # A sink that no frame reaches waits for the first: then it is asked to end, and says so.
        time.sleep(0.1)
        arrived = last_document(lab.end(sink))["frames_per_second"]
        sink = None
        # What arrived was sent: the generator's rate is that of all its time, its first moments included.
        return figures.Sample(max(sent, arrived), arrived, use.busy, use.tasks)
    finally:
        for process in (sender, sink):
            if process:
                lab.end(process)


@contextlib.contextmanager
def no_pins_left():
    """Takes away the folder that libxdp, in Open vSwitch and testpmd, leaves in the BPF file system, if it was not there before."""
    folder = rig.BPFFS / "xdp"
    was_there = folder.exists()
    try:
        yield
    finally:
        if not was_there:
            # Somebody else may have pinned something in it meanwhile; then it stays.
            with contextlib.suppress(OSError):
                folder.rmdir()


def turn(subject, order):
    """One subject, once: ({size: Sample}, its facts)."""
    with Rig("peers") as lab, no_pins_left():
        if subject is None:
            return {size: sample(lab, order, size, (lab.appliance, "p0"), list) for size in order.sizes}, {}
        folder = lab.folder / "peer"
        folder.mkdir(mode=0o755)
        peer = subject(Place(lab.appliance, ("p0", "p1"), folder, *order.cpus[:-3:-1]), order.traffic, order.rules)
        try:
            peer.start()
            open_connections(lab, order)
            found = {size: sample(lab, order, size, (lab.sink, "eth0"), peer.cpu_processes) for size in order.sizes}
            return found, peer.facts()
        finally:
            peer.stop()


class Comparison:
    """Rounds of turns, and what came of them."""

    def __init__(self, order, subjects):
        self.order = order
        # The wire first, ours, the others, and ours again: what is noise.
        self.subjects = [(figures.WIRE, None), *[(peer.name, peer) for peer in subjects], (figures.AGAIN, SUBJECTS[0])]
        self.samples, self.facts, self.errors = {}, {}, {}

    def run(self):
        for number in range(self.order.pairs):
            for name, subject in list(self.subjects):
                self.take(number, name, subject)
        return self

    def take(self, number, name, subject):
        """One turn. What fails twice is left out from then on, and its stand-in takes its place if it has one."""
        for last in (False, True):
            try:
                found, facts = turn(subject, self.order)
                break
            except Trouble as trouble:
                self.order.tell(f"round {number + 1}: {name}: {trouble}")
                if last:
                    return self.give_up(number, name, subject, str(trouble))
        self.facts[name] = facts
        for size, each in found.items():
            self.samples.setdefault((name, size), {})[number] = each
            self.order.tell(f"round {number + 1}: {name}, {size} bytes: {each.arrived / 1e6:.4f} M frames/s of "
                            f"{each.sent / 1e6:.4f}, {each.cost(each.busy) or 0:.0f} ns of all cores a frame")

    def give_up(self, number, name, subject, complaint):
        self.errors[name] = complaint
        place = self.subjects.index((name, subject))
        del self.subjects[place]
        other = STAND_INS.get(subject)
        if other and number == 0:
            self.errors[name] += f"; see {other.name}"
            self.subjects.insert(place, (other.name, other))
            if other.missing():
                return self.give_up(number, other.name, other, absent(other))
            self.take(number, other.name, other)

    def rows(self):
        """All rows, in the order of sizes and subjects; a subject without figures has one row that says why."""
        order, found = self.order, []
        for size in order.sizes:
            for name in TITLES:
                if (name, size) in self.samples:
                    each = figures.row(name, size, self.samples[name, size], self.samples)
                    if name != figures.WIRE:
                        each["flows"] = order.flows
                    if name in STATEFUL:
                        each["rules"] = order.rules
                    found.append(each | self.facts[name] | ({"error": self.errors[name]} if name in self.errors else {}))
        return found + [{"subject": name, "error": text} for name, text in self.errors.items()
                        if not any(each["subject"] == name for each in found)]


def absent(peer):
    """Why a peer cannot be there."""
    return f"{' and '.join(peer.missing())} missing: apt-get install {' '.join(peer.missing())}, or --install"


def run(order, names, may_install):
    """The rows of `scripts/perf peers`: ours, and of the peers that are named, or all but the stand-ins."""
    chosen = [peer for peer in ALL if peer is SUBJECTS[0] or (peer.name in names if names else peer in SUBJECTS)]
    wanted = sorted({package for peer in chosen for package in peer.missing()})
    if wanted and may_install:
        trouble = install(wanted)
        if trouble:
            print(f"scripts/perf: {' '.join(wanted)} could not be installed: {trouble}", file=sys.stderr)
    SUBJECTS[0].binary = order.binary
    comparison = Comparison(order, [peer for peer in chosen if not peer.missing()])
    for peer in chosen:
        if peer.missing():
            comparison.errors[peer.name] = absent(peer)
    return comparison.run().rows()
