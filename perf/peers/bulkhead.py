# SPDX-License-Identifier: Apache-2.0
"""Bulkhead itself, set up like any of the others."""
import machine

from . import rules as languages
from .peer import Peer

CONFIGURATION = """\
pairs: [{{name: peers, ports: [{ports}], fail: closed, on-stop: detach}}]
policies: [policy.yaml]
run: run
state: state
"""


class Bulkhead(Peer):
    """The release binary with the same rules, its worker on the data path's CPU."""
    name = "bulkhead"
    title = "Bulkhead"
    binary = ""

    def start(self):
        folder = self.place.folder
        # Processes without privilege read here.
        folder.chmod(0o755)
        (folder / "policy.yaml").write_text(languages.bulkhead(self.rules, self.traffic))
        (folder / "bulkhead.yaml").write_text(CONFIGURATION.format(ports=", ".join(self.place.ports)))
        cpus = f"{self.place.other_cpu},{self.place.cpu}"
        # Workers take the CPUs that they may use from the last one down.
        self.spawn("bulkhead.log", "taskset", "-c", cpus, self.binary, "run", "--config", folder / "bulkhead.yaml",
                   environment={"SWIFT_BACKTRACE": "enable=no"})
        self.wait("bulkhead", lambda: "ready" in self.said("bulkhead.log").splitlines(), "bulkhead.log")

    def facts(self):
        commit = machine.first_line("git", "rev-parse", "--short", "HEAD")
        return {"version": commit, "driver": "veth, native XDP, AF_XDP copy mode"}
