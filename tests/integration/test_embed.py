#!/usr/bin/env python3
"""The example of how ebb is embedded, built of what is installed, on ngIRCd."""

import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (  # noqa: E402
    FAULTS, IS_SANITISED, ROOT, TIMEOUT, Ircd, Person, at_end, check, configure, environment, folder,
    for_the_file, main, test, until)

ircd = Ircd("ngircd")

SANITISERS = ["-fsanitize=address,undefined"] if IS_SANITISED else []
LEAK_STATUS = 9
# What looks for leaks: valgrind; in a program that is built with it the sanitizer, at its end.
LEAK_CHECK = [] if IS_SANITISED else [
    "valgrind", "-q", f"--error-exitcode={LEAK_STATUS}", "--leak-check=full", "--show-leak-kinds=all",
    "--errors-for-leak-kinds=definite,indirect,possible"]


def output_of(*command):
    r = subprocess.run(command, cwd=ROOT, env=environment({"MAKEFLAGS": ""}), check=False,
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    check(r.returncode == 0, f"{' '.join(command)}: {r.stdout}{r.stderr}")
    return r.stdout


class Installed:
    """What `make install` gives to other programs, and the example built of it."""

    def __init__(self):
        build = os.environ.get("BUILD", "build")
        place = folder()
        built = [x for name in ("ebbd", "ebbctl", "lib/libebb.a") for x in ("-o", f"{build}/{name}")]
        output_of("make", "install", *built, f"BUILD={build}", "PREFIX=/usr", f"DESTDIR={place}")
        self.usr = os.path.join(place, "usr")
        self.library = os.path.join(self.usr, "lib/libebb.a")
        self.example = os.path.join(place, "embed")
        source = shutil.copy(os.path.join(self.usr, "share/doc/ebb/embed.c"), place)
        flags = output_of("pkg-config", f"--define-variable=prefix={self.usr}", "--cflags", "--libs",
                          os.path.join(self.usr, "lib/pkgconfig/ebb.pc")).split()
        output_of(*os.environ.get("CC", "cc").split(), "-g", "-Wall", "-Wextra", "-Werror",
                  *SANITISERS, "-o", self.example, source, *flags)


with for_the_file():
    installed = Installed()


class Example:
    """The example, running: by itself, or under what looks for leaks."""

    def __init__(self, *under, times=1, tls=False):
        self._output = os.path.join(folder(), "output")
        network = ircd.network("channels = #one", tls=tls)
        with open(self._output, "wb") as output:
            self.process = subprocess.Popen(
                [*under, installed.example, configure(network), str(times)],
                env=environment({}), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        at_end(self._end)

    def output(self):
        with open(self._output, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()

    def ends(self):
        """By itself, without a complaint of whoever watched it."""
        status = until(lambda: (self.process.poll(),) if self.process.poll() is not None else None,
                       "the example ends", 2 * TIMEOUT)[0]
        check(status == 0, f"the example ended with {status}: {self.output()}")
        check(not FAULTS.search(self.output()), f"a fault: {self.output()}")

    def _end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@test("the example is built of what is installed, and answers in C and in Lua")
def _():
    alice = Person(ircd, "alice", "#one")
    example = Example()

    alice.asks("ebb", "#one", "!load", r"the load is \d+\.\d\d, at worst \d+\.\d\d")
    alice.asks("ebb", "#one", "!ping", "pong from Lua")
    alice.say("ebb", "!load")
    alice.hears("ebb", "alice", r"the load is .*")

    example.process.send_signal(signal.SIGINT)
    alice.expect(r":ebb!\S+ QUIT ")
    example.ends()


@test("what a script triggers is heard in C, and what is said in C ends the bot")
def _():
    alice = Person(ircd, "alice", "#one")
    example = Example()

    alice.asks("ebb", "#one", "!reset", "the worst is forgotten")
    until(lambda: "embed: reset by alice" in example.output(), "C hears of it")

    alice.say("#one", "!leave")
    alice.expect(r":ebb!\S+ QUIT ")
    example.ends()


@test("the signals that ebbd takes are the program's own: SIGTERM ends it")
def _():
    alice = Person(ircd, "alice", "#one")
    example = Example()
    alice.sees("ebb", "#one")

    example.process.send_signal(signal.SIGTERM)

    status = example.process.wait(TIMEOUT)
    check(status == -signal.SIGTERM, f"it ended with {status}")


@test("two bots after each other on one loop leak nothing")
def _():
    alice = Person(ircd, "alice", "#one")
    example = Example(*LEAK_CHECK, times=2, tls=True)

    for _ in range(2):
        alice.asks("ebb", "#one", "!load", r"the load is .*")
        alice.asks("ebb", "#one", "!ping", "pong from Lua")
        alice.say("#one", "!leave")
        alice.expect(r":ebb!\S+ QUIT ")

    example.ends()


@test("the library that is installed has no names but those of its header")
def _():
    names = [line.split()[-1] for line in
             output_of("nm", "-g", "--defined-only", installed.library).splitlines() if " T " in line
             or " D " in line or " B " in line or " R " in line]
    strange = [name for name in names if not name.startswith("ebb_")]
    check("ebb_new" in names and not strange, f"its names: {strange[:10]}")


main()
