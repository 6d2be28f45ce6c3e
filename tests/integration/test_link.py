#!/usr/bin/env python3
"""The way to the server is cut while neither end is told: what is not noticed by itself is found
by PING, in time, and the bot is back when the way is. Needs root."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

import namespace  # noqa: E402

namespace.enter()

from ebbtest import Bot, TlsServer, at_end, check, main, test, until  # noqa: E402
from faulty import ANSWERER, WITNESS, Usage, abort, converse  # noqa: E402

PING_SECONDS = 3  # ping_interval and ping_timeout together
SLACK_SECONDS = 10  # of a busy machine; the kernel's own patience is a quarter of an hour
SILENCE = ("connect_timeout = 2", "ping_interval = 1", "ping_timeout = 2")
MARGIN_KILOBYTES = 1024  # of the first reconnect, too
UNANSWERED = "ping: no answer to PING within 2 s"
elsewhere = namespace.Elsewhere("ebb0", "10.77.0")


class FarServer(TlsServer):
    """At the other end of the link: converses with whoever comes, and goes on answering."""

    def __init__(self, port=0):
        self.answers = 0
        self.pings = 0
        with elsewhere.sockets():
            super().__init__(self._play, address=elsewhere.address, port=port)

    def network(self, *lines):
        return super().network(*SILENCE, *lines, tls=False, host=elsewhere.address)

    def _play(self, peer):
        converse(peer)
        self.answers += 1
        while (line := peer.line()) is not None and not line.startswith("QUIT"):
            self.pings += line.startswith("PING ")
            peer.send(":irc.test PONG irc.test " + line[5:])

    def vanish(self):
        """As a machine that loses power: what it says is not heard here."""
        for sock in list(self._open):
            abort(sock)
        self.close()
        self.wait_ended()

    def wait_answers(self, count):
        until(lambda: self.answers >= count, f"the bot answers, {count} in all")

    def wait_pings(self, count):
        """So many PINGs more are answered."""
        goal = self.pings + count
        until(lambda: self.pings >= goal, "the bot sends PING")


def set_link(where, state):
    where("ip", "link", "set", elsewhere.here if where is namespace.run else elsewhere.there, state)


def mend():
    for where in (namespace.run, elsewhere.run):
        set_link(where, "up")
    namespace.run("ip", "neighbour", "flush", "dev", elsewhere.here, "nud", "permanent")


def connected(*lines):
    """A server elsewhere, and the bot that answers there. All that it sent is acknowledged, so that
    the kernel does not know sooner than PING that the way is cut."""
    at_end(mend)
    server = FarServer()
    bot = Bot("[daemon]\nlog_level = trace\n" + server.network(*lines),
              {"witness": WITNESS, "answerer": ANSWERER}, reconnect=True)
    server.wait_answers(1)
    bot.wait_log("<< :irc.test PONG")
    return server, bot


def finds(bot, since):
    """The dead connection is found in time, and told as that."""
    bot.wait_log(rf"warning: irc: disconnected from {elsewhere.address}:\d+ after \d+ s: "
                 + UNANSWERED)
    took = time.monotonic() - since
    bot.wait_log("irc: kind " + UNANSWERED)
    check(took <= PING_SECONDS + SLACK_SECONDS, f"found after {took:.1f} s")


def uses_no_more(bot, before):
    until(lambda: Usage(bot).descriptors == before.descriptors, "as many descriptors as before")
    Usage(bot).check_memory(before, MARGIN_KILOBYTES)


def is_back(server, bot, before):
    server.wait_answers(2)
    uses_no_more(bot, before)


def goes_down(where):
    """The link is set down at one end, and up again when that was found."""
    server, bot = connected()
    before = Usage(bot)

    set_link(where, "down")
    finds(bot, time.monotonic())
    set_link(where, "up")

    is_back(server, bot, before)


@test("a link that goes down here is found by PING, and the bot is back with it")
def _():
    goes_down(namespace.run)


@test("a link that goes down there is found by PING, and the bot is back with it")
def _():
    goes_down(elsewhere.run)


@test("a half-open connection over a link that is up is found by PING, and the bot is back")
def _():
    server, bot = connected()
    before = Usage(bot)

    namespace.run("ip", "neighbour", "replace", elsewhere.address, "lladdr", "02:00:00:00:00:99",
                  "dev", elsewhere.here, "nud", "permanent")
    finds(bot, time.monotonic())
    mend()

    is_back(server, bot, before)


@test("a link that is away for less than ping_timeout ends nothing")
def _():
    server, bot = connected("ping_timeout = 20")

    set_link(elsewhere.run, "down")
    bot.wait_log(">> PING", count=len(bot.logged(">> PING")) + 1)
    set_link(elsewhere.run, "up")

    server.wait_pings(2)
    check(server.connections == 1 and not bot.logged("disconnected"), "it was given up")


@test("a server that went away while the link was down is found when it is up, and the bot is back")
def _():
    server, bot = connected("ping_timeout = 20")
    before = Usage(bot)

    set_link(elsewhere.run, "down")
    server.vanish()
    again = FarServer(server.port)
    set_link(elsewhere.run, "up")

    bot.wait_log("irc: kind closed: connection reset by peer")
    again.wait_answers(1)
    uses_no_more(bot, before)


@test("what is dialled while the link is down fails by itself, and the bot is back with the link")
def _():
    server, bot = connected()
    before = Usage(bot)

    set_link(namespace.run, "down")
    bot.wait_log(r"warning: irc: \S+: not connected: (refused|timeout): ")
    set_link(namespace.run, "up")

    is_back(server, bot, before)


main()
