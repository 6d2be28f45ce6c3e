#!/usr/bin/env python3
"""Whatever a server does to a connection: the log says it, scripts hear the right kind, the bot is
back and answers, and nothing is left behind.

All faults happen at once, to the networks of one daemon: each row of the table is a network, and
its server breaks the connection in the row's way, is well, breaks it some more times, is well."""

import functools
import os
import re
import select
import socket
import ssl
import sys
import threading
from dataclasses import dataclass, replace
from typing import Callable

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (  # noqa: E402
    IS_SANITISED, TEST_TIMEOUT, TIMEOUT, Bot, Certificates, TlsServer, attend, check, for_the_file,
    main, test)
from faulty import (  # noqa: E402
    ANSWERER, KEEPER, Drip, FaultyServer, Usage, Witness, close, converse, raw, reset,
    server_context, silent, truncate)

AGAIN = 6  # faults in the second round: with what goes well, fewer than the guard allows in a row
MARGIN_KILOBYTES = 1024  # of hundreds of faults
PEAK_KILOBYTES = 32 * 1024  # of two streams full of output, too

certificates = Certificates()


@dataclass
class Row:
    name: str
    fault: Callable
    kind: str  # a pattern, as words is
    words: str
    is_ready: bool = False  # the bot was connected when it happened
    tls: bool = False
    leaf: str = None  # of the fault: the handshake is made with it first
    newest: ssl.TLSVersion = None
    lines: tuple = ()


# How far a conversation goes before the fault.

def accepted(peer):
    pass


def greeted(peer):
    """Over TLS: the client has said hello."""
    check(peer.socket.recv(65536), "no hello")


def registering(peer):
    peer.expect("^USER ")


def welcomed(peer):
    peer.nick = peer.expect(r"^NICK (\S+)").group(1)
    peer.expect("^USER ")
    peer.send(f":irc.test 001 {peer.nick} :welcome")


def ready(peer):
    converse(peer)


def in_mid_line(peer):
    converse(peer)
    peer.socket.sendall(b":ann!a@irc.test PRIVMSG ebb :are you there, in half a li")


def after(phase, end):
    def fault(peer):
        phase(peer)
        end(peer)
    return fault


def in_mid_record(peer):
    """A TLS record's head that announces more than comes."""
    converse(peer)
    raw(peer).sendall(b"\x17\x03\x03\x00\x40" + bytes(20))


# Faults of other kinds.

def hears_noise(peer):
    greeted(peer)
    peer.socket.sendall(b"\x16\x03\x03\x00\x28" + bytes(range(200, 240)))
    silent(peer)


def hears_noise_later(peer):
    converse(peer)
    raw(peer).sendall(bytes(range(256)))
    silent(peer)


def speaks_plain(peer):
    peer.send("NOTICE AUTH :*** Looking up your hostname")
    silent(peer)


def says_half_a_hello(peer):
    """A TLS handshake that stops within the server's first message."""
    greeted(peer)
    peer.socket.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(range(32)))
    silent(peer)


def never_reads(peer):
    """What ebbd is made to send piles up: here little, then in the kernel, then in ebbd."""
    converse(peer)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.send(":ann!a@irc.test PRIVMSG ebb :pour")
    end = select.poll()
    end.register(peer.socket, select.POLLRDHUP)
    end.poll(TEST_TIMEOUT * 1000)


# What they come to.

RESET = "connection reset by peer"
CLOSED = "closed by the server"
QUICK = ("connect_timeout = 3", "register_timeout = 3", "ping_interval = 1", "ping_timeout = 2")
UNREGISTERED = ("timeout", "not registered within 3 s", False, QUICK)
UNANSWERED = ("ping", "no answer to PING within 2 s", True, QUICK)

# phase, its name, what is found where the server falls silent in it
PHASES = (
    (accepted, "after accept", UNREGISTERED),
    (registering, "during registration", UNREGISTERED),
    (welcomed, "after 001", UNREGISTERED),
    (ready, "when ready", UNANSWERED),
    (in_mid_line, "in mid-line", UNANSWERED),
)


def in_each_phase(end, name, kind=None, words=None):
    """A row for each phase, in the clear and over TLS; without a kind, of silence."""
    for phase, place, (silence, unheard, is_ready, lines) in PHASES:
        row = Row(f"{name} {place}", after(phase, end), kind or silence, words or unheard,
                  is_ready, lines=() if kind else lines)
        yield row
        yield replace(row, name=row.name + " over TLS", tls=True, leaf="good")


def refused_certificate(name, leaf, words):
    return Row(name, after(registering, silent), "tls", words, tls=True, leaf=leaf)


