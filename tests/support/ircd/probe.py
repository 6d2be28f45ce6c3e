#!/usr/bin/env python3
"""What ircd.sh asks of a server, and of the system.

  probe.py --port P --tls-port P --ca FILE    succeeds when the server answers on both
  probe.py --port P --sasl                    succeeds when it offers SASL: services are linked
  probe.py --port P --no-sasl                 succeeds when it offers none
  probe.py --free-ports N                     prints N ports that nobody listens on
"""

import argparse
import re
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


def offers_sasl(port):
    """Whether CAP LS names mechanisms: that of services which are still being linked does not. As
    InspIRCd may not see that a link has ended until it writes to it, something is said to them."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(b"CAP LS 302\r\nCAP REQ :sasl\r\nAUTHENTICATE PLAIN\r\nQUIT\r\n")
        caps = b""
        while data := sock.recv(4096):
            caps += data
        return bool(re.search(rb"[ :]sasl=\S", caps))


def free_ports(count):
    held = []
    for _ in range(count):
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        held.append(sock)
    print(*(sock.getsockname()[1] for sock in held))


def succeeds(args):
    if args.sasl or args.no_sasl:
        return offers_sasl(args.port) == args.sasl
    return answers(args.port) and answers(args.tls_port, args.ca)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--tls-port", type=int)
    parser.add_argument("--ca")
    parser.add_argument("--sasl", action="store_true")
    parser.add_argument("--no-sasl", action="store_true")
    parser.add_argument("--free-ports", type=int)
    args = parser.parse_args()
    if args.free_ports:
        free_ports(args.free_ports)
        return 0
    try:
        return 0 if succeeds(args) else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
