#!/usr/bin/env python3
"""A bot on InspIRCd over verified TLS: message tags, extended-join, and the server's death."""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import Bot, Ircd, Person, check, main, test  # noqa: E402

ircd = Ircd("inspircd")

PING = """
on("privmsg", { match = "^!ping$" }, function(ev) ev:reply("pong, " .. ev.nick) end)
"""


@test("a bot connects over verified TLS, joins and answers")
def _():
    bot = Bot(ircd.network("channels = #one", tls=True), {"ping": PING})
    alice = Person(ircd, "alice", "#one", tls=True)

    alice.asks("ebb", "#one", "!ping", "pong, alice")
    bot.wait_log(rf"info: irc: TLSv1\.[23], \S+, certificate {ircd.fingerprint}")
    bot.wait_log("irc: localhost:.*connected as ebb")


def longest_body():
    """Words of one to four bytes a character, some 1700 bytes in all."""
    words = ["word", "größer", "слово", "文字列", "🦀🦀", "e"]
    text = " ".join(words[i % len(words)] + str(i) for i in range(180))
    check(len(text.encode()) > 1500, "too short to show anything")
    return text


def joined_parts(person, words):
    """What ebb says to #one until so many words were heard; every line as the server relays it."""
    parts = []
    while sum(len(part.split()) for part in parts) < words:
        line = person.expect(r":ebb!\S+ PRIVMSG #one :").string
        check(len(line.encode()) <= 510, f"{len(line.encode())} bytes in a line")
        line.encode("utf-8")  # a cut character would have left surrogates
        parts.append(line.split(" :", 1)[1])
    return parts


@test("a long text reaches a second client whole, split between words, under 512 bytes a line")
def _():
    text = longest_body()
    Bot(ircd.network("channels = #one", tls=True), {"long": f"""
        on("privmsg", {{ match = "^!long$" }}, function(ev) ev:reply("{text}") end)
    """})
    alice = Person(ircd, "alice", "#one", tls=True)
    alice.sees("ebb", "#one")

    alice.say("#one", "!long")

    parts = joined_parts(alice, len(text.split()))
    check(" ".join(parts) == text, "the text did not arrive whole")
    check(len(parts) < 8, f"{len(parts)} lines are more than needed")


@test("a long text without a space is split between characters, never within one")
def _():
    text = "ä🦀" * 200
    Bot(ircd.network("channels = #one", tls=True), {"long": f"""
        on("privmsg", {{ match = "^!long$" }}, function(ev) ev:reply("{text}") end)
    """})
    alice = Person(ircd, "alice", "#one", tls=True)
    alice.sees("ebb", "#one")

    alice.say("#one", "!long")

    heard = ""
    while len(heard) < len(text):
        heard += alice.hears("ebb", "#one", ".*")
        heard.encode("utf-8")
    check(heard == text, "the text did not arrive whole")


@test("server-time gives ev.time, and who is not logged in has no account")
def _():
    bot = Bot(ircd.network("channels = #one", tls=True), {"when": """
        on("privmsg", { match = "^!when$" }, function(ev)
          ev:reply(("%.3f %s %s %s"):format(ev.time, tostring(ev.account), ev.tags.time,
            tostring(network().caps["server-time"])))
        end)
    """})
    alice = Person(ircd, "alice", "#one", tls=True)

    said = alice.asks("ebb", "#one", "!when", ".*")

    seconds, account, tag, has_cap = said.split()
    check(has_cap == "true", "server-time was not negotiated")
    check(account == "nil", f"the account is {account}")
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", tag), f"the tag is {tag}")
    check(abs(float(seconds) - time.time()) < 60, f"ev.time is {seconds}")
    check(seconds[-4:] == tag[-5:-1], f"ev.time {seconds} is not the tag's {tag}")
    check(not bot.ever_logged("error"), "an error")


@test("extended-join gives a join its real name, and no account to who has none")
def _():
    Bot(ircd.network("channels = #one", tls=True), {"greet": """
        on("join", { mine = false, channel = "#ONE" }, function(ev)
          ev:reply(("%s!%s, %s, account %s"):format(ev.nick, ev.user, ev.real_name,
            tostring(ev.account)))
        end)
    """})
    alice = Person(ircd, "alice", "#one", tls=True)
    alice.sees("ebb", "#one")

    bob = Person(ircd, "bob", tls=True)
    bob.send("JOIN #one")

    alice.hears("ebb", "#one", r"bob!~?bob, bob, account nil")


