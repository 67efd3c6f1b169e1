# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf latency`: round trips through Bulkhead, the bare forwarder, the same work in C and the kernel's bridge, in turn; new
connections a second; a change of policy under load."""
import json
import subprocess
import sys
import time

import bounds
import progress
import report
from chart import Chart, curves
from machine import ROOT, build, build_redirect
from rig import PORT, Rig, Trouble
from runs.inline import RULES
from subjects import Bulkhead, DESTINATION_BLOCK, FilteringBridge, Forwarder, JudgingForwarder, KernelBridge, SOURCE_BLOCK, cpus

CASES = ["round-trip", "connections", "change"]
SHARES = [10, 50, 90]
FLOWS, SIZE = 1_000, 128
MANY_RULES = 100_000
UNDER_WAY = 256
# The load at which Bulkhead's p99 over the forwarder's has a bound, and the bound; what a change may add to p99.9 and to a turn, in µs.
JUDGED, MOST_OVER, MOST_GROWTH = 50, 1.1, 1_000
COLUMNS = ["case", "subject", "load", "offered_mpps", "p50_us", "p99_us", "p999_us", "p99_ratio", "p99_interval", "loss", "lost", "per_second",
           "change_ms", "bound", "held"]


def round_trips(rig, binary, rate, seconds):
    """One measurement of round trips at so many a second."""
    words = rig.sending(binary, seconds, verb="rtt", flows=FLOWS, size=SIZE, rate=int(rate), sources=SOURCE_BLOCK,
                        destinations=DESTINATION_BLOCK)
    sender = rig.start(rig.source, words, "rtt", cpus()[0])
    try:
        said = json.loads(sender.finish(seconds + 30))
    finally:
        rig.end(sender)
    sent, ages = said["sent"]["frames"], said["ages"]
    if not said["numbered"]:
        raise Trouble(f"of {sent} frames at {rate:.0f} a second none came back")
    return {**{key: ages[f"{key}_ns"] / 1e3 for key in ("p50", "p99", "p999", "max")},
            "loss": max(0.0, 1 - said["numbered"] / max(1, sent)), "offered": sent / seconds}


class Reflecting:
    """A reflector at the sink's end, for the length of a block."""

    def __init__(self, rig, binary):
        self.rig, self.binary = rig, binary

    def __enter__(self):
        self.process = self.rig.start(self.rig.sink, [self.binary, "lab", "reflect", "eth0", "--json"], "reflect")
        self.process.wait_for("listening")

    def __exit__(self, *_):
        self.rig.end(self.process)


def sustained_round_trips(rig, binary, seconds=2):
    """The highest rate of round trips of which a thousandth at most gets lost, to 3 %."""
    low, high = 0.0, 50_000.0
    while round_trips(rig, binary, high, seconds)["loss"] <= 0.001 and high < 4e6:
        low, high = high, high * 2
    while high - low > 0.03 * high:
        rate = (low + high) / 2
        found = round_trips(rig, binary, rate, seconds)
        if found["loss"] <= 0.001:
            low = rate
        else:
            high = rate
    return low


def trip_rows(rig, binary, sides, options):
    """Rows of round trips: Bulkhead's rate is found first, and all are measured at shares of it; in a round everybody is set up once."""
    with Bulkhead(rig, binary, RULES), Reflecting(rig, binary):
        most = sustained_round_trips(rig, binary)
    runs = {(name, share): [] for name in sides for share in SHARES}
    for number in range(options.rounds):
        names, turn = list(sides), number % len(sides)
        for name in names[turn:] + names[:turn]:
            with sides[name](), Reflecting(rig, binary):
                for share in SHARES:
                    round_trips(rig, binary, most * share / 100, 0.3)  # the first frames open flows, and find neighbours
                    found = round_trips(rig, binary, most * share / 100, options.seconds)
                    runs[name, share].append(found)
                    progress.tell(f"round {number + 1} of {options.rounds}: {name} at {share} %: p99 {found['p99']:.1f} us")
    for share in SHARES:
        over = {name: p99_ratios(runs[name, share], runs["forwarder", share]) for name in sides}
        for name in sides:
            row = {
                "case": "round trip", "subject": name, "load": share, "offered_mpps": round(most * share / 1e8, 4),
                **{f"{key}_us": report.middle([run[key] for run in runs[name, share]], 1) for key in ("p50", "p99", "p999")},
                "p99_ratio": report.middle(over[name], 3), "p99_interval": report.interval(over[name], 3),
                "loss": report.middle([run["loss"] for run in runs[name, share]], 6), "rounds": options.rounds}
            if name == "bulkhead" and share == JUDGED:
                row |= bounds.judged(row["p99_ratio"], most=MOST_OVER, in_c=report.middle(over["in C"], 3))
            yield row


