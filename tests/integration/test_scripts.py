#!/usr/bin/env python3
"""What scripts are promised, on a real ngIRCd. The way to the server can be cut and mended while
the people stay on it."""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (  # noqa: E402
    Bot, Ircd, Link, Person, TlsServer, check, configure, main, run_ebbd, test)

ircd = Ircd("ngircd")

BACK = "I'm baaack!"
PING = 'on("privmsg", { match = "^!ping$" }, function(ev) ev:reply("pong, " .. ev.nick) end)\n'


def together(scripts, *lines, way=ircd, nick="ebb", channel="#one"):
    """A bot with these scripts and alice, in a channel; both, once they see each other."""
    alice = Person(ircd, "alice", channel)
    bot = Bot(way.network(f"channels = {channel}", *lines, nick=nick), scripts)
    alice.sees(nick, channel)
    return bot, alice


# The documented examples of an asyncio library, in Lua.

@test("of two handlers of one event the one that returns answers before the one that sleeps")
def _():
    _, alice = together({"two": """
        on("privmsg", function(ev)
          sleep(1)
          ev:reply("Async call")
        end)

        on("privmsg", function(ev)
          ev:reply("Synchronous call")
        end)
    """})

    alice.say("#one", "hello")
    began = time.monotonic()

    alice.hears("ebb", "#one", "Synchronous call")
    quick = time.monotonic() - began
    alice.hears("ebb", "#one", "Async call")
    slow = time.monotonic() - began
    check(slow >= 0.9, f"the sleeper answered after {slow:.1f} s")
    check(quick < slow - 0.5, f"the other one waited for it: {quick:.1f} s")


SLEEP_CONNECT_SEND = f"""
on("client_disconnect", function()
  -- wait a second so we don't flood
  sleep(2)

  -- wait until we've reconnected
  connect()

  -- notify the room
  send("privmsg", {{ target = "#bottom-dev", message = "{BACK}" }})
end)
"""

SPAWN_AND_LOG = """
on("client_disconnect", function()
  -- wait a second so we don't flood
  sleep(2)

  -- schedule a connection when the loop's next available
  spawn(connect)

  -- record the time of the disconnect event
  log("Reconnect started at " .. os.date("%Y-%m-%dT%H:%M:%S"))
end)
"""

SPAWN_AND_WAIT = f"""
on("client_disconnect", function()
  -- wait a second so we don't flood
  sleep(2)

  -- schedule a connection when the loop's next available
  spawn(connect)

  -- wait until client_connect has triggered
  wait("client_connect")

  -- notify the room
  send("privmsg", {{ target = "#bottom-dev", message = "{BACK}" }})
end)
"""

UNTIL_CONNECTED = f"""
on("client_disconnect", function(ev)
  if ev.requested then return end
  local delay = 0.5
  repeat
    sleep(delay)
    delay = math.min(delay * 2, 300)
  until connect()
  send("privmsg", {{ target = "#bottom-dev", message = "{BACK}" }})
end)
"""


def cut_off(script):
    """A bot with that policy, just cut off; the bot, alice, and the way to be mended."""
    way = Link(ircd)
    bot, alice = together({"back": script, "ping": PING}, way=way, channel="#bottom-dev")
    way.cut()
    bot.wait_log("warning: irc: disconnected from ")
    alice.expect(r"^:ebb!\S+ QUIT ")
    return bot, alice, way


def fail_attempts(bot, count):
    bot.wait_log("warning: irc: .* not connected: refused", count=count)


@test("on client_disconnect: sleep, connect, send: the room is notified")
def _():
    bot, alice, way = cut_off(SLEEP_CONNECT_SEND)

    way.mend()

    alice.hears("ebb", "#bottom-dev", BACK)
    alice.asks("ebb", "#bottom-dev", "!ping", "pong, alice")
    check(len(bot.ever_logged("connecting to .*attempt")) == 2, "it was dialled more than once")


