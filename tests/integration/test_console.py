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
            os.environ["TERM"] = "xterm"
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
