# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch in user space, with its own connection tracking: the nearest relative, stateful and over the same sockets.

It runs from a folder of its own (database, sockets, logs) and without the kernel's datapath, so that it neither needs nor disturbs
an Open vSwitch that the system may be running.
"""
import os
import subprocess

from rig import Trouble

from . import rules as languages
from .peer import Peer, last_line

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


class OpenVSwitch(Peer):
    """Ports over AF_XDP, one receive queue each, both polled by one thread on the data path's CPU."""
    name = "openvswitch"
    title = "Open vSwitch, AF_XDP, own tracking"
    packages = ("openvswitch-switch",)
    port_type = "afxdp"
    # A pinned thread serves only queues that are pinned to it, so both are.
    port_options = ("options:n_rxq=1", "other_config:pmd-rxq-affinity=0:{cpu}")

    @property
    def environment(self):
        folder = str(self.place.folder)
        return {name: folder for name in ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR")}

    def start(self):
        folder = self.place.folder
        self.tool("ovsdb-tool", "create", folder / "conf.db", SCHEMA)
        self.spawn("database.log", "ovsdb-server", folder / "conf.db", f"--remote=punix:{folder}/db.sock",
                   f"--unixctl={folder}/db.ctl", environment=self.environment)
        self.wait("ovsdb-server", (folder / "db.sock").exists, "database.log")
        self.set("--no-wait", "init")
        mask = f"other_config:pmd-cpu-mask={1 << self.place.cpu:#x}"
        # Threads that are not pinned stay off the data path's CPU.
        self.set("--no-wait", "set", "Open_vSwitch", ".", mask, f"other_config:lcore-mask={1 << self.place.other_cpu:#x}")
        self.spawn("switch.log", "ovs-vswitchd", f"unix:{folder}/db.sock", "--disable-system", f"--unixctl={folder}/switch.ctl",
                   environment=self.environment)
        self.set("add-br", "bridge", "--", "set", "bridge", "bridge", "datapath_type=netdev", "fail_mode=secure")
        options = [option.format(cpu=self.place.cpu) for option in self.port_options]
        for number, port in enumerate(self.place.ports, 1):
            self.set("add-port", "bridge", port, "--", "set", "interface", port, f"type={self.port_type}",
                     f"ofport_request={number}", *options)
            self.check(port, number)
        (folder / "flows").write_text(languages.openflow(self.rules, self.traffic))
        self.tool("ovs-ofctl", "add-flows", f"unix:{folder}/bridge.mgmt", folder / "flows")

    def check(self, port, number):
        """Demands that a port is at work in the way that was asked for."""
        if self.set("get", "interface", port, "ofport").strip() != str(number):
            complaint = self.set("get", "interface", port, "error").strip()
            raise Trouble(f"{port} as {self.port_type}: {complaint.strip(chr(34)) or last_line(self.said('switch.log'))}")
        if self.port_type == "afxdp" and "xdp" not in self.place.appliance.run("ip", "link", "show", "dev", port).split():
            raise Trouble(f"{port} has no XDP program: {last_line(self.said('switch.log'))}")

    def set(self, *command):
        """Talks to the switch's database, and waits until the switch has done what changed."""
        return self.tool("ovs-vsctl", f"--db=unix:{self.place.folder}/db.sock", "--timeout=15", *command)

    def tool(self, *command):
        words = [str(part) for part in command]
        done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **self.environment})
        if done.returncode != 0:
            raise Trouble(f"{command[0]}: {last_line(done.stderr or done.stdout)}")
        return done.stdout

    def facts(self):
        return {**super().facts(), "driver": "veth, native XDP, AF_XDP copy mode, polling"}


class OpenVSwitchPacket(OpenVSwitch):
    """The same over AF_PACKET: the nearest thing where its AF_XDP does not start."""
    name = "openvswitch-packet"
    title = "Open vSwitch, AF_PACKET, own tracking"
    port_type = "system"
    port_options = ()

    def facts(self):
        return {**super().facts(), "driver": "veth, AF_PACKET"}