@test("on client_disconnect: sleep, connect, send: a failed attempt is the caller's, told once")
def _():
    bot, _, _ = cut_off(SLEEP_CONNECT_SEND)

    fail_attempts(bot, 1)

    bot.wait_log("error: script back: on client_disconnect.*not connected")
    check(not bot.ever_logged("stack traceback"), "an outage is told with a traceback")
    check(len(bot.ever_logged("error: ")) == 1, "more than one error was logged")


@test("on client_disconnect: sleep until connect, send: the room is notified after an outage")
def _():
    bot, alice, way = cut_off(UNTIL_CONNECTED)

    fail_attempts(bot, 2)
    way.mend()

    alice.hears("ebb", "#bottom-dev", BACK)
    alice.asks("ebb", "#bottom-dev", "!ping", "pong, alice")
    check(not bot.ever_logged("error: "), "an error was logged")


@test("on client_disconnect: spawn(connect), log, return: the bot is back in its channel")
def _():
    bot, alice, way = cut_off(SPAWN_AND_LOG)

    way.mend()

    bot.wait_log(r"script back: Reconnect started at \d{4}-")
    alice.asks("ebb", "#bottom-dev", "!ping", "pong, alice")


@test("on client_disconnect: spawn(connect), log, return: also after attempts that failed")
def _():
    bot, alice, way = cut_off(SPAWN_AND_LOG)

    fail_attempts(bot, 2)
    way.mend()

    bot.wait_log(r"script back: Reconnect started at \d{4}-", count=3)
    alice.asks("ebb", "#bottom-dev", "!ping", "pong, alice")
    check(not bot.ever_logged("error: "), "an error was logged")


@test("on client_disconnect: spawn(connect), wait, send: the room is notified")
def _():
    _, alice, way = cut_off(SPAWN_AND_WAIT)

    way.mend()

    alice.hears("ebb", "#bottom-dev", BACK)
    alice.asks("ebb", "#bottom-dev", "!ping", "pong, alice")


@test("on client_disconnect: spawn(connect), wait, send: every handler that waits hears of it")
def _():
    bot, alice, way = cut_off(SPAWN_AND_WAIT)

    fail_attempts(bot, 2)
    way.mend()

    for _ in range(3):  # of the lost connection, and of each attempt that failed
        alice.hears("ebb", "#bottom-dev", BACK)
    alice.asks("ebb", "#bottom-dev", "!ping", "pong, alice")
    check(not bot.ever_logged("error: "), "an error was logged")


@test("a script registers by hand, waits for the end of the MOTD, and joins")
def _():
    alice = Person(ircd, "alice", "#one")

    bot = Bot(ircd.network("register = manual"), {"ping": PING, "register": """
        on("client_connect", function()
          send("nick", { nick = "manual" })
          send("user", { nick = "manual", realname = "by hand" })
          local ev = wait({ "rpl_endofmotd", "err_nomotd" })
          log("ready: " .. ev.event .. ", " .. network().nick)
          send("join", { channel = "#one" })
        end)
    """})

    alice.asks("manual", "#one", "!ping", "pong, alice")
    bot.wait_log("script register: ready: (rpl_endofmotd|err_nomotd|376|422), manual")
    alice.send("WHOIS manual")
    alice.expect(r" 311 alice manual \S+ \S+ \* :by hand")


@test("with register = manual nothing is sent that no script asked for")
def _():
    def script(peer):
        peer.send("PING :are you there")
        peer.expect("^PONG :?are you there$")
        peer.send(":irc.test 001 me :welcome", ":irc.test 422 me :no MOTD")
        peer.drain()
    server = TlsServer(script)

    bot = Bot(server.network("register = manual", "channels = #one", tls=False), {"tell": """
        on("client_connect", function() log("connected") end)
        on("err_nomotd", function() log("welcome") end)
    """})

    bot.wait_log("script tell: connected")
    bot.wait_log("script tell: welcome")
    bot.stop()
    check(server.received.split(b"\r\n")[:2] == [b"PONG :are you there", b"JOIN #one"],
          f"sent: {server.received}")


