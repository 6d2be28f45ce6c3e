#!/usr/bin/env python3
"""Who is not the server that the configuration means gets no application byte, and the log says
which network it was, why, and what to set."""

import hashlib
import os
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import Bot, Certificates, Peer, TlsServer, check, main, test, until  # noqa: E402

certificates = Certificates()
WRONG_PIN = "ab" * 32


def welcome(peer):
    peer.welcome()
    peer.drain()


def refuses(server, reason, *lines, **options):
    """The network is not connected for that reason, and nothing was said to the server."""
    bot = Bot(server.network(*lines, **options))

    bot.wait_log(rf"warning: irc: \S+:{server.port}: not connected: tls: .*{reason}")
    server.wait_ended()
    check(server.received == b"", "application data was sent")
    check(server.handshake_errors, "the handshake was completed")


def accepts(server, *lines, **options):
    """The network is connected; the daemon."""
    bot = Bot(server.network(*lines, **options))

    bot.wait_log(rf"irc: \S+:{server.port}: connected as ebb")
    check(server.received.startswith(b"CAP LS 302\r\n"), "not what a client begins with")
    return bot


@test("a good certificate of a CA in tls_ca is accepted, by name")
def _():
    accepts(TlsServer(welcome, certificates, "good"))


@test("a good certificate is accepted by address")
def _():
    accepts(TlsServer(welcome, certificates, "good"), host="127.0.0.1")


@test("a certificate of an unknown CA is refused, and the log says what to set")
def _():
    server = TlsServer(welcome, certificates, "good")
    refuses(server, "certificate does not verify: unable to get local issuer certificate: of ebb test ca "
            rf".*tls_ca.*tls_fingerprint to {server.fingerprint}", ca="other_ca")


@test("a certificate of a private CA is refused by the system's CAs")
def _():
    server = TlsServer(welcome, certificates, "good")
    refuses(server, "certificate does not verify: unable to get local issuer certificate: of ebb test ca "
            rf".*tls_ca.*tls_fingerprint to {server.fingerprint}", ca=None)


@test("a self-signed certificate is refused, and the log says what to set")
def _():
    server = TlsServer(welcome, certificates, "self_signed")
    refuses(server, "certificate does not verify: self-signed certificate: for localhost, 127.0.0.1, from "
            rf".*tls_ca.*tls_fingerprint to {server.fingerprint}")


@test("a certificate for another name is refused, and the log says both names")
def _():
    refuses(TlsServer(welcome, certificates, "wrong_name"),
            r"certificate does not verify: hostname mismatch: it is for irc.elsewhere.test, "
            r"not for localhost \(set host to a name that it is for, or tls_fingerprint to ")


@test("a certificate for a name is refused where the host is another address")
def _():
    refuses(TlsServer(welcome, certificates, "wrong_name"),
            r"certificate does not verify: IP address mismatch: it is for irc.elsewhere.test, "
            r"not for 127\.0\.0\.1 \(set host", host="127.0.0.1")


@test("an expired certificate is refused, and the log says since when")
def _():
    refuses(TlsServer(welcome, certificates, "expired"),
            r"certificate does not verify: certificate has expired: on 2021-01-01 00:00 UTC "
            r"\(look at this machine's clock")


@test("a wrong pin refuses a certificate that verifies, and the log gives the right one")
def _():
    server = TlsServer(welcome, certificates, "good")
    refuses(server, r"the certificate is not the pinned one \(if it was renewed, set tls_fingerprint to "
            + server.fingerprint, f"tls_fingerprint = {WRONG_PIN}")


@test("a wrong pin refuses with tls_verify = no, too")
def _():
    refuses(TlsServer(welcome, certificates, "good"), "the certificate is not the pinned one",
            f"tls_fingerprint = {WRONG_PIN}", "tls_verify = no")


@test("the right pin accepts a certificate of an unknown CA")
def _():
    server = TlsServer(welcome, certificates, "good")
    accepts(server, f"tls_fingerprint = {server.fingerprint}", ca=None)


@test("the right pin accepts a self-signed, a misnamed and an expired certificate")
def _():
    for leaf in ("self_signed", "wrong_name", "expired"):
        server = TlsServer(welcome, certificates, leaf)
        accepts(server, f"tls_fingerprint = {WRONG_PIN} {server.fingerprint}", ca=None)


@test("tls_verify = no accepts anybody, and warns")
def _():
    bot = accepts(TlsServer(welcome, certificates, "self_signed"), "tls_verify = no", ca=None)
    bot.wait_log("warning: irc: tls_verify = no: anybody can pose as this server")


@test("a server that offers TLS 1.1 at most is refused")
def _():
    refuses(TlsServer(welcome, certificates, "good", newest=ssl.TLSVersion.TLSv1_1),
            "the server offers no TLS 1.2 or newer")


@test("a server that talks plain text on the TLS port is told from one that speaks TLS")
def _():
    def script(peer):
        peer.send("NOTICE AUTH :*** Looking up your hostname", "NOTICE AUTH :*** Found it")
        peer.drain()
    server = TlsServer(script, certificates)

    bot = Bot(server.network())

    bot.wait_log(rf"irc: localhost:{server.port}: not connected: tls: .*"
                 "the server does not speak TLS on this port")
    server.wait_ended()
    check(b"NICK" not in server.received, "it went on in the clear")


