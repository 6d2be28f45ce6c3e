#!/usr/bin/env python3
"""Measures ebbd beside a bare client in C, and prints one table.

    bench.py                measures: the generator's own test first, then every row
    bench.py --selftest     only that test, as TAP

QUICK=1 measures less, once. BENCH_JSON names the file for the same as JSON ($BUILD/bench.json).

Every figure comes from tests/bench/load.c, which is the server. Each repetition runs ebbd and the
bare client (tests/bench/ceiling.c) one after the other, the first in turns, and takes the ratio of
the two; what is told is the median of the repetitions, with the least and the greatest. A row that
cannot be measured says why. The exit status is 1 when a measurement failed or a reply was wrong,
not when a bar is missed.
"""

import contextlib
import io
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from ebbtest import EBBD, ROOT  # noqa: E402

BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
LOAD = os.path.join(BUILD, "bench/load")
CEILING = os.path.join(BUILD, "bench/ceiling")
INSIDE = os.path.join(BUILD, "bench/inside")
MICRO = os.path.join(BUILD, "bench/micro")
ROSTER = os.path.join(BUILD, "bench/roster")
QUICK = bool(os.environ.get("QUICK"))
REPETITIONS = 1 if QUICK else 3
TRIES = 2 if QUICK else 3  # in a repetition, of what takes little time
SLEEPERS = 10000
ADDRESSES = 64  # of the server: how fast one host is dialled is limited
KB = 1024
FILES_TO_SPARE = 400  # ebbd wants more than one for each network
RELOADS_A_SECOND = 20

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
    "sleep": ('local seconds = tonumber(config.seconds)\n'
              'on("privmsg", function(ev) sleep(seconds) ev:reply(ev.message) end)\n', None),
    # It computes all the time, once it is told to: what is stopped begins again.
    "loop": ('on("privmsg", function() every(0.001, function() while true do end end) end)\n',
             None),
    # About 10 MB, when they are carried over.
    "state": ('if not state.all then\n'
              '  state.all = {}\n'
              '  for i = 1, 100000 do\n'
              '    state.all[i] = {seen = i, text = "user " .. i .. " was last seen talking"}\n'
              '  end\n'
              'end\n', None),
}


class Impossible(Exception):
    """Why there is no figure on this machine."""


class Failed(Exception):
    """Why there is no figure, though there should be: an error, or replies that were wrong."""


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
        """Without flood control, which is not what is measured."""
        host, port = server
        return (f"[network n{number}]\nhost = {host}:{port}\n"
                f"{'tls_ca = cert.pem' if self.tls else 'tls = no'}\nnick = b{number}\n"
                "channels = #bench\nflood_rate = 0\n\n")

    def ebb(self, servers):
        """The command line of ebbd."""
        script = self.place.write("bench.lua", SCRIPTS[self.script][0])
        networks = (self._network(i, servers[i % len(servers)]) for i in range(self.connections))
        config = self.place.write("ebb.ini", (
            f"[daemon]\nscript_path = {self.place.folder}\nlog_level = error\ndial_rate = 1000\n"
            f"control = control.sock\n{''.join(networks)}"
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
            raise Impossible(shortage)
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
            done = run_program(command, self.options["deadline"] + 30,
                               [listener.fileno() for listener in listeners])
        try:
            result = json.loads(done.stdout)
        except ValueError:
            raise Failed(f"the generator failed: {done.stderr.strip()[-300:]}") from None
        result["stderr"] = done.stderr
        return result


class Reloads:
    """Has the script of a running ebbd reloaded again and again, as long as it is entered."""

    def __init__(self, place, a_second):
        self._path = place.path("control.sock")
        self._pause = 1 / a_second
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.took_ms = []
        self.refusals = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def _connect(self):
        while not self._is_over.wait(0.005):
            with contextlib.suppress(OSError):
                control = socket.socket(socket.AF_UNIX)
                control.connect(self._path)
                return control
        return None

    def _run(self):
        """The daemon ends while we are at it: what it does not answer then does not count."""
        control = self._connect()
        if not control:
            return
        with contextlib.suppress(OSError, ValueError), control:
            replies = control.makefile(encoding="utf-8")
            while not self._is_over.wait(self._pause):
                self._reload(control, replies)

    def _reload(self, control, replies):
        began = time.monotonic()
        control.sendall(b'{"id": 1, "command": "reload", "name": "bench"}\n')
        reply = json.loads(replies.readline())
        if reply["ok"]:
            self.took_ms.append((time.monotonic() - began) * 1e3)
        elif not reply["error"].endswith(("it is unloaded", "ebbd is ending")):
            self.refusals.append(reply["error"])

    def check(self):
        if self.refusals or not self.took_ms:
            raise Failed(f"reloaded {len(self.took_ms)} times; refused: {self.refusals[:3]}")


def run_program(command, timeout, descriptors=()):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=timeout, pass_fds=descriptors)
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} did not end within {timeout} s") from None


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


