#!/usr/bin/env python3
"""What ircd.sh asks of a server, and of the system.

  probe.py --port P --tls-port P --ca FILE    succeeds when the server answers on both
  probe.py --free-ports N                     prints N ports that nobody listens on
"""

import argparse
import socket
import ssl
import sys


def answers(port, ca=None):
    """Whether a server that is asked anything says anything."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        if ca:
            context = ssl.create_default_context(cafile=ca)
            sock = context.wrap_socket(sock, server_hostname="localhost")
        sock.sendall(b"PING :probe\r\nQUIT\r\n")
        return bool(sock.recv(1))


def free_ports(count):
    held = []
    for _ in range(count):
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        held.append(sock)
    print(*(sock.getsockname()[1] for sock in held))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--tls-port", type=int)
    parser.add_argument("--ca")
    parser.add_argument("--free-ports", type=int)
    args = parser.parse_args()
    if args.free_ports:
        free_ports(args.free_ports)
        return 0
    try:
        return 0 if answers(args.port) and answers(args.tls_port, args.ca) else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
