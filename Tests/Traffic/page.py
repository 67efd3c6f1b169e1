#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A web page that comes in two halves.

    page.py ADDRESS PORT BYTES     prints `listening`; answers one GET with half of so many bytes, and with the rest at SIGUSR1
"""
import signal
import socket
import sys

address, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
listener = socket.create_server((address, port))
print("listening", flush=True)
connection, _ = listener.accept()
request = b""
while b"\r\n\r\n" not in request:
    request += connection.recv(4096)
connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size + b"x" * (size // 2))
print("half", flush=True)
signal.sigwait([signal.SIGUSR1])
connection.sendall(b"x" * (size - size // 2))
connection.close()
