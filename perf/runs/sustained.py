# SPDX-License-Identifier: Apache-2.0
"""`scripts/perf sustained`: the rate at which nearly nothing is lost, of Bulkhead, the bare forwarder and the same work in C."""
import time

import bounds
import progress
import report
from rig import Rig
from runs.inline import FLOWS, RULES, SIZES, sides, traffic

NAMES = ["bulkhead", "forwarder", "in C"]
ROUNDS = 5
# The share that may be lost, how near the search comes, and how much more than the forwarder may be lost at 90 %.
MOST_LOST, NEAR, MORE_LOST = 0.001, 0.02, 0.0001
# Seconds of a trial of the search; what it finds is tried for as long as the budget says.
SHORT = 2.0
COLUMNS = ["subject", "frame_bytes", "flows", "rules", "sustained_mpps", "ratio", "loss_at_90", "loss_interval", "offered_mpps", "bound",
           "held"]


def loss_at(rig, binary, rate, seconds, size):
    """The share of frames that do not arrive at so many a second, and what was offered: frames that the generator was too late for are
    not."""
    measured = rig.measure_loss(binary, seconds=seconds, rate=int(rate), **traffic(size))
    return max(0.0, measured["loss"]), measured["sent"]["frames"] / seconds


def highest(top, lost):
    """The highest rate, to `NEAR` of `top`, at which at most `MOST_LOST` is lost: searched with short trials, then tried for long, and
    lowered until that holds. `lost` gives (loss, rate offered) at a rate, for a short or a long trial. 0 where none holds."""
    low, high, step, tried = 0.0, top * 1.05, NEAR * top, 0
    while high - low > NEAR * top:
        rate = (low + high) / 2
        if lost(rate, False)[0] <= MOST_LOST:
            low = rate
        else:
            high = rate
    while low > NEAR * top:
        loss, offered = lost(low, True)
        if loss <= MOST_LOST:
            # What was sent, where the generator could not keep the rate.
            return min(low, offered)
        # Farther each time behind the first few: what long trials do not bear at all is found out soon.
        low, tried = low - step, tried + 1
        step *= 2 if tried > 2 else 1
    return 0.0


def sustained_rate(rig, binary, size, seconds, name):
    """The highest rate of what stands between the ports, in frames a second."""
    top = rig.measure(binary, seconds=SHORT, **traffic(size))["sink"]["frames_per_second"]

    def lost(rate, is_long):
        loss, offered = loss_at(rig, binary, rate, seconds if is_long else SHORT, size)
        progress.tell(f"{name}, {size} bytes: {loss:.5f} lost at {offered / 1e6:.4f} M frames/s")
        return loss, offered

    return highest(top, lost)


def rows(options):
    """Everybody's sustained rate, and the loss of all at 90 % of Bulkhead's or the forwarder's, whichever is lower, in five rounds."""
    found, sizes = [], options.sizes or SIZES
    with Rig("sustained") as rig:
        binary, subjects = sides(rig)
        rates, losses = {}, {(size, name): [] for size in sizes for name in NAMES}
        for name in NAMES:
            with subjects[name]():
                time.sleep(0.2)
                for size in sizes:
                    rates[size, name] = sustained_rate(rig, binary, size, options.trial, name)
        offered = {size: 0.9 * min(rates[size, name] for name in NAMES[:2]) for size in sizes}
        for number in range(ROUNDS):
            for name in NAMES[::1 if number % 2 == 0 else -1]:
                with subjects[name]():
                    for size in sizes:
                        losses[size, name].append(loss_at(rig, binary, offered[size], options.trial / 2, size)[0])
                        progress.tell(f"round {number + 1} of {ROUNDS}: {name}, {size} bytes: {losses[size, name][-1]:.5f} lost")
        for size in sizes:
            for name in NAMES:
                found.append(row_of(name, size, rates, losses, offered[size]))
                if not options.json:
                    report.show(found, COLUMNS)
    return found


def row_of(name, size, rates, losses, offered):
    """A side's row; Bulkhead's says whether its loss is the forwarder's and no more."""
    forwarder = report.middle(losses[size, "forwarder"], 6)
    row = {
        "subject": name, "frame_bytes": size, "flows": FLOWS, "rules": RULES if name == "bulkhead" else 0,
        "sustained_mpps": round(rates[size, name] / 1e6, 4),
        "ratio": round(rates[size, name] / rates[size, "forwarder"], 4) if rates[size, "forwarder"] else None,
        "loss_at_90": report.middle(losses[size, name], 6), "loss_interval": report.interval(losses[size, name], 6),
        "offered_mpps": round(offered / 1e6, 4)}
    if name == "bulkhead":
        most = round(forwarder + MORE_LOST, 6)
        row |= bounds.judged(row["loss_at_90"], most=most, in_c=report.middle(losses[size, "in C"], 6))
    return row


def write(folder, facts, found):
    """The rows as Markdown."""
    report.write(folder, "sustained", "Sustained rate", facts, found, ["run", *COLUMNS], remarks=bounds.sentences(
        found, lambda row: f"Loss at 90 %, {row['frame_bytes']} bytes"))