# Waiting.

@test("wait gives the next event that its filter lets through")
def _():
    _, alice = together({"quiz": """
        on("privmsg", { match = "^!quiz$" }, function(ev)
          ev:reply("the colour?")
          local answer, colour = wait("privmsg", { nick = ev.nick, match = "^is it (%a+)" }, 20)
          ev:reply("you said " .. colour .. " in " .. answer.channel)
        end)
    """})
    bob = Person(ircd, "bob", "#one")

    alice.say("#one", "!quiz")
    alice.hears("ebb", "#one", r"the colour\?")
    bob.say("#one", "is it red")
    alice.hears("bob", "#one", "is it red")
    alice.say("#one", "hm")
    alice.say("#one", "is it blue, maybe")

    alice.hears("ebb", "#one", "you said blue in #one")


@test("wait ends with a timeout")
def _():
    _, alice = together({"quiz": """
        on("privmsg", { match = "^!quiz$" }, function(ev)
          local answer, why = wait("privmsg", 0.3)
          ev:reply(tostring(answer) .. ", " .. why)
        end)
    """})

    alice.say("#one", "!quiz")

    alice.hears("ebb", "#one", "nil, timeout")


@test("wait on several events ends with the first of them")
def _():
    _, alice = together({"either": """
        on("privmsg", { match = "^!either$" }, function(ev)
          ev:reply("go on")
          local first = wait({ "topic", "part", "join" })
          ev:reply("it was " .. first.event .. " by " .. first.nick)
        end)
    """})
    alice.say("#one", "!either")
    alice.hears("ebb", "#one", "go on")

    Person(ircd, "bob", "#one").send("PART #one")

    alice.hears("ebb", "#one", "it was join by bob")


@test("wait_all ends with the last of its events, and gives each")
def _():
    _, alice = together({"both": """
        on("privmsg", { match = "^!both$" }, function(ev)
          ev:reply("go on")
          local got = wait_all({ "join", "part" }, 20)
          ev:reply(("join by %s, part by %s"):format(got.join.nick, got.part.nick))
          local none, why = wait_all({ "join", "part" }, 0.2)
          ev:reply(tostring(none) .. ", " .. why)
        end)
    """})
    alice.say("#one", "!both")
    alice.hears("ebb", "#one", "go on")

    bob = Person(ircd, "bob", "#one")
    bob.send("PART #one")

    alice.hears("ebb", "#one", "join by bob, part by bob")
    alice.hears("ebb", "#one", "nil, timeout")


@test("a wait for the server's lines ends with the connection, one for client_connect goes on")
def _():
    way = Link(ircd)
    bot, alice = together({"wait": """
        on("privmsg", { match = "^!wait$" }, function(ev)
          ev:reply("waiting")
          local got, why = wait("join", { channel = "#never" })
          log("first: " .. tostring(got) .. ", " .. tostring(why))
        end)
        on("privmsg", { match = "^!wait$" }, function(ev)
          log("second: " .. wait("client_connect").event)
        end)
        on("client_disconnect", function() connect() end)
    """}, way=way)
    alice.say("#one", "!wait")
    alice.hears("ebb", "#one", "waiting")

    way.cut()
    bot.wait_log("script wait: first: nil, disconnected")
    way.mend()

    bot.wait_log("script wait: second: client_connect")


# Listening.

@test("a filter's fields and captures choose the handler, under the server's casemapping")
def _():
    _, alice = together({"filter": """
        on("privmsg", { channel = "#ONE", nick = { "carol", "ALICE" }, match = "^!(%a+) ?(.*)$" },
          function(ev, command, rest)
            ev:reply(("%s(%s)"):format(command, rest))
          end)
        on("privmsg", { channel = "#other" }, function(ev) ev:reply("the wrong channel") end)
        on("privmsg", { nick = "bob" }, function(ev) ev:reply("bob!") end)
        on("privmsg", function(e) return e.message:find("even") end, function(ev)
          ev:reply("by a function: " .. #ev.message)
        end)
    """})

    alice.say("#one", "!cook eggs and ham")

    alice.hears("ebb", "#one", r"cook\(eggs and ham\)")
    alice.say("#one", "seven")
    alice.hears("ebb", "#one", "by a function: 5")
    check(not [line for line in alice.lines if "bob!" in line or "wrong channel" in line],
          "a handler ran that should not have")


