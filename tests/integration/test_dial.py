#!/usr/bin/env python3
"""How a bot reaches its server: the next host after a failure, the local address, the family, and
names with letters beyond ASCII."""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (Bot, Certificates, ScriptedServer, TlsServer, check, main, test)  # noqa: E402
from socks5 import Socks5  # noqa: E402

NAME, ASCII = "irc.bücher.example", "irc.xn--bcher-kva.example"


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def welcome(peer):
    peer.welcome()
    peer.drain()


@test("the next host is tried after a failure, and the first again after the last")
def _():
    server, first, second = TlsServer(welcome), closed_port(), closed_port()
    hosts = [f"127.0.0.1:{port}" for port in (first, second, server.port)]

    bot = Bot(server.network(f"host = {' '.join(hosts)}", tls=False), reconnect=True)

    bot.wait_log(rf"info: irc: 127\.0\.0\.1:{server.port}: connected as ebb")
    tried = [m.group(1) for m in bot.logged(r"irc: connecting to (\S+) \(attempt")]
    check(tried == hosts, f"tried {tried}")
    bot.wait_log(rf"irc: {hosts[0]}: not connected: refused: {hosts[0]}: connection refused")
    bot.wait_log(rf"irc: {hosts[1]}: not connected: refused: {hosts[1]}: connection refused")
    server.close()
    bot.wait_log(rf"irc: connecting to {hosts[0]} \(attempt")


@test("who was asked to leave comes again to the host where it was")
def _():
    server = TlsServer(welcome)
    hosts = f"127.0.0.1:{server.port} 127.0.0.1:{closed_port()}"

    bot = Bot(server.network(f"host = {hosts}", tls=False), {"once": """
once("client_connect", function() disconnect() connect() end)
"""})

    bot.wait_log(rf"irc: 127\.0\.0\.1:{server.port}: connected as ebb", count=2)
    check(not bot.logged("not connected"), "the other host was tried")


@test("each address is told as it is tried")
def _():
    server = TlsServer(welcome)

    bot = Bot(server.network(tls=False))

    bot.wait_log(rf"debug: irc: connecting to 127\.0\.0\.1:{server.port}$")
    bot.wait_log(rf"debug: irc: connected to 127\.0\.0\.1:{server.port}$")


@test("a bot with bind connects from that address")
def _():
    server = ScriptedServer()

    Bot(server.network("bind = 127.0.0.5", host="127.0.0.1"))

    peer = server.accept()
    check(peer.socket.getpeername()[0] == "127.0.0.5", f"from {peer.socket.getpeername()}")


@test("a bind that is no address of this machine is told, and refused")
def _():
    server = ScriptedServer()

    bot = Bot(server.network("bind = 192.0.2.77", host="127.0.0.1"))

    bot.wait_log(rf"irc: 127\.0\.0\.1:{server.port}: not connected: refused: "
                 rf"127\.0\.0\.1:{server.port}: cannot bind to 192\.0\.2\.77: ")


@test("with family = ipv6 an IPv4 address is not dialled")
def _():
    server = ScriptedServer()

    bot = Bot(server.network("family = ipv6", host="127.0.0.1"))

    bot.wait_log("not connected: dns: 127.0.0.1 is no IPv6 address, and no other may be used")
    check(server.connections == 0, "the server was reached")


@test("a name with letters beyond ASCII is told as it is written and asked for as DNS knows it")
def _():
    server = TlsServer(welcome)
    proxy = Socks5({ASCII: server.port})

    bot = Bot(server.network(f"host = {NAME}", f"proxy = socks5h://127.0.0.1:{proxy.port}",
                             tls=False))

    bot.wait_log(rf"info: irc: {NAME}:{server.port}: connected as ebb")
    check(proxy.asked == [(ASCII, server.port)], f"the proxy was asked for {proxy.asked}")


@test("a certificate is compared with a name beyond ASCII as DNS knows it")
def _():
    server = TlsServer(welcome, Certificates(), "good")
    proxy = Socks5({ASCII: server.port})

    bot = Bot(server.network(f"host = {NAME}", f"proxy = socks5h://127.0.0.1:{proxy.port}"))

    bot.wait_log(rf"irc: {NAME}:{server.port}: not connected: tls: .*not for {ASCII}\b")


main()
