#!/usr/bin/env python3
"""Hundreds of networks of one daemon lose their server at once: all are back, and it is never
dialled faster than the guard allows."""

import bisect
import functools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from crowd import CrowdServer  # noqa: E402
from ebbtest import (  # noqa: E402
    TEST_TIMEOUT, Bot, check, for_the_file, main, network, test, until)
from faulty import ANSWERER, Usage  # noqa: E402

NETWORKS = 500
RATE = 50  # of dials to the server, a second: left alone they would come within two
BURST = 10
PAUSE_SECONDS = 2  # between two dials of a network
LATE_SECONDS = 1  # what is seen of a dial may come so much later
SOME = 100  # that are back when the server ends a second time
MARGIN_KILOBYTES = 2048


class Place:
    """The daemon, whose server ends twice: when all are there, and when some are back."""

    def __init__(self):
        self.server = CrowdServer()
        self.server.start()
        sections = [network(f"n{i}", {"host": "127.0.0.1", "port": self.server.port, "tls": "no",
                                      "nick": f"bot{i}", "flood_rate": 0}, ())
                    for i in range(NETWORKS)]
        self.bot = Bot(f"[daemon]\nlog_level = info\ndial_rate = {RATE}\n" + "\n".join(sections),
                       {"answerer": ANSWERER}, reconnect=True)
        self._wait_for(NETWORKS)
        self.before = Usage(self.bot)
        self._restart()
        self._wait_for(SOME)
        self._restart()
        self._wait_for(NETWORKS)
        self.after = Usage(self.bot)

    def _restart(self):
        self.server.stop()
        self.server.start()

    def _wait_for(self, count):
        until(lambda: len(self.server.answered) >= count, f"{count} bots are there and answer",
              TEST_TIMEOUT)


@functools.cache
def place():
    with for_the_file():
        return Place()


@test("after a server's restart, and one in the middle of it, all networks are back and answer")
def _():
    nicks = {nick for _, nick in place().server.dials}
    check(nicks == place().server.answered and len(nicks) == NETWORKS, "some are missing")
    again = len(place().server.dials) - NETWORKS
    check(again >= NETWORKS + SOME, f"only {again} connected again")


@test("the server is dialled no faster than dial_rate allows, after a burst")
def _():
    times = sorted(at for at, _ in place().server.dials)

    for first, at in enumerate(times):
        for seconds in (1, 3):
            seen = bisect.bisect_right(times, at + seconds) - first
            allowed = BURST + RATE * (seconds + LATE_SECONDS)
            check(seen <= allowed, f"{seen} connections within {seconds} s")


@test("no network dials twice within two seconds")
def _():
    last = {}

    for at, nick in sorted(place().server.dials):
        pause = at - last.get(nick, at - PAUSE_SECONDS)
        check(pause >= PAUSE_SECONDS - LATE_SECONDS, f"{nick} came again after {pause:.2f} s")
        last[nick] = at


@test("when all are back the descriptors are as many as before, and so is the memory")
def _():
    before, after = place().before, place().after

    after.check_descriptors(before)
    after.check_memory(before, MARGIN_KILOBYTES)


main()
