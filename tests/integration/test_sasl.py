#!/usr/bin/env python3
"""A bot that logs in to an account: at real services with each mechanism that they know, and at
servers that a test plays, some of which lie. Whatever happens, no password is logged, and who could
not log in does not enter the channels as a stranger."""

import base64
import hashlib
import hmac
import os
import re
import secrets
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (Bot, Certificates, Ircd, Oper, Person, ScriptedServer, check,  # noqa: E402
                     main, test)

PASSWORD = "open-sesame-4711"
atheme = Ircd("inspircd-atheme")
anope = Ircd("inspircd-anope")
SERVICES = {"atheme": atheme, "anope": anope}
certificates = Certificates()

atheme.register("robot", PASSWORD, atheme.client_fingerprint, atheme.ecdsa_key)
anope.register("robot", PASSWORD, anope.client_fingerprint)

TELL = """
on("client_disconnect", function(ev) log("it was " .. ev.kind) end)
"""


def plain(account=b"robot", password=PASSWORD.encode()):
    """What PLAIN says, as it goes over the wire."""
    return base64.b64encode(b"\0".join((b"", account, password))).decode()


class Member(Person):
    """Somebody in #one, who is told the account of everybody who joins."""

    def __init__(self, ircd, nick="alice"):
        super().__init__(ircd, nick, "#one", caps="extended-join account-notify", tls=True)

    def sees_join(self, nick, account):
        self.expect(rf"^:{nick}!\S+ JOIN #one {re.escape(account)} :")

    def never_saw(self, nick):
        """Nothing of nick came, up to now."""
        self.send("PING :so-far")
        self.expect(r" PONG \S+ :so-far")
        check(not any(line.startswith(f":{nick}!") for line in self.lines), f"{nick} was here")


def start(server, *lines, scripts=None, **options):
    """A bot that is to log in to robot; all that it sends and receives is logged, less secrets."""
    section = server.network("channels = #one", "account = robot", *lines, **options)
    return Bot("[daemon]\nlog_level = trace\n" + section, {"tell": TELL, **(scripts or {})})


def keeps_secret(bot, *more):
    log = "\n".join(found.string for found in bot.ever_logged(""))
    for secret in (PASSWORD, plain(), *more):
        check(secret not in log, "a secret is in the log")


def for_services(sentence, *names):
    """A test of its own for each of these services."""
    def add(function):
        for name in names or SERVICES:
            test(f"{name}: {sentence}")(lambda name=name: function(SERVICES[name]))
        return function
    return add


# At real services.

@for_services("PLAIN logs a bot in before it joins")
def _(ircd):
    alice = Member(ircd)

    bot = start(ircd, "sasl = plain", f"password = {PASSWORD}", tls=True)

    alice.sees_join("ebb", "robot")
    bot.wait_log("info: irc: logged in as robot$")
    keeps_secret(bot)


@for_services("EXTERNAL logs a bot in with its certificate, without a password")
def _(ircd):
    alice = Member(ircd)

    bot = start(ircd, "sasl = external", f"tls_cert = {ircd.client_pem}",
                f"tls_key = {ircd.client_pem}", tls=True)

    alice.sees_join("ebb", "robot")
    bot.wait_log("info: irc: logged in as robot$")


@for_services("EXTERNAL logs a bot in again after a connection has ended")
def _(ircd):
    alice = Member(ircd)
    bot = start(ircd, "sasl = external", f"tls_cert = {ircd.client_pem}", tls=True, scripts={
        "again": 'on("privmsg", {match = "^!again$"}, function() disconnect("irc") end)\n'
                 'on("client_disconnect", function() connect("irc") end)\n'})
    alice.sees_join("ebb", "robot")

    alice.say("#one", "!again")

    alice.expect("^:ebb!.* QUIT ")
    alice.sees_join("ebb", "robot")
    check(len(bot.ever_logged("info: irc: logged in as robot$")) == 2, "it did not log in twice")


@for_services("ECDSA-NIST256P-CHALLENGE logs a bot in with its key", "atheme")
def _(ircd):
    alice = Member(ircd)

    bot = start(ircd, "sasl = ecdsa-nist256p-challenge", f"ecdsa_key = {ircd.ecdsa_key}", tls=True)

    alice.sees_join("ebb", "robot")
    bot.wait_log("info: irc: logged in as robot$")


