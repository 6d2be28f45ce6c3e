#!/usr/bin/env python3
"""What a bot does about the protocol at real servers: capabilities that come and go, TLS that a
server insists on, hosts, accounts and nicks that change, channels that throw it out, history, and
texts and queues that are long."""

import os
import re
import signal
import sys
import time
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (IS_SANITISED, Bot, Certificates, Ircd, Oper, Person, Pulse,  # noqa: E402
                     ScriptedServer, check, folder, main, test, until)

inspircd = Ircd("inspircd-atheme")
hybrid = Ircd("hybrid")
ngircd = Ircd("ngircd")
SERVERS = {"InspIRCd": inspircd, "ircd-hybrid": hybrid, "ngIRCd": ngircd}
certificates = Certificates()

PING = """
on("privmsg", { match = "^!ping$" }, function(ev) ev:reply("pong, " .. ev.nick) end)
"""

# What the network's state is, to whoever asks.
FACTS = """
on("privmsg", { match = "^!channel$" }, function(ev)
  local ch = ev.net:channel(ev.channel)
  local nicks = {}
  for nick in pairs(ch.users) do nicks[#nicks + 1] = nick end
  table.sort(nicks)
  ev:reply(("%s, topic %s, %d users: %s"):format(ch.name, tostring(ch.topic), #ch.users,
    table.concat(nicks, " ")))
end)
on("privmsg", { match = "^!user (%S+)$" }, function(ev, nick)
  local user = ev.net:user(nick)
  ev:reply(user and ("%s is %s!%s@%s, account %s"):format(nick, user.nick, user.user, user.host,
    tostring(user.account)) or nick .. " is unknown")
end)
"""


def for_servers(sentence, *names):
    """A test of its own for each of these servers."""
    def add(function):
        for name in names or SERVERS:
            test(f"{name}: {sentence}")(lambda name=name: function(SERVERS[name]))
        return function
    return add


def asks_until(person, text, pattern, channel="#one"):
    """Says text until the answer is one that the pattern matches."""
    until(lambda: re.fullmatch(pattern, person.asks("ebb", channel, text, ".*")), pattern)


def quoted(text):
    """A Lua string of these bytes."""
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'


# Every kind of server.

@for_servers("a bot knows a channel's topic and members, before and after its JOIN")
def _(ircd):
    alice = Person(ircd, "alice", "#facts", tls=True)
    alice.send("TOPIC #facts :all about facts")
    Bot(ircd.network("channels = #facts", tls=True), {"facts": FACTS})

    alice.asks("ebb", "#facts", "!channel",
               "#facts, topic all about facts, 2 users: alice ebb")
    bob = Person(ircd, "bob", "#facts", tls=True)
    alice.asks("ebb", "#facts", "!channel",
               "#facts, topic all about facts, 3 users: alice bob ebb")
    alice.asks("ebb", "#facts", "!user bob", r"bob is bob!~?bob@\S+, account nil")
    bob.send("NICK rob")
    alice.send("TOPIC #facts :")
    alice.expect("TOPIC #facts")
    alice.asks("ebb", "#facts", "!channel", "#facts, topic (nil|), 3 users: alice ebb rob")
    bob.leave()
    alice.expect("^:rob!.* QUIT")
    alice.asks("ebb", "#facts", "!user rob", "rob is unknown")


@for_servers("a request gets the answer that is its own, or the error")
def _(ircd):
    alice = Person(ircd, "alice", "#one", tls=True)
    Bot(ircd.network("channels = #one", tls=True), {"ask": """
        on("privmsg", { match = "^!whois (.+)$" }, function(ev, nicks)
          local tasks = {}
          for nick in nicks:gmatch("%S+") do
            tasks[#tasks + 1] = spawn(function()
              local reply, _, kind = request("whois", { mask = nick }, 10)
              return nick .. " " .. (reply and reply.events[1].user or kind)
            end)
          end
          for i, task in ipairs(tasks) do tasks[i] = task:join() end
          ev:reply(table.concat(tasks, ", "))
        end)
    """})
    Person(ircd, "bob", tls=True)

    alice.asks("ebb", "#one", "!whois alice nobody bob",
               "alice ~?alice, nobody err_nosuchnick, bob ~?bob")


