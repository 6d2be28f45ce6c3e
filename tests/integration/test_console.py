#!/usr/bin/env python3
"""The console, from a pipe and at a terminal."""

import os
import pty
import re
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from ebbtest import EBBD, ROOT, at_end, check, folder, main, test  # noqa: E402

HELLO = os.path.join(ROOT, "scripts", "hello.lua")


def script(source):
    path = os.path.join(folder(), "script.lua")
    with open(path, "w") as file:
        file.write(source)
    return path


def piped(typed, *scripts):
    return subprocess.run([EBBD, "--console", *scripts], input=typed, text=True,
                          capture_output=True, timeout=30)


class Terminal:
    """The console at a terminal, and all that it has shown."""

    def __init__(self, *scripts):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
            os.execv(EBBD, [EBBD, "--console", *scripts])
        self.shown = ""
        at_end(self.close)

    def type(self, line):
        os.write(self.fd, line.encode() + b"\r")

    def sees(self, pattern, timeout=20):
        """Waits until the pattern is shown, after what was seen before."""
        end = time.monotonic() + timeout
        while not (found := re.search(pattern, self.shown)):
            left = end - time.monotonic()
            check(left > 0, f"not shown: {pattern}\n{self.shown}")
            if select.select([self.fd], [], [], left)[0]:
                self.shown += os.read(self.fd, 65536).decode(errors="replace")
        self.shown = self.shown[found.end():]

    def ends(self):
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = None
        return status

    def close(self):
        if self.pid:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


@test("a line from a pipe is answered, and nothing else is printed")
def _():
    done = piped("!ping\n", HELLO)
    check(done.returncode == 0 and done.stdout == "pong\n", done)


@test("the end of the input waits for what the lines started, and for nothing else")
def _():
    begin = time.monotonic()
    done = piped("slow\nlater", script("""
        every(1, function() end)
        spawn(function() sleep(100) end)
        on("privmsg", { match = "^slow" }, function(ev) sleep(0.5) ev:reply("slept") end)
        on("privmsg", { match = "^later" }, function(ev) after(1, function() ev:reply("after") end) end)
    """))
    check(done.returncode == 0 and done.stdout == "slept\nafter\n", done)
    check(time.monotonic() - begin < 9, "it waited for what no line started")


@test("what no line started is not waited for, whatever it does meanwhile")
def _():
    begin = time.monotonic()
    done = piped("slow", script("""
        every(0.01, function() sleep(0.2) end)
        after(0.01, function() local function again() after(0.01, again) end again() end)
        on("privmsg", { match = "^slow" }, function(ev) sleep(0.3) ev:reply("slept") end)
    """))
    check(done.returncode == 0 and done.stdout == "slept\n", done)
    check(time.monotonic() - begin < 9, "it waited for what no line started")


@test("every line of a long input is said, also while the bot is gone in between")
def _():
    answer = script("""
        on("privmsg", { match = "^(%d+)" }, function(ev, n) ev:reply(n) end)
    """)
    done = piped("".join(f"{i} {'x' * 200}\n" for i in range(1500)), answer)
    check(done.stdout.split() == [str(i) for i in range(1500)], done.stdout[-300:])
    done = piped("1\n/drop\n2\n/help\n/nonsense\n3", answer,
                 os.path.join(ROOT, "scripts", "reconnect.lua"))
    check(done.stdout == "1\n2\n3\n" or done.stdout == "2\n3\n", done)
    check("no command /nonsense" in done.stderr, done)


@test("without a standard input it says so")
def _():
    done = subprocess.run(f"exec '{EBBD}' --console <&-", shell=True, text=True,
                          capture_output=True, timeout=20)
    check(done.returncode == 1 and "there is no standard input" in done.stderr, done)


@test("modules are looked for in the script's own folder and in lib/ beside it")
def _():
    path = script('local words = require "words" on("privmsg", function(ev) ev:reply(words) end)')
    place = os.path.dirname(path)
    os.mkdir(os.path.join(place, "lib"))
    with open(os.path.join(place, "lib", "words.lua"), "w") as file:
        file.write('return "from lib"')
    done = piped("hello\n", path)
    check(done.returncode == 0 and done.stdout == "from lib\n", done)


@test("each line at the terminal can be edited and recalled, in UTF-8, and the bot goes on")
def _():
    terminal = Terminal(script("""
        every(0.2, function() send("privmsg", { target = "#ebb", message = "tick" }) end)
        on("privmsg", { match = "^say (.*)" }, function(ev, what) ev:reply("<" .. what .. ">") end)
    """))
    terminal.sees("ebb joins #ebb")
    terminal.type("say one")
    terminal.sees("<ebb> <one>")
    terminal.type("say twx\x7fo a\u00fc\u20acb")
    terminal.sees("<ebb> <two a\u00fc\u20acb>")
    terminal.type("\x1b[A\x1b[A\x05!")
    terminal.sees("<ebb> <one!>")
    os.write(terminal.fd, b"half\x04")
    for _ in range(5):
        terminal.sees("<ebb> tick")
    os.write(terminal.fd, b"\x15\x04")
    check(terminal.ends() == 0, "exit status")


@test("a channel that cannot be joined is not talked to")
def _():
    terminal = Terminal(HELLO)
    terminal.sees("ebb joins #ebb")
    terminal.type("/join nowhere")
    terminal.sees("refuses:.*nowhere")
    terminal.type("!ping")
    terminal.sees("<ebb> pong")
    terminal.type("/join #else")
    terminal.sees("you joins #else")
    terminal.type("/help")
    terminal.sees("all else is said in #else")


@test("a script that cannot be loaded ends it with 1")
def _():
    done = piped("!ping\n", script("on("))
    check(done.returncode == 1 and "not loaded" in done.stderr, done)


@test("at a terminal the bot answers, leaves and comes back")
def _():
    terminal = Terminal(HELLO)
    terminal.sees("Type !ping, or /help")
    terminal.sees("ebb joins #ebb")
    terminal.type("!ping")
    terminal.sees("<ebb> pong")
    terminal.type("/drop")
    terminal.sees("ebb quits")
    terminal.sees("next attempt in")
    terminal.sees("ebb joins #ebb")
    terminal.type("/msg ebb !ping")
    terminal.sees(r"\[ebb\] pong")
    terminal.type("/raw")
    terminal.sees("the wire is shown")
    terminal.type("!ping")
    terminal.sees("console: >> PRIVMSG #ebb :pong")
    terminal.type("/nonsense")
    terminal.sees("no command /nonsense")
    terminal.type("/quit")
    check(terminal.ends() == 0, "exit status")


main()
