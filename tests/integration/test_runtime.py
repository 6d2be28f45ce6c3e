#!/usr/bin/env python3
"""Networks that a script makes and removes while ebbd runs, on a real ngIRCd."""

import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (EBBD, IS_SANITISED, TIMEOUT, Bot, Control, Ircd, Person, check,  # noqa: E402
                     configure, folder, main, run_ebbd, test, until)

ROUNDS, AT_ONCE = 10, 10
GROWTH_KB = 1024

ircd = Ircd("ngircd")

CLIENTS = """
local clients = {
  { name = "north", nick = "norma", channels = { "#north", "#both" } },
  { name = "south", nick = "sue", channels = { "#south", "#both" } },
}

function keys(client, host)
  local all = { host = host or "127.0.0.1", port = %d, tls = false, flood_rate = 0 }
  for key, value in pairs(client) do all[key] = value end
  return all
end

for _, client in ipairs(clients) do spawn(connect, keys(client)) end

on("privmsg", { match = "^!ping$" }, function(ev)
  ev:reply("pong of generation %s on " .. ev.net.name)
end)
on("privmsg", { match = "^!leave (%%S+)$" }, function(ev, name)
  local ok = network(name):remove("as you wish")
  log.info("removed %%s: %%s, and now %%s", name, ok, network(name))
end)
"""

ROUND = """
function round(host)
  local tasks, names = {}, {}
  for i = 1, %d do
    names[i] = "n" .. i
    tasks[i] = spawn(connect, keys({ name = names[i], nick = names[i] }, host))
  end
  for i, task in ipairs(tasks) do assert(task:join().nick == names[i]) end
  for i, name in ipairs(names) do tasks[i] = spawn(function() return network(name):remove() end) end
  for _, task in ipairs(tasks) do assert(task:join()) end
  log.info("round over")
end
""" % AT_ONCE


def clients(generation="1"):
    return CLIENTS % (ircd.port, generation)


def hang_up(bot):
    bot.process.send_signal(signal.SIGHUP)
    bot.wait_log("ebb.ini: reloaded$")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


@test("networks made from a table join, answer, outlive SIGHUP and a reload, and leave with QUIT")
def _():
    alice = Person(ircd, "alice", "#north", "#south", "#both")
    bot = Bot("[daemon]\nlog_level = debug\n", {"clients": clients()}, reconnect=True)

    alice.sees("norma", "#both")
    alice.sees("sue", "#both")
    alice.asks("norma", "#north", "!ping", "pong of generation 1 on north")
    alice.asks("sue", "#south", "!ping", "pong of generation 1 on south")
    hang_up(bot)
    write(os.path.join(os.path.dirname(bot.config), "scripts", "clients.lua"), clients("2"))
    bot.wait_log("info: script clients: reloaded")

    alice.asks("norma", "#north", "!ping", "pong of generation 2 on north")
    alice.asks("sue", "#south", "!ping", "pong of generation 2 on south")
    alice.say("norma", "!leave south")
    alice.expect(r"^:sue!\S+ QUIT :.*as you wish")
    bot.wait_log("removed south: true, and now nil")
    alice.asks("norma", "#both", "!ping", "pong of generation 2 on north")
    check(len(bot.ever_logged("info: .*: connecting to ")) == 2, "a network was dialled again")


@test("one that the configuration comes to name is its own from then on")
def _():
    alice = Person(ircd, "alice", "#north", "#new")
    bot = Bot("[daemon]\nlog_level = debug\n", {"clients": clients()})
    alice.sees("norma", "#north")

    with open(bot.config, "a", encoding="utf-8") as file:
        file.write(ircd.network("channels = #north, #new", name="north", nick="norma"))
    hang_up(bot)

    alice.sees("norma", "#new")
    bot.wait_log("info: north: made by script clients: is configured now")
    alice.say("norma", "!leave north")
    bot.wait_log("remove: north is configured: take it out of the configuration")
    check(len(bot.ever_logged("info: north: connecting to ")) == 1, "the network was dialled again")