@test("a mistyped field in a filter is refused when the script is loaded")
def _():
    bot = Bot(ircd.network(), {"mistake": 'on("privmsg", { chanel = "#one" }, print)'})

    bot.wait_log("error: script mistake: .*mistake.lua:1: on: filter: privmsg has no field "
                 "'chanel'")


@test("once runs once, and a subscription that is off no more")
def _():
    _, alice = together({"once": """
        once("privmsg", { match = "^!go$" }, function(ev) ev:reply("once") end)
        local sub
        sub = on("privmsg", { match = "^!go$" }, function(ev)
          sub:off()
          ev:reply("until off")
        end)
        on("privmsg", { match = "^!go$" }, function(ev) ev:reply("always") end)
    """})

    alice.say("#one", "!go")
    alice.say("#one", "!go")

    heard = [alice.hears("ebb", "#one", ".*") for _ in range(4)]
    check(heard == ["once", "until off", "always", "always"], f"heard: {heard}")


@test("an event that one script triggers is handled in another, which knows who it was")
def _():
    _, alice = together({"teller": """
        on("privmsg", { match = "^!score (%d+)$" }, function(ev, points)
          trigger("score", { who = ev.nick, points = tonumber(points), more = { "a", "b" } })
        end)
    """, "listener": """
        on("score", { points = 7 }, function(ev)
          send("privmsg", { target = "#one", message = ("%s has %d (%s) by %s"):format(ev.who,
            ev.points, table.concat(ev.more, "+"), ev.script) })
        end)
    """})

    alice.say("#one", "!score 6")
    alice.say("#one", "!score 7")

    alice.hears("ebb", "#one", r"alice has 7 \(a\+b\) by teller")


@test("a script cannot forge a line of the server's, nor the account of an event")
def _():
    _, alice = together({"forger": """
        on("privmsg", { match = "^!forge$" }, function(ev)
          for _, name in ipairs { "privmsg", "KICK", "433", "client_connect", "script_load" } do
            if pcall(trigger, name, {}) then ev:reply("forged " .. name) end
          end
          if pcall(trigger, "mine", { account = "admin" }) then ev:reply("forged an account") end
          ev:reply("done")
        end)
    """})

    alice.say("#one", "!forge")

    check(alice.hears("ebb", "#one", ".*") == "done", "something was forged")


@test("own text, CTCP and actions are told from what people say")
def _():
    _, alice = together({"kinds": """
        on("privmsg", { mine = true }, function(ev) ev:reply("an echo") end)
        on({ "privmsg", "ctcp", "action", "notice" }, { channel = "#one" }, function(ev)
          ev:reply(("%s %s: %s"):format(ev.event, tostring(ev.ctcp), ev.message))
        end)
    """})

    alice.say("#one", "plain")
    alice.say("#one", "\x01ACTION waves\x01")
    alice.say("#one", "\x01TIME now\x01")
    alice.send("NOTICE #one :noted")

    heard = [alice.hears("ebb", "#one", ".*") for _ in range(4)]
    check(heard == ["privmsg nil: plain", "action ACTION: waves", "ctcp TIME: now",
                    "notice nil: noted"], f"heard: {heard}")


@test("on * sees every line, as it came")
def _():
    bot, _ = together({"all": """
        on("*", function(ev) log(ev.event .. " | " .. ev.raw) end)
    """})

    bot.wait_log(r"script all: (rpl_welcome|001) \| :irc\.test 001 ebb :")
    bot.wait_log(r"script all: join \| :ebb!\S+ JOIN :?#one")


