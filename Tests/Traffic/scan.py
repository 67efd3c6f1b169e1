#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scan, and connections one after the other.

    scan.py udp ADDRESS FIRST LAST RATE    a datagram to each port from FIRST to before LAST, RATE a second; prints {"sent"}
    scan.py tcp ADDRESS PORT COUNT         COUNT connections, each of which is opened and closed, or refused, or waits for 0.2 s at most;
                                           prints {"connected", "refused", "silent"}
"""
import json
import socket
import sys
import time


def udp(address, first, last, rate):
    sender = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    began = time.monotonic()
    for number, port in enumerate(range(first, last)):
        time.sleep(max(0, began + number / rate - time.monotonic()))
        sender.sendto(b"scan", (address, port))
    print(json.dumps({"sent": last - first}), flush=True)


def tcp(address, port, count):
    outcomes = {"connected": 0, "refused": 0, "silent": 0}
    for _ in range(count):
        try:
            socket.create_connection((address, port), timeout=0.2).close()
            outcomes["connected"] += 1
        except ConnectionRefusedError:
            outcomes["refused"] += 1
        except OSError:
            outcomes["silent"] += 1
    print(json.dumps(outcomes), flush=True)


def main():
    match sys.argv[1:]:
        case ["udp", address, first, last, rate]:
            udp(address, int(first), int(last), float(rate))
        case ["tcp", address, port, count]:
            tcp(address, int(port), int(count))
        case _:
            sys.exit(__doc__)


main()
