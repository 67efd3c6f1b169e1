# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf inline`: Bulkhead between two veth ports, in turn with the bare forwarder, and `scripts/perf sustained`."""
import time
from pathlib import Path

import report
from machine import build, build_redirect
from rig import Rig
from subjects import Bulkhead, DESTINATION_BLOCK, Forwarder, SOURCE_BLOCK, cpus

SIZES = [60, 1514]
RULES, FLOWS, NEW_SHARE = 1_000, 10_000, 0.05
COLUMNS = ["subject", "frame_bytes", "flows", "rules", "bulkhead_mpps", "reference_mpps", "ratio", "ratio_interval", "cpu_ns_per_frame",
           "reference_cpu_ns"]
SUSTAINED_COLUMNS = ["subject", "frame_bytes", "flows", "rules", "sustained_mpps", "loss_at_90", "loss_interval", "offered_mpps"]


def traffic(size):
    """What the generator is asked for."""
    return {"flows": FLOWS, "size": size, "new_share": NEW_SHARE, "cpu": cpus()[0],
            "sources": SOURCE_BLOCK, "destinations": DESTINATION_BLOCK}


def busy_ticks():
    """Ticks of all CPUs that were not idle, from /proc/stat."""
    words = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(words) - words[3] - words[4]


def one_run(rig, binary, subject, size, seconds):
    """One measurement: M frames a second, CPU ns a frame of the worker's thread, busy ticks and frames."""
    with subject:
        thread, busy = subject.cpu_time(), busy_ticks()
        measured = rig.measure(binary, seconds=seconds, **traffic(size))
        thread, busy = subject.cpu_time() - thread, busy_ticks() - busy
    frames = max(1, measured["sink"]["frames"])
    return {"mpps": measured["sink"]["frames_per_second"] / 1e6, "cpu": thread / frames, "busy": busy, "frames": frames}


def row_of(subject, size, ours, theirs):
    """A row of pairs: ours beside theirs."""
    ratios = [a["mpps"] / b["mpps"] for a, b in zip(ours, theirs)]
    machine = [1e7 * sum(run["busy"] for run in runs) / sum(run["frames"] for run in runs) for runs in (ours, theirs)]
    return {
        "subject": subject, "frame_bytes": size, "flows": FLOWS, "rules": RULES,
        "bulkhead_mpps": report.middle([run["mpps"] for run in ours]),
        "reference_mpps": report.middle([run["mpps"] for run in theirs]),
        "ratio": report.middle(ratios), "ratio_interval": report.interval(ratios), "pairs": len(ratios),
        "cpu_ns_per_frame": report.middle([run["cpu"] for run in ours], 1),
        "reference_cpu_ns": report.middle([run["cpu"] for run in theirs], 1),
        "machine_ns_per_frame": round(machine[0], 1), "reference_machine_ns": round(machine[1], 1),
    }


def rows(options):
    """Nine pairs a size, with Bulkhead against itself beside; the order within a round turns each time."""
    binary, forwarder = build("bulkhead"), build("bulkhead-perf-forwarder")
    found = []
    with Rig("inline") as rig:
        redirect = build_redirect(rig.folder)
        for size in options.sizes or SIZES:
            runs = {"bulkhead": [], "reference": [], "again": []}
            for number in range(options.pairs):
                order = ["bulkhead", "reference", "again"]
                for name in order[number % 3:] + order[:number % 3]:
                    subject = Forwarder(rig, forwarder, redirect) if name == "reference" else Bulkhead(rig, binary, RULES)
                    runs[name].append(one_run(rig, binary, subject, size, options.seconds))
            for subject, other in (("bulkhead", "reference"), ("a/a", "again")):
                found.append(row_of(subject, size, runs["bulkhead"], runs[other]))
                if not options.json:
                    report.show(found, COLUMNS)
    return found


def loss_at(rig, binary, rate, seconds, size):
    """The share of frames that do not arrive at so many a second; frames that the generator was too late for count as not offered."""
    measured = rig.measure_loss(binary, seconds=seconds, rate=int(rate), **traffic(size))
    offered = measured["sent"]["frames"] / seconds
    return max(0.0, measured["loss"]), offered


def sustained_rate(rig, binary, size, seconds, most=0.001):
    """The highest rate at which at most a thousandth is lost, to 2 %, in frames a second."""
    top = rig.measure(binary, seconds=2, **traffic(size))["sink"]["frames_per_second"]
    low, high, best = top * 0.3, top * 1.1, 0.0
    while high - low > 0.02 * top:
        rate = (low + high) / 2
        loss, offered = loss_at(rig, binary, rate, seconds, size)
        if loss <= most:
            low = rate
            # What was sent, where the generator could not keep the rate.
            best = max(best, min(rate, offered))
        else:
            high = rate
    return best or low


def sustained_rows(options):
    """Both sides' sustained rates, and the loss of both at 90 % of the lower one, in five pairs."""
    binary, forwarder = build("bulkhead"), build("bulkhead-perf-forwarder")
    found = []
    with Rig("sustained") as rig:
        redirect = build_redirect(rig.folder)
        sides = {"bulkhead": lambda: Bulkhead(rig, binary, RULES), "forwarder": lambda: Forwarder(rig, forwarder, redirect)}
        for size in options.sizes or SIZES:
            rates = {}
            for name, side in sides.items():
                with side():
                    time.sleep(0.2)
                    rates[name] = sustained_rate(rig, binary, size, options.trial)
            offered = 0.9 * min(rates.values())
            losses = {name: [] for name in sides}
            for number in range(5):
                for name in list(sides)[::1 if number % 2 == 0 else -1]:
                    with sides[name]():
                        losses[name].append(loss_at(rig, binary, offered, options.trial, size)[0])
            for name in sides:
                found.append({
                    "subject": name, "frame_bytes": size, "flows": FLOWS, "rules": RULES if name == "bulkhead" else 0,
                    "sustained_mpps": round(rates[name] / 1e6, 4), "loss_at_90": report.middle(losses[name], 6),
                    "loss_interval": report.interval(losses[name], 6), "offered_mpps": round(offered / 1e6, 4)})
                if not options.json:
                    report.show(found, SUSTAINED_COLUMNS)
    return found


def write(folder, facts, found):
    """The rows as Markdown."""
    fields = COLUMNS + ["machine_ns_per_frame", "reference_machine_ns", "pairs"]
    report.write(folder, "inline", "Inline", facts, found, fields)


def write_sustained(folder, facts, found):
    """The rows as Markdown."""
    report.write(folder, "sustained", "Sustained rate", facts, found, SUSTAINED_COLUMNS)