@for_servers("a bot that was kicked comes back, and answers")
def _(ircd):
    alice = Person(ircd, "alice", "#kick", tls=True)
    Bot(ircd.network("channels = #kick", tls=True), {"ping": PING, "facts": FACTS})
    alice.sees("ebb", "#kick")

    alice.send("KICK #kick ebb :out")
    alice.expect(" KICK #kick ebb ")

    alice.expect("^:ebb!.* JOIN :?#kick")
    alice.asks("ebb", "#kick", "!ping", "pong, alice")
    alice.asks("ebb", "#kick", "!channel", "#kick, topic nil, 2 users: alice ebb")


@for_servers("the nick of somebody who leaves the channel's sight is taken back")
def _(ircd):
    alice = Person(ircd, "alice", "#one", tls=True)
    thief = Person(ircd, "ebb", "#one", tls=True)
    Bot(ircd.network("channels = #one", tls=True), {"ping": PING})
    alice.sees("ebb_", "#one")

    thief.leave()

    alice.expect("^:ebb_!.* NICK :?ebb$")
    alice.asks("ebb", "#one", "!ping", "pong, alice")


# At ngIRCd, which has no MONITOR, ISON would tell of it after a minute.
@for_servers("a nick that was taken in a KILL is taken back when the thief goes", "InspIRCd",
             "ircd-hybrid")
def _(ircd):
    oper = Oper(ircd, "#one", tls=True)
    thief = Person(ircd, "thief", tls=True)
    bot = Bot(ircd.network("channels = #one", tls=True), {"ping": PING}, reconnect=True)
    oper.sees("ebb", "#one")

    oper.kill("ebb")
    bot.wait_log("disconnected from .*: killed: ")
    thief.send("NICK ebb")
    thief.expect("NICK :?ebb$")
    oper.expect("^:ebb_!.* JOIN :?#one", timeout=60)  # the policy's waits are random
    thief.send("NICK honest")

    oper.expect("^:ebb_!.* NICK :?ebb$")
    oper.asks("ebb", "#one", "!ping", "pong, oper")


@for_servers("a script hears of nicks that it watches", "InspIRCd", "ircd-hybrid")
def _(ircd):
    bot = Bot(ircd.network("channels = #one", tls=True), {"watch": """
        on("client_connect", function() send("monitor", { modifier = "+", target = "carol" }) end)
        on({ "rpl_mononline", "rpl_monoffline" }, function(ev)
          log(ev.event .. " " .. ev.message)
        end)
    """})
    bot.wait_log("script watch: rpl_monoffline carol")

    carol = Person(ircd, "carol", tls=True)
    bot.wait_log("script watch: rpl_mononline carol")
    carol.leave()

    bot.wait_log("script watch: rpl_monoffline carol", count=2)


# InspIRCd.

@test("a script sees capabilities go and come, and what comes back is asked for again")
def _():
    oper = Oper(inspircd, "#one")
    bot = Bot(inspircd.network("channels = #one"), {"caps": """
        on("cap", function(ev) log(ev.subcommand .. " " .. table.concat(ev.caps, " ")) end)
        on("privmsg", { match = "^!setname$" }, function(ev)
          ev:reply(tostring(network().caps.setname or false))
        end)
    """})
    oper.asks("ebb", "#one", "!setname", "true")

    oper.unload("setname")
    bot.wait_log(r"script caps: DEL setname\s*$")
    oper.asks("ebb", "#one", "!setname", "false")
    oper.load("setname")

    bot.wait_log(r"script caps: NEW setname\s*$")
    asks_until(oper, "!setname", "true")


@test("a change of the bot's host between two long texts: both arrive whole")
def _():
    text = " ".join(f"wörd-{i}" for i in range(240))
    oper = Oper(inspircd, "#one", caps="chghost")
    Bot(inspircd.network("channels = #one"), {"long": f"""
        on("privmsg", {{ match = "^!long$" }}, function(ev) ev:reply({quoted(text)}) end)
    """, "facts": FACTS})
    oper.sees("ebb", "#one")

    for host in ("127.0.0.1", "a." * 28 + "test", "b.test"):
        if host != "127.0.0.1":
            oper.change_host("ebb", host)
            oper.expect(rf"^:ebb!\S+ CHGHOST \S+ :?{re.escape(host)}$")
        oper.say("#one", "!long")
        parts = parts_of(oper, lambda parts: sum(len(p.split()) for p in parts) >= 240)
        check(" ".join(parts) == text, f"the text did not arrive whole from {host}")
        oper.asks("ebb", "#one", "!user ebb", rf"ebb is ebb!\S+@{re.escape(host)}, account nil")


