#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many live TCP connections that each exchange a byte now and then.

    connections.py serve ADDRESS PORT...        prints `listening`; sends every byte back; until SIGTERM
    connections.py hold ADDRESS COUNT PORT...   opens COUNT connections, in turn to the ports; prints `open`; until SIGTERM

While it holds them, a tenth of all connections sends a byte each second. SIGUSR1 asks for a census: one byte on each connection, and
for each port a line {"port", "open", "answered", "broken"} once all have answered or ten seconds are over, then `counted`. SIGUSR2 asks
for one where some are not to answer, which is over after three seconds.
"""
import json
import resource
import select
import signal
import socket
import sys
import time

# What a census waits for. Of a lost byte TCP's repetitions come after about 0.2, 0.6 and 1.4 s.
PATIENCE = {signal.SIGUSR1: 10.0, signal.SIGUSR2: 3.0}


def raise_limits():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve(address, ports):
    poll, listeners, connections = select.epoll(), {}, {}
    for port in ports:
        listener = socket.create_server((address, port), backlog=4096)
        listener.setblocking(False)
        listeners[listener.fileno()] = listener
        poll.register(listener, select.EPOLLIN)
    print("listening", flush=True)
    while True:
        for number, _ in poll.poll():
            if number in listeners:
                try:
                    connection, _ = listeners[number].accept()
                except BlockingIOError:
                    continue
                connection.setblocking(False)
                connections[connection.fileno()] = connection
                poll.register(connection, select.EPOLLIN)
                continue
            try:
                block = connections[number].recv(4096)
                if block:
                    connections[number].send(block)
                    continue
            except OSError:
                pass
            poll.unregister(number)
            connections.pop(number).close()


class Connection:
    """An open connection: how many bytes it sent and got back, and whether its end was heard."""

    def __init__(self, address, port):
        self.port, self.sent, self.got, self.broken = port, 0, 0, False
        self.socket = socket.create_connection((address, port), timeout=20)
        self.socket.setblocking(False)

    def say(self):
        try:
            self.sent += self.socket.send(b"x")
        except BlockingIOError:
            pass
        except OSError:
            self.broken = True

    def hear(self):
        try:
            block = self.socket.recv(4096)
            self.got += len(block)
            self.broken = self.broken or not block
        except BlockingIOError:
            pass
        except OSError:
            self.broken = True


def hold(address, count, ports):
    wanted, running = [], [True]
    for number, patience in PATIENCE.items():
        signal.signal(number, lambda *_, patience=patience: wanted.append(patience))
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    held = [Connection(address, ports[number % len(ports)]) for number in range(count)]
    poll, by_number = select.epoll(), {}
    for connection in held:
        by_number[connection.socket.fileno()] = connection
        poll.register(connection.socket, select.EPOLLIN)
    print("open", flush=True)
    turn, deadline = 0, None
    while running:
        for number, _ in poll.poll(0.02):
            connection = by_number[number]
            connection.hear()
            if connection.broken:
                poll.unregister(number)
        if deadline is None and wanted:
            patience = wanted.pop()
            for connection in held:
                connection.goal = connection.sent + 1
                if not connection.broken:
                    connection.say()
            deadline = time.monotonic() + patience
        if deadline is None:
            for _ in range(max(1, count // 500)):
                connection = held[turn % count]
                turn += 1
                # One byte at a time: what is not answered is not added to.
                if not connection.broken and connection.sent == connection.got:
                    connection.say()
        elif time.monotonic() > deadline or all(c.got >= c.goal or c.broken for c in held):
            deadline = None
            for port in ports:
                own = [connection for connection in held if connection.port == port]
                print(json.dumps({
                    "port": port, "open": len(own), "answered": sum(c.got >= c.goal for c in own),
                    "broken": sum(c.broken for c in own)}))
            print("counted", flush=True)


def main():
    raise_limits()
    verb, address = sys.argv[1], sys.argv[2]
    if verb == "serve":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        serve(address, [int(port) for port in sys.argv[3:]])
    elif verb == "hold":
        hold(address, int(sys.argv[3]), [int(port) for port in sys.argv[4:]])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
