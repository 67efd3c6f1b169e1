#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A flood of opening frames from random sources, and connections that have to live through it.

    flood.py send INTERFACE HARDWARE_ADDRESS TARGET PORT RATE SECONDS DISTINCT
                                     sends SYNs from 10.128.0.0/9, DISTINCT of them in turn; RATE a second, 0 for as fast as it goes;
                                     prints {"sent", "seconds"}
    flood.py serve ADDRESS PORT      prints `listening`; answers each line with a fixed response of 1,000 bytes and keeps the connection
    flood.py hold ADDRESS PORT COUNT opens COUNT connections and asks once by each; prints `holding`; asks by one after the other, 100 times
                                     a second, until SIGTERM; then asks once more by each and prints {"alive", "lost", "asked", "failed"}
    flood.py ask ADDRESS PORT SECONDS
                                     asks by a new connection each time, 50 times a second; prints {"asked", "failed", "median": seconds}
"""
import ctypes
import json
import random
import selectors
import signal
import socket
import statistics
import struct
import sys
import time

# Python does not name them: <linux/if_packet.h>, <linux/socket.h>, <asm-generic/socket.h>.
PACKET_QDISC_BYPASS, SOL_PACKET, SO_SNDBUFFORCE = 20, 263, 32
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 958\r\n\r\n".ljust(1000, b"x")


def checksum(data):
    """The internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def opening_frames(interface, hardware_address, target, port, count):
    """SYNs of different sources, with all checksums right."""
    with open(f"/sys/class/net/{interface}/address", encoding="ascii") as file:
        own = bytes.fromhex(file.read().strip().replace(":", ""))
    link = bytes.fromhex(hardware_address.replace(":", "")) + own + b"\x08\x00"
    there = socket.inet_aton(target)
    for _ in range(count):
        source = struct.pack("!I", 0x0A800000 | random.getrandbits(23))
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, source, there)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        body = struct.pack("!HHIIBBHHH", random.randrange(1024, 65536), port, random.getrandbits(32), 0, 0x50, 2, 65535, 0, 0)
        pseudo = source + there + struct.pack("!HH", 6, 20)
        yield link + head + body[:16] + struct.pack("!H", checksum(pseudo + body)) + body[18:]


class Batch:
    """Frames in the form that sendmmsg(2) takes them, so that one call sends many of them."""

    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    class Message(ctypes.Structure):
        _fields_ = [
            ("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("vectors", ctypes.c_void_p), ("count", ctypes.c_size_t),
            ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t), ("flags", ctypes.c_int), ("sent", ctypes.c_uint)]

    def __init__(self, frames):
        joined = b"".join(frames)
        self.count, length = len(frames), len(frames[0])
        self.bytes = ctypes.create_string_buffer(joined, len(joined))
        start = ctypes.addressof(self.bytes)
        self.vectors = (self.Vector * self.count)(*((start + number * length, length) for number in range(self.count)))
        first, size = ctypes.addressof(self.vectors), ctypes.sizeof(self.Vector)
        self.messages = (self.Message * self.count)(
            *((None, 0, first + number * size, 1, None, 0, 0, 0) for number in range(self.count)))
        self.library = ctypes.CDLL(None, use_errno=True)

    def send(self, descriptor, first, count):
        """Sends some of them in one call; how many the kernel took."""
        messages = ctypes.byref(self.messages, first * ctypes.sizeof(self.Message))
        return max(0, self.library.sendmmsg(descriptor, messages, count, socket.MSG_DONTWAIT))


def send(interface, hardware_address, target, port, rate, seconds, distinct):
    batch = Batch(list(opening_frames(interface, hardware_address, target, port, distinct)))
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((interface, 0))
    sender.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
    sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20)
    print("ready", flush=True)
    began = time.monotonic()
    sent = 0
    while (passed := time.monotonic() - began) < seconds:
        due = 64 if rate == 0 else min(64, int(passed * rate) - sent)
        if due <= 0:
            time.sleep(0.0002)
            continue
        # A batch ends where the frames do. What the port refuses is not sent, and is offered again: a veth port takes
        # one frame of a call and refuses the next while its peer is at work, at whatever rate.
        due = min(due, distinct - sent % distinct)
        sent += batch.send(sender.fileno(), sent % distinct, due)
    print(json.dumps({"sent": sent, "seconds": time.monotonic() - began}), flush=True)


def serve(address, port):
    listener = socket.create_server((address, port), backlog=4096)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    print("listening", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                selector.register(connection, selectors.EVENT_READ)
                continue
            try:
                asked = key.fileobj.recv(4096)
            except OSError:
                asked = b""
            if asked:
                key.fileobj.sendall(RESPONSE * asked.count(b"\n"))
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()


def fetch(connection):
    """Asks once; whether the whole response came."""
    try:
        connection.sendall(b"GET /\n")
        got = 0
        while got < len(RESPONSE):
            part = connection.recv(4096)
            if not part:
                return False
            got += len(part)
        return got == len(RESPONSE)
    except OSError:
        return False


def hold(address, port, count):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    connections = [socket.create_connection((address, port), timeout=10) for _ in range(count)]
    if not all(fetch(connection) for connection in connections):
        sys.exit("a connection does not answer")
    print("holding", flush=True)
    asked = failed = 0
    while not signal.sigtimedwait({signal.SIGTERM}, 0.01):
        failed += not fetch(connections[asked % count])
        asked += 1
    alive = sum(fetch(connection) for connection in connections)
    print(json.dumps({"alive": alive, "lost": count - alive, "asked": asked, "failed": failed}), flush=True)


def ask(address, port, seconds):
    times, failed, end = [], 0, time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        try:
            with socket.create_connection((address, port), timeout=5) as connection:
                if fetch(connection):
                    times.append(time.monotonic() - began)
                else:
                    failed += 1
        except OSError:
            failed += 1
        time.sleep(max(0, 0.02 - (time.monotonic() - began)))
    median = statistics.median(times) if times else 0
    print(json.dumps({"asked": len(times) + failed, "failed": failed, "median": median}), flush=True)


def main():
    match sys.argv[1:]:
        case ["send", interface, hardware_address, target, port, rate, seconds, distinct]:
            send(interface, hardware_address, target, int(port), float(rate), float(seconds), int(distinct))
        case ["serve", address, port]:
            serve(address, int(port))
        case ["hold", address, port, count]:
            hold(address, int(port), int(count))
        case ["ask", address, port, seconds]:
            ask(address, int(port), float(seconds))
        case _:
            sys.exit(__doc__)


main()
