#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A log daemon: takes what comes to a local socket.

    logger.py SOCKET     takes the socket's place, prints `listening`, then each message as a line; until SIGTERM
"""
import os
import signal
import socket
import sys


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    path = sys.argv[1]
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    os.chmod(path, 0o666)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("listening", flush=True)
    while True:
        print(listener.recv(65536).decode(errors="replace"), flush=True)


main()
