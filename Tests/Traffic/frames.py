#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole frames, as they are, in and out of an interface.

    frames.py send INTERFACE [RATE]     sends the frames on standard input, one a line in hexadecimal; prints {"sent": N}
    frames.py watch INTERFACE FILE      prints `listening`; on SIGTERM writes FILE: what arrived, one a line in hexadecimal

The kernel takes the outer VLAN tag out of a frame before a packet socket sees it, and says so beside the frame; it is put back here.
"""
import json
import signal
import socket
import struct
import sys
import time

ALL, OUTGOING = 3, 4
SOL_PACKET, PACKET_AUXDATA, SO_RCVBUFFORCE = 263, 8, 33
AUXDATA = struct.Struct("IIIHHHH")  # struct tpacket_auxdata: the last two are tag and tag type
TAG_VALID, TAG_TYPE_VALID = 1 << 4, 1 << 6


class Stopped(Exception):
    """Raised in the watcher, which waits in the kernel when it is told to end."""


def stop(*_):
    raise Stopped


def send(interface, rate=0.0):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    port.bind((interface, 0))
    sent = 0
    for line in sys.stdin:
        port.send(bytes.fromhex(line.strip()))
        sent += 1
        if rate:
            time.sleep(1 / rate)
    print(json.dumps({"sent": sent}))


def whole(frame, ancillary):
    for level, kind, data in ancillary:
        if (level, kind) != (SOL_PACKET, PACKET_AUXDATA) or len(data) < AUXDATA.size:
            continue
        status, _, _, _, _, tag, tag_type = AUXDATA.unpack_from(data)
        if status & TAG_VALID:
            tag_type = tag_type if status & TAG_TYPE_VALID else 0x8100
            return frame[:12] + struct.pack("!HH", tag_type, tag) + frame[12:]
    return frame


def watch(interface, path):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    port.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    port.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    port.bind((interface, ALL))
    found = []
    signal.signal(signal.SIGTERM, stop)
    print("listening", flush=True)
    try:
        while True:
            frame, ancillary, _, sender = port.recvmsg(65536, 256)
            if sender[2] != OUTGOING:
                found.append(whole(frame, ancillary))
    except Stopped:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(path, "w", encoding="utf-8") as file:
        for frame in found:
            print(frame.hex(), file=file)


def main():
    match sys.argv[1:]:
        case ["send", interface, *rate]:
            send(interface, *map(float, rate))
        case ["watch", interface, path]:
            watch(interface, path)
        case _:
            sys.exit(__doc__)


main()
