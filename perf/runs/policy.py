# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf policy`."""
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
from chart import Chart, curves
from machine import build

CASES = ["verbs"]
SHAPES = ["labels", "cidrs"]
RULES = [10, 1_000, 10_000, 100_000]
COLUMNS = ["shape", "rules", "compile_s", "memory_mib", "image_mib", "first_packet_ns", "ratio", "owners_ns", "alone_ns", "alone_ratio",
           "p999_ns", "swept_ns", "matched_ns", "chosen_ns"]
# What an operator waits for an answer about ten thousand rules at most.
VERB_SECONDS = 2.0
VERB_RULES = [10_000]
VERB_COLUMNS = ["verb", "shape", "rules", "seconds", "cpu_s", "within_s", "proved"]


def timed(command, rounds):
    """The median seconds of a command by the clock and of processor time, and what it printed last. Its answer may be no."""
    walls, cpus = [], []
    for _ in range(rounds):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        said = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        walls.append(time.monotonic() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if said.returncode not in (0, 1) or not said.stdout:
            sys.exit(f"scripts/perf: {' '.join(map(str, command[1:3]))} could not be measured:\n{said.stderr}")
    return report.middle(walls, 3), report.middle(cpus, 3), said.stdout


def proved(verb, answer):
    """Whether what the verb answered is proved as a whole; an explanation is always the engine's own answer."""
    if verb == "lint":
        return all(finding["code"] != "not-proved" for finding in answer["findings"])
    return answer["complete"] if verb == "diff" else True


def verb_rows(options):
    """What `lint`, `diff` and `explain` take on files of each shape: the whole command, with reading and compiling."""
    writer, product = build("bulkhead-perf-policy"), build("bulkhead")
    found = []
    with tempfile.TemporaryDirectory(prefix="bulkhead-perf-") as folder:
        for shape in options.shape or SHAPES:
            for rules in VERB_RULES if options.rules == RULES else options.rules:
                old, new = Path(folder) / "old.yaml", Path(folder) / "new.yaml"
                for path, more in ((old, []), (new, ["--changed"])):
                    subprocess.run([writer, "--shape", shape, "--rules", str(rules), "--write", path, *more], check=True)
                ends = ["192.0.2.1", "10.0.0.1"] if shape == "cidrs" else ["estate/w1", "estate/w2"]
                asked = {"lint": ["--policies", old], "diff": [old, new], "explain": [*ends, "tcp/443", "--policies", old]}
                for verb, words in asked.items():
                    wall, cpu, said = timed([product, "policy", verb, *words, "--json"], min(options.pairs, 5))
                    found.append({"case": "verbs", "verb": verb, "shape": shape, "rules": rules, "seconds": wall, "cpu_s": cpu,
                                  "within_s": VERB_SECONDS, "proved": proved(verb, json.loads(said))})
                    if not options.json:
                        report.show(found, VERB_COLUMNS)
    return found


def rows(options):
    """The rows, one process each."""
    if options.case:
        return verb_rows(options)
    product = build("bulkhead-perf-policy")
    found = []
    for shape in options.shape or SHAPES:
        for rules in options.rules:
            command = [product, "--shape", shape, "--rules", str(rules), "--pairs", str(options.pairs)]
            measured = subprocess.run(command, capture_output=True, text=True)
            if measured.returncode != 0:
                sys.exit(f"scripts/perf: {shape} with {rules} rules could not be measured:\n{measured.stderr}")
            found.append(json.loads(measured.stdout))
            if not options.json:
                report.show(found, COLUMNS)
    return found


def write(folder, facts, found):
    """The rows as Markdown, and how compiling, memory and the first frame grow with the number of rules."""
    if found and found[0].get("case") == "verbs":
        report.write(folder, "policy-verbs", "Verbs of policy", facts, found, VERB_COLUMNS, [])
        return
    charts = [
        Chart("first", "The decision on a first frame", "rules", "ns a decision",
              curves(found, "shape", "rules", "first_packet_ns")),
        Chart("compile", "Compiling a set", "rules", "s of processor time", curves(found, "shape", "rules", "compile_s"), True),
        Chart("memory", "Memory of the process that compiles", "rules", "MiB", curves(found, "shape", "rules", "memory_mib"), True)]
    report.write(folder, "policy", "Policy", facts, found, COLUMNS, charts)