def parts_of(person, is_whole):
    """What ebb says in #one until that is whole; every line as the server relays it."""
    parts = []
    while not is_whole(parts):
        line = person.expect(r"^:ebb!\S+ PRIVMSG #one :").string
        check(len(line.encode("utf-8", "surrogateescape")) <= 510, "a line is too long")
        line.encode("utf-8")  # a cut character would have left surrogates
        parts.append(line.split(" :", 1)[1])
    return parts


FORMATTING = re.compile("\x03(\\d{1,2}(,\\d{1,2})?)?|\x04([0-9a-fA-F]{6})?"
                        "|[\x02\x0f\x11\x16\x1d\x1e\x1f]")


def flat(text):
    """Without formatting, and without spaces, of which a cut takes one."""
    return FORMATTING.sub("", text).replace(" ", "")


def colourful(size):
    """A text with emoji, some of many code points, combining marks and colours; two
    stretches of it have no spaces."""
    words = ["plain", "größer", "e\u0301\u0323\u0302", "👨‍👩‍👧‍👦", "\x0304,01red\x03", "🇩🇪🇫🇷", "\x02bold\x02", "слово",
             "👍🏽", "\x1ditalic \x0312blue\x0f", "文字列"]
    text, i = "e\u0301\u0323\u0302" * 120 + " ", 0
    while len(text.encode()) < size:
        text += words[i % len(words)] + (str(i) if i % 5 else "") + ("" if 60 < i < 110 else " ")
        i += 1
    return text.rstrip()


@test("4 kB of emoji, combining marks and colours arrive whole, cut at no character")
def _():
    text = colourful(4096)
    Bot(inspircd.network("channels = #one"), {"long": f"""
        on("privmsg", {{ match = "^!long$" }}, function(ev) ev:reply({quoted(text)}) end)
    """})
    Person(inspircd, "bob", "#one")
    alice = Person(inspircd, "alice", "#one")
    alice.sees("ebb", "#one")

    alice.say("#one", "!long")

    wanted = flat(text)
    parts = parts_of(alice, lambda parts: len(flat("".join(parts))) >= len(wanted))
    check(flat("".join(parts)) == wanted, "the text did not arrive whole")
    check(len(parts) <= 13, f"{len(parts)} lines are more than needed")
    for part in parts:
        first = flat(part)[0]
        check(not unicodedata.combining(first) and first not in "\u200d\ufe0f🏽",
              f"a part begins within a character: {part[:20]!r}")


@test("who logs in and out while the bot is there, or was logged in before, is known by account")
def _():
    carol = Person(inspircd, "carol", "#one")
    carol.asks_services("NickServ", "REGISTER sesame carol@irc.test", "registered")
    bob = Person(inspircd, "bob", "#one")
    bot = Bot(inspircd.network("channels = #one"), {"facts": FACTS, "accounts": """
        on("account", function(ev) log(ev.nick .. " is " .. tostring(ev.account)) end)
    """})
    bob.sees("ebb", "#one")
    asks_until(bob, "!user carol", "carol is carol!.*, account carol")  # WHO tells it
    bob.asks("ebb", "#one", "!user bob", "bob is .*, account nil")

    bob.asks_services("NickServ", "REGISTER sesame bob@irc.test", "registered")
    bot.wait_log("script accounts: bob is bob$")
    bob.asks("ebb", "#one", "!user bob", "bob is .*, account bob")
    bob.asks_services("NickServ", "LOGOUT", "logged out")
    bot.wait_log("script accounts: bob is nil$")
    bob.asks("ebb", "#one", "!user bob", "bob is .*, account nil")
    bob.asks_services("NickServ", "IDENTIFY bob sesame", "identified|logged in")
    bot.wait_log("script accounts: bob is bob$", count=2)
    bob.asks("ebb", "#one", "!user bob", "bob is .*, account bob")


@test("a bot that an operator renamed takes its nick back after a while")
def _():
    oper = Oper(inspircd, "#one")
    Bot(inspircd.network("channels = #one"), {"ping": PING})
    oper.sees("ebb", "#one")

    oper.change_nick("ebb", "renamed")
    oper.asks("renamed", "#one", "!ping", "pong, oper")

    oper.expect("^:renamed!.* NICK :?ebb$", timeout=30)
    oper.asks("ebb", "#one", "!ping", "pong, oper")


