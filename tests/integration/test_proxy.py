#!/usr/bin/env python3
"""A bot behind a SOCKS5 proxy: it reaches servers whose names only the proxy knows, and says why
where the proxy does not want to."""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (Bot, Certificates, Control, Ircd, Peer,  # noqa: E402
                     Person, TlsServer, check, folder, main, test, until)
from faulty import Usage  # noqa: E402
from socks5 import NO_METHOD, Socks5  # noqa: E402

ircd = Ircd("ngircd")
HOST = "irc.example"  # nobody but the proxy knows it
MARGIN_KILOBYTES = 256

PING = """
on("privmsg", { match = "^!ping$" }, function(ev)
  ev:reply("pong, " .. ev.nick)
end)
"""

# go() has each network try for as long as it takes, and tell each failure.
TRY = """
local function try(name)
  local ok, why, kind
  repeat
    ok, why, kind = connect(name)
    if not ok then log.info("%s failed: %s: %s", name, kind, why) end
  until ok or kind == "requested"
end

function go()
  for net in networks() do spawn(try, net.name) end
end

function leave()
  for net in networks() do spawn(disconnect, net.name) end
end
"""


def network(proxy, *lines, url=None, **options):
    """A [network] section for the real server, by its name at the proxy."""
    return ircd.network(f"host = {HOST}", f"proxy = {url or f'socks5h://127.0.0.1:{proxy.port}'}",
                        *lines, **options)


def proxy_for(tls=False, **options):
    return Socks5({HOST: ircd.tls_port if tls else ircd.port}, **options)


@test("a bot behind a proxy joins its channel, by a name that only the proxy knows")
def _():
    proxy = proxy_for()
    alice = Person(ircd, "alice", "#one")

    bot = Bot(network(proxy, "channels = #one"), {"ping": PING})

    alice.asks("ebb", "#one", "!ping", "pong, alice")
    bot.wait_log(rf"debug: irc: through proxy 127\.0\.0\.1:{proxy.port}")
    bot.wait_log(rf"info: irc: {HOST}:{ircd.port}: connected as ebb")
    check(proxy.asked == [(HOST, ircd.port)], f"the proxy was asked for {proxy.asked}")


@test("the phase is connecting until TLS or the registration begins")
def _():
    proxy = proxy_for()
    bot = Bot(network(proxy))

    bot.wait_log("connected as ebb")

    phases = [m.group(1) for m in bot.logged(r"irc: (\w+) after \d+ ms")]
    check(phases[:3] == ["resolving", "connecting", "registering"], f"the phases are {phases}")


@test("answers of the proxy may come in single bytes")
def _():
    proxy = proxy_for(login=("bob", "secret"))
    proxy.piece = 1

    bot = Bot(network(proxy, url=f"socks5h://bob:secret@127.0.0.1:{proxy.port}"))

    bot.wait_log("connected as ebb")


@test("with TLS the certificate is that of the server behind the proxy")
def _():
    proxy = Socks5({"localhost": ircd.tls_port})
    alice = Person(ircd, "alice", "#one", tls=True)

    bot = Bot(ircd.network("channels = #one", f"proxy = socks5h://localhost:{proxy.port}",
                           tls=True), {"ping": PING})

    alice.asks("ebb", "#one", "!ping", "pong, alice")
    bot.wait_log(rf"info: irc: TLSv1\.[23], \S+, certificate {ircd.fingerprint}")
    phases = [m.group(1) for m in bot.logged(r"irc: (\w+) after \d+ ms")]
    check(phases[:3] == ["resolving", "connecting", "tls"], f"the phases are {phases}")


@test("a server behind the proxy whose certificate is for another name is refused")
def _():
    proxy = Socks5({HOST: ircd.tls_port})

    bot = Bot(network(proxy, f"port = {ircd.tls_port}", tls=True))

    bot.wait_log(rf"warning: irc: {HOST}:{ircd.tls_port}: not connected: tls: .*"
                 rf"not for {HOST} ")


@test("what the server says at once is not lost between the proxy and the connection")
def _():
    def script(peer):
        peer.send(":irc.test NOTICE * :hello at once")
        peer.welcome()
        peer.drain()
    server = TlsServer(script)
    proxy = Socks5({"127.0.0.1": server.port})

    bot = Bot(server.network(f"proxy = socks5h://127.0.0.1:{proxy.port}", tls=False,
                             host="127.0.0.1"), {"hear": """
on("notice", { match = "at once" }, function(ev) log("heard: " .. ev.message) end)
"""})

    bot.wait_log("heard: hello at once")
    check(proxy.asked == [("127.0.0.1", server.port)], f"the proxy was asked for {proxy.asked}")


