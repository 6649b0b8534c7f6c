"""Plain blocking sockets, cheap enough that they are not what a bench measures.

serve PORT                           echoes at UDP port PORT, at TCP port PORT and the seven after it, until its input ends
connections HOST PORT COUNT AT_ONCE  opens, asks, gets an answer, closes; prints connections per second
round-trips tcp|udp HOST PORT COUNT  sends and waits for the echo; prints the milliseconds of each, as JSON
"""

import json
import os
import signal
import socket
import sys
import time

MESSAGE = b"x" * 64
# Who closes first keeps the connection's ends in TIME-WAIT: with one port there would soon be no ends left.
PORTS = 8
# For each port; enough that clients need not wait for each other to be served.
SERVERS = 4
# Round trips before those that count.
WARM_UP = 200


def fork(work):
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    return child


def listen(port):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen(1024)
    return listener


def echo_stream(listener):
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except ConnectionError:
            pass
        connection.close()


def echo_datagrams(server):
    while True:
        data, sender = server.recvfrom(65536)
        server.sendto(data, sender)


def serve(port):
    listeners = [listen(port + i) for i in range(PORTS)]
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("0.0.0.0", port))
    children = [fork(lambda: echo_datagrams(datagrams))]
    for listener in listeners:
        children += [fork(lambda: echo_stream(listener)) for _ in range(SERVERS)]
    print("ready", flush=True)
    try:
        sys.stdin.read()
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)


def ask(host, port, first, count):
    for i in range(first, first + count):
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.connect((host, port + i % PORTS))
        connection.sendall(MESSAGE)
        connection.recv(65536)
        connection.close()
    os._exit(0)


def connections(host, port, count, at_once):
    start = time.perf_counter()
    children = [fork(lambda: ask(host, port, i, count // at_once)) for i in range(at_once)]
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    elapsed = time.perf_counter() - start
    if failed > 0:
        sys.exit(f"{failed} of {at_once} clients failed")
    print(count // at_once * at_once / elapsed)


def round_trips(protocol, host, port, count):
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    client = socket.socket(socket.AF_INET, kind)
    client.settimeout(5)
    client.connect((host, port))
    if protocol == "tcp":
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Blocking as a program's is: a time-out would poll before each read. The bench has its own.
    client.settimeout(None)
    times = []
    for _ in range(WARM_UP + count):
        start = time.perf_counter()
        client.send(MESSAGE)
        client.recv(65536)
        times.append(1000 * (time.perf_counter() - start))
    print(json.dumps(times[WARM_UP:]))


mode, *arguments = sys.argv[1:]
if mode == "serve":
    serve(int(arguments[0]))
elif mode == "connections":
    connections(arguments[0], *map(int, arguments[1:]))
else:
    round_trips(*arguments[:2], *map(int, arguments[2:]))