@test("a nick that an operator gives to somebody else is taken back when it is free")
def _():
    oper = Oper(inspircd, "#one")
    thief = Person(inspircd, "thief")
    Bot(inspircd.network("channels = #one"), {"ping": PING})
    oper.sees("ebb", "#one")

    oper.change_nick("ebb", "renamed")
    oper.expect("^:ebb!.* NICK :?renamed$")
    oper.change_nick("thief", "ebb")
    thief.expect("NICK :?ebb$")
    oper.asks("renamed", "#one", "!ping", "pong, oper")
    thief.leave()

    oper.expect("^:renamed!.* NICK :?ebb$", timeout=30)
    oper.asks("ebb", "#one", "!ping", "pong, oper")


@test("what was said before the bot came is history, and commands in it are not run")
def _():
    alice = Person(inspircd, "alice", "#past")
    alice.send("MODE #past +H 10:10m")
    alice.expect(" MODE #past ")
    alice.say("#past", "!run before")
    bot = Bot(inspircd.network("channels = #past"), {"run": """
        on("privmsg", { match = "^!run (%S+)$" }, function(ev, what) ev:reply("ran " .. what) end)
        on("privmsg", { match = "^!run (%S+)$", replayed = true }, function(ev, what)
          log("not run: " .. what)
        end)
    """})

    alice.asks("ebb", "#past", "!run after", "ran after")

    bot.wait_log("script run: not run: before$")
    check(not any("ran before" in line for line in alice.lines), "history was run")


@test("while 200 lines wait for one channel, a line for another leaves within two line times")
def _():
    line_time, slack = 0.5, 1.0 if IS_SANITISED else 0.3
    channels = [f"#c{i}" for i in range(10)]
    alice = Person(inspircd, "alice", *channels)
    link = Pulse(inspircd)
    bot = Bot(link.network("channels = " + ", ".join(channels), f"flood_rate = {1 / line_time}",
                           "flood_burst = 1"),
              {"ping": PING, "flood": """
        local n = 0
        on("rpl_endofwho", function() n = n + 1 log("knows " .. n) end)
        on("privmsg", { match = "^!flood$" }, function(ev)
          for i = 1, 200 do ev:reply("line " .. i) end
        end)
    """})
    bot.wait_log("knows 10$")  # its own lines are over

    alice.say("#c0", "!flood")
    alice.hears("ebb", "#c0", "line 2")
    link.slowest()

    for channel in channels[1:]:
        began = time.monotonic()
        alice.asks("ebb", channel, "!ping", "pong, alice")
        took = time.monotonic() - began
        check(took < 2 * line_time + slack, f"{channel} waited for {took:.2f} s")
    check(link.slowest() < slack, "a PONG was late")


# Strict transport security. The daemon trusts the CA in SSL_CERT_FILE, as the system's.

def start(server, state, ca, *lines, host="localhost", reconnect=False):
    """A bot that is configured to connect in the clear."""
    section = server.network("channels = #one", "tls = no", f"host = {host}", *lines)
    return Bot(f"[daemon]\nlog_level = debug\nstate_dir = {state}\n" + section, {"ping": PING},
               reconnect=reconnect, env={"SSL_CERT_FILE": ca})


@test("a bot that InspIRCd tells of its TLS port goes there, and is never in the clear again")
def _():
    ircd = Ircd("inspircd", STS="10m")
    state = folder()
    alice = Person(ircd, "alice", "#one", tls=True)

    for _ in range(2):
        bot = start(ircd, state, ircd.ca)
        alice.asks("ebb", "#one", "!ping", "pong, alice")
        alice.send("WHOIS ebb")
        alice.expect(" 671 alice ebb ")  # over a secure connection
        alice.expect(" 318 alice ebb ")
        bot.stop()
        alice.expect("^:ebb!.* QUIT")

    # What is left of the second one: the policy alone made it connect to the TLS port.
    check(not bot.logged(rf"connected to \S+:{ircd.port}\b"), "it connected in the clear")


class Secured:
    """A server in the clear that sends its clients to another, over TLS, for some seconds."""

    def __init__(self, seconds):
        self.clear = ScriptedServer(certificates)
        self.tls = ScriptedServer(certificates, "good")
        self.state = folder()
        self.caps = f"multi-prefix sts=duration={seconds},port={self.tls.port}"

    def start(self, *lines, ca="ca", **options):
        return start(self.clear, self.state, certificates.path(ca + ".crt"), *lines, **options)

    def upgrade(self):
        """The connection in the clear, which is to end in another one."""
        peer = self.clear.accept()
        peer.expect("^CAP LS 302$")
        peer.send(f":irc.test CAP * LS :{self.caps}")
        peer.drain()
        return self.welcome()

    def welcome(self):
        """The connection over TLS; that."""
        peer = self.tls.accept()
        requested = peer.offer(self.caps)
        check(not any(cap.startswith("sts") for cap in requested), "sts was requested")
        peer.welcome()
        peer.expect("^JOIN #one$")
        return peer


