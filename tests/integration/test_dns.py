#!/usr/bin/env python3
"""Whatever name servers do: the log says it, scripts hear of it, and the bot is back and answers
once the name can be resolved, at the address that it has then. Needs root."""

import functools
import os
import re
import sys
import time
from dataclasses import dataclass
from typing import Callable

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

import namespace  # noqa: E402

namespace.enter()

from ebbtest import (  # noqa: E402
    TEST_TIMEOUT, Bot, TlsServer, attend, check, for_the_file, main, network, test, until)
from faulty import ANSWERER, KEEPER, Usage, Witness, abort, converse  # noqa: E402
from nameserver import (  # noqa: E402
    REFUSED, SERVFAIL, NameServer, answer, by_type, cut, fails, for_another, garbage, is_silent,
    slow)

DNS, NOBODY = "127.0.0.53", "127.0.0.54"
SERVER, OTHER = "127.0.0.10", "127.0.0.11"
DEAD, UNROUTED = "2001:db8::2", "2001:db8:ffff::2"
MARGIN_KILOBYTES = 256
PATIENCE_SECONDS = 30  # connect_timeout where nothing else is said
SOON_SECONDS = 2.5  # ten times the pause after which a second address is tried


def use_servers(*addresses):
    """Replaces resolv.conf, as those do who write it."""
    with open("/etc/resolv.conf.new", "w", encoding="ascii") as file:
        file.writelines(f"nameserver {address}\n" for address in addresses)
    os.rename("/etc/resolv.conf.new", "/etc/resolv.conf")


def lose_packets(address):
    """A machine that swallows what is sent to an address: no answer, and no refusal."""
    namespace.run("ip", "link", "add", "name", "dead0", "type", "veth", "peer", "name", "dead1")
    for link in ("dead0", "dead1"):
        namespace.run("ip", "link", "set", link, "up")
    namespace.run("ip", "address", "add", "2001:db8::1/64", "dev", "dead0", "nodad")
    namespace.run("ip", "neighbour", "replace", address, "lladdr", "02:00:00:00:00:99", "dev",
                  "dead0", "nud", "permanent")


class Server(TlsServer):
    """Counts the conversations by the nick, and holds them."""

    def __init__(self, address=SERVER, port=0):
        self.nicks = []
        super().__init__(self._play, address=address, port=port)

    def _play(self, peer):
        converse(peer)
        self.nicks.append(peer.nick)
        peer.socket.settimeout(TEST_TIMEOUT)
        peer.drain()

    def lose(self):
        """Ends all connections."""
        for sock in list(self._open):
            abort(sock)


dns = NameServer(DNS)
server = Server()
use_servers(DNS)
lose_packets(DEAD)


