# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf inline`: Bulkhead between two veth ports, in turn with the bare forwarder and with the same work in C."""
from pathlib import Path

import bounds
import progress
import report
from chart import Chart, curves
from machine import build, build_redirect
from rig import Rig
from subjects import Bulkhead, DESTINATION_BLOCK, Forwarder, JudgingForwarder, SOURCE_BLOCK, cpus

SIZES = [60, 1514]
RULES, FLOWS, NEW_SHARE = 1_000, 10_000, 0.05
LEAST = 0.97
COLUMNS = ["subject", "frame_bytes", "flows", "rules", "bulkhead_mpps", "reference_mpps", "ratio", "ratio_interval", "cpu_ns_per_frame",
           "reference_cpu_ns", "in_c_ratio", "in_c_interval", "unverified_ratio", "held"]
# Beside whom else than itself Bulkhead is put, and under which prefix the figures stand.
OTHERS = {"in C": "in_c", "unverified": "unverified"}


def traffic(size):
    """What the generator is asked for."""
    return {"flows": FLOWS, "size": size, "new_share": NEW_SHARE, "cpu": cpus()[0],
            "sources": SOURCE_BLOCK, "destinations": DESTINATION_BLOCK}


def busy_ticks():
    """Ticks of all CPUs that were not idle, from /proc/stat."""
    words = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(words) - words[3] - words[4]


def sides(rig):
    """Who can take a turn, by name: what makes each."""
    binary, forwarder, redirect = build("bulkhead"), build("bulkhead-perf-forwarder"), build_redirect(rig.folder)
    return binary, {
        "bulkhead": lambda: Bulkhead(rig, binary, RULES), "forwarder": lambda: Forwarder(rig, forwarder, redirect),
        "in C": lambda: JudgingForwarder(rig, forwarder, redirect), "again": lambda: Bulkhead(rig, binary, RULES),
        "unverified": lambda: Bulkhead(rig, binary, RULES, verifies=False)}


def one_run(rig, binary, subject, size, seconds):
    """One measurement of a subject that stands: M frames a second, CPU ns a frame of the worker's thread, busy ticks and frames."""
    thread, busy = subject.cpu_time(), busy_ticks()
    measured = rig.measure(binary, seconds=seconds, **traffic(size))
    thread, busy = subject.cpu_time() - thread, busy_ticks() - busy
    frames = max(1, measured["sink"]["frames"])
    return {"mpps": measured["sink"]["frames_per_second"] / 1e6, "cpu": thread / frames, "busy": busy, "frames": frames}


def ratios(ours, theirs):
    """Frames of the one over those of the other, pair by pair."""
    return [a["mpps"] / b["mpps"] for a, b in zip(ours, theirs)]


def row_of(subject, size, ours, theirs):
    """A row of pairs: ours beside theirs."""
    found = ratios(ours, theirs)
    machine = [1e7 * sum(run["busy"] for run in runs) / sum(run["frames"] for run in runs) for runs in (ours, theirs)]
    return {
        "subject": subject, "frame_bytes": size, "flows": FLOWS, "rules": RULES,
        "bulkhead_mpps": report.middle([run["mpps"] for run in ours]),
        "reference_mpps": report.middle([run["mpps"] for run in theirs]),
        "ratio": report.middle(found), "ratio_interval": report.interval(found), "pairs": len(found),
        "cpu_ns_per_frame": report.middle([run["cpu"] for run in ours], 1),
        "reference_cpu_ns": report.middle([run["cpu"] for run in theirs], 1),
        "machine_ns_per_frame": round(machine[0], 1), "reference_machine_ns": round(machine[1], 1),
    }