@for_services("of several mechanisms the first one that is offered is used")
def _(ircd):
    alice = Member(ircd)

    bot = start(ircd, "sasl = scram-sha-512 scram-sha-256 plain", f"password = {PASSWORD}",
                tls=True)

    alice.sees_join("ebb", "robot")
    check(not bot.ever_logged("AUTHENTICATE SCRAM"), "what is not offered was tried")
    keeps_secret(bot)


@for_services("a certificate that belongs to nobody gives way to the password")
def _(ircd):
    alice = Member(ircd)
    stranger = certificates.path("good.crt"), certificates.path("good.key")

    bot = start(ircd, "sasl = external plain", f"password = {PASSWORD}",
                f"tls_cert = {stranger[0]}", f"tls_key = {stranger[1]}", tls=True)

    alice.sees_join("ebb", "robot")
    bot.wait_log("(?i)warning: irc: sasl: external: .+")
    keeps_secret(bot)


@for_services("a wrong password ends the connection with the server's words, before any JOIN")
def _(ircd):
    alice = Member(ircd)

    bot = start(ircd, "sasl = plain", "password = not-this-0815", tls=True)

    bot.wait_log(r"warning: irc: localhost:\d+: not connected: sasl: .*authentication failed")
    bot.wait_log("script tell: it was sasl")
    alice.never_saw("ebb")
    keeps_secret(bot, "not-this-0815", plain(password=b"not-this-0815"))


@for_services("a wrong password is coped with where the login is not required")
def _(ircd):
    alice = Member(ircd)

    bot = start(ircd, "sasl = plain", "password = not-this-0815", "sasl_required = no", tls=True)

    alice.sees_join("ebb", "*")
    bot.wait_log("(?i)warning: irc: sasl: plain: .*authentication failed")
    keeps_secret(bot, "not-this-0815", plain(password=b"not-this-0815"))


@for_services("while services are down there is no connection without the login; then there is")
def _(ircd):
    alice = Member(ircd)
    ircd.stop_services()
    bot = start(ircd, "sasl = plain", f"password = {PASSWORD}", tls=True, scripts={"again": """
        on("client_disconnect", function() repeat sleep(1) until connect() end)
    """})
    bot.wait_log(r"warning: irc: localhost:\d+: not connected: sasl: ")
    alice.never_saw("ebb")

    ircd.start_services()

    alice.sees_join("ebb", "robot")


@for_services("a bot that came while services were down logs in when the server offers it")
def _(ircd):
    alice, oper = Member(ircd), Oper(ircd)
    ircd.stop_services()
    oper.unload("sasl")  # InspIRCd tells of it only where it had not known the mechanisms
    oper.load("sasl")
    bot = start(ircd, "sasl = plain", f"password = {PASSWORD}", "sasl_required = no", tls=True)
    alice.sees_join("ebb", "*")

    ircd.start_services()

    alice.expect(r"^:ebb!\S+ ACCOUNT :?robot$")
    bot.wait_log("info: irc: logged in as robot$")
    keeps_secret(bot)


@for_services("a bot that came while services were down logs in with its next connection")
def _(ircd):
    alice, oper = Member(ircd), Oper(ircd)
    ircd.stop_services()
    bot = start(ircd, "sasl = plain", f"password = {PASSWORD}", "sasl_required = no", tls=True,
                scripts={"again": """
        on("privmsg", { match = "^!again$" }, function()
          disconnect()
          connect()
        end)
    """})
    alice.sees_join("ebb", "*")
    ircd.start_services()

    oper.say("ebb", "!again")

    alice.sees_join("ebb", "robot")
    bot.wait_log("info: irc: logged in as robot$")


# At servers that the test plays.

class Scram:
    """The server's side of SCRAM (RFC 5802), with the account of the example in RFC 7677."""

    user, password = "user", "pencil"
    salt, iterations = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096

    def __init__(self, digest="sha256", nonce=None):
        self._digest = digest
        self._nonce = nonce or secrets.token_urlsafe(18)
        salted = hashlib.pbkdf2_hmac(digest, self.password.encode(), self.salt, self.iterations)
        client_key = self._hmac(salted, b"Client Key")
        self._stored_key = hashlib.new(digest, client_key).digest()
        self._server_key = self._hmac(salted, b"Server Key")

    def _hmac(self, key, text):
        return hmac.new(key, text, self._digest).digest()

    def first(self, client_first):
        """The answer to the client's first message."""
        found = re.fullmatch(r"n,,(n=user,r=([!-+\--~]{16,}))", client_first)
        check(found, f"not a client's first message: {client_first}")
        self._nonce = found.group(2) + self._nonce
        server_first = (f"r={self._nonce},s={base64.b64encode(self.salt).decode()},"
                        f"i={self.iterations}")
        self._exchange = f"{found.group(1)},{server_first},"
        return server_first

    def final(self, client_final):
        """The answer to a proof that the client knows the password."""
        found = re.fullmatch(r"(c=biws,r=(.+)),p=(.+)", client_final)
        check(found, f"not a client's final message: {client_final}")
        check(found.group(2) == self._nonce, "the nonce is not the server's")
        exchange = (self._exchange + found.group(1)).encode()
        proof = base64.b64decode(found.group(3), validate=True)
        signature = self._hmac(self._stored_key, exchange)
        key = bytes(a ^ b for a, b in zip(proof, signature))
        check(len(proof) == len(signature) and
              hashlib.new(self._digest, key).digest() == self._stored_key, "the proof is wrong")
        return "v=" + base64.b64encode(self._hmac(self._server_key, exchange)).decode()


