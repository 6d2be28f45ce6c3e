#!/usr/bin/env python3
"""The daemon as a process: readiness, signals, its log, and the secrets that stay out of it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (  # noqa: E402
    EBBD, Bot, Certificates, Ircd, NotifySocket, Person, TlsServer, at_end, check, configure,
    folder, main, test)

certificates = Certificates()
SECRET = "correct horse battery staple"


def silent(peer):
    """Reads, and never answers."""
    while peer.line() is not None:
        pass


def welcomes(peer):
    peer.welcome()
    peer.drain()


@test("READY=1 reaches NOTIFY_SOCKET once the scripts are loaded, and STOPPING=1 at the end")
def _():
    server = TlsServer(welcomes)
    notify = NotifySocket()
    bot = Bot(server.network(tls=False), {"slow": """
        for i = 1, 3e7 do end
        on("client_connect", function() log("hears of the connection") end)
        log("the main chunk has run")
    """}, env={"NOTIFY_SOCKET": notify.path})

    first = notify.receive()

    check("READY=1" in first.split("\n"), f"received: {first}")
    bot.wait_log("ebbd: running, ")  # which is logged when READY was sent; the log may lag behind
    said = [found.group() for found in bot.logged("the main chunk has run|ebbd: running, ")]
    check(said == ["the main chunk has run", "ebbd: running, "], "it was ready before its scripts")
    bot.wait_log("connected as ebb")
    bot.wait_log("hears of the connection")
    bot.stop()
    notify.expect("STOPPING=1")


@test("the status says how many networks are ready, and the watchdog is fed")
def _():
    server = TlsServer(welcomes)
    notify = NotifySocket()

    Bot(server.network(tls=False), {"one": "", "two": ""},
        env={"NOTIFY_SOCKET": notify.path, "WATCHDOG_USEC": "400000"})

    notify.expect("STATUS=0 of 1 network ready, 2 scripts")
    notify.expect("STATUS=1 of 1 network ready, 2 scripts")
    notify.expect("WATCHDOG=1")


@test("a watchdog of another process is not fed")
def _():
    notify = NotifySocket()
    bot = Bot("", {"late": 'after(0.3, function() log("a time has passed") end)'},
              env={"NOTIFY_SOCKET": notify.path, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"})
    bot.wait_log("a time has passed")

    bot.stop()

    said = [notify.receive()]
    while said[-1] != "STOPPING=1":
        said.append(notify.receive())
    check("WATCHDOG=1" not in said, "it was fed")


@test("READY=1 reaches a NOTIFY_SOCKET in the abstract namespace")
def _():
    name = f"ebbtest.{os.getpid()}"
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    at_end(receiver.close)
    receiver.bind("\0" + name)
    receiver.settimeout(20)

    Bot("", env={"NOTIFY_SOCKET": "@" + name})

    check("READY=1" in receiver.recv(4096).decode().split("\n"), "not ready")


for what, source in (
        ("events that cause themselves",
         'on("go", function() trigger("go") end) on("client_connect", function() trigger("go") end)'),
        ("tasks that start themselves",
         'local function f() spawn(f) end on("client_connect", function() spawn(f) end)')):
    @test(f"PING is answered and SIGTERM obeyed beside {what} for ever")
    def _(source=source):
        def script(peer):
            peer.welcome()
            for i in range(20):
                peer.send(f"PING :{i}")
                peer.expect(rf"^PONG :{i}$")
            peer.send(":a!u@h PRIVMSG ebb :done")
            peer.drain()
        server = TlsServer(script)
        bot = Bot(server.network(tls=False),
                  {"busy": source + ' on("privmsg", function(ev) log(ev.message) end)'})

        bot.wait_log("script busy: done")

        bot.stop()


@test("disconnect ends as requested, whatever the server makes of it")
def _():
    def script(peer):
        nick = peer.welcome()
        peer.expect("^QUIT :bye")
        peer.send(f":oper!o@h KILL {nick} :spam", ":irc.test 465 ebb :banned")
        peer.drain()
    server = TlsServer(script)
    bot = Bot(server.network(tls=False), {"leaver": """
        on("client_connect", function() disconnect("bye") log("closed") end)
        on("client_disconnect", function(ev) log(ev.kind .. tostring(ev.requested)) end)"""})

    bot.wait_log("script leaver: requestedtrue")
    bot.wait_log("script leaver: closed")

    bot.stop()


@test("a service manager that is gone does not stop the daemon")
def _():
    bot = Bot("", env={"NOTIFY_SOCKET": "/nonexistent/notify"})

    bot.wait_log("warning: notify: /nonexistent/notify: ")
    bot.wait_log("ebbd: running, ")
    bot.stop()


@test("SIGTERM ends it while the server is silent before the welcome")
def _():
    server = TlsServer(silent)
    bot = Bot(server.network(tls=False))
    bot.wait_log("irc: registering after")

    bot.stop()

    server.wait_ended()
    check(b"\r\nQUIT :ebb is ending\r\n" in server.received, "no farewell")


@test("SIGTERM ends it while the server is silent in the TLS handshake")
def _():
    server = TlsServer(silent, certificates)
    bot = Bot(server.network())
    bot.wait_log("irc: tls after")

    bot.stop()

    server.wait_ended()


@test("SIGTERM ends it while the kernel still connects")
def _():
    listener = socket.socket()
    at_end(listener.close)
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    for _ in range(4):  # the backlog is full: what comes now is neither accepted nor refused
        filler = socket.socket()
        at_end(filler.close)
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    bot = Bot("[network irc]\nhost = 127.0.0.1\nport = %d\ntls = no\nnick = ebb\n"
              % listener.getsockname()[1])
    bot.wait_log("irc: connecting after")

    bot.stop()

    check(not bot.ever_logged("irc: registering"), "it was connected: this shows nothing")


@test("SIGTERM ends it while a connected server says nothing more")
def _():
    def script(peer):
        peer.welcome()
        silent(peer)
    server = TlsServer(script, certificates, "good")
    bot = Bot(server.network())
    bot.wait_log("connected as ebb")

    bot.stop()

    server.wait_ended()
    check(b"\r\nQUIT :ebb is ending\r\n" in server.received, "no farewell")


@test("SIGTERM ends it while scripts sleep, wait, and wait for the guard")
def _():
    server = TlsServer(lambda peer: None)
    bot = Bot(server.network(tls=False), {"busy": """
        on("client_disconnect", function() log("dials"); connect() end)
        spawn(function() sleep(3600) end)
        spawn(function() wait("privmsg") end)
        every(0.001, function() end)
    """})
    bot.wait_log("script busy: dials")
    bot.wait_log("not dialled before")

    bot.stop()


@test("SIGTERM ends it while lines wait in the queue, which are dropped")
def _():
    server = TlsServer(welcomes)
    bot = Bot(server.network("flood_rate = 0.1", "flood_burst = 1", tls=False), {"flood": """
        on("client_connect", function()
          for i = 1, 100 do send("privmsg", { target = "alice", message = "line " .. i }) end
          log("all are queued")
        end)
    """})
    bot.wait_log("all are queued")

    bot.stop()

    server.wait_ended()
    check(server.received.count(b"PRIVMSG") < 5, "it flooded the server on its way out")
    check(server.received.endswith(b"QUIT :ebb is ending\r\n"), f"{server.received[-60:]}")


@test("SIGINT ends it as SIGTERM does")
def _():
    server = TlsServer(welcomes)
    bot = Bot(server.network(tls=False))
    bot.wait_log("connected as ebb")

    bot.stop(signal.SIGINT)

    server.wait_ended()
    check(b"QUIT :" in server.received, "no farewell")


@test("a second SIGTERM ends it at once")
def _():
    def script(peer):
        peer.welcome()
        silent(peer)
    server = TlsServer(script)
    bot = Bot(server.network(tls=False))
    bot.wait_log("connected as ebb")

    bot.process.send_signal(signal.SIGTERM)
    bot.wait_log("SIGTERM: ending")
    began = time.monotonic()
    bot.stop()

    check(time.monotonic() - began < 1.5, "it went on waiting for the server")


@test("under JOURNAL_STREAM each line begins with its priority, and has no time")
def _():
    server = TlsServer(welcomes)
    bot = Bot("[daemon]\nlog_level = debug\n" + server.network(tls=False), {"speak": """
        log("at info")
        log.debug("at debug")
        log.warn("at %s", "warning")
        log.error("at error")
    """}, env={"JOURNAL_STREAM": "{pipe}"})

    bot.wait_log("connected as ebb")

    bot.stop()
    for line in bot.end_of_log().splitlines():
        check(re.match(r"<[3-7]>[^ <]", line), f"a line without its priority: {line}")
    for priority, text in (6, "at info"), (7, "at debug"), (4, "at warning"), (3, "at error"):
        bot.wait_log(f"^<{priority}>script speak: {text}$")
    bot.wait_log("^<6>irc: .*connected as ebb")


@test("a JOURNAL_STREAM that is not stderr changes nothing")
def _():
    bot = Bot("", env={"JOURNAL_STREAM": "1:1"})

    bot.wait_log(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d info: ebbd: running, version [\d.]+$")


def secret_file(text):
    path = os.path.join(folder(), "password")
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def traced(network):
    return "[daemon]\nlog_level = trace\n" + network


@test("a server password from a file opens the server, and is not in the log, even at trace")
def _():
    ircd = Ircd("ngircd", PASSWORD=SECRET)
    alice = Person(ircd, "alice", "#one", password=SECRET)
    bot = Bot(traced(ircd.network(f"server_password_file = {secret_file(SECRET)}",
                                  "channels = #one")))
    alice.sees("ebb", "#one")

    bot.stop()

    check(bot.ever_logged(r"irc: >> PASS \*\*\*"), "trace shows no lines: this shows nothing")
    check(SECRET not in bot.end_of_log(), "the password was logged")


@test("a wrong server password is told, and is not in the log, even at trace")
def _():
    server = TlsServer(lambda peer: (peer.expect("^USER "),
                                     peer.send(":irc.test 464 ebb :Password incorrect"),
                                     peer.drain()))
    bot = Bot(traced(server.network(f"server_password_file = {secret_file(SECRET)}", tls=False)))

    bot.wait_log("irc: .* not connected: registration: server_password: Password incorrect")

    bot.stop()
    check(f"PASS :{SECRET}\r\n".encode() in server.received, "the password was not sent")
    check(SECRET not in bot.end_of_log(), "the password was logged")


@test("a secret is a credential of the service manager where there is one of its name")
def _():
    server = TlsServer(welcomes)
    path = secret_file(SECRET)
    bot = Bot(traced(server.network("server_password_file = password", tls=False)),
              env={"CREDENTIALS_DIRECTORY": os.path.dirname(path)})

    bot.wait_log("connected as ebb")

    bot.stop()
    check(f"PASS :{SECRET}\r\n".encode() in server.received, "the password was not sent")
    check(SECRET not in bot.end_of_log(), "the password was logged")


@test("what a script says to services with a password in it is not in the log, even at trace")
def _():
    server = TlsServer(welcomes)
    bot = Bot(traced(server.network(tls=False)), {"identify": f"""
        on("client_connect", function()
          send("privmsg", {{ target = "NickServ", message = "IDENTIFY ebb {SECRET}" }})
          raw("OPER ebb :{SECRET}")
          log("said")
        end)
    """})

    bot.wait_log("script identify: said")

    bot.stop()
    server.wait_ended()
    check(server.received.count(SECRET.encode()) == 2, "the password was not sent")
    check(SECRET not in bot.end_of_log(), "the password was logged")


@test("a log that nobody reads does not hold the daemon up")
def _():
    reader, writer = os.pipe()
    at_end(os.close, reader)
    ircd = Ircd("ngircd")
    alice = Person(ircd, "alice", "#one")
    config = configure(traced(ircd.network("channels = #one")), {"chatty": """
        on("privmsg", { match = "^!chat$" }, function(ev)
          for i = 1, 2000 do log(("x"):rep(100)) end
          ev:reply("done")
        end)
    """})
    process = subprocess.Popen([EBBD, "-c", config], stderr=writer, stdin=subprocess.DEVNULL)
    at_end(lambda: (process.kill(), process.wait()))
    os.close(writer)

    alice.asks("ebb", "#one", "!chat", "done")

    process.terminate()
    check(process.wait(5) == 0, "it did not end well")


@test("a function that does not come back is told of, and ends the daemon after ten seconds")
def _():
    config = configure("[script stuck]\ntrust = full\n", {"stuck": """
        after(0.1, function()
          io.open("pipe")
        end)
    """})
    os.mkfifo(os.path.join(os.path.dirname(config), "scripts", "pipe"))
    began = time.monotonic()

    process = subprocess.run([EBBD, "-c", config], stderr=subprocess.PIPE, text=True, timeout=60,
                             stdin=subprocess.DEVNULL, check=False)

    took = time.monotonic() - began
    check(process.returncode == -signal.SIGABRT, f"its status: {process.returncode}")
    check(9 < took < 40, f"it ended after {took:.1f} s")
    for told in (r"^warning: script stuck: after from \S+stuck.lua:2: blocked for 50 ms in a function",
                 r"^warning: \t\S+stuck.lua:3: in ",
                 r"^error: script stuck: after from .*: a function does not come back: ebb ends"):
        check(re.search(told, process.stderr, re.M), f"not logged: {told}\n{process.stderr}")


main()