@test("a nick that is taken at an InspIRCd is replaced by the alternative")
def _():
    alice = Person(ircd, "alice", "#one", tls=True)
    Person(ircd, "ebb", tls=True)

    Bot(ircd.network("channels = #one", "alt_nicks = spare", tls=True), {"ping": PING})

    alice.asks("spare", "#one", "!ping", "pong, alice")


@test("a nick that the server changes is followed")
def _():
    oper = Person(ircd, "oper", "#one", tls=True)
    oper.send("OPER oper operpass")
    oper.expect(" 381 oper ")
    bot = Bot(ircd.network("channels = #one", tls=True), {"who": """
        on("privmsg", { match = "^!who$" }, function(ev) ev:reply("I am " .. network().nick) end)
        on("nick", { mine = true }, function(ev) log("now " .. ev.new_nick) end)
    """})
    oper.sees("ebb", "#one")

    oper.send("SANICK ebb renamed")

    bot.wait_log("script who: now renamed")
    oper.asks("renamed", "#one", "!who", "I am renamed")


@test("a ban that throws the bot out, and meets it when it comes again, is known as such")
def _():
    oper = Person(ircd, "oper", "#one")
    oper.send("OPER oper operpass")
    oper.expect(" 381 oper ")
    section = ircd.network("channels = #one", "user = evil")
    bot = Bot(section, reconnect=True)
    oper.sees("ebb", "#one")

    oper.send("KLINE evil@* 3600 :throttled no more")

    bot.wait_log(r"irc: disconnected from 127\.0\.0\.1:\d+ after \d+ s: banned: "
                 r".*: Closing link: .*K-lined: throttled no more")
    bot.wait_log(r"script reconnect: irc: next attempt in [3-9]\d\d\d\.\d s: banned: ")
    bot.stop()
    late = Bot(section)
    late.wait_log(r"irc: 127\.0\.0\.1:\d+: not connected: banned: ")


@test("SIGTERM says QUIT over TLS and ends with status 0")
def _():
    bot = Bot(ircd.network("channels = #one", tls=True))
    alice = Person(ircd, "alice", "#one", tls=True)
    alice.sees("ebb", "#one")

    bot.stop()

    alice.expect(r"^:ebb!\S+ QUIT :.*ebb is ending")


# Where the server died and lives again, everybody comes anew: these stay behind the others.

@test("after kill -9 of the server, three seconds later the bot is back by its script alone")
def _():
    alice = Person(ircd, "alice", "#one", "#two", tls=True)
    bot = Bot(ircd.network("channels = #one", tls=True), {"ping": PING, "more": """
        on("privmsg", { match = "^!join (%S+)$" }, function(ev, channel)
          send("join", { channel = channel })
        end)
    """}, reconnect=True)
    alice.asks("ebb", "#one", "!ping", "pong, alice")
    alice.say("#one", "!join #two")
    alice.sees("ebb", "#two")

    ircd.kill()
    bot.wait_log("warning: irc: disconnected from localhost:")
    time.sleep(3)  # the outage
    ircd.restart()

    again = Person(ircd, "alice", "#one", "#two", tls=True)
    again.sees("ebb", "#two", timeout=60)  # the waits of the policy grow, and are random
    again.asks("ebb", "#one", "!ping", "pong, alice")
    again.asks("ebb", "#two", "!ping", "pong, alice")
    check(len(bot.ever_logged("connected as ebb")) == 2, "it did not connect twice")


@test("a server that is down when the bot starts is found when it is up, by the script")
def _():
    ircd.kill()
    bot = Bot(ircd.network("channels = #one", tls=True), {"ping": PING}, reconnect=True)
    bot.wait_log(r"warning: irc: localhost:\d+: not connected: refused: ")

    ircd.restart()

    alice = Person(ircd, "alice", "#one", tls=True)
    alice.asks("ebb", "#one", "!ping", "pong, alice")


main()
