#!/usr/bin/env python3
"""Whether the tests of scripts/reconnect.lua see that it breaks: each mutation must fail them."""

import functools
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import ROOT, check, folder, main, run_ebbd, test  # noqa: E402

SCRIPTS = os.path.join(ROOT, "scripts")

# What breaks; text that stands in the script once, and what takes its place.
MUTATIONS = [
    ("what has to be waited at least is not waited",
     "return pace.least + math", "return math"),
    ("nothing is left to chance",
     "math.random() * span", "span"),
    ("the span does not grow",
     "net.tries = net.tries + 1", ""),
    ("the span has no end",
     "math.min(pace.first * 2.0 ^ net.tries, pace.longest)", "pace.first * 2.0 ^ net.tries"),
    ("ten minutes are not enough to begin anew",
     "ev.uptime >= stable", "ev.uptime > stable"),
    ("every connection begins anew, however short",
     "ev.uptime and ev.uptime >= stable", "ev.uptime"),
    ("a requested end is undone",
     "if ev.requested then", "if false then"),
    ("there are two loops for one network",
     "elseif not net.is_trying then", "else"),
    ("a network that was removed is remembered",
     "if not network(ev.network) then networks[ev.network] = nil end", ""),
    ("a connection that somebody else made does not end the wait",
     'if wait("client_connect", { network = name }, seconds) then break end', "sleep(seconds)"),
    ("a reload forgets who waits",
     "local networks = state.networks or {}", "local networks = {}"),
    ("a reload remembers a network that was removed",
     "if not network(name) then networks[name] = nil end", ""),
    ("a reload begins a wait anew",
     "math.max(0, math.min(net.wait, left))", "nil"),
    ("a clock that was set back makes a wait longer",
     "math.min(net.wait, left)", "left"),
    ("a disconnect between two attempts is not noticed",
     "if net.last.requested then break end", ""),
    ("a disconnect during an attempt is not noticed",
     'until ok or kind == "requested"', "until ok"),
    ("a connection that is lost at once stays lost",
     "if ok and net.last ~= seen then", "if false then"),
]


def run_tests(old="", new=""):
    """The exit status of the scripts' tests, where reconnect.lua has new in the place of old."""
    place = os.path.join(folder(), "scripts")
    shutil.copytree(SCRIPTS, place)
    path = os.path.join(place, "reconnect.lua")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    count = text.count(old) if old else 1
    check(count == 1, f"{old!r} stands in reconnect.lua {count} times: renew the mutation")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new) if old else text)
    status, out, err = run_ebbd("--test", "--seed", "1", place)
    check(status in (0, 1), f"ebbd ended with {status}: {err}")
    check("not loaded" not in out, f"reconnect.lua is not Lua any more:\n{out}")
    return status, out


@test("the policy as it is passes its tests")
def _():
    status, out = run_tests()
    check(status == 0, out)


def is_caught(old, new):
    status, _ = run_tests(old, new)
    check(status == 1, "no test fails")


for description, *change in MUTATIONS:
    test(f"caught: {description}")(functools.partial(is_caught, *change))

main()
