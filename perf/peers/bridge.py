# SPDX-License-Identifier: Apache-2.0
"""The kernel's own bridge, bare and with its transparent stateful firewall."""
import platform

from rig import Trouble

from . import rules as languages
from .peer import Peer


class Bridge(Peer):
    """Two ports and a bridge between them: no policy. What a frame costs that the kernel only passes on."""
    name = "bridge"
    title = "Linux bridge"
    stateful = False
    # Whether the bridge shows its frames to the IPv4 firewall.
    calls = 0

    def start(self):
        inside = self.place.appliance
        inside.run("ip", "link", "add", "bridge", "type", "bridge", "forward_delay", "0", "stp_state", "0", "mcast_snooping", "0")
        for family in ("arp", "ip", "ip6"):
            # On by default in each new namespace, and a bare bridge would pay for it.
            self.set(f"net.bridge.bridge-nf-call-{family}tables", self.calls if family == "ip" else 0)
        for port in self.place.ports:
            inside.run("ip", "link", "set", port, "master", "bridge")
        inside.run("ip", "link", "set", "bridge", "up")

    def stop(self):
        self.place.appliance.run("ip", "link", "del", "bridge", check=False)
        super().stop()

    def set(self, key, value):
        """Sets what sysctl calls KEY; a bridge without a firewall does not mind that it is not there."""
        try:
            self.place.appliance.run("sysctl", "-q", "-w", f"{key}={value}")
        except Trouble as error:
            if self.stateful:
                raise Trouble(f"this kernel has no br_netfilter: {error}") from None

    def facts(self):
        return {"version": f"Linux {platform.release()}", "driver": "veth, kernel"}


class BridgeFirewall(Bridge):
    """The bridge with br_netfilter, nftables and connection tracking: what a transparent stateful firewall is on Linux."""
    name = "nftables"
    title = "Linux bridge, nftables, conntrack"
    packages = ("nftables",)
    stateful = True
    calls = 1

    def start(self):
        super().start()
        table = self.place.folder / "peers.nft"
        table.write_text(languages.nft(self.rules, self.traffic))
        self.place.appliance.run("nft", "-f", table)
        # As long as a connection that was answered is kept by the others: flows must not end between two measurements.
        self.set("net.netfilter.nf_conntrack_max", 262_144)
        self.set("net.netfilter.nf_conntrack_udp_timeout", 180)
        self.set("net.netfilter.nf_conntrack_udp_timeout_stream", 180)

    def stop(self):
        self.place.appliance.run("nft", "flush", "ruleset", check=False)
        super().stop()

    def facts(self):
        return {**super().facts(), "version": f"Linux {platform.release()}, {Peer.facts(self)['version']}"}