def beside(runs):
    """The columns of what else was measured in the same rounds: each one's frames over the bare forwarder's, its CPU time, and Bulkhead's
    frames over its own."""
    found = {}
    for name, prefix in OTHERS.items():
        over, under = ratios(runs[name], runs["forwarder"]), ratios(runs["bulkhead"], runs[name])
        found |= {
            f"{prefix}_mpps": report.middle([run["mpps"] for run in runs[name]]),
            f"{prefix}_ratio": report.middle(over), f"{prefix}_interval": report.interval(over),
            f"{prefix}_cpu_ns": report.middle([run["cpu"] for run in runs[name]], 1),
            f"bulkhead_to_{prefix}": report.middle(under), f"bulkhead_to_{prefix}_interval": report.interval(under)}
    return found


def rows(options):
    """Nine rounds, in each of which everybody is set up once and forwards frames of each size; the order turns with each round."""
    found, sizes = [], options.sizes or SIZES
    with Rig("inline") as rig:
        binary, subjects = sides(rig)
        names = list(subjects)
        runs = {size: {name: [] for name in names} for size in sizes}
        for number in range(options.pairs):
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                with subjects[name]() as subject:
                    for size in sizes:
                        runs[size][name].append(one_run(rig, binary, subject, size, options.seconds))
                        progress.tell(f"round {number + 1} of {options.pairs}: {name}, {size} bytes: "
                                      f"{runs[size][name][-1]['mpps']:.4f} M frames/s")
        for size in sizes:
            own = row_of("bulkhead", size, runs[size]["bulkhead"], runs[size]["forwarder"]) | beside(runs[size])
            own |= bounds.judged(own["ratio"], least=LEAST, in_c=own["in_c_ratio"])
            for row in (own, row_of("a/a", size, runs[size]["bulkhead"], runs[size]["again"])):
                found.append(row)
                if not options.json:
                    report.show(found, COLUMNS)
    return found


def title(row):
    """A row's name in a sentence."""
    return f"Bulkhead's frames over the bare forwarder's, {row['frame_bytes']} bytes"


def table(found):
    """The rows as people read them: a line for each that was put beside the bare forwarder, or beside Bulkhead itself."""
    lines = []
    for row in found:
        run = {"run": row["run"]} if "run" in row else {}
        own = {"subject": row["subject"], "frame_bytes": row["frame_bytes"], **run}
        lines.append({**own, "mpps": row["bulkhead_mpps"], "beside": "forwarder" if row["subject"] == "bulkhead" else "bulkhead",
                      "beside_mpps": row["reference_mpps"], "ratio": row["ratio"], "ratio_interval": row["ratio_interval"],
                      "cpu_ns": row["cpu_ns_per_frame"], "beside_cpu_ns": row["reference_cpu_ns"], "bound": row.get("bound"),
                      "held": row.get("held")})
        for name, prefix in OTHERS.items():
            if f"{prefix}_ratio" in row:
                lines.append({**own, "subject": name, "mpps": row[f"{prefix}_mpps"], "beside": "forwarder",
                              "beside_mpps": row["reference_mpps"], "ratio": row[f"{prefix}_ratio"],
                              "ratio_interval": row[f"{prefix}_interval"], "cpu_ns": row[f"{prefix}_cpu_ns"],
                              "beside_cpu_ns": row["reference_cpu_ns"]})
    return lines


def write(folder, facts, found):
    """The rows as Markdown, with a curve over the size of frames."""
    shown = [{"side": side, "frame_bytes": row["frame_bytes"], "mpps": row[key]}
             for row in found if row["subject"] == "bulkhead" and row.get("run", 1) == 1
             for side, key in (("Bulkhead", "bulkhead_mpps"), ("bare forwarder in C", "reference_mpps"),
                               ("the same work in C", "in_c_mpps"), ("Bulkhead, no checksums", "unverified_mpps"))
             if key in row]
    charts = [Chart("inline", "Frames through one queue", "bytes of a frame", "M frames a second",
                    curves(shown, "side", "frame_bytes", "mpps"))]
    fields = ["run", "subject", "frame_bytes", "mpps", "beside", "beside_mpps", "ratio", "ratio_interval", "cpu_ns", "beside_cpu_ns", "bound",
              "held"]
    report.write(folder, "inline", "Inline", facts, table(found), fields, charts, bounds.sentences(found, title))
