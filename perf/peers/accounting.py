# SPDX-License-Identifier: Apache-2.0
"""Processor time, counted twice: over all cores, and of the tasks that have to do with the frames.

/proc/stat is what the whole machine did, in ticks of 4 ms here, so that it takes half a minute to tell 1 %; it holds all there is,
and whatever else ran. The second account is exact to the nanosecond: generator, sink, appliance, and the kernel's softirq daemons.
A frame that the kernel passes on is paid by the task that sent it. Where the two differ by much, something else was running.
"""
import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Reading:
    """What had been used by a point in time, in nanoseconds."""
    at: int
    busy: int
    tasks: dict


@dataclass
class Use:
    """What was used between two readings: processors' worth of time, by either account."""
    busy: float
    tasks: float


def parse_busy(stat, tick):
    """Nanoseconds of all CPUs that were neither idle nor waiting, from the text of /proc/stat and the length of a tick."""
    first = stat.splitlines()[0].split()
    if first[0] != "cpu" or len(first) < 8:
        raise ValueError("/proc/stat has no line for all processors")
    # user, nice, system, idle, iowait, irq, softirq; what follows was stolen, or is in user already.
    numbers = [int(part) for part in first[1:8]]
    return (sum(numbers) - numbers[3] - numbers[4]) * tick


def task_times(pids):
    """Nanoseconds on a processor of each task of some processes; those that are gone are left out."""
    found = {}
    for pid in pids:
        for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                found[file.parent.name] = int(file.read_text().split()[0])
            except (OSError, IndexError):
                continue
    return found


def softirq_daemons():
    """The kernel's threads that do what interrupts left undone."""
    found = []
    for file in Path("/proc").glob("[0-9]*/comm"):
        try:
            if file.read_text().startswith("ksoftirqd/"):
                found.append(int(file.parent.name))
        except OSError:
            continue
    return found


def read(pids):
    """What all cores, and these processes, have used by now."""
    tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return Reading(time.monotonic_ns(), parse_busy(Path("/proc/stat").read_text(), tick), task_times(pids))


def between(first, last):
    """Processors' worth between two readings. A task that came in between counts from its start; one that went is lost."""
    span = last.at - first.at
    if span <= 0:
        raise ValueError("no time between two readings")
    tasks = sum(used - first.tasks.get(task, 0) for task, used in last.tasks.items())
    return Use((last.busy - first.busy) / span, tasks / span)