def is_asked():
    """Whether anybody has a socket to a name server."""
    for table in ("udp", "tcp"):
        with open(f"/proc/net/{table}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                if words[2].endswith(":0035") and words[9] != "0":  # the port, the inode
                    return True
    return False


def section(host, *lines, nick="ebb", name="irc"):
    return network(name, {"host": host, "port": server.port, "tls": "no", "nick": nick}, lines)


@dataclass
class Row:
    name: str
    does: Callable  # with the question
    words: str = None  # None: it connects all the same
    lines: tuple = ()


RESOLVE = r"dns: cannot resolve \S+: "
rows = [
    Row("a name that does not exist", lambda q: q.reply(3), RESOLVE + "domain name not found"),
    Row("SERVFAIL", fails(SERVFAIL), RESOLVE),
    Row("REFUSED", fails(REFUSED), RESOLVE),
    Row("a name without addresses", answer(), RESOLVE + "it has no address"),
    Row("garbage", garbage, RESOLVE),
    Row("an answer to another question", for_another, RESOLVE),
    Row("silence", is_silent, RESOLVE),
    Row("silence for longer than connect_timeout", is_silent,
        r"timeout: resolving \S+: timed out", ("connect_timeout = 1",)),
    Row("a cut answer without TCP", cut(is_silent), "(dns|timeout): ", ("connect_timeout = 5",)),
    Row("a cut answer with garbage over TCP", cut(garbage), RESOLVE),

    Row("an address that nothing leads to", answer(UNROUTED),
        rf"refused: \[{UNROUTED}\]:\d+: network is unreachable"),
    Row("an address that swallows what is sent to it", answer(DEAD),
        rf"timeout: \[{DEAD}\]:\d+: timed out", ("connect_timeout = 3",)),

    Row("a cut answer and TCP", cut(answer(SERVER))),
    Row("a slow answer", slow(1, answer(SERVER))),
    Row("an answer to the second question only", slow(2.5, answer(SERVER))),
    Row("silence on IPv6", by_type(A=answer(SERVER), AAAA=is_silent)),
    Row("SERVFAIL on IPv6", by_type(A=answer(SERVER), AAAA=fails(SERVFAIL))),
    Row("silence on IPv4 where IPv6 answers", by_type(A=is_silent, AAAA=answer("::1"))),
    Row("an address that nothing leads to beside one that is alive",
        by_type(A=answer(SERVER), AAAA=answer(UNROUTED))),
]


def nick_of(row):
    return f"row{rows.index(row)}"


class Place:
    """One daemon with a network for each row: all fails, and is mended, twice."""

    def __init__(self):
        self._v6 = Server("::1", server.port)
        self._break_names()
        sections = [section(nick_of(row) + ".test", *row.lines, nick=nick_of(row),
                            name=nick_of(row)) for row in rows]
        self.bot = Bot("[daemon]\nlog_level = debug\ndial_rate = 1000\n" + "\n".join(sections),
                       {"keeper": KEEPER, "answerer": ANSWERER})
        self._mend_names(1)
        self.before = self._measure()
        self._break_names()
        server.lose()
        self._v6.lose()
        self._mend_names(2)
        self.after = self._measure()

    def _measure(self):
        """When the last question is given up, which may be one that is of no use any more."""
        until(lambda: not is_asked(), "all questions are over")
        return Usage(self.bot)

    def _break_names(self):
        for row in rows:
            dns.names[nick_of(row) + ".test"] = row.does

    def _mend_names(self, number):
        """Each as soon as it has failed, so that the guard has nothing to hold."""
        left = [row for row in rows if row.words]
        failures = {row.name: len(self.failures(row)) for row in left} if number > 1 else {}

        def are_mended():
            for row in list(left):
                if len(self.failures(row)) > failures.get(row.name, 0):
                    dns.names[nick_of(row) + ".test"] = answer(SERVER)
                    left.remove(row)
            return not left
        until(are_mended, "each name has failed")
        for row in rows:
            until(lambda row=row: self._answers(row) >= number, f"{row.name}: the bot answers")

    def failures(self, row):
        name = nick_of(row)
        return self.bot.logged(rf"warning: {name}: {name}\.test:\d+: not connected: (.*)")

    def _answers(self, row):
        return (server.nicks + self._v6.nicks).count(nick_of(row))


@functools.cache
def place():
    with for_the_file():
        return Place()


def proves(row):
    bot = place().bot
    attend(Witness(bot, nick_of(row)))

    failures = place().failures(row)

    if row.words:
        check(failures, "it did not fail")
        for failure in failures:
            check(re.match(row.words, failure.group(1)), f"it failed otherwise: {failure.group(1)}")
        check(bot.logged(rf" {nick_of(row)}: kind {row.words}"), "no script heard of it")
    else:
        check(not failures, "it took more than one attempt")


for one in rows:
    ending = "is told, and the bot comes once there is an address" if one.words else "does no harm"
    test(f"{one.name} {ending}")(functools.partial(proves, one))


@test("after all failures the descriptors are as many as before, and so is the memory")
def _():
    before, after = place().before, place().after

    after.check_descriptors(before)
    after.check_memory(before, MARGIN_KILOBYTES)


@test("a dead address on IPv6 costs no second where one on IPv4 is alive")
def _():
    dns.names["dual.test"] = by_type(A=answer(SERVER), AAAA=answer(DEAD))

    bot = Bot(section("dual.test", nick="dual"), {"answerer": ANSWERER})
    bot.wait_log(rf"debug: irc: connecting to \[{DEAD}\]")
    began = time.monotonic()

    until(lambda: "dual" in server.nicks, "the bot answers", PATIENCE_SECONDS)
    took = time.monotonic() - began
    check(took < SOON_SECONDS, f"connected after {took:.1f} s")


@test("a name that is another address by now is dialled there")
def _():
    first = Server(SERVER)
    second = Server(OTHER, first.port)
    dns.names["moves.test"] = answer(SERVER)
    bot = Bot(section("moves.test", f"port = {first.port}", nick="moves"),
              {"keeper": KEEPER, "answerer": ANSWERER})
    until(lambda: "moves" in first.nicks, "the bot answers")

    dns.names["moves.test"] = answer(OTHER)
    first.lose()

    until(lambda: "moves" in second.nicks, "the bot answers at the other address")
    bot.wait_log(rf"debug: irc: connected to {OTHER}:")
    check(first.connections == 1, "the old address was dialled again")


@test("name servers that changed are asked from the next attempt on, without a descriptor more")
def _():
    dns.names["later.test"] = answer(SERVER)
    use_servers(NOBODY)
    bot = Bot(section("later.test", nick="later"), {"keeper": KEEPER, "answerer": ANSWERER})
    bot.wait_log(r"irc: kind dns: cannot resolve later.test: could not contact DNS servers")

    use_servers(DNS)

    until(lambda: "later" in server.nicks, "the bot answers")
    before = Usage(bot)
    for number in range(3):
        use_servers(*[NOBODY, DNS][number % 2:])
        server.lose()
        until(lambda: server.nicks.count("later") == number + 2, "the bot answers again")
    until(lambda: Usage(bot).descriptors <= before.descriptors, "no more descriptors")


@test("no name server at all is told, and the bot comes once there is one")
def _():
    dns.names["none.test"] = answer(SERVER)
    use_servers()
    bot = Bot(section("none.test", nick="none"), {"keeper": KEEPER, "answerer": ANSWERER})
    bot.wait_log(r"irc: kind dns: cannot resolve none.test: ")

    use_servers(DNS)

    until(lambda: "none" in server.nicks, "the bot answers")


main()
