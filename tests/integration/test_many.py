#!/usr/bin/env python3
"""Many networks in one process: how many begin to connect together, and how many files they need."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from crowd import CrowdServer  # noqa: E402
from ebbtest import EBBD, TIMEOUT, Bot, check, configure, main, run_ebbd, test  # noqa: E402

TOGETHER = 256  # attempts that are young at a time
EX_CONFIG = 78


def crowd():
    server = CrowdServer()
    server.start()
    return server


def networks(server, count, *lines):
    """So many sections."""
    return "".join(f"[network n{i}]\nhost = 127.0.0.1:{server.port}\nnick = b{i}\n"
                   + "".join(line + "\n" for line in lines) for i in range(count))


@contextlib.contextmanager
def soft_limit(files):
    """Of what is started in here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def limited(files, *command):
    """What the command says under that hard limit."""
    return subprocess.run(["prlimit", f"--nofile={files}:{files}", *command], text=True,
                          capture_output=True, timeout=TIMEOUT, check=False)


def daemon(sections):
    """At level debug they would log more at once than a pipe holds."""
    return f"[daemon]\nlog_level = info\ndial_rate = 1000\n{sections}"


@test("the limit of open files is raised where the networks need it, and all of them connect")
def _():
    server = crowd()
    with soft_limit(100):
        bot = Bot(daemon(networks(server, 150, "tls = no")))

    bot.wait_log("150 networks: the limit of open files is raised from 100 to ")
    bot.wait_log("connected as b", count=150)


@test("where the hard limit is too low, ebbd says what to set and does not start")
def _():
    config = configure(daemon(networks(crowd(), 150, "tls = no")))

    done = limited(200, EBBD, "-c", config)

    check(done.returncode == EX_CONFIG, f"{done}")
    check(re.search(r"error: ebbd: 150 networks need 364 open files, and the limit is 200 .*: set "
                    r"LimitNOFILE=364 in the unit, or ulimit -n 364\n", done.stderr), done.stderr)
    done = limited(200, EBBD, "--check", "-c", config)
    check(done.returncode == 0 and "150 networks need 364 open files" in done.stderr, f"{done}")
    check("open files" not in run_ebbd("--check", "-c", config)[2], "it minds a limit that is not")


@test("a configuration with more networks than there may be files is not taken over")
def _():
    server = crowd()
    bot = Bot(daemon(networks(server, 2, "tls = no")))
    bot.wait_log("connected as b", count=2)
    with open(bot.config, encoding="utf-8") as file:
        before = file.read()
    resource.prlimit(bot.process.pid, resource.RLIMIT_NOFILE, (100, 100))

    with open(bot.config, "w", encoding="utf-8") as file:
        file.write(before + networks(server, 60, "tls = no").replace("[network n", "[network m"))
    bot.process.send_signal(signal.SIGHUP)

    bot.wait_log("error: 62 networks need 188 open files")
    bot.wait_log("not reloaded: nothing has changed")


@test("so many attempts begin together, and what leads nowhere lets the others go on soon")
def _():
    server = crowd()
    bot = Bot(daemon(networks(server, TOGETHER + 40, "tls_verify = no")))  # which it does not speak

    bot.wait_log("connecting to 127", count=TOGETHER)
    began = time.monotonic()
    bot.wait_log("connecting to 127", count=TOGETHER + 1)
    waited = time.monotonic() - began

    check(waited > 0.2, f"the next began after {waited} s")  # 2 are wanted
    bot.wait_log("connecting to 127", count=TOGETHER + 40)


@test("those that wait in line connect as the others have connected")
def _():
    server = crowd()
    bot = Bot(daemon(networks(server, TOGETHER + 200, "tls = no")))

    bot.wait_log("connected as b", count=TOGETHER + 200)


main()