# Time.

@test("after runs once, every again and again, each with its arguments and its network")
def _():
    bot, alice = together({"time": """
        on("privmsg", { match = "^!time$" }, function(ev)
          after(0.3, function(text) ev:reply(text) end, "after")
          local n = 0
          every(0.1, function(text)
            n = n + 1
            if n <= 3 then send("privmsg", { target = "#one", message = text .. n }) end
            log("tick " .. n)
          end, "every")
        end)
    """})

    alice.say("#one", "!time")

    heard = {alice.hears("ebb", "#one", ".*") for _ in range(4)}
    check(heard == {"after", "every1", "every2", "every3"}, f"heard: {heard}")
    bot.wait_log("script time: tick 6$")
    check(len([line for line in alice.lines if line.endswith(":after")]) == 1, "after ran twice")


@test("ten thousand sleeping tasks wake, and the bot answers meanwhile")
def _():
    _, alice = together({"ping": PING, "many": """
        on("privmsg", { match = "^!many$" }, function(ev)
          local left = 10000
          for i = 1, left do
            spawn(function()
              sleep(5 + i / 20000)
              left = left - 1
              if left == 0 then ev:reply("all awake") end
            end)
          end
          ev:reply("all asleep")
        end)
    """})

    alice.say("#one", "!many")

    alice.hears("ebb", "#one", "all asleep")
    alice.asks("ebb", "#one", "!ping", "pong, alice")
    alice.hears("ebb", "#one", "all awake")


# Sending.

@test("a script that sends faster than the queue empties pauses, the others do not")
def _():
    bot, alice = together({"ping": """
        on("privmsg", { match = "^!ping$" }, function() log("ping") end)
    """, "flood": """
        on("privmsg", { match = "^!flood$" }, function(ev)
          local began = os.clock()
          for i = 1, 30 do
            ev:reply("line " .. i)
            if i == 6 then log("six are queued after %.1f", os.clock() - began) end
          end
          log(("all are queued after %.1f"):format(os.clock() - began))
        end)
    """}, "queue_max = 5", "flood_rate = 20", "flood_burst = 1")

    alice.say("#one", "!flood")
    first = alice.hears("ebb", "#one", r"line \d+")
    began = time.monotonic()
    alice.say("#one", "!ping")
    bot.wait_log("script ping: ping")
    check(not bot.logged("script flood: all are queued"), "it did not pause")
    rest = [alice.hears("ebb", "#one", r"line \d+") for _ in range(29)]

    seconds = time.monotonic() - began
    check([first, *rest] == [f"line {i}" for i in range(1, 31)], f"not in order: {first} {rest}")
    check(seconds > 29 / 20 * 0.8, f"29 lines at 20 a second came within {seconds:.1f} s")
    queued = float(bot.wait_log(r"all are queued after ([\d.]+)").group(1))
    check(queued > 23 / 20 * 0.8, f"all were queued within {queued} s")


@test("a task that is paused in a full queue when the connection ends gets kind disconnected")
def _():
    way = Link(ircd)
    bot, alice = together({"flood": """
        on("privmsg", { match = "^!flood$" }, function(ev)
          local ok, e = pcall(function()
            for i = 1, 100 do ev:reply("line " .. i) end
          end)
          log("it was " .. tostring(ok) .. ", " .. e.kind .. ": " .. e.message)
        end)
    """}, "queue_max = 5", "flood_rate = 2", "flood_burst = 1", way=way)
    alice.say("#one", "!flood")
    alice.hears("ebb", "#one", "line 1")

    way.cut()

    bot.wait_log("script flood: it was false, disconnected: ")


