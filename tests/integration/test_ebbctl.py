#!/usr/bin/env python3
"""ebbctl against a daemon that runs: what it prints, how it ends, and whose the socket is."""

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (  # noqa: E402
    EBBCTL, EBBD, STOP_SECONDS, TIMEOUT, Bot, TlsServer, at_end, check, ebbctl, environment, folder,
    main, run_ebbd, test, until)

DAEMON = "[daemon]\nlog_level = debug\ncontrol = {}\n"


def expect(found, status, stdout=None, stderr=None):
    """What ebbctl did; the texts as patterns for the whole, None for nothing."""
    check(found[0] == status, f"exit status {found[0]}, not {status}: {found[1]}{found[2]}")
    check(re.fullmatch(stdout or "", found[1]), f"stdout: {found[1]!r}")
    check(re.fullmatch(stderr or "", found[2]), f"stderr: {found[2]!r}")


def welcomes(peer):
    peer.welcome()
    peer.drain()


def start(config="", scripts=None, path=None):
    """A bot, and the path of its socket."""
    path = path or os.path.join(folder(), "control.sock")
    bot = Bot(DAEMON.format(path) + config, scripts)
    bot.wait_log("ebbd: running, ")
    for name in scripts or ():
        bot.wait_log(f"script {name}: (not )?loaded")
    return bot, path


def fake_daemon(answer):
    """The path of a socket where answer(connection) serves, one client."""
    path = os.path.join(folder(), "control.sock")
    listener = socket.socket(socket.AF_UNIX)
    at_end(listener.close)
    listener.bind(path)
    listener.listen()

    def serve():
        with listener.accept()[0] as connection, contextlib.suppress(OSError):
            answer(connection)

    threading.Thread(target=serve, daemon=True).start()
    return path


def says(reply):
    def answer(connection):
        connection.recv(65536)
        connection.sendall(reply)
    return answer


@test("status tells of the daemon, its scripts and its networks, as a table and as JSON")
def _():
    server = TlsServer(welcomes)
    bot, path = start(server.network(tls=False) + "[network idle]\nhost = irc.test:7000\n"
                      "nick = other\nautoconnect = no\n", {"one": "", "two": ""})
    bot.wait_log("irc: .*: connected as ebb")

    expect(ebbctl("-s", path, "status"), 0,
           rf"version  \S+\npid      {bot.process.pid}\nuptime   \d+\nscripts  2\n\n"
           r"networks:\n"
           r"  name  state  nick   host       port +lag  dial_in\n"
           rf"  irc   ready  ebb    localhost  {server.port} +-    -\n"
           r"  idle  idle   other  irc.test   7000 +-    -\n")
    status, out, _ = ebbctl("-s", path, "--json", "status")

    check(status == 0 and out.count("\n") == 1, f"not one line: {out}")
    facts = json.loads(out)
    check(facts["pid"] == bot.process.pid and facts["scripts"] == 2, f"{facts}")
    check(facts["networks"][0] == {"name": "irc", "state": "ready", "nick": "ebb",
                                   "host": "localhost", "port": server.port, "lag": None,
                                   "dial_in": None},
          f"{facts}")


@test("queue tells why lines wait, and not what they say")
def _():
    server = TlsServer(welcomes)
    bot, path = start(server.network("flood_rate = 0.01", "flood_burst = 1", tls=False), {"one": """
        on("client_connect", function()
          for i = 1, 2 do send("privmsg", { target = "#Full", message = "hidden" }) end
          send("privmsg", { target = "#full", message = "hidden" })
          send("notice", { target = "bob", message = "hidden" })
          raw("PASS hidden")
          raw("WEBIRC hidden gateway host 192.0.2.1")
          raw("PART #d")
          raw("AWAY :hidden")
        end)"""})
    bot.wait_log("connected as ebb")
    expect(ebbctl("-s", path, "queue"), 0,
           r"network  command  target  lane    why    waited\n"
           r"irc      PRIVMSG  #Full   normal  pace   \d\S*\n"
           r"irc      PRIVMSG  #full   normal  order  \d\S*\n"
           r"irc      NOTICE   bob     normal  turn   \d\S*\n"
           r"irc      PASS     -       normal  turn   \d\S*\n"
           r"irc      WEBIRC   -       normal  order  \d\S*\n"
           r"irc      PART     #d      normal  turn   \d\S*\n"
           r"irc      AWAY     -       normal  order  \d\S*\n")


