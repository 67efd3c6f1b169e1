#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of the API that misbehave, and clients that ask much.

    clients.py stall SOCKET COUNT                  COUNT connections that each say half a request and wait, until SIGTERM
    clients.py ask SOCKET RATE SECONDS             RATE times GET /v1/status a second over eight connections
    clients.py move SOCKET RATE SECONDS            RATE times a second a workload that moves to another address, over sixteen connections

`stall` prints `stalled` when all are there; the others print one JSON object: how many were asked for and answered, how long the slowest answer took,
and in how many seconds. Whoever is late catches up, so that fewer are asked than the rate says only where the answers do not keep it.
"""
import json
import signal
import socket
import sys
import threading
import time


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    return client


def stall(path, count):
    clients = []
    for _ in range(count):
        client = connect(path)
        client.sendall(b"GET /v1/status HTTP/1.1\r\nHost: bulkhead\r\nX-Half:")
        clients.append(client)
    print("stalled", flush=True)
    signal.sigwait([signal.SIGTERM])


def exchange(client, request):
    """One request over a connection that stays; the status."""
    client.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65536)
        if not part:
            raise ConnectionError("closed")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        part = client.recv(65536)
        if not part:
            raise ConnectionError("closed")
        body += part
    return int(head.split(b" ")[1])


def request(number, moves):
    if not moves:
        return b"GET /v1/status HTTP/1.1\r\nHost: bulkhead\r\n\r\n"
    document = (
        "apiVersion: bulkhead/v1\nkind: Workload\nmetadata: {namespace: shop, name: moving-%d, labels: {app: web}}\n"
        "spec: {addresses: [10.98.%d.%d]}\n" % (number % 48, number // 200 % 200, number % 200 + 1))
    body = json.dumps({"files": [{"name": "move.yaml", "text": document}]}).encode()
    return (
        b"POST /v1/workloads HTTP/1.1\r\nHost: bulkhead\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    ) + body


def ask(path, rate, seconds, moves):
    workers, lock = (16 if moves else 8), threading.Lock()
    told = {"asked": 0, "answered": 0, "refused": 0, "slowest_ms": 0.0}

    def work(first):
        client, end, number = connect(path), time.monotonic() + seconds, first
        due = time.monotonic()
        while time.monotonic() < end:
            began = time.monotonic()
            status = exchange(client, request(number, moves))
            took = (time.monotonic() - began) * 1000
            with lock:
                told["asked"] += 1
                told["answered" if status == 200 else "refused"] += 1
                told["slowest_ms"] = max(told["slowest_ms"], took)
            number += workers
            due += workers / rate
            time.sleep(max(0, due - time.monotonic()))

    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(told | {"seconds": time.monotonic() - began}), flush=True)


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM] if sys.argv[1] == "stall" else [])
    if sys.argv[1] == "stall":
        stall(sys.argv[2], int(sys.argv[3]))
    else:
        ask(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), sys.argv[1] == "move")


if __name__ == "__main__":
    main()
