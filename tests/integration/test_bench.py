#!/usr/bin/env python3
"""The load generator: it finds the mistakes of a client, each by its name, and none where there is
none, of ebbd neither."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from ebbtest import ROOT, check, main, test  # noqa: E402

BENCH = os.path.join(ROOT, "tests/bench/bench.py")
BUILT = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bench")


def measured(program, *arguments):
    """What a program measures from within, each a tenth as often."""
    done = subprocess.run([os.path.join(BUILT, program), *arguments], text=True,
                          capture_output=True, timeout=100, check=False,
                          env={**os.environ, "QUICK": "1"})
    check(done.returncode == 0, f"{program} {arguments}: {done}")
    return done.stdout


def inside(group):
    return measured("inside", group)


@test("the generator finds what a client does wrong, and nothing where it does all right")
def _():
    done = subprocess.run([sys.executable, BENCH, "--selftest"], text=True, capture_output=True,
                          timeout=80, check=False)
    check(done.returncode == 0, done.stdout + done.stderr)
    check("\nok 1 - " in done.stdout, f"nothing was tested: {done.stdout}")


@test("what is measured inside the process runs to its end")
def _():
    for group in ("lines", "handlers", "sending", "echo"):
        check("\tns\t" in inside(group), group)


@test("what a line costs is told beside the least that it could, and the bar of an ordinary one")
def _():
    rows = [line.split("\t") for line in measured("micro").splitlines()]
    check(rows and all(len(row) == 5 and float(row[1]) > float(row[4]) > 0 for row in rows), rows)
    check([row[0] for row in rows if row[3] == "4"], f"no bar: {rows}")


@test("a channel of thousands holds the loop up in no line, and in no sweep behind it")
def _():
    pauses = [line.split("\t") for line in measured("roster").splitlines()
              if "longest pause" in line]
    check(len(pauses) > 4, f"too little was measured: {pauses}")
    for name, value, unit, _ in pauses:
        check(unit == "ms" and float(value) < 100, f"{name}: {value} {unit}")  # 10 are wanted


@test("a reload of a script with much state holds the loop up in no turn")
def _():
    turns = [line.split("\t") for line in inside("reload").splitlines() if "longest turn" in line]
    check(turns, "nothing was measured")
    for name, value, unit, _ in turns:
        check(unit == "ms" and float(value) < 200, f"{name}: {value} {unit}")  # 20 are wanted


main()