@test("a name with letters beyond ASCII is told to the proxy as DNS knows it")
def _():
    proxy = Socks5({"xn--bcher-kva.example": ircd.port})

    bot = Bot(network(proxy, "host = bücher.example"))

    bot.wait_log(f"info: irc: bücher.example:{ircd.port}: connected as ebb")
    check(proxy.asked == [("xn--bcher-kva.example", ircd.port)], f"asked for {proxy.asked}")


@test("a proxy by IPv6 carries to a server by IPv6 address")
def _():
    proxy = Socks5({"2001:db8::7": ircd.port}, family=socket.AF_INET6)

    bot = Bot(ircd.network("host = 2001:db8::7", f"proxy = socks5h://[::1]:{proxy.port}"))

    bot.wait_log("connected as ebb")
    check(proxy.asked == [("2001:db8::7", ircd.port)], f"the proxy was asked for {proxy.asked}")


@test("a user and a password let through, from the configuration or a file, and are in no log")
def _():
    proxy = proxy_for(login=("bo:b", "hunter2 @%"))
    url = f"socks5h://bo%3Ab:hunter2%20%40%25@127.0.0.1:{proxy.port}"
    place = folder()
    path = os.path.join(place, "proxy")
    with open(path, "w", encoding="ascii") as file:
        file.write(url + "\n")
    section = network(proxy, url=url)

    for config in (section, section.replace(f"proxy = {url}", f"proxy_file = {path}")):
        bot = Bot("[daemon]\nlog_level = trace\n" + config)
        bot.wait_log("connected as ebb")
        check(not bot.ever_logged("hunter2|bo:b|bo%3Ab"), "the log tells the login")


@test("a wrong password is denied, and in no log")
def _():
    proxy = proxy_for(login=("bob", "secret"))

    bot = Bot("[daemon]\nlog_level = trace\n"
              + network(proxy, url=f"socks5h://bobby:hunter2@127.0.0.1:{proxy.port}"))

    bot.wait_log("not connected: denied: .*the proxy refuses the user or the password")
    check(not bot.ever_logged("hunter2|bobby"), "the log tells the login")


REFUSALS = [  # a REP, or what else it answers; the kind and the words
    (1, "refused", "the proxy failed$"),
    (2, "denied", "the proxy's rules do not allow it$"),
    (3, "refused", "network unreachable$"),
    (4, "dns", "host unreachable, or its name is not known to the proxy$"),
    (5, "refused", "connection refused$"),
    (6, "timeout", "timed out at the proxy$"),
    (7, "denied", "the proxy does not make connections$"),
    (8, "denied", "the proxy does not take addresses of this type$"),
    (9, "refused", r"refused, for a reason of the proxy's own \(0x09\)$"),
    (bytes([5, NO_METHOD]), "denied", "the proxy wants a login "),
    (b"", "closed", "the proxy closed the connection after the greeting$"),
    (b"\x05", "closed", "the proxy closed the connection after the greeting$"),
    (b"\x00\x5b\0\0\0\0\0\0", "refused", "it speaks SOCKS4, and SOCKS5 is needed$"),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "refused", "it speaks HTTP, and SOCKS5 is needed$"),
    (b"\xde\xad\xbe\xef", "refused",
     "it is no SOCKS5 proxy: it answered the greeting with byte 0xde$"),
    (None, "timeout", "timed out after the greeting$"),
]


def trying(*sections):
    """A daemon whose networks connect when the script says go(): it, and its control socket."""
    path = os.path.join(folder(), "control")
    bot = Bot("\n".join(["[daemon]", "log_level = debug", "dial_rate = 1000", f"control = {path}",
                         *sections]), {"try": TRY, "ping": PING})
    bot.wait_log("control: listening at ")
    return bot, Control(path)


def meets_refusals(bot, control, proxies, times):
    """Every proxy refuses, until it carries; how often that was so, this time included."""
    for proxy, (refusal, _, _) in zip(proxies, REFUSALS):
        proxy.refusal = refusal
    control.eval("try", "go()")
    for number, (_, kind, words) in enumerate(REFUSALS):
        way = (rf"through proxy 127\.0\.0\.1:{proxies[number].port} to {HOST}:{ircd.port}: "
               rf"{words}")
        bot.wait_log(rf"warning: n{number}: {HOST}:{ircd.port}: not connected: {kind}: {way}",
                     count=times)
        bot.wait_log(rf"info: script try: n{number} failed: {kind}: {way}", count=times)
        proxies[number].refusal = Socks5.CARRIES


