#!/usr/bin/env python3
"""The load generator: it finds the mistakes of a client, each by its name, and none where there is
none, of ebbd neither."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from ebbtest import ROOT, check, main, test  # noqa: E402

BENCH = os.path.join(ROOT, "tests/bench/bench.py")


@test("the generator finds what a client does wrong, and nothing where it does all right")
def _():
    done = subprocess.run([sys.executable, BENCH, "--selftest"], text=True, capture_output=True,
                          timeout=80, check=False)
    check(done.returncode == 0, done.stdout + done.stderr)
    check("\nok 1 - " in done.stdout, f"nothing was tested: {done.stdout}")


@test("what is measured inside the process runs to its end")
def _():
    program = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bench", "inside")
    for group in ("lines", "handlers", "sending", "echo"):
        done = subprocess.run([program, group], text=True, capture_output=True, timeout=100,
                              check=False, env={**os.environ, "QUICK": "1"})
        check(done.returncode == 0 and "\tns\t" in done.stdout, f"{group}: {done}")


main()