def p99_ratios(ours, theirs):
    """One's p99 over the other's, round by round."""
    return [a["p99"] / b["p99"] for a, b in zip(ours, theirs)]


def connection_rows(binary, sides, options):
    """Rows of new connections a second: kernels at both ends, so that they, too, are in the figure."""
    tool = sides.pop("tool")
    runs = {name: [] for name in sides}
    with Rig("connections", addresses=True) as rig:
        for number in range(options.rounds):
            for name in list(sides)[::1 if number % 2 == 0 else -1]:
                with sides[name](rig):
                    progress.tell(f"round {number + 1} of {options.rounds}: connections, {name}")
                    server = rig.start(rig.sink, [tool, "serve", "198.19.0.1", PORT], "serve", cpus()[1][0])
                    try:
                        server.wait_for("listening")
                        client = rig.start(
                            rig.source, [tool, "open", "198.19.0.1", PORT, options.seconds, UNDER_WAY], "open", cpus()[0])
                        try:
                            runs[name].append(json.loads(client.finish(options.seconds + 30)))
                        finally:
                            rig.end(client)
                    finally:
                        rig.end(server)
    for name in sides:
        rates = [run["opened"] / run["seconds"] for run in runs[name]]
        base = [run["opened"] / run["seconds"] for run in runs["bridge+nftables"]]
        yield {
            "case": "connections", "subject": name, "load": UNDER_WAY, "per_second": report.middle(rates, 0),
            "p50_us": report.middle([run["p50_us"] for run in runs[name]], 0),
            "p99_us": report.middle([run["p99_us"] for run in runs[name]], 0),
            "rate_ratio": report.middle([a / b for a, b in zip(rates, base)], 3),
            "loss": report.middle([run["failed"] / max(1, run["opened"] + run["failed"]) for run in runs[name]], 6),
            "rounds": options.rounds}


def change_rows(rig, binary, options):
    """Rows of a change of policy in the middle of a stream at half the rate, beside the same stream without: a set of 100,000 rules takes
    the place of another one."""
    runs = {"still": [], "changed": []}
    with Bulkhead(rig, binary, MANY_RULES) as subject:
        most = rig.measure(binary, seconds=2, flows=FLOWS, size=SIZE, sources=SOURCE_BLOCK, destinations=DESTINATION_BLOCK,
                           cpu=cpus()[0])["sink"]["frames_per_second"]
        for number in range(options.rounds):
            for name in list(runs)[::1 if number % 2 == 0 else -1]:
                runs[name].append(one_stream(rig, binary, subject, most / 2, name == "changed", number))
                progress.tell(f"round {number + 1} of {options.rounds}: change, {name}: p99.9 {runs[name][-1]['p999']:.1f} us, "
                              f"{runs[name][-1]['lost']} lost")
    grown = [a["p999"] - b["p999"] for a, b in zip(runs["changed"], runs["still"])]
    for name, found in runs.items():
        row = {
            "case": "change", "subject": name, "load": 50, "offered_mpps": round(most / 2e6, 4), "rules": MANY_RULES,
            **{f"{key}_us": report.middle([run[key] for run in found], 1) for key in ("p50", "p99", "p999", "max")},
            "lost": sum(run["lost"] for run in found), "rounds": options.rounds}
        if name == "changed":
            row |= {"p999_growth_us": report.middle(grown, 1), "p999_growth_interval": report.interval(grown, 1),
                    "change_ms": report.middle([run["change_ms"] for run in found], 0)}
            row |= change_judged(row)
        yield row