@test("shutdown is answered and logged, says QUIT, and ends with 0")
def _():
    server = TlsServer(welcomes)
    bot, path = start(server.network(tls=False))
    bot.wait_log("connected as ebb")

    expect(ebbctl("--socket", path, "shutdown"), 0)

    check(bot.process.wait(STOP_SECONDS) == 0, "it did not end well")
    server.wait_ended()
    check(server.received.endswith(b"QUIT :ebb is ending\r\n"), f"{server.received[-60:]}")
    bot.wait_log(rf"info: control: uid {os.getuid()}: shutdown \(pid \d+\)")
    bot.wait_log("ebbd: asked by its control socket: ending")
    check(not os.path.exists(path), "the socket was left")


@test("what the daemon refuses is status 1, with its reason")
def _():
    _, path = start()
    fake = says(b'{"id":1,"ok":false,"error":"karma: no \\u001b[31m such\\nscript",'
                b'"kind":"invalid"}\n')

    expect(ebbctl("-s", fake_daemon(fake), "load", "karma"), 1, None,
           r"ebbctl: karma: no \\x1b\[31m such\nscript\n")
    found = ebbctl("-s", fake_daemon(fake), "--json", "load", "karma")

    expect(found, 1, r".*\n")
    check(json.loads(found[1]) == {"error": "karma: no \x1b[31m such\nscript", "kind": "invalid"},
          f"{found}")
    expect(ebbctl("-s", path, "status"), 0, r"(?s).*")


@test("wrong arguments are status 2, and no daemon is asked for them")
def _():
    for args, why in (((), "usage: ebbctl"), (("--frob",), "unrecognized option"),
                      (("statsu",), "ebbctl: statsu: there is no such command"),
                      (("status", "all"), "ebbctl: status: all: is an argument too many"),
                      (("load",), "ebbctl: load: name: is missing\nusage: ebbctl load NAME"),
                      (("eval", "karma"), "ebbctl: eval: lua: is missing"),
                      (("load", "a\nb"), "ebbctl: load: name: holds a control character"),
                      (("load", b"\xff"), "ebbctl: load: name: is not UTF-8"),
                      (("eval", "karma", *["x" * 65536] * 17), "longer than 1048576 bytes"),
                      (("help", "statsu"), "ebbctl: statsu: there is no such command"),
                      (("help", "load", "karma"), "an argument too many")):
        expect(ebbctl(*(("-s", "/nonexistent") if args else ()), *args), 2, None,
               rf"(?s).*{re.escape(why)}.*")


@test("help lists the commands, or tells one, without a daemon")
def _():
    expect(ebbctl("help"), 0, r"(?s)usage: ebbctl .*\n  reload \[NAME\] +Load .*shutdown.*")
    expect(ebbctl("--help"), 0, r"(?s)usage: ebbctl .*\n  reload \[NAME\] +Load .*shutdown.*")
    expect(ebbctl("help", "eval"), 0, r"ebbctl eval SCRIPT LUA\n    Run Lua .*\.\n")
    expect(ebbctl("--version"), 0, r"ebbctl \d\S*\n")