@test("a server that answers TLS with noise is refused")
def _():
    def script(peer):
        peer.socket.recv(1)
        peer.socket.sendall(b"\x16\x03\x03\x00\x28" + bytes(range(200, 240)))
        peer.drain()
    server = TlsServer(script, certificates)

    bot = Bot(server.network())

    bot.wait_log(rf"irc: localhost:{server.port}: not connected: tls: ")
    server.wait_ended()


@test("a server that closes in the handshake is told so")
def _():
    def script(peer):
        peer.socket.recv(1)
        peer.socket.shutdown(socket.SHUT_WR)
        peer.drain()
    server = TlsServer(script, certificates)

    bot = Bot(server.network())

    bot.wait_log(rf"irc: localhost:{server.port}: not connected: closed: "
                 "tls handshake: closed by the server")


@test("a server that is silent in the handshake is given up after connect_timeout")
def _():
    server = TlsServer(Peer.drain, certificates)
    began = time.monotonic()

    bot = Bot(server.network("connect_timeout = 1"))

    bot.wait_log(rf"irc: localhost:{server.port}: not connected: timeout: "
                 r"no answer within 1 s \(tls\)")
    check(time.monotonic() - began >= 1, "it was not waited for")
    server.wait_ended()


@test("a cut TLS connection ends it at once, and the log tells it from a TLS close")
def _():
    def script(peer):
        peer.welcome()
        socket.socket(fileno=peer.socket.detach()).close()

    bot = accepts(TlsServer(script, certificates, "good"))

    bot.wait_log("warning: irc: disconnected from localhost:.* closed: closed without a TLS close")


@test("a TLS close by the server ends the connection")
def _():
    def script(peer):
        peer.welcome()
        peer.socket.unwrap()

    bot = accepts(TlsServer(script, certificates, "good"))

    bot.wait_log("warning: irc: disconnected from localhost:.* closed: closed by the server")


@test("a tls_ca that holds no certificate ends the daemon with status 78")
def _():
    server = TlsServer(welcome, certificates, "good")
    bot = Bot(server.network(f"tls_ca = {certificates.path('index.txt')}"))

    bot.process.wait(20)

    check(bot.process.returncode == 78, f"the status is {bot.process.returncode}")
    bot.wait_log("error: irc: tls: cannot use the CAs in .*index.txt: ")
    check(server.connections == 0, "it connected")


AGAIN = {"again": 'on("client_disconnect", function() repeat until connect("irc") end)\n'}


def ends_after(count, gate=None):
    """A script, and what it finds out of each connection: whether it was resumed, and whose
    certificate the bot has shown. The first ones are closed, when the gate is open."""
    seen = []

    def script(peer):
        peer.welcome()
        der = peer.socket.getpeercert(True)
        seen.append((peer.socket.session_reused, hashlib.sha256(der).hexdigest() if der else None))
        if len(seen) <= count:
            if gate:
                gate.wait(20)
            peer.socket.unwrap()
        peer.drain()
    return seen, script


@test("a session is resumed at the next connection, and the log says so")
def _():
    for newest in (None, ssl.TLSVersion.TLSv1_2):
        seen, script = ends_after(2)
        server = TlsServer(script, certificates, "good", newest=newest)

        bot = Bot("[daemon]\ndial_rate = 1000\n" + server.network(), AGAIN)

        until(lambda seen=seen: len(seen) == 3, "three connections")
        check([resumed for resumed, _ in seen] == [False, True, True], f"resumed: {seen}")
        bot.wait_log(rf"info: irc: TLSv1\.[23], \S+, certificate {server.fingerprint}, "
                     r"key spki:[0-9a-f]{64}, resumed$")


@test("a session that led to no registration is followed by a full handshake")
def _():
    for newest in (None, ssl.TLSVersion.TLSv1_2):
        seen = []

        def script(peer, seen=seen):
            seen.append(peer.socket.session_reused)
            if not seen[-1]:
                peer.welcome()
            if len(seen) < 3:
                peer.socket.unwrap()
            peer.drain()
        server = TlsServer(script, certificates, "good", newest=newest)

        bot = Bot("[daemon]\ndial_rate = 1000\n" + server.network(), AGAIN)

        until(lambda seen=seen: len(seen) == 3, "three connections")
        check(seen == [False, True, False], f"resumed: {seen}")
        bot.wait_log("warning: irc: .* not connected: closed: ")


@test("a certificate that was renewed is shown from the next connection on, without a reload")
def _():
    gate = threading.Event()
    seen, script = ends_after(1, gate)
    server = TlsServer(script, certificates, "good", asks=True)
    place = tempfile.mkdtemp()
    cert, key = os.path.join(place, "our.crt"), os.path.join(place, "our.key")

    def show(name):
        shutil.copy(certificates.path(name + ".crt"), cert)
        shutil.copy(certificates.path(name + ".key"), key)

    show("wrong_name")
    bot = Bot(server.network(f"tls_cert = {cert}", f"tls_key = {key}"), AGAIN)
    until(lambda: len(seen) == 1, "a connection")
    show("good")
    gate.set()
    until(lambda: len(seen) == 2, "another connection")

    shutil.rmtree(place)
    check([shown for _, shown in seen] == [certificates.fingerprint("wrong_name"),
                                           certificates.fingerprint("good")], f"shown: {seen}")
    check(not seen[1][0], "the session of the old certificate was resumed")
    bot.wait_log(f"info: tls: read anew: .*, {cert}")


main()
