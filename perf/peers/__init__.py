# SPDX-License-Identifier: Apache-2.0
"""The appliances that `scripts/perf peers` compares, ours first. One that does not start has a stand-in, which has its own name."""
from .bridge import Bridge, BridgeFirewall
from .bulkhead import Bulkhead
from .openvswitch import OpenVSwitch, OpenVSwitchPacket
from .peer import Peer, Place
from .rules import Traffic
from .testpmd import Testpmd, TestpmdPacket

SUBJECTS = [Bulkhead, Bridge, BridgeFirewall, OpenVSwitch, Testpmd]
STAND_INS = {OpenVSwitch: OpenVSwitchPacket, Testpmd: TestpmdPacket}
