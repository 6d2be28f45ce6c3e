#!/usr/bin/env python3
"""Measures ebbd beside a bare client in C, and prints one table.

    bench.py                measures: the generator's own test first, then every row
    bench.py --selftest     only that test, as TAP

QUICK=1 measures less, once. BENCH_JSON names the file for the same as JSON ($BUILD/bench.json).

Every figure comes from tests/bench/load.c, which is the server. Each repetition runs ebbd and the
bare client (tests/bench/ceiling.c) one after the other, in turns first, and takes the ratio of these
two; what is told is the median of the repetitions, with the least and the greatest. A row that
cannot be measured says why. The exit status is 1 when a measurement failed or a reply was wrong, not
when a bar is missed.
"""

import contextlib
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from ebbtest import EBBD, ROOT  # noqa: E402

BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
LOAD = os.path.join(BUILD, "bench/load")
CEILING = os.path.join(BUILD, "bench/ceiling")
INSIDE = os.path.join(BUILD, "bench/inside")
QUICK = bool(os.environ.get("QUICK"))
REPETITIONS = 1 if QUICK else 3
ADDRESSES = 64  # of the server: how fast one host is dialled is limited
KB = 1024
FILES_TO_SPARE = 200

# What the bots do: for ebbd, and for the bare client.
SCRIPTS = {
    "echo": ('on("privmsg", function(ev) ev:reply(ev.message) end)\n',
             'return function(ev) reply(ev.message) end'),
    "sink": ('local n = 0\n'
             'on("privmsg", function(ev)\n'
             '  if ev.message == "count" then ev:reply("count " .. n) else n = n + 1 end\n'
             'end)\n',
             'local n = 0\n'
             'return function(ev)\n'
             '  if ev.message == "count" then reply("count " .. n) else n = n + 1 end\n'
             'end'),
    "sleep": ('on("privmsg", function(ev) sleep(tonumber(config.seconds)) ev:reply(ev.message) end)\n', None),
}


class Unmeasured(Exception):
    """Why there is no figure."""