@test("the SCRAM of these tests is that of RFC 7677's example")
def _():
    scram = Scram(nonce="%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")

    first = scram.first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
    final = scram.final("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")

    check(first == "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", first)
    check(final == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", final)


def hear(peer):
    """What the client says next in its login, whole."""
    data, chunk = "", 400 * "+"
    while len(chunk) == 400:
        chunk = peer.expect(r"^AUTHENTICATE (\S+)$").group(1)
        check(len(chunk) <= 400, f"{len(chunk)} bytes of AUTHENTICATE in a line")
        data += "" if chunk == "+" else chunk
    return base64.b64decode(data, validate=True)


def say(peer, text):
    peer.send("AUTHENTICATE " + base64.b64encode(text.encode()).decode())


def succeed(peer, account):
    nick = peer.nick
    peer.send(f":irc.test 900 {nick} {nick}!ebb@test {account} :You are now logged in",
              f":irc.test 903 {nick} :SASL authentication successful")


def begin(server, mechanism, offer):
    """A connection whose login begins with the mechanism."""
    peer = server.accept()
    peer.offer(offer)
    peer.expect(rf"^AUTHENTICATE {mechanism}$")
    peer.send("AUTHENTICATE +")
    return peer


def scram_with(mechanism, digest):
    server = ScriptedServer(certificates, "good")
    bot = start(server, f"sasl = {mechanism}", "account = user", "password = pencil")
    scram = Scram(digest)

    peer = begin(server, mechanism.upper(), f"sasl={mechanism.upper()}")
    say(peer, scram.first(hear(peer).decode()))
    say(peer, scram.final(hear(peer).decode()))
    peer.expect(r"^AUTHENTICATE \+$")
    succeed(peer, "user")
    peer.welcome()

    peer.expect("^JOIN #one$")
    bot.wait_log("info: irc: logged in as user$")
    check(b"pencil" not in server.received, "the password was sent")
    keeps_secret(bot, "pencil")


@test("SCRAM-SHA-256 proves that both know the password, and sends it in no form")
def _():
    scram_with("scram-sha-256", "sha256")


@test("SCRAM-SHA-512 proves that both know the password, and sends it in no form")
def _():
    scram_with("scram-sha-512", "sha512")


def lie_about_nonce(peer, scram):
    scram.first(hear(peer).decode())
    say(peer, "r=somebody-elses-nonce-altogether,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    peer.expect(r"^AUTHENTICATE \*$")
    peer.send(f":irc.test 906 {peer.nick} :SASL authentication aborted")


def lie_about_signature(peer, scram):
    say(peer, scram.first(hear(peer).decode()))
    scram.final(hear(peer).decode())
    say(peer, "v=" + base64.b64encode(bytes(32)).decode())
    peer.expect(r"^AUTHENTICATE \*$")
    peer.send(f":irc.test 906 {peer.nick} :SASL authentication aborted")


def lie_about_success(peer, scram):
    say(peer, scram.first(hear(peer).decode()))
    scram.final(hear(peer).decode())
    succeed(peer, "user")


def lies(lie):
    """A server that would be told the password by PLAIN, were it believed to be the right one."""
    server = ScriptedServer(certificates, "good")
    bot = start(server, "sasl = scram-sha-256 plain", "account = user", "password = pencil")

    peer = begin(server, "SCRAM-SHA-256", "sasl=SCRAM-SHA-256,PLAIN")
    lie(peer, Scram())
    peer.drain()

    bot.wait_log(r"warning: irc: localhost:\d+: not connected: sasl: .*scram-sha-256")
    sent = server.received.decode()
    for never in ("AUTHENTICATE PLAIN", "pencil", plain(b"user", b"pencil"), "JOIN"):
        check(never not in sent, f"it sent {never}")
    check(not bot.ever_logged("info: irc: logged in"), "it believes that it is logged in")
    keeps_secret(bot, "pencil")


@test("a server that answers another SCRAM than ours gets no password")
def _():
    lies(lie_about_nonce)


@test("a server that signs SCRAM without knowing the password gets no password")
def _():
    lies(lie_about_signature)


@test("a server that calls SCRAM a success without having signed it gets no password")
def _():
    lies(lie_about_success)


@test("what is refused gives way to the next mechanism, and the log tells of both")
def _():
    server = ScriptedServer(certificates, "good")
    bot = start(server, "sasl = scram-sha-256 plain", f"password = {PASSWORD}")

    peer = begin(server, "SCRAM-SHA-256", "sasl=SCRAM-SHA-256,PLAIN")
    hear(peer)
    peer.send(f":irc.test 904 {peer.nick} :This account has no SCRAM verifier")
    peer.expect("^AUTHENTICATE PLAIN$")
    peer.send("AUTHENTICATE +")
    check(hear(peer) == b"\0robot\0" + PASSWORD.encode(), "that is not the password")
    succeed(peer, "robot")
    peer.welcome()

    peer.expect("^JOIN #one$")
    bot.wait_log("(?i)warning: irc: sasl: scram-sha-256: .*no SCRAM verifier")
    bot.wait_log("info: irc: logged in as robot$")
    keeps_secret(bot)


@test("a long password goes in pieces of 400 bytes, with an empty one after a full last one")
def _():
    for size in (150, 293, 294, 593, 900):  # 293 and 593 fill their lines
        server = ScriptedServer(certificates, "good")
        secret = "".join(secrets.choice("abcdefgh") for _ in range(size))
        path = os.path.join(os.path.dirname(certificates.path("x")), "secret")
        with open(path, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(secret + "\n")
        bot = start(server, "sasl = plain", f"password_file = {path}")

        peer = begin(server, "PLAIN", "sasl=PLAIN")
        check(hear(peer) == b"\0robot\0" + secret.encode(), f"not whole: {size} bytes")
        succeed(peer, "robot")
        peer.welcome()

        peer.expect("^JOIN #one$")
        keeps_secret(bot, secret)


@test("a server without SASL is left where the login is required")
def _():
    server = ScriptedServer(certificates, "good")
    bot = start(server, "sasl = plain", f"password = {PASSWORD}")

    peer = server.accept()
    peer.expect("^CAP LS 302$")
    peer.send(":irc.test CAP * LS :multi-prefix")
    peer.expect("^CAP REQ :?multi-prefix$")
    peer.send(":irc.test CAP * ACK :multi-prefix")
    peer.drain()

    bot.wait_log(r"warning: irc: localhost:\d+: not connected: sasl: ")
    bot.wait_log("script tell: it was sasl")
    check(b"JOIN" not in server.received, "it joined")
    check(b"AUTHENTICATE" not in server.received, "it tried to log in")


@test("a server that falls silent in the login is left after register_timeout")
def _():
    server = ScriptedServer(certificates, "good")
    bot = start(server, "sasl = plain", f"password = {PASSWORD}", "register_timeout = 2")

    begin(server, "PLAIN", "sasl=PLAIN").drain()

    bot.wait_log(r"warning: irc: localhost:\d+: not connected: (sasl|timeout): ")
    keeps_secret(bot)


@test("SASL that appears later is used at once, and what it was offered with is respected")
def _():
    server = ScriptedServer(certificates, "good")
    bot = start(server, "sasl = scram-sha-256 plain", f"password = {PASSWORD}",
                "sasl_required = no")
    peer = server.accept()
    peer.offer("multi-prefix cap-notify")
    peer.welcome()
    peer.expect("^JOIN #one$")

    peer.send(":irc.test CAP ebb NEW :sasl=PLAIN")

    peer.expect("^CAP REQ :?sasl$")
    peer.send(":irc.test CAP ebb ACK :sasl")
    peer.expect("^AUTHENTICATE PLAIN$")
    peer.send("AUTHENTICATE +")
    check(hear(peer) == b"\0robot\0" + PASSWORD.encode(), "that is not the password")
    succeed(peer, "robot")
    bot.wait_log("info: irc: logged in as robot$")
    keeps_secret(bot)


main()
