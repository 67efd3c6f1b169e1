#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stream of numbered, time-stamped UDP frames, and its receiver.

    stream.py send ADDRESS PORT RATE [SOURCE_PORT]   until SIGTERM; then prints {"sent": N, "errors": N}
    stream.py receive ADDRESS PORT FILE              prints `listening`; on SIGTERM writes FILE: number, send time and arrival time of
                                                     each frame in order of arrival, three little-endian 64-bit words

Times are CLOCK_MONOTONIC in nanoseconds, which all namespaces share. The arrival time is the kernel's, so that a receiver that waits for
its CPU does not look like a late frame.
"""
import array
import json
import signal
import socket
import struct
import sys
import time

# Older Pythons do not name them: <asm-generic/socket.h>.
SO_TIMESTAMPNS, SO_RCVBUFFORCE, SO_SNDBUFFORCE = 35, 33, 32
STAMP = struct.Struct("<QQ")
TIMESPEC = struct.Struct("qq")
# After a stall the stream goes on at its rate; what could not be sent in time is not sent in one heap.
MOST_AT_ONCE = 40


class Stopped(Exception):
    """Raised in the receiver, which waits in the kernel when it is told to end."""


def stop(*_):
    raise Stopped


def open_socket(address):
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)


def send(address, port, rate, source_port=0):
    sender = open_socket(address)
    sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 16 << 20)
    if source_port:
        sender.bind(("", source_port))
    sender.setblocking(False)
    destination, padding = (address, port), bytes(32)
    number = errors = 0
    pause = max(0.001, 1 / rate)
    next_turn = time.monotonic()
    due = 0.0
    # A flag and no exception: one that came between a frame and its count would lose the count.
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    while running:
        due = min(due + rate * pause, MOST_AT_ONCE)
        while due >= 1:
            due -= 1
            try:
                sender.sendto(STAMP.pack(number, time.monotonic_ns()) + padding, destination)
                number += 1
            except OSError:
                errors += 1
        next_turn += pause
        delay = next_turn - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        elif delay < -0.05:
            next_turn = time.monotonic()
    print(json.dumps({"sent": number, "errors": errors}), flush=True)


def receive(address, port, path):
    receiver = open_socket(address)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    receiver.bind((address, port))
    # The kernel stamps in CLOCK_REALTIME.
    to_monotonic = time.monotonic_ns() - time.time_ns()
    found = array.array("Q")
    signal.signal(signal.SIGTERM, stop)
    print("listening", flush=True)
    try:
        while True:
            payload, ancillary, _, _ = receiver.recvmsg(2048, 64)
            seconds, nanoseconds = TIMESPEC.unpack_from(ancillary[0][2])
            number, sent = STAMP.unpack_from(payload)
            found.extend((number, sent, seconds * 1_000_000_000 + nanoseconds + to_monotonic))
    except Stopped:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(path, "wb") as file:
        # The signal may have come between two frames only: `extend` is one call.
        found.tofile(file)


def main():
    match sys.argv[1:]:
        case ["send", address, port, rate, *source_port]:
            send(address, int(port), float(rate), *map(int, source_port))
        case ["receive", address, port, path]:
            receive(address, int(port), path)
        case _:
            sys.exit(__doc__)


main()