@test("a script that is for some networks hears those that it made, and not those of another")
def _():
    heard = """
        on("privmsg", { match = "^hear" }, function(ev) log.info("%s heard %s", NAME, ev.network) end)
        on("privmsg", { match = "^see" }, function()
          log.info("%s sees %s", NAME, network("north") and network("north").name)
        end)
    """
    alice = Person(ircd, "alice", "#north", "#irc")
    bot = Bot(ircd.network("channels = #irc")
              + "[script clients]\nnetworks = irc\n[script other]\nnetworks = irc\n",
              {"clients": 'NAME = "clients"' + heard + clients(),
               "other": 'NAME = "other"' + heard})
    alice.sees("norma", "#north")
    alice.sees("ebb", "#irc")

    alice.say("#north", "hear me")
    bot.wait_log("clients heard north")
    alice.say("#irc", "see it")
    bot.wait_log("clients sees north")
    bot.wait_log("other sees nil")
    check(not bot.ever_logged("other heard"), "another script heard it")


@test("a script with full trust has its own authorities, also after SIGHUP")
def _():
    alice = Person(ircd, "alice", "#safe", tls=True)
    bot = Bot("[script safe]\ntrust = full\n", {"safe": f"""
        local net = assert(connect{{ name = "safe", host = "localhost", port = {ircd.tls_port},
          nick = "sara", channels = "#safe", flood_rate = 0, tls_ca = "{ircd.ca}" }})
        on("privmsg", {{ match = "^!again$" }}, function() net:disconnect() net:connect() end)
    """})
    alice.sees("sara", "#safe")

    hang_up(bot)
    alice.say("#safe", "!again")

    bot.wait_log(rf"info: safe: TLSv1\.[23], \S+, certificate {ircd.fingerprint}", count=2)
    alice.sees("sara", "#safe")


def descriptors(bot):
    return len(os.listdir(f"/proc/{bot.process.pid}/fd"))


def memory_kb(bot):
    with open(f"/proc/{bot.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def play_rounds(bot, control, n, before):
    """The hosts are one machine by two names: each may pause while the other is dialled."""
    for i in range(n):
        control.eval("clients", f"spawn(round, '{('127.0.0.1', 'localhost')[i % 2]}')")
        bot.wait_log("round over", count=before + i + 1)


@test(f"{ROUNDS * AT_ONCE} networks made and removed leave no descriptor and no memory behind")
def _():
    bot = Bot("[daemon]\ndial_rate = 1000\nlog_level = info\ncontrol = control\n",
              {"clients": clients().replace("for _, client in ipairs(clients)", "for _, client in ipairs({})")
               + ROUND})
    bot.wait_log("running, version")
    control = Control(os.path.join(os.path.dirname(bot.config), "control"))
    control.eval("clients", "1")
    play_rounds(bot, control, 4, 0)
    fds, kb = descriptors(bot), memory_kb(bot)

    play_rounds(bot, control, ROUNDS, 4)

    until(lambda: descriptors(bot) == fds, f"{fds} descriptors again", TIMEOUT)
    grown = memory_kb(bot) - kb
    print(f"# {grown} KB more")
    check(IS_SANITISED or grown < GROWTH_KB, f"it has grown by {grown} KB")
    check(not bot.ever_logged(" error: "), "something is wrong")


WISH = 'log.info("%s", select(3, connect{ name = "x", host = "irc.test", nick = "n"{} }))'


@test("a check says what does not stand, and connects nothing")
def _():
    good = configure("", {"good": WISH.replace("{}", "")})
    bad = configure("", {"bad": WISH.replace("{}", ", prot = 6667")})

    status, _, err = run_ebbd("--check", "-c", good)
    check(status == 0 and re.search("info: script good: requested$", err, re.M), err)
    check("connecting" not in err, err)
    status, _, err = run_ebbd("--check", "-c", bad)
    check(status == 1 and "connect: [network x] prot: is unknown; do you mean port?" in err, err)


@test("the console makes no networks")
def _():
    path = os.path.join(folder(), "x.lua")
    write(path, WISH.replace("{}", ""))

    done = subprocess.run([EBBD, "--console", path], input="", text=True, capture_output=True,
                          timeout=TIMEOUT, check=False)

    check("connect: no networks can be made here" in done.stdout + done.stderr, f"{done}")


main()
