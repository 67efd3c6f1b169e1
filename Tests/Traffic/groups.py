#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A question to a group, and unicast answers to it, as mDNS and SSDP have them.

    groups.py answer GROUP PORT INTERFACE DELAY...   joins; prints `listening`; to each datagram it sends an answer to its sender after each of
                                                     these seconds, and at once one to the port above the sender's; until SIGTERM
    groups.py ask GROUP PORT INTERFACE SECONDS       asks once, waits so long; prints {"answers": their delays, "strange": answers at the port above}
"""
import json
import signal
import socket
import struct
import sys
import time


def family(group):
    return socket.AF_INET6 if ":" in group else socket.AF_INET


def answer(group, port, interface, delays):
    server = socket.socket(family(group), socket.SOCK_DGRAM)
    number = socket.if_nametoindex(interface)
    if ":" in group:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind(("::", port))
        membership = socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", number)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
    else:
        server.bind(("0.0.0.0", port))
        membership = struct.pack("4s4si", socket.inet_aton(group), bytes(4), number)
        server.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    print("listening", flush=True)
    while True:
        _, sender = server.recvfrom(2048)
        asked = time.monotonic()
        server.sendto(b"0", (sender[0], sender[1] + 1, *sender[2:]))
        for delay in delays:
            time.sleep(max(0, asked + delay - time.monotonic()))
            server.sendto(str(delay).encode(), sender)


def bound_pair(group):
    """Two sockets at neighbouring ports that the kernel had free."""
    while True:
        first, second = (socket.socket(family(group), socket.SOCK_DGRAM) for _ in range(2))
        everywhere = "::" if ":" in group else "0.0.0.0"
        first.bind((everywhere, 0))
        try:
            second.bind((everywhere, first.getsockname()[1] + 1))
            return first, second
        except (OSError, OverflowError):
            first.close()
            second.close()


def ask(group, port, interface, seconds):
    client, above = bound_pair(group)
    number = socket.if_nametoindex(interface)
    if ":" in group:
        client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, number)
    else:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    client.sendto(b"who is there", (group, port))
    end, answers, strange = time.monotonic() + seconds, [], 0
    above.setblocking(False)
    while (left := end - time.monotonic()) > 0:
        client.settimeout(min(left, 0.1))
        try:
            answers.append(float(client.recv(2048)))
        except TimeoutError:
            pass
        try:
            above.recv(2048)
            strange += 1
        except BlockingIOError:
            pass
    print(json.dumps({"answers": answers, "strange": strange}))


def main():
    match sys.argv[1:]:
        case ["answer", group, port, interface, *delays]:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            answer(group, int(port), interface, [float(delay) for delay in delays])
        case ["ask", group, port, interface, seconds]:
            ask(group, int(port), interface, float(seconds))
        case _:
            sys.exit(__doc__)


main()