@test("nothing is sent of a command with a line break, a space or a colon in the wrong place")
def _():
    _, alice = together({"careful": r"""
        on("privmsg", { match = "^!careful$" }, function(ev)
          local bad = {
            { "privmsg", { target = "#one", message = "a\r\nQUIT" } },
            { "privmsg", { target = "#one", message = "a\0b" } },
            { "privmsg", { target = "#one x", message = "a" } },
            { "privmsg", { target = ":one", message = "a" } },
            { "privmsg", { target = "", message = "a" } },
            { "privmsg", { target = "#one", mesage = "a" } },
            { "privmsg", { message = "a" } },
            { "nonsense", {} },
          }
          for i, c in ipairs(bad) do
            if pcall(send, c[1], c[2]) then ev:reply("sent number " .. i) end
          end
          if pcall(raw, "PRIVMSG #one :a\nQUIT") then ev:reply("sent raw") end
          ev:reply("done")
        end)
    """})

    alice.say("#one", "!careful")

    check(alice.hears("ebb", "#one", ".*") == "done", "something was sent")


@test("disconnect says its message, is told as requested, and connect brings the bot back")
def _():
    bot, alice = together({"ping": PING, "leave": """
        on("privmsg", { match = "^!leave$" }, function()
          log("left: " .. tostring(disconnect("back in a minute")))
          log("back: " .. tostring(connect()))
        end)
        on("client_disconnect", function(ev)
          log(("told: %s, %s"):format(ev.kind, tostring(ev.requested)))
        end)
    """})

    alice.say("#one", "!leave")

    alice.expect(r"^:ebb!\S+ QUIT :.*back in a minute")
    bot.wait_log("script leave: told: requested, true")
    bot.wait_log("script leave: left: true")
    bot.wait_log("script leave: back: network irc")
    alice.asks("ebb", "#one", "!ping", "pong, alice")


@test("tasks that connect at the same time share one attempt, which waits for the guard")
def _():
    way = Link(ircd)
    bot, alice = together({"ping": PING, "impatient": """
        on("client_disconnect", function()
          for i = 1, 5 do
            spawn(function()
              local n, why, kind = connect()
              log(("connect %d: %s %s"):format(i, tostring(n), tostring(kind)))
            end)
          end
        end)
    """}, way=way)

    way.cut()
    alice.expect(r"^:ebb!\S+ QUIT ")
    bot.wait_log("irc: .*not dialled before [0-9]+ ms have passed: a network is dialled once in 2 s")
    way.mend()

    alice.asks("ebb", "#one", "!ping", "pong, alice")
    for i in range(1, 6):
        bot.wait_log(f"script impatient: connect {i}: network irc nil")
    check(len(bot.ever_logged("connecting to .*attempt")) == 2, "they did not share an attempt")
    check(len(bot.ever_logged("not dialled before")) == 1, "the guard told it more than once")


# Faults of scripts.

@test("an error in a handler is logged with its traceback, and the bot goes on")
def _():
    bot, alice = together({"ping": PING, "faulty": """
        local function divide(ev)
          return ev.message .. nil
        end
        on("privmsg", { match = "^!fault$" }, function(ev)
          local text = divide(ev)
          return text
        end)
        on("privmsg", { match = "^!fault$" }, function(ev) ev:reply("the next handler") end)
    """})

    alice.say("#one", "!fault")

    alice.hears("ebb", "#one", "the next handler")
    bot.wait_log(r"error: script faulty: on privmsg.*faulty\.lua:3: attempt to concatenate a nil")
    bot.wait_log(r"error: .*stack traceback:")
    bot.wait_log(r"error: .*faulty\.lua:6: in function")
    alice.asks("ebb", "#one", "!ping", "pong, alice")


@test("an error after a pause and one in a spawned task are logged with script and place")
def _():
    bot, alice = together({"ping": PING, "later": """
        on("privmsg", { match = "^!later$" }, function()
          spawn(function() error("spawned") end)
          after(0.01, function() error("alarmed") end)
          sleep(0.01)
          error({ "no text" })
        end)
    """})

    alice.say("#one", "!later")

    bot.wait_log(r"error: script later: spawn from .*later\.lua:3: .*spawned")
    bot.wait_log(r"error: script later: after from .*later\.lua:4: .*alarmed")
    bot.wait_log(r"error: script later: on privmsg.*an error value that is a table")
    alice.asks("ebb", "#one", "!ping", "pong, alice")