@test("a server's word that it has TLS ends the connection in the clear, where nothing was told")
def _():
    secured = Secured(600)
    secured.start("server_password = swordfish")

    secured.upgrade()

    clear = secured.clear.received.decode()
    for never in ("swordfish", "CAP REQ", "CAP END", "JOIN"):
        check(never not in clear, f"{never} was said in the clear")
    check(b"PASS swordfish\r\n" in secured.tls.received or
          b"PASS :swordfish\r\n" in secured.tls.received, "the server got no password")


@test("the policy outlasts the daemon: the next one does not connect in the clear")
def _():
    secured = Secured(600)
    bot = secured.start()
    secured.upgrade()
    bot.wait_log("connected as ebb")
    bot.stop()

    secured.start()

    secured.welcome()
    check(secured.clear.connections == 1, "it connected in the clear")


@test("it outlasts one that is killed, too")
def _():
    secured = Secured(600)
    bot = secured.start()
    secured.upgrade()
    bot.wait_log("connected as ebb")
    until(lambda: os.path.exists(os.path.join(secured.state, "sts")), "the file")
    bot.kill()

    bot = secured.start()

    secured.welcome()
    bot.wait_log(rf"localhost has a policy: connects with TLS to port {secured.tls.port}$")
    check(secured.clear.connections == 1, "it connected in the clear")


@test("while the policy lasts, TLS that fails is not answered with a step back")
def _():
    secured = Secured(600)
    bot = secured.start()
    secured.upgrade()
    bot.wait_log("connected as ebb")
    bot.stop()

    bot = secured.start(ca="other_ca", reconnect=True)

    bot.wait_log(rf":{secured.tls.port}: not connected: tls: certificate does not verify", count=2,
                 timeout=60)
    check(secured.clear.connections == 1, "it connected in the clear")


@test("a policy that the server takes back is forgotten")
def _():
    secured = Secured(600)
    bot = secured.start()
    secured.upgrade()
    bot.wait_log("connected as ebb")
    bot.stop()
    secured.caps = "multi-prefix sts=duration=0"
    bot = secured.start()
    secured.welcome()
    bot.wait_log("connected as ebb")
    bot.stop()

    secured.start()

    secured.clear.accept().offer("multi-prefix")


@test("another state_dir counts from the next start on, and says so")
def _():
    secured = Secured(600)
    bot = secured.start()
    secured.upgrade()
    bot.wait_log("connected as ebb")
    with open(bot.config, encoding="utf-8") as file:
        config = file.read()
    other = folder()
    with open(bot.config, "w", encoding="utf-8") as file:
        file.write(config.replace(f"state_dir = {secured.state}", f"state_dir = {other}"))

    bot.process.send_signal(signal.SIGHUP)

    bot.wait_log(r"warning: ebbd: \S+: \[daemon\] state_dir: counts from the next start on$")
    bot.wait_log(": reloaded$")
    bot.stop()
    check(os.listdir(other) == [], "it was written there")
    check(os.listdir(secured.state) == ["sts"], "it was not written")


@test("without a state_dir the policy holds as long as the daemon, and is told to be lost")
def _():
    secured = Secured(600)
    bot = Bot("[daemon]\nlog_level = debug\n"
              + secured.clear.network("host = localhost", "channels = #one", "tls = no"),
              {"again": """
on("privmsg", { match = "^again$" }, function(ev)
  ev.net:disconnect()
  ev.net:connect()
end)
"""},
              env={"SSL_CERT_FILE": certificates.path("ca.crt"), "STATE_DIRECTORY": ""})
    peer = secured.upgrade()
    bot.wait_log("info: sts policies are not kept: no state_dir$")

    peer.send(":alice!a@irc.test PRIVMSG ebb :again")
    peer.drain()
    peer.close()

    secured.welcome()
    check(secured.clear.connections == 1, "it connected in the clear")


@test("with sts = no a bot stays in the clear")
def _():
    secured = Secured(600)
    secured.start("sts = no")

    peer = secured.clear.accept()
    peer.offer(secured.caps)
    peer.welcome()

    peer.expect("^JOIN #one$")
    check(secured.tls.connections == 0, "it connected over TLS")


main()