def change_judged(row):
    """What a change of policy must come up to: no frame lost, and p99.9 no more than a millisecond later."""
    held = row["lost"] == 0 and row["p999_growth_us"] <= MOST_GROWTH
    return {"bound": f"0 lost, p99.9 at most {MOST_GROWTH} us later", "held": "yes" if held else "no"}


def one_stream(rig, binary, subject, rate, is_changed, number):
    """A stream of ten seconds, in whose middle the policy changes, or does not."""
    seconds = 10
    with rig.sinking(binary, "--ages") as sink:
        words = rig.sending(binary, seconds, flows=FLOWS, size=SIZE, rate=int(rate), sources=SOURCE_BLOCK,
                            destinations=DESTINATION_BLOCK)
        sender = rig.start(rig.source, words, "send", cpus()[0])
        try:
            took = 0.0
            if is_changed:
                time.sleep(2)
                took = subject.change(MANY_RULES, number)
            sent = json.loads(sender.finish(seconds + 60))
        finally:
            rig.end(sender)
        time.sleep(0.3)
    ages = sink.report["ages"]
    return {**{key: ages[f"{key}_ns"] / 1e3 for key in ("p50", "p99", "p999", "max")}, "change_ms": took * 1e3,
            "lost": sent["frames"] - sink.report["numbered"]}


def build_tool(folder):
    """The client and server of connections."""
    made = folder / "connections"
    built = subprocess.run(["clang", "-O2", "-o", made, ROOT / "perf/connections/connections.c"], capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(f"scripts/perf: perf/connections does not compile:\n{built.stderr}")
    return made


def rows(options):
    """All three kinds, as far as they are asked for."""
    binary, forwarder = build("bulkhead"), build("bulkhead-perf-forwarder")
    found = []

    def tell(rows):
        for row in rows:
            found.append(row)
            if not options.json:
                report.show(found, COLUMNS, 11)

    wanted = options.case or CASES
    with Rig("latency") as rig:
        redirect, tool = build_redirect(rig.folder), build_tool(rig.folder)
        sides = {"bulkhead": lambda: Bulkhead(rig, binary, RULES), "forwarder": lambda: Forwarder(rig, forwarder, redirect),
                 "in C": lambda: JudgingForwarder(rig, forwarder, redirect), "bridge": lambda: KernelBridge(rig)}
        if "round-trip" in wanted:
            tell(trip_rows(rig, binary, sides, options))
        if "change" in wanted:
            tell(change_rows(rig, binary, options))
        if "connections" in wanted:
            tell(connection_rows(binary, {
                "bulkhead": lambda other: Bulkhead(other, binary, RULES),
                "forwarder": lambda other: Forwarder(other, forwarder, redirect), "bridge+nftables": FilteringBridge,
                "bridge": KernelBridge, "tool": tool}, options))
    return found


def title(row):
    """A row's name in a sentence."""
    return "Bulkhead's p99 of round trips at 50 % over the bare forwarder's" if row["case"] == "round trip" else \
        f"A change of {MANY_RULES} rules under load"


def write(folder, facts, found):
    """The rows as Markdown, and round trips over load as a curve."""
    fields = ["run", *COLUMNS, "max_us", "rate_ratio", "p999_growth_us", "p999_growth_interval", "rounds"]
    trips = [{"line": f"{row['subject']}, {key[:-3]}", "load": row["load"], "us": row[key]}
             for row in found if row["case"] == "round trip" and row.get("run", 1) == 1 for key in ("p50_us", "p99_us", "p999_us")]
    charts = [Chart("latency", "Round trips over load", "% of Bulkhead's rate", "microseconds",
                    curves(trips, "line", "load", "us"), True)]
    report.write(folder, "latency", "Latency", facts, found, fields, charts if trips else [], bounds.sentences(found, title))