@test("a script with a syntax error, and one whose main chunk fails, do not stop the others")
def _():
    bot, alice = together({"broken": "on('privmsg', function(ev)\n  ev:reply(\nend)",
                           "failing": "local x = nil\nx.y = 1", "ping": PING})

    alice.asks("ebb", "#one", "!ping", "pong, alice")
    bot.wait_log(r"error: script broken: not loaded: .*broken\.lua:3: unexpected symbol")
    bot.wait_log(r"error: script failing: .*failing\.lua:2: attempt to index a nil value")
    bot.wait_log("info: script ping: loaded")


@test("scripts share nothing but events: globals and library tables are each one's own")
def _():
    _, alice = together({"one": """
        shared = "leaked"
        string.upper = nil
        ebb.send = nil
        on("privmsg", { match = "^!one$" }, function(ev) ev:reply("one") end)
    """, "two": """
        on("privmsg", { match = "^!two$" }, function(ev)
          ev:reply(("%s %s %s"):format(tostring(shared), ("two"):upper(), type(ebb.send)))
        end)
    """})

    alice.asks("ebb", "#one", "!one", "one")
    alice.asks("ebb", "#one", "!two", "nil TWO function")


@test("a script reaches no file, no process and no debugger, unless it is trusted")
def _():
    _, alice = together({"prison": """
        on("privmsg", { match = "^!prison$" }, function(ev)
          local found = {}
          for _, name in ipairs { "io", "package", "dofile", "loadfile" } do
            if _G[name] then found[#found + 1] = name end
          end
          for _, name in ipairs { "execute", "exit", "remove", "rename", "tmpname" } do
            if os[name] then found[#found + 1] = "os." .. name end
          end
          for name in pairs(debug) do found[#found + 1] = "debug." .. name end
          ev:reply("found " .. #found .. ": " .. table.concat(found, " "))
        end)
    """})

    alice.asks("ebb", "#one", "!prison", "found 1: debug.traceback")


@test("a trusted script reads and writes files, from its own folder on")
def _():
    alice = Person(ircd, "alice", "#one")
    Bot(ircd.network("channels = #one") + "[script notes]\ntrust = full\n", {"notes": """
        on("privmsg", { match = "^!note (.+)$" }, function(ev, text)
          local f <close> = assert(io.open("notes.txt", "a"))
          f:write(text, "\\n")
        end)
        on("privmsg", { match = "^!notes$" }, function(ev)
          for line in io.lines("notes.txt") do ev:reply(line) end
        end)
    """})

    alice.sees("ebb", "#one")
    alice.say("#one", "!note first")
    alice.asks("ebb", "#one", "!notes", "first")


@test("scripts share modules in lib/ of script_path, and have some to themselves")
def _():
    alice = Person(ircd, "alice", "#one")
    Bot(ircd.network("channels = #one"), {
        "tell": """
            local words = require "words"
            on("privmsg", { match = "^!tell$" }, function(ev) ev:reply(words.greeting) end)
        """,
        "tell/words": 'return { greeting = require("shared.text") }',
        "lib/shared/text": 'return "from afar"'})

    alice.asks("ebb", "#one", "!tell", "from afar")


@test("a script's section reaches it as config")
def _():
    alice = Person(ircd, "alice", "#one")
    Bot(ircd.network("channels = #one") + "[script greet]\ngreeting = good day\nlimit = 3\n",
        {"greet": """
        on("privmsg", { match = "^!greet$" }, function(ev)
          ev:reply(("%s %d %s"):format(config.greeting, config.limit + 1, tostring(config.enabled)))
        end)
    """})

    alice.asks("ebb", "#one", "!greet", "good day 4 nil")


