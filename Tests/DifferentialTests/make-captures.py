#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make-captures.py FOLDER [SEED]: writes FOLDER/frames.pcap and FOLDER/frames.txt, frames of every protocol with random fields.

scapy builds them, so that nothing of Bulkhead takes part: what its own readers and its own packet builder get wrong alike shows here.
frames.txt has a line for each frame: what it is, a tab, and the drop reason with which Wire must refuse it, or `-`. The same seed
yields the same frames.
"""
import logging
import random
import struct
import sys
from pathlib import Path

# Loading CARP, scapy warns that it shares its number with VRRP.
logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import (
    AH, ARP, BOOTP, DHCP, DHCP6_Advertise, DHCP6_RelayForward, DHCP6_Reply, DHCP6_Request, DHCP6_Solicit, EAPOL, ESP, GRE, ICMP, IP, LLC,
    SNAP, STP, TCP, UDP, VRRP, VRRPv3, VXLAN, DHCP6OptClientId, DHCP6OptElapsedTime, DHCP6OptRelayMsg, DHCP6OptServerId, DUID_LL, Dot1AD,
    Dot1Q, Dot3, Ether, ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6MLDone, ICMPv6MLQuery, ICMPv6MLQuery2, ICMPv6MLReport,
    ICMPv6MLReport2, ICMPv6MLDMultAddrRec, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS, ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU, ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig, ICMPv6ParamProblem, ICMPv6TimeExceeded,
    IPOption_NOP, IPOption_RR, IPOption_Router_Alert, IPOption_Timestamp, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting, IPv6ExtHdrSegmentRouting, PadN, PPP, PPPoE, PPPoED, Raw, RouterAlert, SCTP, SCTPChunkData, SCTPChunkInit,
    SCTPChunkSACK, wrpcap)
from scapy.contrib.bfd import BFD
from scapy.contrib.carp import CARP
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3gr, IGMPv3mq, IGMPv3mr
from scapy.contrib.lacp import LACP, SlowProtocol
from scapy.contrib.lldp import LLDPDU, LLDPDUChassisID, LLDPDUEndOfLLDPDU, LLDPDUPortID, LLDPDUTimeToLive
from scapy.contrib.mpls import MPLS
from scapy.contrib.ospf import OSPF_Hdr, OSPF_Hello, OSPFv3_Hdr, OSPFv3_Hello

VARIANTS = 4
pick = random.Random()


def mac():
    return "02:" + ":".join(f"{pick.randrange(256):02x}" for _ in range(5))


def v4():
    return f"{pick.choice([10, 100, 172, 192, 203])}.{pick.randrange(256)}.{pick.randrange(256)}.{pick.randrange(1, 255)}"


def v6(prefix=None):
    groups = [f"{pick.randrange(1, 65536):x}" for _ in range(6)]
    return f"{prefix or pick.choice(['2001:db8', 'fd00:1', '2a02:7'])}:{':'.join(groups)}"


def local():
    return f"fe80::{pick.randrange(1, 65536):x}:{pick.randrange(1, 65536):x}"


def port():
    return pick.randrange(10_000, 60_000)


def service():
    return pick.choice([22, 53, 80, 443, 5432, 6443, 8080, pick.randrange(10_000, 60_000)])


def number(bits):
    return pick.getrandbits(bits)


def data(least=0, most=60):
    return Raw(pick.randbytes(pick.randint(least, most)))


def ether(**fields):
    return Ether(**{"src": mac(), "dst": mac(), **fields})


def ip(**fields):
    return IP(**{"src": v4(), "dst": v4(), "ttl": pick.randint(1, 255), "id": number(16), "tos": number(8), **fields})


def ip6(**fields):
    return IPv6(**{"src": v6(), "dst": v6(), "hlim": pick.randint(1, 255), "tc": number(8), "fl": number(20), **fields})


def either(**fields):
    return pick.choice([ip, ip6])(**fields)


def tcp(flags=None, **fields):
    return TCP(**{"sport": port(), "dport": service(), "seq": number(32), "ack": number(32), "window": number(16),
                  "flags": flags or pick.choice(["S", "SA", "A", "PA", "FA", "RA", "R", "AE", "SEC", "PAU"]), **fields})


def udp(**fields):
    return UDP(**{"sport": port(), "dport": service(), **fields})


def transport():
    return pick.choice([lambda: tcp() / data(), lambda: udp() / data(), lambda: SCTP(sport=port(), dport=port(), tag=number(32) | 1)
                        / SCTPChunkData(tsn=number(32), stream_id=number(16), data=pick.randbytes(16))])()


def authenticated():
    """An authentication header, which scapy does not point at what follows, around a transport."""
    protocol, inside = pick.choice([(6, tcp("S", chksum=number(16))), (17, udp(chksum=number(16) | 1)), (132, SCTP(
        sport=port(), dport=port(), tag=number(32) | 1) / SCTPChunkSACK(cumul_tsn_ack=number(32)))])
    return AH(nh=protocol, payloadlen=4, spi=number(31) | 256, seq=number(32), icv=pick.randbytes(12)) / inside


def packet():
    """An IP packet with an ordinary transport."""
    return either() / transport()


def frame():
    return ether() / packet()


def group4(address):
    tail = [int(part) for part in address.split(".")[1:]]
    return f"01:00:5e:{tail[0] & 0x7f:02x}:{tail[1]:02x}:{tail[2]:02x}"


def to4(address, **fields):
    return ether(dst=group4(address)) / ip(dst=address, **fields)


def to6(address, mac_tail, **fields):
    return ether(dst="33:33:" + mac_tail) / IPv6(**{"src": local(), "dst": address, "hlim": 255, **fields})


def duid():
    return DUID_LL(lladdr=mac())


def bpdu(**fields):
    return LLC(dsap=0x42, ssap=0x42, ctrl=3) / STP(rootid=number(15), rootmac=mac(), bridgeid=number(15), bridgemac=mac(), **fields)


def bootp(operation, kind):
    return BOOTP(op=operation, xid=number(32), chaddr=pick.randbytes(6), ciaddr="0.0.0.0") / DHCP(options=[("message-type", kind), "end"])


def link():
    """Frames without IP."""
    yield "an ether type nobody reads", lambda: ether(type=0x88b5) / data(46)
    yield "other LLC", lambda: Dot3(src=mac(), dst="01:80:c2:00:00:14") / LLC(dsap=0xfe, ssap=0xfe, ctrl=3) / data(20)
    yield "STP", lambda: Dot3(src=mac(), dst="01:80:c2:00:00:00") / bpdu() / Raw(bytes(8))
    yield "RSTP", lambda: Dot3(src=mac(), dst="01:80:c2:00:00:00") / bpdu(version=2, bpdutype=2) / Raw(b"\0" * 8)
    yield "ARP request", lambda: ether(dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mac(), psrc=v4(), pdst=v4())
    yield "ARP reply", lambda: ether() / ARP(op=2, hwsrc=mac(), psrc=v4(), hwdst=mac(), pdst=v4()) / Raw(bytes(18))
    yield "ARP probe", lambda: ether(dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mac(), psrc="0.0.0.0", pdst=v4())
    yield "ARP in a VLAN", lambda: ether() / Dot1Q(vlan=pick.randint(1, 4094)) / ARP(op=2, hwsrc=mac(), psrc=v4(), pdst=v4())
    yield "LLDP", lambda: ether(dst="01:80:c2:00:00:0e") / LLDPDU() / LLDPDUChassisID(subtype=4, id=mac()) / LLDPDUPortID(
        subtype=3, id=mac()) / LLDPDUTimeToLive(ttl=120) / LLDPDUEndOfLLDPDU()
    yield "LACP", lambda: ether(dst="01:80:c2:00:00:02") / SlowProtocol() / LACP(actor_system=mac(), actor_key=number(16))
    yield "PTP", lambda: ether(dst="01:1b:19:00:00:00", type=0x88f7) / ptp()
    yield "EAPOL", lambda: ether(dst="01:80:c2:00:00:03") / EAPOL(version=2, type=1, len=0) / Raw(bytes(42))
    yield "CDP", lambda: Dot3(src=mac(), dst="01:00:0c:cc:cc:cc") / LLC(dsap=0xaa, ssap=0xaa, ctrl=3) / SNAP(
        OUI=0x0c, code=0x2000) / Raw(bytes([2, 180, 0, 0, 0, 1, 0, 6]) + pick.randbytes(2))
    yield "MPLS", lambda: ether() / MPLS(label=pick.randint(16, 2 ** 20 - 1), s=1) / ip() / udp() / data()
    yield "PPPoE discovery", lambda: ether(dst="ff:ff:ff:ff:ff:ff") / PPPoED(code=9, sessionid=0) / Raw(bytes([1, 1, 0, 0]))
    yield "PPPoE session", lambda: ether() / PPPoE(sessionid=number(16)) / PPP(proto=0x21) / ip() / udp() / data()
    yield "MACsec", lambda: ether(type=0x88e5) / Raw(bytes([0x2c, 0]) + struct.pack(">I", number(32)) + pick.randbytes(60))


def ptp(kind=0):
    return Raw(bytes([kind, 2, 0, 44, number(6), 0, 0, 0]) + bytes(12) + pick.randbytes(12) + bytes(2) + bytes([0, 0]) + pick.randbytes(8))


def network():
    """IP headers in their shapes."""
    yield "one tag", lambda: ether() / Dot1Q(vlan=pick.randint(1, 4094), prio=number(3)) / packet()
    yield "two tags", lambda: ether() / Dot1AD(vlan=pick.randint(1, 4094)) / Dot1Q(vlan=pick.randint(1, 4094)) / packet()
    yield "two customer tags", lambda: ether() / Dot1Q(vlan=pick.randint(1, 4094)) / Dot1Q(vlan=pick.randint(1, 4094)) / packet()
    yield "the old service tag", lambda: ether(type=0x9100) / Dot1Q(vlan=pick.randint(1, 4094)) / Dot1Q(vlan=number(12)) / packet()
    yield "a priority tag", lambda: ether() / Dot1Q(vlan=0, prio=number(3)) / packet()
    yield "a priority tag in a tag", lambda: ether() / Dot1Q(vlan=pick.randint(1, 4094)) / Dot1Q(vlan=0) / packet()
    yield "SNAP", lambda: Dot3(src=mac(), dst=mac()) / LLC(dsap=0xaa, ssap=0xaa, ctrl=3) / SNAP(OUI=0, code=0x800) / ip() / tcp("A") / data(20)
    yield "padding", lambda: ether() / ip(len=28, proto=17) / UDP(sport=port(), dport=service(), len=8, chksum=0) / data(20)
    yield "IPv4 options", lambda: ether() / ip(options=pick.choice([
        [IPOption_NOP()] * 4, [IPOption_RR(length=7, pointer=8, routers=[v4()]), IPOption_NOP()],
        [IPOption_Timestamp(length=8, pointer=9, flg=0, timestamp=number(32))]])) / tcp("A") / data()
    yield "DF", lambda: ether() / ip(flags="DF") / transport()
    yield "IPv4 first fragment", lambda: ether() / ip(flags="MF", proto=17) / UDP(
        sport=port(), dport=service(), len=4000) / Raw(pick.randbytes(8 * pick.randint(1, 20)))
    yield "IPv4 middle fragment", lambda: ether() / ip(flags="MF", frag=pick.randint(10, 4000), proto=pick.choice([6, 17, 132])) / Raw(
        pick.randbytes(8 * pick.randint(1, 20)))
    yield "IPv4 last fragment", lambda: ether() / ip(frag=pick.randint(10, 4000), proto=pick.choice([6, 17, 132])) / data(1)
    yield "IPv6 first fragment", lambda: ether() / ip6() / IPv6ExtHdrFragment(m=1, id=number(32)) / udp(len=4000) / Raw(pick.randbytes(64))
    yield "IPv6 later fragment", lambda: ether() / ip6() / IPv6ExtHdrFragment(
        nh=17, offset=pick.randint(20, 4000), m=number(1), id=number(32)) / Raw(pick.randbytes(8 * pick.randint(1, 20)))
    yield "IPv6 atomic fragment", lambda: ether() / ip6() / IPv6ExtHdrFragment(id=number(32)) / transport()
    yield "IPv6 hop-by-hop", lambda: ether() / ip6() / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]) / transport()
    yield "IPv6 destination options", lambda: ether() / ip6() / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(12))]) / transport()
    yield "IPv6 routing that is done", lambda: ether() / ip6() / IPv6ExtHdrSegmentRouting(
        segleft=0, lastentry=0, addresses=[v6()]) / transport()
    yield "IPv6 long chain", lambda: ether() / ip6() / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]) / IPv6ExtHdrDestOpt(
        options=[PadN(optdata=bytes(4))]) / IPv6ExtHdrSegmentRouting(segleft=0, lastentry=0, addresses=[v6()]) / IPv6ExtHdrDestOpt(
        options=[PadN(optdata=bytes(20))]) / transport()
    yield "AH", lambda: ether() / either() / authenticated()
    yield "ESP", lambda: ether() / either() / ESP(spi=number(31) | 256, seq=number(32), data=pick.randbytes(40))
    yield "another protocol", lambda: ether() / pick.choice([ip(proto=88), ip6(nh=88)]) / data(20)


def transports():
    """TCP, UDP, SCTP, ICMP."""
    mss, scale = ("MSS", 1460), ("WScale", pick.randrange(15))
    yield "TCP SYN", lambda: ether() / either() / tcp("S", options=[mss, ("SAckOK", b""), ("Timestamp", (number(32), 0)), ("NOP", None), scale])
    yield "TCP SYN ACK", lambda: ether() / either() / tcp("SA", options=[("MSS", number(16)), ("NOP", None), ("WScale", pick.randrange(20))])
    yield "TCP SYN with data", lambda: ether() / either() / tcp("S") / data(1)
    yield "TCP", lambda: ether() / either() / tcp(options=pick.choice([[], [("NOP", None), ("NOP", None), ("Timestamp", (number(32), number(32)))]])
                                                  ) / data()
    yield "UDP", lambda: ether() / either() / udp() / data()
    yield "UDP without a sum", lambda: ether() / ip() / udp(chksum=0) / data()
    yield "SCTP INIT", lambda: ether() / either() / SCTP(sport=port(), dport=port(), tag=0) / SCTPChunkInit(
        init_tag=number(32) | 1, a_rwnd=number(16), n_out_streams=4, n_in_streams=4, init_tsn=number(32))
    yield "SCTP", lambda: ether() / either() / SCTP(sport=port(), dport=port(), tag=number(32) | 1) / SCTPChunkSACK(cumul_tsn_ack=number(32))
    yield "ICMP echo", lambda: ether() / ip() / ICMP(type=pick.choice([8, 0]), id=number(16), seq=number(16)) / data(8)
    yield "ICMP timestamp", lambda: ether() / ip() / ICMP(type=pick.choice([13, 14]), id=number(16), seq=number(16))
    yield "ICMP error", lambda: ether() / ip() / pick.choice([
        ICMP(type=3, code=pick.randint(0, 15)), ICMP(type=11, code=number(1)), ICMP(type=5, gw=v4()), ICMP(type=3, code=4, nexthopmtu=1400)]
        ) / ip() / udp() / data(8)
    yield "ICMPv6 echo", lambda: ether() / ip6() / pick.choice([ICMPv6EchoRequest, ICMPv6EchoReply])(id=number(16), seq=number(16)) / data(8)
    yield "ICMPv6 error", lambda: ether() / ip6() / pick.choice([
        ICMPv6DestUnreach(code=pick.randint(0, 6)), ICMPv6PacketTooBig(mtu=1400), ICMPv6TimeExceeded(), ICMPv6ParamProblem()]
        ) / ip6() / udp() / data(8)


def control():
    """What runs a network over IP."""
    option = lambda: ICMPv6NDOptSrcLLAddr(lladdr=mac())
    yield "RS", lambda: to6("ff02::2", "00:00:00:02") / ICMPv6ND_RS() / option()
    yield "RA", lambda: to6("ff02::1", "00:00:00:01") / ICMPv6ND_RA(routerlifetime=1800) / option() / ICMPv6NDOptMTU() / ICMPv6NDOptPrefixInfo(
        prefix="fd00:1::")
    yield "NS", lambda: to6("ff02::1:ff00:1", "ff:00:00:01") / ICMPv6ND_NS(tgt=local()) / option()
    yield "NS without a source", lambda: to6("ff02::1:ff00:1", "ff:00:00:01", src="::") / ICMPv6ND_NS(tgt=local())
    yield "NA", lambda: to6("ff02::1", "00:00:00:01") / ICMPv6ND_NA(tgt=local(), R=number(1), O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac())
    yield "redirect", lambda: ether() / IPv6(src=local(), dst=v6(), hlim=255) / ICMPv6ND_Redirect(tgt=local(), dst=v6()) / ICMPv6NDOptDstLLAddr(
        lladdr=mac())
    yield "MLD query", lambda: to6("ff02::1", "00:00:00:01", hlim=1) / alert() / ICMPv6MLQuery()
    yield "MLD report", lambda: to6("ff02::db8:1", "0d:b8:00:01", hlim=1) / alert() / ICMPv6MLReport(mladdr="ff02::db8:1")
    yield "MLD done", lambda: to6("ff02::2", "00:00:00:02", hlim=1) / alert() / ICMPv6MLDone(mladdr="ff02::db8:1")
    yield "MLDv2 query", lambda: to6("ff02::1", "00:00:00:01", hlim=1) / alert() / ICMPv6MLQuery2(sources=[v6()])
    yield "MLDv2 report", lambda: to6("ff02::16", "00:00:00:16", hlim=1) / alert() / ICMPv6MLReport2(
        records=[ICMPv6MLDMultAddrRec(rtype=4, dst="ff02::db8:1")])
    router_alert = lambda: [IPOption_Router_Alert()]
    yield "IGMPv1 report", lambda: to4("224.1.2.3", ttl=1) / IGMP(type=0x12, mrcode=0, gaddr="224.1.2.3")
    yield "IGMPv2 report", lambda: to4("224.1.2.3", ttl=1, options=router_alert()) / IGMP(type=0x16, gaddr="224.1.2.3")
    yield "IGMPv2 leave", lambda: to4("224.0.0.2", ttl=1, options=router_alert()) / IGMP(type=0x17, gaddr="224.1.2.3")
    yield "IGMP query", lambda: to4("224.0.0.1", ttl=1, options=router_alert()) / IGMP(type=0x11, mrcode=100)
    yield "IGMPv3 query", lambda: to4("224.0.0.1", ttl=1, options=router_alert()) / IGMPv3(type=0x11) / IGMPv3mq(srcaddrs=[v4()])
    yield "IGMPv3 report", lambda: to4("224.0.0.22", ttl=1, options=router_alert()) / IGMPv3(type=0x22) / IGMPv3mr(
        records=[IGMPv3gr(rtype=4, maddr="224.1.2.3")])
    yield "DHCP discover", lambda: ether(dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(
        sport=68, dport=67) / bootp(1, "discover")
    yield "DHCP offer", lambda: ether() / ip() / UDP(sport=67, dport=68) / bootp(2, "offer")
    yield "DHCP renewal", lambda: ether() / ip() / UDP(sport=68, dport=67) / bootp(1, "request")
    yield "DHCPv6 solicit", lambda: to6("ff02::1:2", "00:01:00:02", hlim=1) / UDP(sport=546, dport=547) / pick.choice(
        [DHCP6_Solicit, DHCP6_Request])(trid=number(24)) / DHCP6OptClientId(duid=duid()) / DHCP6OptElapsedTime()
    yield "DHCPv6 advertise", lambda: ether() / IPv6(src=local(), dst=local()) / UDP(sport=547, dport=546) / pick.choice(
        [DHCP6_Advertise, DHCP6_Reply])(trid=number(24)) / DHCP6OptServerId(duid=duid())
    yield "DHCPv6 relayed", lambda: ether() / ip6() / UDP(sport=547, dport=547) / DHCP6_RelayForward(
        linkaddr=v6(), peeraddr=local()) / DHCP6OptRelayMsg(message=DHCP6_Solicit(trid=number(24)))
    yield "PTP over UDP", lambda: to4("224.0.1.129") / UDP(sport=319, dport=319) / ptp()
    yield "PTP over UDP, IPv6", lambda: to6("ff0e::181", "00:00:01:81") / UDP(sport=320, dport=320) / ptp(8)
    yield "VRRPv2", lambda: to4("224.0.0.18", ttl=255, proto=112) / VRRP(vrid=number(8) | 1, priority=number(8), addrlist=[v4()])
    yield "VRRPv3", lambda: to4("224.0.0.18", ttl=255, proto=112) / VRRPv3(version=3, type=1, vrid=number(8) | 1, addrlist=[v4()])
    yield "CARP", lambda: to4("224.0.0.18", ttl=255, proto=112) / CARP(version=2, type=1, authlen=7, vhid=number(8) | 1)
    yield "OSPF", lambda: to4("224.0.0.5", ttl=1, proto=89) / OSPF_Hdr(src=v4()) / OSPF_Hello(router=v4())
    yield "OSPFv3", lambda: to6("ff02::5", "00:00:00:05", hlim=1, nh=89) / OSPFv3_Hdr(src=v4()) / OSPFv3_Hello()
    yield "BFD", lambda: ether() / pick.choice([ip(ttl=255), ip6(hlim=255)]) / UDP(sport=49152, dport=3784) / BFD(
        my_discriminator=number(32) | 1, your_discriminator=number(32))
    yield "BFD over hops", lambda: ether() / either() / UDP(sport=49152, dport=4784) / BFD(
        my_discriminator=number(32) | 1, your_discriminator=number(32))


def alert():
    return IPv6ExtHdrHopByHop(options=[RouterAlert(value=0), PadN(optdata=b"")])


def heads():
    """Tunnels: what they are, their headers, and what they carry."""
    yield "VXLAN", lambda: either() / UDP(sport=port(), dport=4789) / VXLAN(vni=number(24), flags="Instance"), frame
    yield "Geneve", lambda: either() / UDP(sport=port(), dport=6081) / GENEVE(vni=number(24), proto=0x6558), frame
    yield "Geneve with options", lambda: either() / UDP(sport=port(), dport=6081) / GENEVE(
        vni=number(24), proto=0x6558, options=[GeneveOptions(classid=258, type=1, data=pick.randbytes(8))]), frame
    yield "GRE", lambda: either() / GRE(), packet
    yield "GRE with a key", lambda: either() / GRE(key_present=1, key=number(32)), packet
    yield "GRE with all", lambda: either() / GRE(chksum_present=1, key_present=1, key=number(32), seqnum_present=1, seqence_number=7), packet
    yield "GRE with a frame", lambda: either() / GRE(proto=0x6558, key_present=1, key=number(32)), frame
    yield "IP in IP", lambda: either(), packet


def tunnels():
    """One and two deep."""
    for name, head, content in heads():
        yield name, lambda head=head, content=content: ether() / head() / content()
        for other, inner, innermost in heads():
            def nested(head=head, content=content, inner=inner, innermost=innermost):
                inside = inner() / innermost()
                return ether() / head() / (ether() / inside if content is frame else inside)
            yield f"{other} in {name}", nested


def refused():
    """What Wire refuses on purpose, with the reason. tshark reads most of it."""
    yield "loose source route", "badOptions", lambda: ether() / ip(options=[IPOption_NOP(), Option(131)]) / transport()
    yield "strict source route", "badOptions", lambda: ether() / ip(options=[IPOption_NOP(), Option(137)]) / transport()
    yield "three tags", "tooManyTags", lambda: ether() / Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) / packet()
    yield "routing header with segments left", "extensionHeader", lambda: ether() / ip6() / IPv6ExtHdrRouting(
        type=0, segleft=1, addresses=[v6()]) / udp()
    yield "two Fragment headers", "extensionHeader", lambda: ether() / ip6() / IPv6ExtHdrFragment() / IPv6ExtHdrFragment() / udp()
    yield "SYN with FIN", "badTCP", lambda: ether() / either() / tcp("SF")
    yield "no flag at all", "badTCP", lambda: ether() / either() / TCP(sport=port(), dport=service(), flags=0)
    yield "UDP over IPv6 without a sum", "badUDP", lambda: ether() / ip6() / udp(chksum=0) / data()
    yield "a UDP length beyond the packet", "badUDP", lambda: ether() / ip() / udp(len=200) / data(8, 8)
    yield "a wrong header sum", "badChecksum", lambda: ether() / ip(chksum=0x1234) / transport()
    yield "the same address at both ends", "martian", lambda: ether() / ip(src="10.0.0.1", dst="10.0.0.1") / transport()
    yield "a group as source", "martian", lambda: ether() / ip(src="224.0.0.9") / transport()
    yield "a hop limit below 255", "badNeighbour", lambda: to6("ff02::1", "00:00:00:01", hlim=254) / ICMPv6ND_NS(tgt=local())


def Option(kind):
    return Raw(bytes([kind, 7, 4]) + pick.randbytes(4))


def main():
    folder, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    pick.seed(seed)
    rows = [(name, "-", make) for part in (link, network, transports, control, tunnels) for name, make in part()]
    rows += list(refused())
    frames, names = [], []
    for name, reason, make in rows:
        for _ in range(VARIANTS):
            frames.append(bytes(make()))
            names.append(f"{name}\t{reason}\n")
    wrpcap(str(folder / "frames.pcap"), frames, linktype=1)
    (folder / "frames.txt").write_text("".join(names))


if __name__ == "__main__":
    main()