class Place:
    """A folder with a certificate for all addresses; removed at the end."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ebbbench.")
        self.addresses = [f"127.0.0.{i}" for i in range(1, ADDRESSES + 1)]
        names = ",".join("IP:" + address for address in self.addresses)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                        "/CN=ebb bench", "-addext", "subjectAltName=" + names, "-keyout",
                        self.path("key.pem"), "-out", self.path("cert.pem")],
                       check=True, capture_output=True, timeout=60)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def remove(self):
        shutil.rmtree(self.folder, True)


class Run:
    """One client against one server: what both are told."""

    def __init__(self, place, workload, script, *, tls=False, connections=1, seconds=5, **options):
        self.place = place
        self.workload = workload
        self.script = script
        self.tls = tls
        self.connections = connections
        self.seconds = seconds
        self.options = {"deadline": 60, **options}

    @contextlib.contextmanager
    def _listening(self):
        count = min(self.connections, ADDRESSES)
        listeners = [socket.create_server((address, 0), backlog=4096)
                     for address in self.place.addresses[:count]]
        try:
            yield listeners
        finally:
            for listener in listeners:
                listener.close()

    def _network(self, number, server):
        host, port = server
        tls = f"tls_ca = {self.place.path('cert.pem')}" if self.tls else "tls = no"
        return (f"[network n{number}]\nhost = {host}\nport = {port}\n{tls}\nnick = b{number}\n"
                "channels = #bench\nflood_rate = 0\nqueue_max = 100000\nping_interval = 86400\n"
                "connect_timeout = 300\nregister_timeout = 300\n")

    def ebb(self, servers):
        """The command line of ebbd."""
        script = self.place.write("bench.lua", SCRIPTS[self.script][0])
        networks = (self._network(i, servers[i % len(servers)]) for i in range(self.connections))
        config = self.place.write("ebb.ini", (
            f"[daemon]\nscript_path = {self.place.folder}\nlog_level = error\ndial_rate = 1000\n"
            f"{''.join(networks)}"
            f"[script bench]\nfile = {script}\nseconds = {self.seconds}\n"
            "[script reconnect]\nenabled = no\n"))
        return [EBBD, "-c", config]

    def ceiling(self, servers):
        """The command line of the bare client with Lua."""
        return self.custom(servers, "--lua", SCRIPTS[self.script][1])

    def bare(self, servers):
        """The same without Lua."""
        return self.custom(servers, "--no-lua")

    def custom(self, servers, *options):
        tls = ["--tls", self.place.path("cert.pem")] if self.tls else []
        return [CEILING, *options, *tls, "--connections", str(self.connections),
                *(f"{host}:{port}" for host, port in servers)]

    def measure(self, client):
        """What the generator says of client(servers), a command line."""
        if shortage := file_shortage(self.connections):
            raise Unmeasured(shortage)
        with self._listening() as listeners:
            command = [LOAD, "--workload", self.workload, "--connections", str(self.connections),
                       "--seconds", str(self.seconds), "--listen",
                       ",".join(str(listener.fileno()) for listener in listeners)]
            for name, value in self.options.items():
                command += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
            if self.tls:
                command += ["--cert", self.place.path("cert.pem"),
                            "--key", self.place.path("key.pem")]
            command += ["--", *client([listener.getsockname() for listener in listeners])]
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  stdin=subprocess.DEVNULL, timeout=self.options["deadline"] + 30,
                                  pass_fds=[listener.fileno() for listener in listeners])
        try:
            result = json.loads(done.stdout)
        except ValueError:
            raise Unmeasured(f"the generator failed: {done.stderr.strip()[-300:]}") from None
        result["stderr"] = done.stderr
        return result


def file_shortage(connections):
    """Why a process cannot have so many connections, or None."""
    needed = connections + FILES_TO_SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed and soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < needed:
        return f"a process may open {hard} files; {needed} are needed"
    return None


# The generator's own test.

def kinds_of(result):
    return {kind for kind, fault in result["faults"].items() if fault["count"]}


def expect_faults(result, kind, least, most):
    """None where the faults are of this kind only, so many; else what is wrong."""
    if result["error"]:
        return "error: " + result["error"] + "\n" + result["stderr"]
    found = {kind: result["faults"][kind] for kind in kinds_of(result)}
    if set(found) != ({kind} if kind else set()):
        return f"faults: {found}\n{result['stderr']}"
    if kind and not (least <= found[kind]["count"] <= most and found[kind]["first"]):
        return f"not {least} to {most}, with an example: {found}"
    return None


def expect_error(result, words):
    return None if result["error"] and words in result["error"] else f"error: {result['error']}"


def selftest_cases(place):
    lines, every = 2000, 97  # of the latter one is treated badly
    bad = (lines + lines // 10) // every
    short = {"lines": lines, "window": 64, "late_ms": 1000, "deadline": 20}
    echo = Run(place, "echo", "echo", **short)
    echo_tls = Run(place, "echo", "echo", tls=True, **short)
    sink = Run(place, "sink", "sink", **short)
    tags = Run(place, "sink", "sink", tags=True, **short)
    many = Run(place, "broadcast", "echo", connections=20, rounds=2, deadline=20)
    sleepers = Run(place, "sleep", "sleep", seconds=0.5, lines=100, deadline=20)
    hopeless = Run(place, "idle", "echo", deadline=1)

    def mistaken(run, *options):
        return run.measure(lambda servers: run.custom(servers, *options))

    def counts(by):
        return mistaken(sink, "--lua", SCRIPTS["sink"][1].replace("local n = 0", f"local n = {by}"))

    def clean(run, client):
        return lambda: expect_faults(run.measure(client), None, 0, 0)

    for name, run, client in (
            ("the bare client echoes", echo, echo.bare), ("with Lua", echo, echo.ceiling),
            ("over TLS", echo_tls, echo_tls.ceiling), ("counts", sink, sink.ceiling),
            ("with tags", tags, tags.ceiling), ("on many connections", many, many.ceiling),
            ("ebbd echoes", echo, echo.ebb), ("over TLS", echo_tls, echo_tls.ebb),
            ("counts", sink, sink.ebb), ("with tags", tags, tags.ebb),
            ("on many connections", many, many.ebb), ("sleeps", sleepers, sleepers.ebb)):
        yield f"no fault is found: {name}", clean(run, client)
    for mistake, kind, least, most in (
            ("drop", "dropped", bad, bad), ("double", "doubled", bad, bad),
            ("reorder", "reordered", bad, bad), ("mangle", "mangled", bad, bad),
            ("late", "late", 1, 64)):
        yield (f"a client that makes the mistake {mistake} is found {kind}, and nothing else",
               lambda m=mistake, k=kind, a=least, b=most: expect_faults(
                   mistaken(echo, "--no-lua", "--bad", m), k, a, b))
    yield ("one line counted too few is dropped",
           lambda: expect_faults(counts(-1), "dropped", 1, 1))
    yield ("one line counted too many is doubled",
           lambda: expect_faults(counts(1), "doubled", 1, 1))
    yield ("a client that never connects ends the wait",
           lambda: expect_error(hopeless.measure(lambda servers: ["sleep", "60"]), "deadline"))
    yield ("a client that ends at once ends the wait",
           lambda: expect_error(hopeless.measure(lambda servers: ["false"]), "the client ended"))


def selftest(place):
    """Prints TAP; whether all was well."""
    cases = list(selftest_cases(place))
    failed = 0
    print(f"1..{len(cases)}")
    for number, (name, case) in enumerate(cases, 1):
        try:
            wrong = case()
        except Unmeasured as why:
            wrong = str(why)
        failed += wrong is not None
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}", flush=True)
        for line in (wrong or "").splitlines():
            print("# " + line)
    return failed == 0


if __name__ == "__main__":
    place = Place()
    try:
        if sys.argv[1:] == ["--selftest"]:
            sys.exit(0 if selftest(place) else 1)
    finally:
        place.remove()