@test("no daemon is status 3, and it tells where it looked")
def _():
    place = folder()
    os.mkdir(os.path.join(place, "ebb"))
    env = {"RUNTIME_DIRECTORY": place, "XDG_RUNTIME_DIR": place}
    dead = os.path.join(place, "dead.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(dead)

    expect(ebbctl("-s", dead, "status"), 3, None, rf"ebbctl: {dead}: Connection refused\n")
    expect(ebbctl("-s", "/nonexistent", "status"), 3, None,
           r"ebbctl: /nonexistent: No such file or directory\n")
    expect(ebbctl("-s", "x" * 200, "status"), 3, None, r"ebbctl: x+: File name too long\n")
    if not os.path.exists("/run/ebb/control.sock"):
        expect(ebbctl("status", env=env), 3, None,
               rf"ebbctl: no socket at {place}/control.sock, {place}/ebb/control.sock, "
               r"/run/ebb/control.sock; is ebbd running\?\n")


@test("a daemon that closes, or answers rubbish, is status 3")
def _():
    for reply, why in ((b"", "closed the connection"), (b'{"id":1,"ok":tr', "closed the connection"),
                       (b"hello\n", "not JSON: .*"), (b"{}\n", "neither a result nor an error")):
        expect(ebbctl("-s", fake_daemon(says(reply)), "status"), 3, None,
               rf"ebbctl: the daemon('s answer:)? {why}\n")


@test("what is printed for people drives no terminal")
def _():
    reply = b'{"id":1,"ok":true,"result":"a\\u001b[2J\\u009b\\u0000\\nb\xc3\xa9"}\n'

    expect(ebbctl("-s", fake_daemon(says(reply)), "eval", "x", "-1"), 0,
           r"a\\x1b\[2J\\x9b\\x00\nbé\n")


@test("a reader of ebbctl that goes away is status 1, and no signal")
def _():
    path = fake_daemon(says(b'{"id":1,"ok":true,"result":"' + b"x" * 1000000 + b'"}\n'))
    ours, theirs = os.pipe()
    os.close(ours)

    r = subprocess.run([EBBCTL, "-s", path, "status"], stdout=theirs, stderr=subprocess.PIPE,
                       timeout=TIMEOUT, check=False)

    os.close(theirs)
    check(r.returncode == 1 and b"Broken pipe" in r.stderr, f"{r}")


@test("a second daemon on the same socket ends with 1, and the first goes on")
def _():
    bot, path = start()

    status, _, log = run_ebbd("-c", bot.config)

    check(status == 1, f"exit status {status}")
    check(f"error: control: {path}: another ebbd is there\n" in log, log)
    expect(ebbctl("-s", path, "status"), 0, r"(?s).*")


@test("after kill -9 the next daemon takes the socket over")
def _():
    path = os.path.join(folder(), "control.sock")
    config = os.path.join(folder(), "ebb.ini")
    with open(config, "w", encoding="ascii") as file:
        file.write(DAEMON.format(path) + "[script reconnect]\nenabled = no\n")
    first = subprocess.Popen([EBBD, "-c", config], stderr=subprocess.DEVNULL, env=environment({}))
    at_end(first.kill)
    until(lambda: ebbctl("-s", path, "status")[0] == 0, "the first answers")
    first.send_signal(signal.SIGKILL)
    first.wait()
    check(stat.S_ISSOCK(os.lstat(path).st_mode), "nothing was left: this shows nothing")
    expect(ebbctl("-s", path, "status"), 3, None, r".*: Connection refused\n")

    bot, _ = start(path=path)

    expect(ebbctl("-s", path, "status"), 0, rf"(?s).*pid +{bot.process.pid}\n.*")


@test("what is no socket stays, and the daemon ends with 1")
def _():
    place = folder()
    path = os.path.join(place, "precious")
    config = os.path.join(place, "ebb.ini")
    for name, text in ((path, "data"), (config, DAEMON.format("precious"))):
        with open(name, "w", encoding="ascii") as file:
            file.write(text)

    status, _, log = run_ebbd("-c", config)

    check(status == 1, f"exit status {status}")
    check("precious: is not a socket, and stays" in log, log)
    with open(path, encoding="ascii") as file:
        check(file.read() == "data", "it was changed")


@test("without configuration the socket is where the environment says, for both ends")
def _():
    for variable, rest in (("RUNTIME_DIRECTORY", "control.sock"),
                           ("XDG_RUNTIME_DIR", "ebb/control.sock")):
        place = folder()
        bot = Bot("", env={variable: place})
        bot.wait_log("ebbd: running, ")
        mode = os.lstat(os.path.join(place, rest)).st_mode

        expect(ebbctl("status", env={variable: place}), 0, rf"(?s).*pid +{bot.process.pid}\n.*")

        check(stat.S_ISSOCK(mode) and mode & 0o777 == 0o660, f"{mode:o}")


@test("without configuration and environment there is no socket, and a word of it in the log")
def _():
    bot = Bot("")

    bot.wait_log("debug: control: no socket: ")
    bot.wait_log("ebbd: running, ")


@test("a client that sends rubbish and reads nothing holds nobody up")
def _():
    bot, path = start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.setblocking(False)
        for _ in range(200):
            try:
                client.send(os.urandom(40000) + b"\n" * 5000)
            except BlockingIOError:
                break

        expect(ebbctl("-s", path, "status"), 0, r"(?s).*")
    bot.stop()


def script_file(bot, name):
    return os.path.join(os.path.dirname(bot.config), "scripts", name + ".lua")


def save(bot, name, source):
    with open(script_file(bot, name), "w", encoding="utf-8") as file:
        file.write(source)


@test("scripts tells of each what it does, and why it does not run")
def _():
    bot, path = start("", {"karma": "on('privmsg', print) every(60, print)", "bad": "on("})

    expect(ebbctl("-s", path, "scripts"), 0,
           r"name +state +generation +age +tasks +alarms +listeners +memory +memory_max +retired "
           r"+file +fault\n"
           rf"karma  running  1 +\d+ +0 +1 +1 +\d+ +67108864 +0 +{script_file(bot, 'karma')} +-\n"
           rf"bad    failed   0 +- +0 +0 +0 +0 +0 +0 +{script_file(bot, 'bad')} +"
           rf"{script_file(bot, 'bad')}:1: unexpected symbol near <eof>\n")
    facts = json.loads(ebbctl("-s", path, "--json", "scripts")[1])

    check([f["name"] for f in facts] == ["karma", "bad"] and facts[0]["fault"] is None, f"{facts}")


@test("reload of a script is status 0 when the new code is in place, else 1 and the reason")
def _():
    bot, path = start("watch = no\n", {"karma": ""})
    save(bot, "karma", 'log("is new")')
    expect(ebbctl("-s", path, "reload", "karma"), 0)
    check(bot.logged("script karma: reloaded"), "it was not reloaded when it was answered")

    save(bot, "karma", "local x\nx.y = 1")
    expect(ebbctl("-s", path, "reload", "karma"), 1, None,
           rf"(?s)ebbctl: karma: main chunk: {script_file(bot, 'karma')}:2: attempt to index a nil "
           r"value \(local 'x'\)\n.*")
    os.unlink(script_file(bot, "karma"))
    expect(ebbctl("-s", path, "reload", "karma"), 1, None,
           rf"ebbctl: karma: {script_file(bot, 'karma')}: No such file or directory\n")


@test("reload without a name takes the configuration, tells of each script, and why one failed")
def _():
    bot, path = start("watch = no\n", {"one": "", "two": "", "three": ""})
    expect(ebbctl("-s", path, "--json", "reload"), 0, r'\{"scripts": \[\]\}\n')
    save(bot, "one", "-- other")
    with open(bot.config, encoding="utf-8") as file:
        config = file.read()
    with open(bot.config, "w", encoding="utf-8") as file:
        file.write(config.replace("[script two]\nenabled = yes", "[script two]\nenabled = no"))

    status, out, _ = ebbctl("-s", path, "--json", "reload")

    check((status, json.loads(out)) == (0, {"scripts": [
        {"name": "two", "outcome": "unloaded"}, {"name": "one", "outcome": "reloaded"}]}), out)
    save(bot, "three", "on(")
    expect(ebbctl("-s", path, "reload"), 1, None,
           rf"ebbctl: script three: {script_file(bot, 'three')}:1: unexpected symbol near <eof>\n")
    with open(bot.config, "a", encoding="utf-8") as file:
        file.write("[nonsense]\n")
    expect(ebbctl("-s", path, "reload"), 1, None, rf"ebbctl: {bot.config}:\d+: .*nonsense.*\n")


@test("load takes a script that is not configured, and unload ends one; each stays so over reloads")
def _():
    bot, path = start("", {"karma": ""})
    save(bot, "extra", 'on_unload(function(why) log("leaves: " .. why) end)')

    expect(ebbctl("-s", path, "load", "extra"), 0)
    check(bot.logged("script extra: loaded"), "it was not loaded when it was answered")
    expect(ebbctl("-s", path, "load", "extra"), 1, None, "ebbctl: extra: is loaded already\n")
    expect(ebbctl("-s", path, "unload", "karma"), 0)
    expect(ebbctl("-s", path, "reload"), 0, r"(?s).*")
    check(states(path) == {"karma": "unloaded", "extra": "running"}, f"{states(path)}")

    expect(ebbctl("-s", path, "unload", "extra"), 0)
    bot.wait_log("script extra: leaves: unload")
    expect(ebbctl("-s", path, "load", "karma"), 0)
    check(states(path) == {"karma": "running"}, f"{states(path)}")


def states(path):
    return {facts["name"]: facts["state"]
            for facts in json.loads(ebbctl("-s", path, "--json", "scripts")[1])}


@test("a name that no script has is status 1, and says so")
def _():
    bot, path = start("", {"karma": ""})
    for args in ("reload", "nothing"), ("unload", "nothing"), ("eval", "nothing", "1"):
        expect(ebbctl("-s", path, *args), 1, None, "ebbctl: nothing: there is no such script\n")
    expect(ebbctl("-s", path, "load", "nothing"), 1, None,
           "ebbctl: nothing: there is no such script on script_path\n")
    expect(ebbctl("-s", path, "load", "../karma"), 1, None, "ebbctl: ../karma: .*\n")
    expect(ebbctl("-s", path, "unload", "karma"), 0)
    expect(ebbctl("-s", path, "eval", "karma", "1"), 1, None, "ebbctl: eval: karma does not run\n")
    check(not bot.logged("error: script nothing"), "it was made")


EVALS = (  # what is run; the exit status, and what is printed
    ("1 + 1", 0, "2\n"),
    ("state.n", 0, "7\n"),
    ("nil", 0, "nil\n"),
    ("1, 'a', { 1, x = 2 }", 0, '1\n"a"\n\\{1, "x" = 2\\}\n'),
    ("state.n = 8 return state.n", 0, "8\n"),
    ("local x = 5", 0, "\n"),
    ("sleep(0.1) return 'late'", 0, '"late"\n'),
    ("error('no')", 1, "ebbctl: eval: eval:1: no\n.*"),
    ("error({})", 1, r"ebbctl: eval: \(an error value that is a table\)\n.*"),
    ("(", 1, "ebbctl: eval: eval:1: unexpected symbol near <eof>\n"),
    ("while true do end", 1, r"ebbctl: eval: stopped: it used up what a script may .*\n"),
    ("coroutine.wrap(function() while true do end end)()", 1, "ebbctl: eval: stopped: .*\n"),
)


@test("eval prints what expressions and statements return, waits for them, and tells of errors")
def _():
    _, path = start("[script karma]\ncpu_max = 0.05\n", {"karma": "state.n = 7"})
    for lua, status, text in EVALS:
        found, out, err = ebbctl("-s", path, "eval", "karma", lua)

        said, rest = (out, err) if status == 0 else (err, out)
        check(found == status and re.fullmatch(text, said, re.S) and not rest,
              f"{lua}: {found}: {out}{err}")
    expect(ebbctl("-s", path, "eval", "karma", "return", "1"), 0, "1\n")


@test("an eval that nobody waits for any more is cancelled; one whose script ends is answered")
def _():
    bot, path = start("", {"karma": ""})
    long = 'defer(function() log("let go") end) log("sleeps") sleep(3600)'
    client = subprocess.Popen([EBBCTL, "-s", path, "eval", "karma", long], env=environment({}))
    at_end(client.kill)
    bot.wait_log("script karma: sleeps")

    client.kill()
    client.wait()

    bot.wait_log("script karma: let go")
    with subprocess.Popen([EBBCTL, "-s", path, "eval", "karma", long], env=environment({}),
                          stderr=subprocess.PIPE, text=True) as client:
        at_end(client.kill)
        bot.wait_log("script karma: sleeps", count=2)
        expect(ebbctl("-s", path, "unload", "karma"), 0)
        _, err = client.communicate(timeout=TIMEOUT)
        check((client.returncode, err) == (1, "ebbctl: eval: cancelled: the script ends\n"),
              f"{client.returncode}: {err}")


main()
