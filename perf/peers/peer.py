# SPDX-License-Identifier: Apache-2.0
"""What all appliances under comparison have in common: a place to stand, a start, an end, and facts about them.

A peer lives in a namespace of its own, in which two ports are. It has a folder of its own for sockets, databases and logs, and its
processes are ended by their numbers. Nothing that the system runs under the same name is touched. What goes wrong is a
`rig.Trouble` that ends with what the peer says itself, as far as it says anything.
"""
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from rig import Trouble


@dataclass
class Place:
    """Where a peer stands: a namespace (`rig.Namespace`) with two ports, a folder of its own, the CPU for its data path, and one
    for all else. GRO is on at the ports, because what XDP sends into a veth gets lost unless that end runs NAPI."""
    appliance: object
    ports: tuple
    folder: Path
    cpu: int
    other_cpu: int


def last_line(text):
    """The last line with something on it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def descendants(root):
    """A process and all that stem from it, those that are gone meanwhile left out."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Behind the command's name, which may hold blanks and brackets: state, parent.
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
    found = [root] if root in parents else []
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


class Peer:
    """One appliance. A subclass says what it is, and how it is set up and taken down."""
    name = ""
    title = ""
    packages = ()
    stateful = True

    def __init__(self, place, traffic, rules):
        self.place, self.traffic, self.rules = place, traffic, rules
        self.processes = []

    @classmethod
    def missing(cls):
        """The packages that are not installed."""
        return [package for package in cls.packages if version(package) is None]

    def start(self):
        """Sets up and waits until frames pass. Raises Trouble."""
        raise NotImplementedError

    def stop(self):
        """Ends what `start` began, the last first. Interfaces go with their namespace."""
        for process in reversed(self.processes):
            end(process)
        self.processes = []

    def facts(self):
        """What must be known to read its figures: version, driver, what is special about it."""
        return {"version": ", ".join(f"{package} {version(package)}" for package in self.packages)}

    def cpu_processes(self):
        """The processes whose time is this peer's; none where the kernel does all the work."""
        return [pid for process in self.processes for pid in descendants(process.pid)]

    def spawn(self, log, *command, environment=None):
        """Starts a process in the namespace, whose output goes into a file of the folder; its input stays open until its end."""
        # A group of its own: Ctrl-C at the terminal must reach the script, which then ends its processes in order.
        with open(self.place.folder / log, "wb") as output:
            process = subprocess.Popen(
                self.place.appliance.command(*command), stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, env={**os.environ, **(environment or {})})
        self.processes.append(process)
        return process

    def said(self, log):
        """What a process has printed so far."""
        return (self.place.folder / log).read_text(errors="replace")

    def wait(self, what, test, log, seconds=20):
        """Waits for a test to hold. Raises Trouble when it does not in time, or when a process of this peer ended."""
        until = time.monotonic() + seconds
        while not test():
            ended = any(process.poll() is not None for process in self.processes)
            if ended or time.monotonic() > until:
                how = "ended" if ended else f"not there after {seconds} s"
                raise Trouble(f"{what}: {how}: {last_line(self.said(log))}")
            time.sleep(0.05)


def end(process, seconds=5):
    """Ends a process and what stems from it: in order where it can, else at once. Waits until they are gone."""
    family = descendants(process.pid)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
    until = time.monotonic() + seconds
    # Whose number was given away meanwhile is not in the session that was made for this process.
    while left := [pid for pid in family if session(pid) == process.pid]:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.poll()
        if time.monotonic() > until:
            raise Trouble(f"processes {left} cannot be ended")
        time.sleep(0.01)
    process.wait()
    process.stdin.close()


def session(pid):
    """The session that a process belongs to, or None where there is no such process, or it is dead and not buried yet."""
    try:
        state, _, _, number = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:4]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(number)


def version(package):
    """The version of a Debian package that is installed, or None."""
    try:
        said = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package], capture_output=True, text=True)
    except OSError:
        return None
    status, _, found = said.stdout.partition(" ")
    return found if status == "installed" else None