def hear_all(alice):
    """Every bot is in the channel, and answers."""
    for number in range(len(REFUSALS)):
        alice.sees(f"ebb{number}", "#refused")
    alice.say("#refused", "!ping")
    heard = {alice.expect(r":(ebb\d+)!\S+ PRIVMSG #refused :pong, alice$").group(1)
             for _ in REFUSALS}
    check(len(heard) == len(REFUSALS), f"only {heard} answered")


@test("each refusal is told in its words and as its kind, and leaves nothing behind")
def _():
    proxies = [proxy_for() for _ in REFUSALS]
    alice = Person(ircd, "alice", "#refused")
    bot, control = trying(*(network(proxy, "autoconnect = no", "connect_timeout = 2",
                                    "channels = #refused", name=f"n{number}", nick=f"ebb{number}")
                            for number, proxy in enumerate(proxies)))
    control.eval("try", "return 0")
    before = Usage(bot)

    for times in (1, 2, 3):
        meets_refusals(bot, control, proxies, times)
        hear_all(alice)
        until(lambda: Usage(bot).descriptors == before.descriptors + len(REFUSALS),
              "a descriptor for each network")
        control.eval("try", "leave()")
        for _ in REFUSALS:
            alice.expect(r"^:ebb\d+!\S+ QUIT ")
        until(lambda: Usage(bot).descriptors == before.descriptors,
              f"{before.descriptors} descriptors again")
        if times == 1:
            warm = Usage(bot)

    Usage(bot).check_memory(warm, MARGIN_KILOBYTES)


@test("a name that the proxy does not know is of kind dns, and is not looked up here")
def _():
    proxy = Socks5({})

    bot = Bot(ircd.network("host = localhost", f"proxy = socks5h://127.0.0.1:{proxy.port}"))

    bot.wait_log(rf"not connected: dns: through proxy 127\.0\.0\.1:{proxy.port} to "
                 rf"localhost:{ircd.port}: host unreachable, or its name is not known to the proxy")
    check(proxy.asked == [("localhost", ircd.port)], f"the proxy was asked for {proxy.asked}")


@test("a proxy where nobody listens is told apart from a server where nobody listens")
def _():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    bot = Bot(ircd.network(f"host = {HOST}", f"proxy = socks5h://127.0.0.1:{port}"))

    bot.wait_log(rf"warning: irc: {HOST}:{ircd.port}: not connected: refused: "
                 rf"proxy 127\.0\.0\.1:{port}: 127\.0\.0\.1:{port}: connection refused")


@test("a server of the list that the proxy does not reach is followed by the next")
def _():
    proxy = proxy_for()

    bot = Bot(network(proxy, f"host = irc.nowhere {HOST}"), reconnect=True)

    bot.wait_log("not connected: dns: ")
    bot.wait_log(rf"info: irc: {HOST}:{ircd.port}: connected as ebb")


@test("connect_timeout covers the proxy and TLS together")
def _():
    server = TlsServer(Peer.drain, Certificates())
    proxy = Socks5({HOST: server.port})

    proxy.delay = 1

    bot = Bot(server.network(f"proxy = socks5h://127.0.0.1:{proxy.port}", "connect_timeout = 3",
                             host=HOST))

    bot.wait_log(rf"irc: {HOST}:{server.port}: not connected: timeout: "
                 r"no answer within 3 s \(tls\)")
    took = int(bot.wait_log(r"idle after (\d+) ms tls").group(1))
    check(took < 3000, f"TLS had {took} ms of its own")


@test("a script that disconnects while the proxy is silent leaves nothing behind")
def _():
    proxy = proxy_for()
    proxy.refusal = None
    bot, control = trying(network(proxy, "autoconnect = no"))
    control.eval("try", "return 0")
    before = Usage(bot).descriptors
    control.eval("try", "go()")
    bot.wait_log("debug: irc: through proxy")
    until(lambda: Usage(bot).descriptors == before + 1, "a descriptor for the proxy")

    control.eval("try", "leave()")

    bot.wait_log("try: irc failed: requested: requested")
    until(lambda: Usage(bot).descriptors == before, f"{before} descriptors again")


@test("the bot comes back when the proxy was cut")
def _():
    proxy = proxy_for()
    alice = Person(ircd, "alice", "#one")
    bot = Bot(network(proxy, "channels = #one"), {"ping": PING}, reconnect=True)
    alice.sees("ebb", "#one")
    before = Usage(bot).descriptors

    proxy.cut()
    alice.expect(r"^:ebb!\S+ QUIT ")

    alice.asks("ebb", "#one", "!ping", "pong, alice")
    check(Usage(bot).descriptors == before, f"{Usage(bot).descriptors} descriptors, not {before}")


main()