def reload_case(place):
    """In a hurry: it is to come to some within a second."""
    run = Run(place, "echo", "echo", lines=200000, late_ms=1000, deadline=20, restless=True)
    with Reloads(place, a_second=100) as reloads:
        result = run.measure(run.ebb)
    reloads.check()
    return expect_faults(result, None, 0, 0)


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
    yield "no fault is found: ebbd is reloaded while it echoes", lambda: reload_case(place)
    yield ("a client that never connects ends the wait",
           lambda: expect_error(hopeless.measure(lambda servers: ["sleep", "60"]), "deadline"))
    yield ("a client that ends at once ends the wait",
           lambda: expect_error(hopeless.measure(lambda servers: ["false"]), "the client ended"))


def selftest(place, out):
    """Prints TAP; whether all was well."""
    cases = list(selftest_cases(place))
    failed = 0
    print(f"1..{len(cases)}", file=out)
    for number, (name, case) in enumerate(cases, 1):
        try:
            wrong = case()
        except (Failed, Impossible) as why:
            wrong = str(why)
        failed += wrong is not None
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}", file=out, flush=True)
        for line in (wrong or "").splitlines():
            print("# " + line, file=out)
    return failed == 0


# Rows.

class Row:
    """One line of the table. What is judged, and has a bar, is the ratio or ebb's own figure."""

    def __init__(self, name, unit, bar=None, of_ratio=True, judge=statistics.median):
        self.name = name
        self.unit = unit
        self.bar = bar
        self.of_ratio = of_ratio
        self.judge = judge  # of the repetitions
        self.ebb = []
        self.ceiling = []
        self.why = None  # there is no figure
        self.has_failed = False

    def add(self, ebb, ceiling=None):
        self.ebb.append(ebb)
        if ceiling is not None:
            self.ceiling.append(ceiling)

    def ratios(self):
        if not self.of_ratio:
            return []
        return [ebb / ceiling for ebb, ceiling in zip(self.ebb, self.ceiling) if ceiling]

    def is_met(self):
        """None where there is no bar, or no figure."""
        judged = self.ratios() if self.of_ratio else self.ebb
        if self.bar is None or self.why or not judged:
            return None
        return self.judge(judged) <= self.bar

    def columns(self):
        bar = "-" if self.bar is None else f"{self.bar:g}{'' if self.of_ratio else ' ' + self.unit}"
        if self.why:
            return [self.name, "-", "-", "-", bar, "not measured: " + self.why]
        met = {True: "yes", False: "NO", None: "-"}[self.is_met()]
        return [self.name, spread(self.ebb, " " + self.unit), spread(self.ceiling),
                spread(self.ratios()), bar, met]

    def as_json(self):
        return {"name": self.name, "unit": self.unit, "ebb": summary(self.ebb),
                "ceiling": summary(self.ceiling), "ratio": summary(self.ratios()),
                "bar": self.bar, "bar_of": "ratio" if self.of_ratio else "ebb",
                "is_met": self.is_met(), "why_not_measured": self.why}


