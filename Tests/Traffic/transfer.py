#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bulk transfer over TCP with a checksum at both ends, and datagrams that come back.

    transfer.py serve ADDRESS PORT            prints `listening`; takes connections one after the other, answers each with {"bytes", "sha256"}
    transfer.py send ADDRESS PORT BYTES       sends that many bytes; prints {"bytes", "sha256", "answer", "seconds"}
    transfer.py echo ADDRESS PORT             prints `listening`; sends every datagram back
    transfer.py ask ADDRESS PORT COUNT        sends datagrams of all sizes, waits for each; prints {"asked", "answered"}
    transfer.py connect ADDRESS PORT SECONDS  tries to open a connection; prints {"connected": true or false, "error"}
"""
import hashlib
import json
import random
import socket
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


def ask(address, port, count):
    client = socket.socket(family(address), socket.SOCK_DGRAM)
    client.settimeout(1)
    client.connect((address, port))
    # 1,452 bytes fill a packet of 1,500 with IPv6; nothing is cut into fragments.
    answered = 0
    for number in range(count):
        datagram = number.to_bytes(4, "little") + random.Random(number).randbytes(number * 7 % 1449)
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
        case ["connect", address, port, seconds]:
            connect(address, int(port), float(seconds))
        case _:
            sys.exit(__doc__)


main()
