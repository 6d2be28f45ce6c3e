#!/usr/bin/env python3
"""A bot on ngIRCd: a server of the old protocol, without tags."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import Bot, Ircd, Person, TlsServer, check, main, test  # noqa: E402

ircd = Ircd("ngircd")

PING = """
on("privmsg", { match = "^!ping$" }, function(ev)
  ev:reply("pong, " .. ev.nick)
end)
"""


@test("a bot joins its channels over a plain connection and its script answers")
def _():
    alice = Person(ircd, "alice", "#one", "#two")

    bot = Bot(ircd.network("channels = #one, #two"), {"ping": PING})

    alice.asks("ebb", "#one", "!ping", "pong, alice")
    alice.asks("ebb", "#two", "!ping", "pong, alice")
    bot.wait_log("warning: irc: tls = no: everything is sent in the clear")


@test("a bot joins its channels over verified TLS and its script answers")
def _():
    alice = Person(ircd, "alice", "#one", tls=True)

    bot = Bot(ircd.network("channels = #one", tls=True), {"ping": PING})

    alice.asks("ebb", "#one", "!ping", "pong, alice")
    bot.wait_log(rf"info: irc: TLSv1\.[23], \S+, certificate {ircd.fingerprint}")
    check(not bot.ever_logged(" (warning|error): (?!ebbd: running as root)"), "something is wrong")


@test("a channel with a key is joined with it")
def _():
    alice = Person(ircd, "alice", "#locked")
    alice.send("MODE #locked +k secret")
    alice.expect(r" MODE #locked \+k secret")

    Bot(ircd.network("channels = #open, #locked secret"), {"ping": PING})

    alice.asks("ebb", "#locked", "!ping", "pong, alice")


@test("a private message is answered in private")
def _():
    alice = Person(ircd, "alice", "#one")
    Bot(ircd.network("channels = #one"), {"ping": PING})
    alice.sees("ebb", "#one")

    alice.say("ebb", "!ping")

    alice.hears("ebb", "alice", "pong, alice")


@test("the alternative nicks are tried in order when the nick is taken")
def _():
    alice = Person(ircd, "alice", "#one")
    Person(ircd, "ebb")
    Person(ircd, "other")

    bot = Bot(ircd.network("channels = #one", "alt_nicks = other spare"), {"ping": PING})

    alice.asks("spare", "#one", "!ping", "pong, alice")
    bot.wait_log("irc: nick ebb: refused: .*in use")
    bot.wait_log("irc: .*connected as spare")


@test("without alternatives the taken nick gets an underscore")
def _():
    alice = Person(ircd, "alice", "#one")
    Person(ircd, "ebb")

    Bot(ircd.network("channels = #one"), {"ping": PING})

    alice.asks("ebb_", "#one", "!ping", "pong, alice")


@test("SIGTERM says QUIT to the server, and ends the daemon with status 0")
def _():
    alice = Person(ircd, "alice", "#one")
    bot = Bot(ircd.network("channels = #one"))
    alice.sees("ebb", "#one")

    bot.stop()

    alice.expect(r"^:ebb!\S+ QUIT :.*ebb is ending")
    check("irc: disconnected as requested" in bot.end_of_log(), "not logged as requested")


@test("the words of an ERROR are logged and end the connection")
def _():
    oper = Person(ircd, "oper", "#one")
    oper.send("OPER oper operpass")
    oper.expect(" 381 oper ")
    bot = Bot(ircd.network("channels = #one"), {"tell": """
        on("client_disconnect", function(ev) log("it was " .. ev.kind .. ": " .. ev.reason) end)
    """})
    oper.sees("ebb", "#one")

    oper.send("KILL ebb :enough of you")

    bot.wait_log(r"warning: irc: disconnected from 127\.0\.0\.1:\d+ after \d+ s: killed: "
                 ".*enough of you")
    bot.wait_log("script tell: it was killed: .*enough of you")


@test("an ERROR before the welcome is logged as a refused registration")
def _():
    def script(peer):
        peer.expect("^USER ")
        peer.send("ERROR :Closing Link: we are full")
        peer.drain()
    server = TlsServer(script)

    bot = Bot(server.network(tls=False))

    bot.wait_log(r"irc: localhost:\d+: not connected: registration: Closing Link: we are full")
    server.wait_ended()


@test("a bot whose server goes away keeps running, and its scripts hear of it")
def _():
    other = Ircd("ngircd")
    alice = Person(other, "alice", "#one")
    bot = Bot(other.network("channels = #one"), {"tell": """
        on("client_disconnect", function(ev)
          log(("lost %s:%d, %s, %s, up %s"):format(ev.host, ev.port, ev.kind, ev.requested,
            math.type(ev.uptime)))
        end)
    """})
    alice.sees("ebb", "#one")

    other.kill()

    bot.wait_log(rf"script tell: lost 127\.0\.0\.1:{other.port}, closed, false, up integer")
    bot.stop()


main()