rows = [
    # the kernel may have told of it before connect() was over
    Row("an RST after accept", reset, "refused|closed", RESET),
    *list(in_each_phase(reset, "an RST", "closed", RESET))[2:],
    Row("an RST in the TLS handshake", after(greeted, reset), "closed", RESET, tls=True),
    Row("an RST in a TLS record", after(in_mid_record, reset), "closed", RESET, True, True, "good",
        ssl.TLSVersion.TLSv1_2),

    *in_each_phase(close, "an end", "closed", CLOSED),
    Row("an end in the TLS handshake", after(greeted, close), "closed", CLOSED, tls=True),
    Row("an end in a TLS record", after(in_mid_record, truncate), "closed",
        "closed without a TLS close", True, True, "good", ssl.TLSVersion.TLSv1_2),
    Row("an end without a TLS close", after(ready, truncate), "closed",
        "closed without a TLS close", True, True, "good"),

    *in_each_phase(silent, "silence"),
    Row("silence in the TLS handshake", after(greeted, silent), "timeout",
        r"no answer within 3 s \(tls\)", tls=True, lines=QUICK),
    Row("silence within the TLS server's hello", says_half_a_hello, "timeout",
        r"no answer within 3 s \(tls\)", tls=True, lines=QUICK),
    Row("silence in a TLS record", after(in_mid_record, silent), *UNANSWERED[:3], True, "good",
        ssl.TLSVersion.TLSv1_2, QUICK),

    Row("a server that does not read", never_reads, "closed",
        "the server does not read what is sent", True),
    Row("a server that does not read over TLS", never_reads, "closed",
        "the server does not read what is sent", True, True, "good"),

    Row("noise in the TLS handshake", hears_noise, "tls", "", tls=True),
    Row("noise after the TLS handshake", hears_noise_later, "tls", "", True, True, "good"),
    Row("plain text on the TLS port", speaks_plain, "tls",
        "the server does not speak TLS on this port", tls=True),
    refused_certificate("an expired certificate", "expired", "certificate has expired"),
    refused_certificate("a certificate for another name", "wrong_name",
                        "it is for irc.elsewhere.test, not for localhost"),
    refused_certificate("a certificate of an unknown CA", "unknown",
                        "unable to get local issuer certificate"),
    refused_certificate("a self-signed certificate", "self_signed", "self-signed certificate"),
]


class Place:
    """The daemon, and a network with its server for each row."""

    def __init__(self):
        self.servers = [FaultyServer(row.fault, certificates, row.leaf, row.newest) if row.tls
                         else FaultyServer(row.fault) for row in rows]
        sections = [server.network(*row.lines, name=name_of(row))
                    for row, server in zip(rows, self.servers)]
        self.bot = Bot("[daemon]\nlog_level = debug\ndial_rate = 1000\n" + "\n".join(sections),
                       {"keeper": KEEPER, "answerer": ANSWERER})
        self.before = self._round(1)
        for server in self.servers:
            server.again(AGAIN)
        self.after = self._round(2)

    def _round(self, number):
        for row, server in zip(rows, self.servers):
            server.wait_answers(number, row.name)
        return Usage(self.bot)

    def told(self, row):
        """What the log says of a row's ends: as warnings, and the kinds that scripts heard."""
        name = name_of(row)
        return ([m.group(1) for m in self.bot.logged(rf"warning: {name}: (.*)")],
                [m.group(1) for m in self.bot.logged(rf" {name}: kind (\S+: .*)")])


@functools.cache
def place():
    with for_the_file():
        return Place()


def name_of(row):
    return f"row{rows.index(row)}"


def proves(row):
    """Each fault of the row was logged, and heard of by scripts, in the row's words."""
    attend(Witness(place().bot, name_of(row)))

    warnings, kinds = place().told(row)

    place_of_end = "disconnected from" if row.is_ready else r"\S+: not connected"
    logged = [w for w in warnings if re.match(rf"{place_of_end}.*: ({row.kind}): .*{row.words}", w)]
    heard = [k for k in kinds if re.match(rf"({row.kind}): .*{row.words}", k)]
    check(len(logged) >= 1 + AGAIN, f"of {1 + AGAIN} faults {len(logged)} are logged as meant")
    check(len(heard) >= 1 + AGAIN, f"of {1 + AGAIN} faults {len(heard)} are heard of as meant")


for one in rows:
    test(one.name + " is told rightly, and the bot comes back")(functools.partial(proves, one))


@test("half a line is heard of by no script")
def _():
    bot = place().bot

    check(bot.logged("heard: are you there"), "nothing was heard")
    check(not bot.logged("heard: .*half a li"), "half a line was heard")


@test("after all faults the descriptors are as many as before, and so is the memory")
def _():
    before, after_all = place().before, place().after

    after_all.check_descriptors(before)
    after_all.check_memory(before, MARGIN_KILOBYTES)
    check(IS_SANITISED or after_all.peak_kilobytes <= PEAK_KILOBYTES,
          f"it took {after_all.peak_kilobytes} KB")


def arrives_in_drips(context):
    done = threading.Event()

    def script(peer):
        peer.socket = Drip(peer.socket, context)
        converse(peer)
        done.set()
        peer.drain()
    server = TlsServer(script, certificates)

    bot = Bot(server.network(tls=context is not None), {"answerer": ANSWERER})

    check(done.wait(TIMEOUT), "no conversation came about")
    check(not bot.logged("connected: "), "it took more than one attempt")


@test("a conversation that comes a byte at a time goes as any other")
def _():
    arrives_in_drips(None)


@test("so does one over TLS")
def _():
    arrives_in_drips(server_context(certificates, "good"))


main()