def number(value):
    """Three digits, or all that stand before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{1 if abs(value) >= 10 else 2}f}"


def spread(values, unit=""):
    if not values:
        return "-"
    text = number(statistics.median(values)) + unit
    if len(values) > 1:
        text += f" ({number(min(values))}-{number(max(values))})"
    return text


def summary(values):
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "runs": values}


# Experiments: each fills rows, once for each repetition.

class Experiment:
    def __init__(self, rows, measure):
        self.rows = rows
        self._measure = measure

    def repeat(self, is_ebb_first):
        """The clients in turns; a row that is without a figure once stays so."""
        if self.rows and self.rows[0].why:
            return
        try:
            self._measure(self.rows, is_ebb_first)
        except (Failed, Impossible) as why:
            for row in self.rows:
                row.why = str(why)
                row.has_failed = isinstance(why, Failed)


def good(run, client, allowed=()):
    """The result of a run in which all went well, but for faults of the kinds allowed."""
    result = run.measure(client)
    if result["error"]:
        raise Failed(f"{result['error']} {result['stderr'].strip()[-300:]}".strip())
    if wrong := [f"{fault['count']} {kind}, the first: {fault['first']}"
                 for kind, fault in result["faults"].items()
                 if fault["count"] and kind not in allowed]:
        raise Failed("replies were wrong: " + "; ".join(wrong))
    return result


def try_all(run, clients, is_ebb_first, pick=min, tries=TRIES, **figures):
    """For each client, by its place in the list, one of each figure in so many tries: the least,
    which was disturbed least, where pick is not another choice."""
    found = [{name: [] for name in figures} for _ in clients]
    order = list(zip(clients, found)) if is_ebb_first else list(zip(clients, found))[::-1]
    for _ in range(tries):
        for client, values in order:
            result = good(run, client)
            for name, figure in figures.items():
                values[name].append(figure(result))
    return [{name: pick(all_of) for name, all_of in values.items()} for values in found]


def cpu_us(result):
    return result["cpu_ns"] / result["lines"] / 1e3


def wall_us(result):
    return result["wall_ns"] / result["lines"] / 1e3


def median_us(result):
    return result["latency_ns"]["p50"] / 1e3


def p99_ms(result):
    return result["latency_ns"]["p99"] / 1e6


def echo(place, window, tls):
    kind = "TLS" if tls else "plain"
    lines = {1: 20000, 64: 200000, 1024: 300000}[window] // (4 if QUICK else 1)
    run = Run(place, "echo", "echo", tls=tls, window=window, lines=lines)
    rows = [Row(f"echo, window {window}, {kind}: CPU a line", "us", 1.4),
            Row(f"echo, window {window}, {kind}: time a line", "us")]
    clients = [run.ebb, run.ceiling]
    pick = min
    if window == 1:
        rows.append(Row(f"latency of a reply, {kind} (C without Lua)", "us", 1.15))
        clients.append(run.bare)
        pick = statistics.median  # it is least where somebody else keeps the processor awake

    def measure(rows, is_ebb_first):
        found = try_all(run, clients, is_ebb_first, pick, cpu=cpu_us, wall=wall_us, p50=median_us)
        rows[0].add(found[0]["cpu"], found[1]["cpu"])
        rows[1].add(found[0]["wall"], found[1]["wall"])
        if window == 1:
            rows[2].add(found[0]["p50"], found[2]["p50"])
    return Experiment(rows, measure)


def reloads(place):
    """An echo whose script is reloaded again and again, beside one that is left alone."""
    lines = 400000 if QUICK else 2000000
    run = Run(place, "echo", "echo", window=1024, lines=lines, restless=True)
    name = f"echo, reloaded {RELOADS_A_SECOND} times a second"
    rows = [Row(f"{name}: lost", "lines", 0, of_ratio=False, judge=max),
            Row(f"{name}: doubled", "lines", 0, of_ratio=False, judge=max),
            Row(f"{name}: CPU a line (left alone)", "us"),
            Row(f"{name}: time a line (left alone)", "us"),
            Row(f"{name}: latency of a reply, p99 (left alone)", "ms"),
            Row(f"{name}: until a reload is answered", "ms")]

    def reloaded():
        with Reloads(place, RELOADS_A_SECOND) as done:
            result = good(run, run.ebb, allowed=("dropped", "doubled"))
        done.check()
        return result, statistics.median(done.took_ms)

    def measure(rows, is_ebb_first):
        if is_ebb_first:
            (result, took_ms), alone = reloaded(), good(run, run.ebb)
        else:
            alone, (result, took_ms) = good(run, run.ebb), reloaded()
        for row, kind in zip(rows, ("dropped", "doubled")):
            row.add(result["faults"][kind]["count"])
            row.has_failed = row.has_failed or result["faults"][kind]["count"] > 0
        for row, figure in zip(rows[2:], (cpu_us, wall_us, p99_ms)):
            row.add(figure(result), figure(alone))
        rows[5].add(took_ms)
    return Experiment(rows, measure)


def sink(place, name, bar, **options):
    run = Run(place, "sink", "sink", lines=50000 if QUICK else 400000, **options)

    def measure(rows, is_ebb_first):
        found = try_all(run, [run.ebb, run.ceiling], is_ebb_first, cpu=cpu_us)
        rows[0].add(found[0]["cpu"], found[1]["cpu"])
    return Experiment([Row(f"no reply, {name}: CPU a line", "us", bar)], measure)


def sleepers(place):
    run = Run(place, "sleep", "sleep", seconds=5, lines=SLEEPERS)
    rows = [Row(f"{SLEEPERS:,} asleep: memory each", "KB", 1.8, of_ratio=False),
            Row(f"{SLEEPERS:,} asleep: lateness, p99", "ms", 3, of_ratio=False),
            Row(f"{SLEEPERS:,} asleep: lateness, median", "ms")]

    def measure(rows, _):
        result = good(run, run.ebb)
        late = result["latency_ns"]
        if late["min"] < -1e6:
            raise Failed(f"a sleeper woke {-late['min'] / 1e6:.1f} ms too early")
        grown = result["memory"]["after"] - result["memory"]["before"]
        rows[0].add(grown / SLEEPERS / KB)
        rows[1].add(late["p99"] / 1e6)
        rows[2].add(late["p50"] / 1e6)
    return Experiment(rows, measure)


def pings(place):
    seconds = 2 if QUICK else 10
    run = Run(place, "ping", "loop", seconds=seconds, lines=seconds * 47)  # out of step with the ticks
    rows = [Row("PONG while a script loops: p99", "ms", 20, of_ratio=False),
            Row("PONG while a script loops: median", "ms")]

    def measure(rows, _):
        result = good(run, run.ebb)
        rows[0].add(result["latency_ns"]["p99"] / 1e6)
        rows[1].add(result["latency_ns"]["p50"] / 1e6)
    return Experiment(rows, measure)


def reload_pings(place):
    """With one reload after the other of a script that keeps much."""
    seconds = 2 if QUICK else 10
    run = Run(place, "ping", "state", seconds=seconds, lines=seconds * 47, restless=True)
    rows = [Row("PONG while 10 MB of state are reloaded: p99", "ms", 20, of_ratio=False),
            Row("PONG while 10 MB of state are reloaded: median", "ms"),
            Row("PONG while 10 MB of state are reloaded: a reload", "ms")]

    def measure(rows, _):
        with Reloads(place, a_second=100) as done:
            result = good(run, run.ebb)
        done.check()
        rows[0].add(result["latency_ns"]["p99"] / 1e6)
        rows[1].add(result["latency_ns"]["p50"] / 1e6)
        rows[2].add(statistics.median(done.took_ms))
    return Experiment(rows, measure)


def idle(place, connections, tls):
    options = {"tls": tls, "rounds": 20, "deadline": 120}
    one = Run(place, "broadcast", "echo", connections=1, **options)
    run = Run(place, "broadcast", "echo", connections=connections, **options)
    name = f"{connections:,} networks, {'TLS' if tls else 'plain'}"
    rows = [Row(f"{name}: memory each", "KB", 32 if tls else 8, of_ratio=False),
            Row(f"{name}: memory each, after a broadcast", "KB", of_ratio=False),
            Row(f"{name}: to connect and join all", "ms"),
            Row(f"{name}: broadcast, all answered after", "ms", 2.0)]

    def figures(alone, crowd):
        """Memory in KB each, beyond what one takes; milliseconds."""
        grown = {when: crowd["memory"][when] - alone["memory"][when] for when in alone["memory"]}
        return (grown["before"] / (connections - 1) / KB, grown["after"] / (connections - 1) / KB,
                crowd["start_ns"]["joined"] / 1e6, statistics.median(crowd["rounds_ns"]) / 1e6)

    def measure(rows, is_ebb_first):
        pairs = [(one.ebb, run.ebb), (one.bare, run.bare)]
        if not is_ebb_first:
            pairs.reverse()
        found = [figures(good(one, alone), good(run, crowd)) for alone, crowd in pairs]
        if not is_ebb_first:
            found.reverse()
        for row, ebb, ceiling in zip(rows, *found):
            row.add(ebb, ceiling)
    return Experiment(rows, measure)


def start(place):
    run = Run(place, "idle", "echo")
    rows = [Row("start: to the first connection", "ms"), Row("start: to READY=1", "ms")]

    def measure(rows, is_ebb_first):
        found = try_all(run, [run.ebb, run.ceiling], is_ebb_first, tries=5,
                        accepted=lambda result: result["start_ns"]["accepted"] / 1e6,
                        ready=lambda result: result["start_ns"]["ready"] / 1e6)
        if found[0]["ready"] < 0:
            raise Failed("no READY=1 came")
        rows[0].add(found[0]["accepted"], found[1]["accepted"])
        rows[1].add(found[0]["ready"])
    return Experiment(rows, measure)


def inside(program):
    """What a program says that measures parts of ebb from within, NAME VALUE UNIT BAR by tabs: a
    row each, of which less is better. A fifth column is what the value is measured against."""
    def measure(rows, _):
        rows.append(Row("inside", ""))  # which stays where there are no others
        done = run_program([program], 300)
        if done.returncode:
            raise Failed(f"{program} failed: {done.stderr.strip()[-300:]}")
        rows.pop()
        known = {row.name: row for row in rows}
        for line in done.stdout.splitlines():
            name, value, unit, bar, *against = line.split("\t")
            if name not in known:
                rows.append(Row(name, unit, None if bar == "-" else float(bar),
                                of_ratio=bool(against)))
                known[name] = rows[-1]
            known[name].add(float(value), *map(float, against))
    return Experiment([], measure)


def experiments(place):
    for window in (1, 64, 1024):
        for tls in (False, True):
            yield echo(place, window, tls)
    yield sink(place, "plain", 1.4)
    yield sink(place, "TLS", 1.4, tls=True)
    yield sink(place, "with tags", 1.0, tags=True)
    yield reloads(place)
    yield sleepers(place)
    yield pings(place)
    yield reload_pings(place)
    for connections in (100, 1000, 10000):
        yield idle(place, connections, tls=False)
    for connections in (100, 1000) if QUICK else (100, 1000, 10000):
        yield idle(place, connections, tls=True)
    yield start(place)
    yield inside(MICRO)
    yield inside(ROSTER)
    yield inside(INSIDE)


# The table.

def print_table(rows):
    table = [["measured", "ebb", "ceiling", "ratio", "bar", "met"],
             *(row.columns() for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(5)]
    for line in table:
        cells = [cell.ljust(width) for cell, width in zip(line, widths)]
        print("  ".join([*cells, line[5]]).rstrip())


def write_json(rows, seconds):
    path = os.environ.get("BENCH_JSON") or os.path.join(BUILD, "bench.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"quick": QUICK, "repetitions": REPETITIONS, "seconds": round(seconds, 1),
                   "processors": len(os.sched_getaffinity(0)),
                   "rows": [row.as_json() for row in rows]}, file, indent=1)
        file.write("\n")


def tell_progress(text):
    if sys.stderr.isatty():
        print(f"\r{text:20}\r", end="", file=sys.stderr, flush=True)


def repeat_all(every):
    for repetition in range(REPETITIONS):
        for count, experiment in enumerate(every, 1):
            tell_progress(f"{repetition + 1}/{REPETITIONS} {count}/{len(every)}")
            experiment.repeat(is_ebb_first=repetition % 2 == 0)
    tell_progress("")


def bench(place):
    """Whether all was measured, and no reply was wrong."""
    began = time.monotonic()
    report = io.StringIO()
    if not selftest(place, report):
        print(report.getvalue(), file=sys.stderr)
        return False
    every = list(experiments(place))
    repeat_all(every)
    rows = [row for experiment in every for row in experiment.rows]
    print_table(rows)
    print(f"repetitions: {REPETITIONS}; processors: {len(os.sched_getaffinity(0))}; "
          f"load average: {os.getloadavg()[1]:.1f}")
    write_json(rows, time.monotonic() - began)
    return not any(row.has_failed for row in rows)


def main():
    if sys.argv[1:] not in ([], ["--selftest"]):
        sys.exit("usage: bench.py [--selftest]")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    place = Place()
    try:
        ok = selftest(place, sys.stdout) if sys.argv[1:] else bench(place)
    finally:
        place.remove()
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