@test("a script of one network does not hear the other, and names the one it means")
def _():
    alice = Person(ircd, "alice", "#one", "#two")
    Bot(ircd.network("channels = #one", name="first", nick="ebb1")
        + ircd.network("channels = #two", name="second", nick="ebb2")
        + "[script only]\nnetworks = first\n",
        {"only": """
        on("privmsg", { match = "^!net$" }, function(ev) ev:reply("only " .. ev.network) end)
    """, "all": """
        on("privmsg", { match = "^!net$" }, function(ev)
          network("second"):send("privmsg", { target = "#two", message = "all " .. ev.network })
        end)
    """})

    alice.sees("ebb2", "#two")
    alice.asks("ebb1", "#one", "!net", "only first")
    alice.hears("ebb2", "#two", "all first")
    alice.say("#two", "!net")
    check(alice.hears("ebb2", "#two", ".*") == "all second", "the other script heard it, too")


# The command line.

@test("--check says yes to what is right, and connects nowhere")
def _():
    server = TlsServer(lambda peer: peer.drain())
    config = configure(server.network(tls=False), {"good": """
        on("privmsg", print)
        spawn(connect)
        log("main chunk: " .. tostring((connect())))
    """})

    status, out, err = run_ebbd("--check", "-c", config)

    check(status == 0, f"the status is {status}: {err}")
    check(re.search(r"ebb\.ini: ok: 1 networks, 2 scripts", out), f"stdout: {out}")
    check("main chunk: nil" in err, "the main chunk did not run")
    check(server.connections == 0, "it connected")


@test("--check reports every mistake in the configuration, with file and line, and ends with 78")
def _():
    config = configure("[daemon]\nlog_level = loud\n[network x]\nhost = 127.0.0.1\nnick = 9ebb\n"
                       "port = 70000\ncolour = blue\n[wrong]\na = b\n")

    status, _, err = run_ebbd("--check", "--config", config)

    check(status == 78, f"the status is {status}")
    for wanted in (r"ebb\.ini:3: .*log_level", r"ebb\.ini:6: .*nick", r"ebb\.ini:7: .*port",
                   r"ebb\.ini:8: .*colour", r"ebb\.ini:9: .*wrong"):
        check(re.search(wanted, err), f"not reported: {wanted}\n{err}")


@test("--check fails for a script that cannot be loaded")
def _():
    config = configure(ircd.network(), {"broken": "this is not Lua", "good": "log('fine')"})

    status, _, err = run_ebbd("--check", "-c", config)

    check(status not in (0, 2), f"the status is {status}")
    check(re.search(r"script broken: not loaded: .*broken\.lua:1: ", err), err)
    check("script good: loaded" in err, err)


@test("a bad configuration ends the daemon with 78 before it connects")
def _():
    server = TlsServer(lambda peer: peer.drain())
    config = configure(server.network("no_such_key = 1", tls=False))

    status, _, err = run_ebbd("-c", config)

    check(status == 78, f"the status is {status}")
    check(re.search(r"ebb\.ini:\d+: .*no_such_key", err), err)
    check(server.connections == 0, "it connected")


@test("a missing configuration ends with 78, and the line names the file")
def _():
    status, _, err = run_ebbd("-c", "/nonexistent/ebb.ini")

    check(status == 78, f"the status is {status}")
    check("/nonexistent/ebb.ini" in err and len(err.splitlines()) == 1, f"stderr: {err}")


@test("an unknown option and a stray argument end with 2, and say how it is used")
def _():
    for wrong in ("--frobnicate", "stray"):
        status, out, err = run_ebbd(wrong)
        check(status == 2, f"{wrong}: the status is {status}")
        check(wrong.lstrip("-") in err and "usage: ebbd" in err and not out, f"stderr: {err}")


@test("--version and --help print to stdout and end with 0")
def _():
    status, out, err = run_ebbd("--version")
    check(status == 0 and re.fullmatch(r"ebbd [0-9][0-9.]*\n", out) and not err, f"{out} {err}")

    status, out, err = run_ebbd("--help")
    check(status == 0 and out.startswith("usage: ebbd ") and not err, f"{out} {err}")


main()
