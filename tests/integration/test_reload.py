#!/usr/bin/env python3
"""New code and a new configuration, taken while the daemon runs and its connections stay."""

import contextlib
import os
import re
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (  # noqa: E402
    IS_SANITISED, Bot, Control, Ircd, NotifySocket, Person, TlsServer, check, ebbctl, folder, main,
    test, until)

ircd = Ircd("ngircd")

SLOW = 3 if IS_SANITISED else 1


def start(config="", scripts=None, daemon="", **options):
    """A bot, and a client of its control socket."""
    path = os.path.join(folder(), "control.sock")
    bot = Bot(f"[daemon]\nlog_level = debug\ncontrol = {path}\n{daemon}\n{config}", scripts,
              **options)
    wait_started(bot, scripts)
    return bot, Control(path)


def wait_started(bot, scripts):
    """Where the machine is busy, the daemon runs before the main chunks have ended."""
    bot.wait_log("ebbd: running, ")
    for name in scripts or ():
        if "/" not in name:
            bot.wait_log(f"script {name}: (not )?loaded")


def script_file(bot, name):
    return os.path.join(os.path.dirname(bot.config), "scripts", name + ".lua")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def save(bot, name, source):
    write(script_file(bot, name), source)


def edit(bot, old, new):
    """Puts new in the place of old in the configuration."""
    with open(bot.config, encoding="utf-8") as file:
        text = file.read()
    check(text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the configuration")
    write(bot.config, text.replace(old, new))


def hang_up(bot):
    bot.process.send_signal(signal.SIGHUP)


def connections(bot, port):
    """The sockets that the bot has to a port of this machine, each by a number of its own."""
    place = f"/proc/{bot.process.pid}/fd"
    own = set()
    for fd in os.listdir(place):
        with contextlib.suppress(FileNotFoundError):
            own.add(os.readlink(os.path.join(place, fd)))
    with open(f"/proc/{bot.process.pid}/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return {row[9] for row in rows
            if row[2].endswith(f":{port:04X}") and f"socket:[{row[9]}]" in own}


def welcomes(peer):
    peer.welcome()
    peer.drain()


# A storm of reloads.

LINES, RATE, RELOADS = (7500, 500, 100) if IS_SANITISED else (60000, 2000, 200)
RELOAD_TIMEOUT = 0.6 if IS_SANITISED else 0.2
PING_SECONDS = 0.02
PONG_SECONDS = 10 * PING_SECONDS * SLOW  # for 99 of 100


class Storm(TlsServer):
    """A server for one bot, in the clear: alice says numbered lines in the channel #storm. Keeps
    what the bot answers, and how long its PONGs took."""

    def __init__(self):
        self.said = []  # by the bot in the channel
        self.told = []  # and to alice alone
        self.pongs = []  # seconds
        self._pings = []  # when each was sent
        self._peer = None
        self._lock = threading.Lock()
        super().__init__(self._play)

    def storm_network(self):
        return self.network("channels = #storm", tls=False, host="127.0.0.1")

    def wait_joined(self):
        until(lambda: self._peer, "the bot in the channel")

    def say(self, texts, target="#storm"):
        self._send(*(f":alice!a@irc.test PRIVMSG {target} :{text}" for text in texts))

    def whisper(self, text, answer):
        """Says it to the bot alone, which answers that."""
        n = len(self.told)
        self.say([text], "ebb")
        until(lambda: answer in self.told[n:], f"{answer}, for {text}")

    def begin(self, total, rate):
        """Says 1, 2, … up to total, so many a second, and PING beside them."""
        threading.Thread(target=self._pace, args=(total, rate), daemon=True).start()

    def _pace(self, total, rate):
        began, n = time.monotonic(), 0
        with contextlib.suppress(OSError):
            while n < total:
                due = min(total, int((time.monotonic() - began) * rate))
                self.say(range(n + 1, due + 1))
                n = due
                self._ping()
                time.sleep(0.005)

    def _ping(self):
        now = time.monotonic()
        if not self._pings or now - self._pings[-1] >= PING_SECONDS:
            self._pings.append(now)
            self._send(f"PING :{len(self._pings)}")

    def _send(self, *lines):
        with self._lock:
            self._peer.send(*lines)

    def _play(self, peer):
        peer.welcome()
        peer.expect("^JOIN #storm")
        peer.send(":ebb!e@irc.test JOIN #storm")
        self._peer = peer
        while (line := peer.line()) is not None and not line.startswith("QUIT"):
            command, target, text = (line + "  ").split(" ", 2)
            text = text.rstrip().lstrip(":")
            if command == "PONG":
                number = int(target.lstrip(":"))
                self.pongs.append(time.monotonic() - self._pings[number - 1])
            elif command == "PRIVMSG":
                (self.said if target == "#storm" else self.told).append(text)

    def story(self):
        return (f"--- the storm: {self.connections} connections, {self.ended} over; "
                f"{len(self.said)} answers, the last: {self.said[-5:]}; {self.told[-5:]}")


STORM = """
local generation = "g{}"
state.n = state.n or 0
on("privmsg", {{ match = "^(%d+)$" }}, function(ev, number)
  state.n = state.n + 1
  ev:reply(("%s %s %d"):format(number, generation, state.n))
end)
on("privmsg", {{ match = "^poison$" }}, function(ev)
  state.games = {{ alice = function() end }}
  ev:reply("poisoned")
end)
on("privmsg", {{ match = "^cure$" }}, function(ev)
  state.games = nil
  ev:reply("cured")
end)
"""

# What new code may do while events wait for it.
HOLDS = ("", "sleep(0.05)", "on_reload(function() sleep(0.02) end)",
         "local n = 0 for i = 1, 5e5 do n = n + i end")

# What is wrong with new code, and why it is refused. Under load it may be late in place of costly.
LATE = "its main chunk has not ended after "
POISON = "-- state"
BREAKS = (
    (None, "No such file or directory"),
    ("on(", "unexpected symbol near <eof>"),
    ("local x\nx.y = 1", "attempt to index a nil value"),
    ("while true do end", f"main chunk: stopped|{LATE}"),
    ("sleep(60)", LATE),
    ("on_reload(function() error('no, thanks') end)", "no, thanks"),
    ("on_reload(function() while true do end end)", f"on_reload: stopped|{LATE}"),
    (POISON, r"state\.games\.alice: a function cannot be carried over"),
)


def check_answers(storm, total, good):
    """Each number once, in order, with what `state` had counted; from one good generation after
    the other."""
    until(lambda: len(storm.said) >= total, f"{total} answers", 30)
    last = 0
    for number, said in enumerate(storm.said, 1):
        found = re.fullmatch(r"(\d+) g(\d+) (\d+)", said)
        check(found and found.group(1, 3) == (str(number), str(number)),
              f"answer {number} of {len(storm.said)} is: {said}")
        generation = int(found.group(2))
        check(generation >= last and generation in good, f"answer {number}: {said}, after g{last}")
        last = generation


def reload_once(bot, control, storm, i):
    """Saves generation i and reloads it; whether it was one of the good ones."""
    source = STORM.format(i)
    broken, why = BREAKS[i // 5 % len(BREAKS)] if i % 5 == 0 else (HOLDS[i % len(HOLDS)], None)
    if broken is None:
        os.unlink(script_file(bot, "storm"))
    else:
        save(bot, "storm", source + broken)
    if broken == POISON:
        storm.whisper("poison", "poisoned")

    ok, result = control.ask("reload", name="storm")

    if broken == POISON:
        storm.whisper("cure", "cured")
    check(ok == (why is None), f"generation {i}, with {broken!r}: {result}")
    check(ok or re.match(f"storm: .*({why})", result, re.S), f"generation {i}: not {why}: {result}")
    return ok


@test(f"{RELOADS} reloads, each fifth of them broken, lose none of {LINES} lines and no connection")
def _():
    storm = Storm()
    bot, control = start(
        storm.storm_network() + "\n[script storm]\ncpu_max = 0.05\n", {"storm": STORM.format(0)},
        f"watch = no\nreload_timeout = {RELOAD_TIMEOUT}")
    storm.wait_joined()
    storm.begin(LINES, RATE)
    began, good = time.monotonic(), {0}

    for i in range(1, RELOADS + 1):
        time.sleep(max(0, began + i * LINES / RATE / (RELOADS + 1) - time.monotonic()))
        if reload_once(bot, control, storm, i):
            good.add(i)

    check_answers(storm, LINES, good)
    check(control.eval("storm", "state.n") == str(LINES), "state has another count")
    check(control.generations()["storm"] == len(good), "another count of generations")
    check((storm.connections, storm.ended) == (1, 0), "the connection was dropped")
    until(lambda: len(storm.pongs) >= LINES / RATE / PING_SECONDS / 4, "PONGs")
    slowest = sorted(storm.pongs)[int(len(storm.pongs) * 0.99)]
    check(slowest < PONG_SECONDS, f"PONG: 1 of 100 of {len(storm.pongs)} took {slowest} s")
    n_bad = RELOADS + 1 - len(good)
    check(len(bot.ever_logged("script storm: reloaded")) == len(good) - 1, "reloads in the log")
    check(len(bot.logged("error: script storm: not reloaded, the old code goes on: ")) == n_bad,
          "refusals in the log")


@test("a reload that more events wait for than are kept is refused, and all are answered in order")
def _():
    n = 33000  # waiting is for half of 65,536
    storm = Storm()
    bot, control = start(storm.storm_network(), {"storm": STORM.format(0)},
                         "watch = no\nreload_timeout = 60")
    storm.wait_joined()
    save(bot, "storm", STORM.format(1) + "log('waits') sleep(60)")
    control.tell("reload", name="storm")
    bot.wait_log("script storm: waits")

    storm.say(range(1, n + 1))

    ok, why = control.answer()
    check(not ok and why == "storm: more events came meanwhile than are kept", f"{ok}: {why}")
    check_answers(storm, n, {0})
    check(control.eval("storm", "state.n") == str(n), "state has another count")


# People.

QUIZ = """
on("privmsg", {{ match = "^!quiz$" }}, function(ev)
  local answer = ev:ask("{0} asks " .. ev.nick, 5)
  ev:reply("{0} heard " .. (answer and answer.message or "nothing"))
end)
"""


@test("a handler that waits for an answer gets it in the old code; the next question is the new's")
def _():
    alice, bob = Person(ircd, "alice", "#quiz"), Person(ircd, "bob", "#quiz")
    bot, control = start(ircd.network("channels = #quiz"), {"quiz": QUIZ.format("old")},
                         "watch = no")
    alice.asks("ebb", "#quiz", "!quiz", "old asks alice")
    save(bot, "quiz", QUIZ.format("new"))
    check(control.ask("reload", name="quiz")[0], "it was not reloaded")

    bob.asks("ebb", "#quiz", "!quiz", "new asks bob")
    alice.asks("ebb", "#quiz", "42", "old heard 42")
    bob.asks("ebb", "#quiz", "43", "new heard 43")

    until(lambda: control.ask("scripts")[1][0]["retired"] == 0, "the old code is gone")
    alice.asks("ebb", "#quiz", "!quiz", "new asks alice")
    said = [line.rpartition(" :")[2] for line in alice.lines if line.startswith(":ebb!")
            and " PRIVMSG " in line]
    check(said == ["old asks alice", "new asks bob", "old heard 42", "new heard 43",
                   "new asks alice"], f"said: {said}")


# Ways to save.

SAVED = 'log("is {}")'
USES = 'log("is " .. require("words") .. "{}")'
WORDS = 'return "{}"'
QUICK_SECONDS = 0.05  # between two saves that are one: a fifth of what watching waits for


def write_in_place(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.flush()
        for half in text[:4], text[4:]:
            file.write(half)
            file.flush()


def rename_over(path, text):
    write(path + ".new", text)
    os.replace(path + ".new", path)


def save_as_vim(path, text):
    """With a swap file and a backup, as `set nowritebackup` is not."""
    swap = os.path.join(os.path.dirname(path), "." + os.path.basename(path) + ".swp")
    write(swap, "b0VIM")
    os.rename(path, path + "~")
    write(path, text)
    os.unlink(path + "~")
    os.unlink(swap)


class Editor:
    """What the acts below work with: the files of a bot, by their path in its folder."""

    def __init__(self, bot):
        self.bot = bot

    def path(self, name):
        return os.path.join(os.path.dirname(self.bot.config), name)

    def saves(self, name, text, how=write_in_place):
        how(self.path(name), text)

    def pauses(self):
        time.sleep(QUICK_SECONDS)

    def sees(self, pattern):
        self.bot.wait_log(pattern)

    def removes(self, name):
        os.unlink(self.path(name))

    def links(self, name, target):
        os.symlink(target, self.path(name) + ".new")
        os.rename(self.path(name) + ".new", self.path(name))


def save_twice(e):
    e.saves("scripts/one.lua", SAVED.format(2))
    e.pauses()
    e.saves("scripts/one.lua", SAVED.format(3), rename_over)


def save_two_files(e):
    e.saves("scripts/one/words.lua", WORDS.format("new"))
    e.pauses()
    e.saves("scripts/one.lua", USES.format(2))


def save_broken_then_good(e):
    e.saves("scripts/one.lua", "on(")
    e.sees("script one: not reloaded")
    e.saves("scripts/one.lua", SAVED.format(3))


def remove_then_save(e):
    e.removes("scripts/one.lua")
    e.sees("script one: not reloaded, .*: No such file or directory")
    e.saves("scripts/one.lua", SAVED.format(1))


def break_a_module_then_mend_it(e):
    e.saves("scripts/one/words.lua", "return")
    e.sees("script one: not reloaded")
    e.saves("scripts/one/words.lua", WORDS.format("new"))


def save_one(how):
    return lambda e: e.saves("scripts/one.lua", SAVED.format(2), how)


ONE = {"one": SAVED.format(1)}
USER = {"one": USES.format(1), "one/words": WORDS.format("old")}
RELOADED = ["one: is 2", "one: reloaded"]

# What is done; the files; links among them; what is done with these; what the log then has of it.
WAYS = (
    ("a file written in place", ONE, {}, save_one(write_in_place), RELOADED),
    ("a file renamed over another", ONE, {}, save_one(rename_over), RELOADED),
    ("a file written in place of a backup", ONE, {}, save_one(save_as_vim), RELOADED),
    ("a file saved twice at once", ONE, {}, save_twice, ["one: is 3", "one: reloaded"]),
    ("a script and its module saved at once", USER, {}, save_two_files,
     ["one: is new2", "one: reloaded"]),
    ("the same content saved again", ONE, {},
     lambda e: e.saves("scripts/one.lua", SAVED.format(1), rename_over), []),
    ("a file that is touched", ONE, {}, lambda e: os.utime(e.path("scripts/one.lua")), []),
    ("a module of two scripts",
     {"one": USES.format(1), "two": USES.format(2), "lib/words": WORDS.format("old")}, {},
     lambda e: e.saves("scripts/lib/words.lua", WORDS.format("new"), save_as_vim),
     ["one: is new1", "one: reloaded", "two: is new2", "two: reloaded"]),
    ("a module of a script that is a folder",
     {"one/init": USES.format(1), "one/words": WORDS.format("old")}, {},
     lambda e: e.saves("scripts/one/words.lua", WORDS.format("new"), rename_over),
     ["one: is new1", "one: reloaded"]),
    ("the target of a link, in another folder", {"../kept/a": SAVED.format(1)},
     {"scripts/one.lua": "../kept/a.lua"},
     lambda e: e.saves("kept/a.lua", SAVED.format(2), rename_over), RELOADED),
    ("a link to another target", {"../kept/a": SAVED.format(1), "../kept/b": SAVED.format(2)},
     {"scripts/one.lua": "../kept/a.lua"},
     lambda e: e.links("scripts/one.lua", "../kept/b.lua"), RELOADED),
    ("a broken file, then a good one", ONE, {}, save_broken_then_good,
     ["one: not reloaded", "one: is 3", "one: reloaded"]),
    ("a broken module, then a good one", USER, {}, break_a_module_then_mend_it,
     ["one: not reloaded", "one: is new1", "one: reloaded"]),
    ("a file that is gone, then there as it was", ONE, {}, remove_then_save,
     ["one: not reloaded", "one: is 1", "one: reloaded"]),
    ("a script that was broken from the start", {"one": "on("}, {}, save_one(write_in_place),
     ["one: is 2", "one: loaded"]),
    ("a module that was missing from the start", {"one": USES.format(1)}, {},
     lambda e: (os.mkdir(e.path("scripts/one")),
                e.saves("scripts/one/words.lua", WORDS.format("new"))),
     ["one: is new1", "one: loaded"]),
)


def by_script(lines):
    """Those of one script in their order; that of scripts is one of chance on a busy machine."""
    return sorted(lines, key=lambda line: line.split(":")[0])


def outcomes(bot, began=0):
    """What the log has of scripts that were loaded, but for the marker."""
    return by_script([found.group(1) for found in bot.logged(
        r"script ((?!marker)\w+: (is \w+|loaded|reloaded|not reloaded))")][began:])


for what, files, links, act, expected in WAYS:
    @test(f"{what}: what becomes of it, and nothing more")
    def _(files=files, links=links, act=act, expected=expected):
        def prepare(place):
            for name, target in links.items():
                os.symlink(target, os.path.join(place, name))
        # The marker is behind the others, for which a section stands there.
        names = ("one", "two") if "two" in files else ("one",)
        sections = "".join(f"[script {name}]\nenabled = yes\n" for name in names)
        bot = Bot(sections, {**files, "marker": SAVED.format(1)}, prepare=prepare)
        wait_started(bot, (*names, "marker"))
        began = len(outcomes(bot))

        act(Editor(bot))

        until(lambda: outcomes(bot, began) == expected, f"in the log: {expected}", 5 * SLOW)
        save(bot, "marker", SAVED.format(2))
        bot.wait_log("script marker: reloaded")
        bot.stop()
        bot.end_of_log()
        check(outcomes(bot, began) == expected, f"more in the log: {outcomes(bot, began)}")


@test("without watching, what is saved waits until somebody asks; with it, it is looked at at once")
def _():
    bot, control = start("", {"one": SAVED.format(1)}, "watch = no")
    save(bot, "one", SAVED.format(2))
    control.eval("one", "sleep(0.6)")  # twice as long as a change would take
    check(outcomes(bot) == ["one: is 1", "one: loaded"], f"in the log: {outcomes(bot)}")
    check(control.ask("reload") == (True, {"scripts": [{"name": "one", "outcome": "reloaded"}]}),
          "it was not reloaded")
    save(bot, "one", SAVED.format(3))
    edit(bot, "watch = no", "watch = yes")

    hang_up(bot)

    bot.wait_log("ebb.ini: reloaded", count=2)
    save(bot, "one", SAVED.format(4))
    bot.wait_log("script one: is 4")
    bot.wait_log("script one: reloaded", count=3)


# The configuration.

SAYS = """
on("privmsg", {{ match = "^!which$" }}, function(ev) ev:reply("{}" .. (config.word or "")) end)
"""


def farewells(person, nick="ebb"):
    return [line for line in person.lines if re.match(rf":{nick}!\S+ (QUIT|PART)", line)]


@test("SIGHUP with a broken file changes nothing and says why; mended, it is taken without a break")
def _():
    alice = Person(ircd, "alice", "#one", "#two")
    bot, control = start(ircd.network("channels = #one"), {"says": SAYS.format(1)}, "watch = no")
    alice.asks("ebb", "#one", "!which", "1")
    before = connections(bot, ircd.port), control.generations()
    save(bot, "says", SAYS.format(2))
    edit(bot, "channels = #one", "channels = #one, #two")
    edit(bot, "[script says]", "[network other]\nhost = irc.test\nhorst = irc.test\n[script says]")
    with open(bot.config, encoding="utf-8") as file:
        line = file.read().split("\n").index("horst = irc.test") + 1

    hang_up(bot)

    bot.wait_log(rf"error: {bot.config}:{line}: \[network other\] horst: .*unknown")
    bot.wait_log(rf"error: {bot.config}:{line - 2}: \[network other\] nick: ")
    bot.wait_log(f"error: ebbd: {bot.config}: not reloaded: nothing has changed")
    check((connections(bot, ircd.port), control.generations()) == before, "something has changed")
    alice.asks("ebb", "#one", "!which", "1")
    check("ebb" not in alice.members["#two"], "it joined the channel of a broken file")

    edit(bot, "[network other]\nhost = irc.test\nhorst = irc.test\n", "")
    hang_up(bot)

    alice.asks("ebb", "#two", "!which", "2")
    bot.wait_log(f"info: ebbd: {bot.config}: reloaded")
    bot.wait_log("info: irc: changed: channels$")
    check(connections(bot, ircd.port) == before[0] and len(before[0]) == 1, "another connection")
    check(not farewells(alice), "somebody saw it leave")


@test("a new nick is taken, and a channel that is no longer listed is left, on the same connection")
def _():
    alice = Person(ircd, "alice", "#one", "#two")
    bot, _ = start(ircd.network("channels = #one, #two"), {"says": SAYS.format(1)}, "watch = no")
    alice.sees("ebb", "#one")
    alice.sees("ebb", "#two")
    before = connections(bot, ircd.port)
    edit(bot, "nick = ebb", "nick = ebb_two")
    edit(bot, "channels = #one, #two", "channels = #one")

    hang_up(bot)

    alice.expect(r"^:(ebb|ebb_two)!\S+ PART #two")
    alice.asks("ebb_two", "#one", "!which", "1")
    bot.wait_log("info: irc: changed: nick, channels$")
    check(connections(bot, ircd.port) == before and len(before) == 1, "another connection")


@test("SIGHUP adds a network, removes one with QUIT, moves one to its new server; others stay")
def _():
    servers = [TlsServer(welcomes) for _ in range(4)]
    stays, goes, moves, comes = servers
    bot, control = start("".join(server.network(name=name, tls=False) for server, name in (
        (stays, "stays"), (goes, "goes"), (moves, "moves"))))
    for name in "stays", "goes", "moves":
        bot.wait_log(f"info: {name}: .*: connected as ebb")
    edit(bot, goes.network(name="goes", tls=False), comes.network(name="comes", tls=False))
    edit(bot, f"port = {moves.port}", f"port = {comes.port}")

    hang_up(bot)

    bot.wait_log("info: comes: .*: connected as ebb")
    bot.wait_log("info: moves: .*: connected as ebb", count=2)
    goes.wait_ended()
    moves.wait_ended()
    check(b"QUIT :this network is no longer configured\r\n" in goes.received, "no farewell")
    check(b"QUIT :" in moves.received, "no farewell to the old server")
    check((stays.connections, stays.ended, comes.connections) == (1, 0, 2), "other connections")
    until(lambda: bot.logged("info: goes: disconnected as requested"), "the end of one")
    order = [bot.wait_log(pattern).group() for pattern in (  # that of the file
        "info: comes: added$", "info: moves: changed: port: connects anew$",
        "info: goes: removed$", "ebb.ini: reloaded$")]
    found = [f.group() for f in bot.logged("|".join(map(re.escape, order)))]
    check(found == order, f"in this order: {found}")
    names = [network["name"] for network in control.ask("status")[1]["networks"]]
    check(sorted(names) == ["comes", "moves", "stays"], f"networks: {names}")


@test("SIGHUP touches the scripts whose section or file has changed, and no other")
def _():
    bot, control = start(
        "[script changed]\nword = one\n[script goes]\nenabled = yes\n[script quiet]\ngc = auto\n",
        {"changed": 'log("word: " .. config.word)', "edited": 'log("is here")', "quiet": "",
         "goes": 'on_unload(function(why) log("leaves: " .. why) end)', "stays": ""}, "watch = no")
    before = control.generations()
    edit(bot, "word = one", "word = two")
    edit(bot, "[script goes]\nenabled = yes\n[script quiet]\ngc = auto\n",
         "[script comes]\nenabled = yes\n")
    save(bot, "comes", 'log("is here")')
    save(bot, "edited", 'log("is other")')
    began = len(bot.log)

    hang_up(bot)

    bot.wait_log("ebb.ini: reloaded$")
    after = control.generations()
    check(before == {"stays": 1, "goes": 1, "quiet": 1, "changed": 1, "edited": 1}, f"{before}")
    check(after == {"stays": 1, "comes": 1, "changed": 2, "edited": 2}, f"{after}")
    bot.wait_log("script goes: leaves: unload")
    found = [f.group(1) for f in (re.search("script (.*)|ebb.ini: reloaded", line)
                                  for line in bot.log[began:]) if f]
    found.remove("goes: leaves: unload")  # which is a task, and has its turn among the others
    check(found[:2] == ["goes: unloaded", "quiet: unloaded"] and found[-1] is None,
          f"in the log: {found}")
    check(by_script(found[2:-1]) == [
        "changed: word: two", "changed: reloaded", "comes: is here", "comes: loaded",
        "edited: is other", "edited: reloaded"], f"in the log: {found}")


@test("SIGHUP with a script that is broken takes the rest, and says so")
def _():
    bot, control = start("", {"good": "", "bad": ""}, "watch = no")
    save(bot, "bad", "on(")
    save(bot, "good", "-- other")

    hang_up(bot)

    bot.wait_log("error: script bad: not reloaded, the old code goes on: .*bad.lua:1: unexpected")
    bot.wait_log("error: ebbd: .*ebb.ini: reloaded, but for 1 of the scripts")
    check(control.generations() == {"good": 2, "bad": 1}, f"{control.generations()}")
    facts = {facts["name"]: facts["fault"] for facts in control.ask("scripts")[1]}
    check(facts["good"] is None and "bad.lua:1" in facts["bad"], f"faults: {facts}")

    hang_up(bot)

    bot.wait_log("error: script bad: not reloaded, the old code goes on: ", count=2)
    bot.wait_log("error: ebbd: .*ebb.ini: reloaded, but for 1 of the scripts", count=2)
    check(control.generations() == {"good": 2, "bad": 1}, f"{control.generations()}")


@test("SIGHUP while one is being taken is taken after it")
def _():
    notify = NotifySocket()
    bot, control = start("", {"slow": "", "other": ""}, "watch = no",
                         env={"NOTIFY_SOCKET": notify.path})
    notify.expect("READY=1")
    save(bot, "slow", "sleep(1)")
    hang_up(bot)
    notify.expect("RELOADING=1")
    save(bot, "other", "-- other")

    hang_up(bot)

    bot.wait_log("ebb.ini: reloaded$", count=2)
    check(control.generations() == {"slow": 2, "other": 2}, f"{control.generations()}")


@test("a thousand SIGHUPs within a second are two reloads at most, and the last word counts")
def _():
    bot, control = start("", {"one": ""}, "watch = no")
    began = time.monotonic()
    for i in range(1000):
        if i == 990:
            edit(bot, "[script one]", "[script one]\nword = last")
        hang_up(bot)
        time.sleep(max(0, began + i * 0.0008 - time.monotonic()))
    took = time.monotonic() - began

    until(lambda: control.eval("one", "config.word") == '"last"', "what was written last")

    control.ask("reload")
    n = len(bot.ever_logged("ebb.ini: reloaded")) - 1
    check(1 <= n <= 1 + took / 0.5, f"{n} reloads in {took} s")


# The end.

GOODBYE = """
on_unload(function(why)
  network("irc"):send("privmsg", {{ target = "alice", message = "{} " .. why }})
end)
on("privmsg", {{ match = "^!work$" }}, function(ev)
  ev:reply("begins")
  sleep(60)
end)
"""


def ends_well(bot, alice, farewell):
    """SIGTERM ends the bot before it loses its patience; alice, who shares a channel, hears what it
    has to say before its QUIT."""
    began = time.monotonic()
    bot.stop()
    check(time.monotonic() - began < 3, "it ended only because it had to")
    alice.expect(r"^:ebb!\S+ QUIT ")
    said = [line.rpartition(" :")[2] for line in alice.lines if " PRIVMSG alice :" in line]
    check(said == farewell, f"said: {said}")


@test("SIGTERM while new code pauses ends in time, and the old code says goodbye before QUIT")
def _():
    alice = Person(ircd, "alice", "#one")
    bot, control = start(ircd.network("channels = #one"), {"one": GOODBYE.format("old")},
                         "watch = no\nreload_timeout = 60")
    alice.sees("ebb", "#one")
    save(bot, "one", GOODBYE.format("new") + 'log("waits") sleep(50)')
    control.tell("reload", name="one")
    bot.wait_log("script one: waits")

    ends_well(bot, alice, ["old shutdown"])

    bot.wait_log("script one: not reloaded, the old code goes on: it is unloaded")


@test("SIGTERM while handlers of old code still work ends in time, and both have said goodbye")
def _():
    alice = Person(ircd, "alice", "#one")
    bot, control = start(ircd.network("channels = #one"), {"one": GOODBYE.format("old")},
                         "watch = no\nreload_drain = 60")
    alice.asks("ebb", "#one", "!work", "begins")
    save(bot, "one", GOODBYE.format("new"))
    check(control.ask("reload", name="one")[0], "it was not reloaded")
    check(control.ask("scripts")[1][0]["retired"] == 1, "the old code is gone: this shows nothing")

    ends_well(bot, alice, ["old reload", "new shutdown"])


@test("while it ends, nothing is loaded any more")
def _():
    def silent(peer):
        peer.welcome()
        while peer.line() is not None:
            pass
    server = TlsServer(silent)  # for which it waits
    bot, control = start(server.network(tls=False), {"one": ""}, "watch = no")
    bot.wait_log("connected as ebb")
    save(bot, "two", "")
    bot.process.send_signal(signal.SIGTERM)
    bot.wait_log("ebbd: SIGTERM: ending")

    for request in {"command": "load", "name": "two"}, {"command": "load", "name": "one"}, \
            {"command": "reload", "name": "one"}, {"command": "reload"}:
        check(control.ask(**request) == (False, "ebbd is ending"), f"{request}")

    check(not bot.ever_logged("script two: loaded"), "it was loaded")


# The service manager.

def monotonic_usec():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


@test("RELOADING=1 with its time and then READY=1 are told around SIGHUP, also of a broken file")
def _():
    notify = NotifySocket()
    bot, _ = start("", {"one": ""}, "watch = no", env={"NOTIFY_SOCKET": notify.path})
    notify.expect("READY=1")
    for line in "log_level = debug", "log_level = loud":
        edit(bot, "log_level = debug", line)
        began = monotonic_usec()

        hang_up(bot)

        message = notify.receive()
        while message.startswith(("STATUS=", "WATCHDOG=")):
            message = notify.receive()
        found = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", message)
        check(found, f"with {line}: {message!r}")
        check(began <= int(found.group(1)) <= monotonic_usec(), f"with {line}: {message!r}")
        message = notify.receive()
        while message.startswith(("STATUS=", "WATCHDOG=")):
            message = notify.receive()
        check(message == "READY=1", f"with {line}: {message!r}")
    bot.wait_log("log_level: ")


main()
