# SPDX-License-Identifier: Apache-2.0
"""DPDK's testpmd, which passes frames from port to port and looks at none: what its drivers leave to an appliance."""
import re
from pathlib import Path

from rig import Trouble

from .peer import Peer

OBJECTS = "/usr/lib/x86_64-linux-gnu/bpf"


class Testpmd(Peer):
    """Over AF_XDP, without huge pages; one core, one queue a port."""
    name = "testpmd"
    title = "DPDK testpmd, AF_XDP, no policy"
    packages = ("dpdk-dev", "librte-net-af-xdp23")
    stateful = False
    driver = "net_af_xdp"
    driver_options = ""

    def start(self):
        place = self.place
        library = self.library()
        devices = [f"--vdev={self.driver}{number},iface={port}{self.driver_options}" for number, port in enumerate(place.ports)]
        # --no-shconf leaves no files; the main thread sleeps in a read of its input.
        # Line by line: in a file it would keep what it says to itself until its end.
        self.spawn("testpmd.log", "stdbuf", "-oL", "dpdk-testpmd", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
                   "-m", "1024", "-l", f"{place.other_cpu},{place.cpu}", f"--main-lcore={place.other_cpu}", "-d", library, *devices,
                   "--", "--forward-mode=io", "--auto-start", "--nb-cores=1", "--rxq=1", "--txq=1", "--no-lsc-interrupt",
                   environment={"LIBXDP_OBJECT_PATH": OBJECTS, "RUNTIME_DIRECTORY": str(place.folder)})
        self.wait("dpdk-testpmd", lambda: "Press enter to exit" in self.said("testpmd.log"), "testpmd.log")
        if not re.search(rf"Logical Core {place.cpu} .*forwards packets on 2 streams", self.said("testpmd.log")):
            raise Trouble("dpdk-testpmd forwards between fewer than two ports")

    def library(self):
        """The driver, which testpmd does not load by itself."""
        found = sorted(Path("/usr/lib").glob(f"*/dpdk/pmds-*/librte_{self.driver}.so"))
        if not found:
            raise Trouble(f"no librte_{self.driver}.so below /usr/lib (Debian: {self.packages[1]})")
        return found[-1]

    def facts(self):
        return {**super().facts(), "driver": "veth, native XDP, AF_XDP copy mode, polling"}


class TestpmdPacket(Testpmd):
    """The same over AF_PACKET: the nearest thing where the AF_XDP driver does not start."""
    name = "testpmd-packet"
    title = "DPDK testpmd, AF_PACKET, no policy"
    packages = ("dpdk-dev", "librte-net-af-packet23")
    driver = "net_af_packet"
    driver_options = ",qdisc_bypass=1"

    def facts(self):
        return {**super().facts(), "driver": "veth, AF_PACKET"}
