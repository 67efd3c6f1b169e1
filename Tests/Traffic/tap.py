#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tap: everything that arrives at an interface, as it arrives, before any checksum is looked at.

    tap.py INTERFACE FILE     prints `listening`; on SIGTERM writes FILE, a JSON object a line: {"time", "protocol", "source",
                              "destination", "source_port", "port"}; ports are 0 where there are none, ICMP's type is its port

Times are CLOCK_MONOTONIC in nanoseconds. Frames that are no IP packets carry their EtherType as protocol, negative.
"""
import ipaddress
import json
import signal
import socket
import sys
import time

ALL = 3
OUTGOING = 4


class Stopped(Exception):
    pass


def stop(*_):
    raise Stopped


def describe(frame):
    kind = int.from_bytes(frame[12:14], "big")
    if kind == 0x0800 and len(frame) >= 34:
        protocol, start = frame[23], 14 + (frame[14] & 15) * 4
        ends = ipaddress.IPv4Address(frame[26:30]), ipaddress.IPv4Address(frame[30:34])
    elif kind == 0x86DD and len(frame) >= 54:
        protocol, start = frame[20], 54
        ends = ipaddress.IPv6Address(frame[22:38]), ipaddress.IPv6Address(frame[38:54])
    else:
        return {"protocol": -kind, "source": "", "destination": "", "source_port": 0, "port": 0}
    ports = (0, 0)
    if protocol in (6, 17):
        ports = int.from_bytes(frame[start:start + 2], "big"), int.from_bytes(frame[start + 2:start + 4], "big")
    elif protocol in (1, 58) and len(frame) > start:
        ports = 0, frame[start]
    return {
        "protocol": protocol, "source": str(ends[0]), "destination": str(ends[1]), "source_port": ports[0], "port": ports[1]}


def main():
    interface, path = sys.argv[1:]
    signal.signal(signal.SIGTERM, stop)
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    tap.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    tap.bind((interface, ALL))
    found = []
    print("listening", flush=True)
    try:
        while True:
            frame, sender = tap.recvfrom(128)
            if sender[2] != OUTGOING:
                found.append((time.monotonic_ns(), frame))
    except Stopped:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(path, "w", encoding="utf-8") as file:
        for moment, frame in found:
            print(json.dumps({"time": moment} | describe(frame)), file=file)


main()
