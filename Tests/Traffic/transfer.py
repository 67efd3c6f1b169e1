#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bulk transfer over TCP with a checksum at both ends, and datagrams that come back.

    transfer.py serve ADDRESS PORT            prints `listening`; takes connections one after the other, answers each with {"bytes", "sha256"}
    transfer.py send ADDRESS PORT BYTES       sends that many bytes; prints {"bytes", "sha256", "answer", "seconds"}
    transfer.py echo ADDRESS PORT             prints `listening`; sends every datagram back
    transfer.py ask ADDRESS PORT COUNT [SIZE [WAIT]]
                                              sends datagrams of all sizes or one, waits for each a second or so long; prints {"asked", "answered"}
    transfer.py connect ADDRESS PORT SECONDS  tries to open a connection; prints {"connected": true or false, "error"}
    transfer.py refused ADDRESS PORT SECONDS  sends a datagram and waits for an error; prints {"error": its name, or nothing}
    transfer.py mtu ADDRESS PORT BYTES        finds the MTU of the way to an echo by datagrams that must not be cut; prints {"mtu", "answered": bytes}
    transfer.py join GROUP PORT INTERFACE     joins a group; prints `listening`, and on SIGTERM {"heard": datagrams}
    transfer.py count ADDRESS PORT            the same without a group
    transfer.py cast ADDRESS PORT COUNT       sends datagrams to a group or to everybody; prints {"sent"}
"""
import errno
import hashlib
import json
import random
import signal
import socket
import struct
import sys
import time


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(address, port):
    listener = socket.create_server((address, port), family=family(address))
    print("listening", flush=True)
    while True:
        connection, _ = listener.accept()
        digest, count = hashlib.sha256(), 0
        with connection:
            while block := connection.recv(1 << 18):
                digest.update(block)
                count += len(block)
            connection.sendall(json.dumps({"bytes": count, "sha256": digest.hexdigest()}).encode())


def send(address, port, total):
    blocks = [random.Random(seed).randbytes(1 << 18) for seed in range(16)]
    digest, count, began = hashlib.sha256(), 0, time.monotonic()
    with socket.create_connection((address, port), timeout=30) as connection:
        while count < total:
            # A block that repeats would hide a segment that was put in another's place.
            block = count.to_bytes(8, "little") + blocks[count >> 18 & 15][: min(1 << 18, total - count) - 8]
            connection.sendall(block)
            digest.update(block)
            count += len(block)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(4096):
            answer += part
    print(json.dumps({
        "bytes": count, "sha256": digest.hexdigest(), "answer": json.loads(answer), "seconds": time.monotonic() - began}))


def echo(address, port):
    server = socket.socket(family(address), socket.SOCK_DGRAM)
    server.bind((address, port))
    print("listening", flush=True)
    while True:
        datagram, sender = server.recvfrom(65536)
        server.sendto(datagram, sender)


def ask(address, port, count, size=None, wait=1.0):
    client = socket.socket(family(address), socket.SOCK_DGRAM)
    client.settimeout(wait)
    client.connect((address, port))
    answered = 0
    for number in range(count):
        # 1,452 bytes fill a packet of 1,500 with IPv6; without a size nothing is cut into fragments.
        length = number * 7 % 1449 if size is None else size - 4
        datagram = number.to_bytes(4, "little") + random.Random(number).randbytes(length)
        client.send(datagram)
        try:
            answered += client.recv(65536) == datagram
        except TimeoutError:
            pass
    print(json.dumps({"asked": count, "answered": answered}))


def connect(address, port, seconds):
    try:
        socket.create_connection((address, port), timeout=seconds).close()
        print(json.dumps({"connected": True, "error": ""}))
    except OSError as error:
        print(json.dumps({"connected": False, "error": str(error)}))


def refused(address, port, seconds):
    client = socket.socket(family(address), socket.SOCK_DGRAM)
    client.settimeout(seconds)
    client.connect((address, port))
    # An answer is never longer than what it answers: leave it room.
    client.send(bytes(200))
    try:
        client.recv(1)
        print(json.dumps({"error": ""}))
    except TimeoutError:
        print(json.dumps({"error": ""}))
    except OSError as error:
        print(json.dumps({"error": errno.errorcode[error.errno]}))


def mtu(address, port, size):
    client = socket.socket(family(address), socket.SOCK_DGRAM)
    client.settimeout(1)
    # IP_MTU_DISCOVER and IPV6_MTU_DISCOVER, IP_MTU and IPV6_MTU (linux/in.h, linux/in6.h); 2 is "always do-not-fragment".
    level, discover, known, headers = (41, 23, 24, 48) if ":" in address else (0, 10, 14, 28)
    client.setsockopt(level, discover, 2)
    client.connect((address, port))
    answered, deadline = 0, time.monotonic() + 10
    while not answered and time.monotonic() < deadline:
        try:
            client.send(bytes(min(size, client.getsockopt(level, known) - headers)))
            answered = len(client.recv(65536))
        except TimeoutError:
            pass
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
    print(json.dumps({"mtu": client.getsockopt(level, known), "answered": answered}))


class Stopped(Exception):
    """Raised in a counter, which waits in the kernel when it is told to end."""


def hear(address, port, interface=None):
    listener = socket.socket(family(address), socket.SOCK_DGRAM)
    listener.bind((address, port))
    if interface and ":" in address:
        number = socket.if_nametoindex(interface)
        membership = socket.inet_pton(socket.AF_INET6, address) + struct.pack("@I", number)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
    elif interface:
        membership = struct.pack("4s4si", socket.inet_aton(address), bytes(4), socket.if_nametoindex(interface))
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    heard = 0

    def stop(*_):
        raise Stopped

    signal.signal(signal.SIGTERM, stop)
    print("listening", flush=True)
    try:
        while True:
            listener.recv(2048)
            heard += 1
    except Stopped:
        print(json.dumps({"heard": heard}), flush=True)


def cast(address, port, total):
    number = socket.if_nametoindex("eth0")
    sender = socket.socket(family(address), socket.SOCK_DGRAM)
    if ":" in address:
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, number)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 4)
    else:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
    for number in range(total):
        sender.sendto(number.to_bytes(4, "little"), (address, port))
        time.sleep(0.002)
    print(json.dumps({"sent": total}))


def main():
    match sys.argv[1:]:
        case ["serve", address, port]:
            serve(address, int(port))
        case ["send", address, port, total]:
            send(address, int(port), int(total))
        case ["echo", address, port]:
            echo(address, int(port))
        case ["ask", address, port, count]:
            ask(address, int(port), int(count))
        case ["ask", address, port, count, size]:
            ask(address, int(port), int(count), int(size))
        case ["ask", address, port, count, size, wait]:
            ask(address, int(port), int(count), int(size), float(wait))
        case ["connect", address, port, seconds]:
            connect(address, int(port), float(seconds))
        case ["refused", address, port, seconds]:
            refused(address, int(port), float(seconds))
        case ["mtu", address, port, size]:
            mtu(address, int(port), int(size))
        case ["join", address, port, interface]:
            hear(address, int(port), interface)
        case ["count", address, port]:
            hear(address, int(port))
        case ["cast", address, port, total]:
            cast(address, int(port), int(total))
        case _:
            sys.exit(__doc__)


main()
