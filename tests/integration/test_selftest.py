#!/usr/bin/env python3
"""`ebbd --test`: what it prints of tests that pass, fail, hang and leave things over."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from ebbtest import EBBD, ROOT, check, folder, main, test  # noqa: E402

ECHO = """{ name = "echo", code = [[
  on("privmsg", { match = "^!echo (.+)" }, function(ev, words) ev:reply(words) end)
]] }"""


def run(source, *options, name="a_test.lua", **files):
    """Runs a test file; further files stand beside it."""
    place = folder()
    for other, text in files.items():
        path = os.path.join(place, other + ".lua")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
    with open(os.path.join(place, name), "w") as file:
        file.write('local t = require "ebb.test"\n' + source)
    return subprocess.run([EBBD, "--test", *options, place], text=True, capture_output=True,
                          timeout=60)


def holds(done, *texts):
    """All the texts, in this order."""
    at = 0
    for text in texts:
        found = done.stdout.find(text, at)
        check(found >= 0, f"not printed: {text}\n{done.stdout}{done.stderr}")
        at = found + len(text)


def lacks(done, text):
    check(text not in done.stdout, f"printed: {text}\n{done.stdout}")


@test("tests that pass are counted, and the seed is told")
def _():
    done = run(f"""
        t.test("one", function()
          local bot = t.bot{{ {ECHO} }}
          local alice = bot:person("alice", "#room")
          alice:says("!echo hi")
          t.expect(bot:said("#room")):equals("hi")
        end)
        t.test("two", function() end)
    """, "--seed", "7")
    holds(done, "TAP version 13\n", "# seed 7\n", "ok 1 - ", "a_test.lua: one\n", "ok 2 - ",
          "a_test.lua: two\n", "1..2\n", "# 2 tests, 0 failed\n")
    check(done.returncode == 0, done)


@test("a failed expectation is told with its line, both values, the conversation and the log")
def _():
    done = run(f"""
        local function expect_said(bot, what)
          t.expect(bot:said("#room")):equals(what)
        end
        t.test("echo", function()
          local bot = t.bot{{ {ECHO} }}
          local alice = bot:person("alice", "#room")
          alice:says("!echo hi \\2there")
          t.advance(1.5)
          alice:notices("pardon?")
          log.warn("look here")
          expect_said(bot, "ho")
        end)
    """)
    holds(done, "not ok 1 - ", "a_test.lua: echo\n",
          'a_test.lua:4: t.expect(bot:said("#room")):equals(what)\n',
          "called from", 'a_test.lua:15: expect_said(bot, "ho")\n',
          '#   expected: "ho"\n', '#   but was:  "hi \\x02there"\n',
          "0.000  ebb: JOIN #room\n", "0.000  alice: JOIN #room\n",
          "0.000  <alice> #room: !echo hi", "0.000  <ebb> #room: hi",
          "1.500  -alice- #room: pardon?\n", "1.500  script a_test: look here\n",
          "to run it alone: ebbd --test --seed ", "1 failed\n")
    check(done.returncode == 1, done)


@test("a test that hangs names what waits, where, and for how long")
def _():
    done = run("""
        t.test("hangs", function()
          spawn(function() sleep(1000000) end)
          local bot = t.bot{ { name = "mute", code = [[
            on("privmsg", function(ev) wait("join", { nick = "nobody" }) end)
          ]] } }
          bot:person("alice", "#room"):says("hi")
          wait("never")
        end, { limit = 60 })
        t.test("goes on", function() end)
    """)
    holds(done, "not ok 1", "the test did not end within its limit of 60 virtual seconds",
          "script a_test: test from hangs: in wait at ", "a_test.lua:9\n",
          "script a_test: spawn from ", "a_test.lua:4: in sleep at ", ", for another 999940.000 s\n",
          "script mute: on privmsg from mute:1: in wait at mute:1\n", "ok 2 - ")
    check(done.returncode == 1, done)


@test("a test that never lets the time pass, or never pauses, is ended in real time")
def _():
    done = run("""
        t.test("no time", function() while true do sleep(0) end end)
        t.test("no pause", function() while true do pcall(function() while true do end end) end end)
        t.test("goes on", function() end)
    """)
    holds(done, "not ok 1", "did not end within 10 real seconds", "in sleep at", "a_test.lua:3",
          "not ok 2", "it ran for 10.0 s without a pause", "a_test.lua:4", "ok 3")


@test("what a test or its bots leave over fails it, each by name")
def _():
    done = run("""
        t.test("own", function()
          spawn(function() sleep(5) end)
          after(10, print)
          every(20, print)
          on("goal", print)
        end)
        t.test("the bot's", function()
          local bot = t.bot{ { name = "lazy", code = [[
            every(60, function() end)
            on("privmsg", function(ev) sleep(30) end)
          ]] } }
          bot:person("alice", "#room"):says("hi")
        end)
        t.test("not those it had from the start, nor those that ended", function()
          local bot = t.bot{ { name = "lazy", code = [[
            every(60, function() end)
            spawn(function() while true do wait("join") end end)
            on("privmsg", function(ev) sleep(30) end)
          ]] } }
          bot:person("alice", "#room"):says("hi")
          t.advance(30)
        end)
        t.test("nor those of a bot that was stopped", function()
          local bot = t.bot{ { name = "lazy", code = "on('privmsg', function() sleep(30) end)" } }
          bot:person("alice", "#room"):says("hi")
          bot:stop()
        end)
    """)
    holds(done, "not ok 1", "left over when the test ended", "spawn from", "in sleep at",
          "for another 5.000 s", "after from", "due in 10.000 s", "every from", "due in 20.000 s",
          "on goal from", "not ok 2", "script lazy: on privmsg from lazy:2: in sleep at lazy:2",
          "ok 3", "ok 4")
    lacks(done, "not ok 3")
    lacks(done, "not ok 4")


@test("an error that a script logs fails the test, unless it is taken")
def _():
    bad = """{ name = "bad", code = "on('join', function() error('ouch') end)" }"""
    done = run(f"""
        t.test("unseen", function() t.bot{{ {bad} }}:person("a", "#room") end)
        t.test("taken", function()
          t.bot{{ {bad} }}:person("a", "#room")
          t.expect(t.logged("ouch")):contains("bad:1: ouch")
          t.expect(t.logged("ouch")):contains("bad:1: ouch")
          t.expect(t.logged("ouch")):equals(nil)
        end)
    """)
    holds(done, "not ok 1", "an error was logged that the test does not take", "bad:1: ouch", "ok 2")
    lacks(done, "not ok 2")


@test("an error in a test is told with its traceback, a file with one is not run")
def _():
    done = run("""
        local function deep() error("here") end
        t.test("raises", function() deep() end)
    """, bad_test="t.test(", none_test="", late_test="""
        local t = require "ebb.test"
        t.test("late", function() t.test("inner", print) end)
    """)
    holds(done, "not ok 1", "a_test.lua:3: here", "stack traceback", "in upvalue 'deep'",
          "not ok 2", "bad_test.lua: is loaded", "the file cannot be loaded", "near <eof>",
          "not ok 3", "late_test.lua: late", "cannot be defined while one runs",
          "not ok 4", "none_test.lua: has tests", "1..4")
    check(done.returncode == 1, done)


@test("expectations that do not hold say what was expected, and of what")
def _():
    done = run("""
        local rows = {
          { "differs", "same", "same" },
          { "contains", "the whole", "part" },
          { "contains", { 1, 2 }, 3 },
          { "matches", "abc", "^b" },
          { "near", 1.5, 1.4, 0.05 },
          { "near", "1.5", 1.5 },
          { "equals", { a = { 1, "x" }, [2] = true }, { a = { 1, "y" }, [2] = true } },
          { "equals", { 1 }, { 1, 2 } },
          { "raises", function() end },
          { "raises", function() error("this", 0) end, "that" },
          { "raises", 5 },
        }
        for i, row in ipairs(rows) do
          t.test("row " .. i, function()
            local that = t.expect(row[2])
            that[row[1]](that, row[3], row[4])
          end)
        end
    """)
    for i, (wanted, was) in enumerate([
            ('anything but "same"', '"same"'), ('something with "part"', '"the whole"'),
            ("something with 3", "{1, 2}"), ('a match of "^b"', '"abc"'),
            ("1.4, give or take 0.05", "1.5"), ("1.5, give or take 1e-06", '"1.5"'),
            ('{2 = true, "a" = {1, "y"}}', '{2 = true, "a" = {1, "x"}}'), ("{1, 2}", "{1}"),
            ("an error", '"no error"'), ('a match of "that"', '"this"'),
            ("a function that raises", "5")]):
        holds(done, f"not ok {i + 1} - ", f"#   expected: {wanted}\n", f"#   but was:  {was}\n")


@test("expectations that hold say nothing")
def _():
    done = run("""
        t.test("all of them", function()
          t.expect(nil):equals(nil)
          t.expect({ a = { 1, { b = 2 } } }):equals({ a = { 1, { b = 2 } } })
          t.expect(1):equals(1.0)
          t.expect({}):differs({ 1 })
          t.expect("a\\0b"):contains("\\0")
          t.expect({ "x", { 1 } }):contains({ 1 })
          t.expect({ t.expect("k=v"):matches("(%w)=(%w)") }):equals({ "k", "v" })
          t.expect(3):near(3.0000001)
          t.expect(t.expect(function() sleep(2) error("late 7") end):raises("late (%d)")):equals("7")
          t.expect(t.now()):equals(2.0)
          t.expect(t.expect):differs(t.bot)
        end)
    """)
    holds(done, "ok 1 - ", "0 failed")
    check(done.returncode == 0, done)


@test("ten hours of a reminder take no time")
def _():
    begin = time.monotonic()
    done = run("""
        t.test("remind", function()
          local bot = t.bot{ { name = "remind", code = [[
            on("privmsg", { match = "^!in (%d+)h (.+)" }, function(ev, hours, what)
              sleep(hours * 3600)
              ev:reply(ev.nick .. ": " .. what)
            end)
          ]] } }
          local alice = bot:person("alice", "#room")
          alice:says("!in 10h tea")
          t.expect(bot:said("#room", 35999)):equals(nil)
          t.expect(bot:said("#room", 10)):equals("alice: tea")
          t.expect(t.now()):equals(36000.0)
        end)
    """)
    check(done.returncode == 0, done.stdout)
    check(time.monotonic() - begin < 1, "ten hours took over ten times 100 ms")


BUSY = """
    local function busy()
      local bot = t.bot{ channels = "#room", { name = "busy", code = [[
        on("privmsg", { match = "^go" }, function(ev)
          local all_of_them = {}
          for i = 1, 20 do
            all_of_them["task " .. i] = spawn(function()
              sleep(math.random(3))
              ev:reply(i .. " after " .. os.time())
            end)
          end
          for _, task in pairs(all_of_them) do task:join() end
          local keys = {}
          for key in pairs(all_of_them) do keys[#keys + 1] = key end
          ev:reply(table.concat(keys, " "))
        end)
      ]] } }
      bot:person("alice", "#room"):says("go")
      t.advance(5)
      return bot
    end
    t.test("one", function() busy() end)
    t.test("two", function()
      local bot, n = busy(), 0
      while bot:said("#room") do n = n + 1 end
      t.expect(n):equals(21)
    end)
"""


@test("the same seed gives the same trace, byte for byte, shuffled or not")
def _():
    place = folder()
    with open(os.path.join(place, "busy_test.lua"), "w") as file:
        file.write('local t = require "ebb.test"\n' + BUSY)

    def trace(*options):
        done = subprocess.run([EBBD, "--test", "-v", *options, place], capture_output=True,
                              timeout=60)
        check(done.returncode == 0, done.stdout.decode())
        check(b">> PRIVMSG #room :" in done.stdout, "there is no wire in it")
        return done.stdout

    plain = {trace("--seed", "11") for _ in range(10)}
    shuffled = {trace("--seed", "11", "--shuffle") for _ in range(10)}
    check(len(plain) == 1 and len(shuffled) == 1, "the traces differ")
    check(plain != shuffled, "the shuffle has no effect")
    check(trace("--seed", "12") not in plain, "the seed has no effect")


@test("every shuffle passes where nothing depends on the order")
def _():
    for seed in range(20):
        done = run(BUSY, "--seed", str(seed), "--shuffle")
        check(done.returncode == 0, done.stdout)


@test("a shuffle finds what depends on the order")
def _():
    source = """
        t.test("in order", function()
          local got = {}
          for i = 1, 5 do spawn(function() got[#got + 1] = i end) end
          t.settle()
          t.expect(got):equals({ 1, 2, 3, 4, 5 })
        end)
    """
    check(run(source).returncode == 0, "it fails unshuffled")
    check(any(run(source, "--seed", str(i), "--shuffle").returncode for i in range(5)),
          "the order is always the same")


@test("a filter chooses by name, and what it leaves out is not run")
def _():
    source = """
        t.test("the first", function() end)
        t.test("the second", function() error("ran") end)
    """
    done = run(source, "--filter", "first$")
    holds(done, "ok 1 - ", "the first\n", "1..1")
    check(done.returncode == 0, done)
    done = run(source, "--filter", "third")
    check(done.returncode == 1 and "no test matches" in done.stderr, done)
    done = run(source, "--filter", "%")
    check(done.returncode == 1, done)
    holds(done, "'%' is no pattern")


@test("scripts are found beside the test, by a path, and with keys of their own")
def _():
    done = run("""
        t.test("by name", function()
          local bot = t.bot{ { name = "greet", word = "hi", times = 2 } }
          bot:person("alice", "#room")
          t.expect(bot:said("#room")):equals("hi2")
        end)
        t.test("by path", function()
          local bot = t.bot{ "./greet.lua" }
          bot:person("alice", "#room")
          t.expect(bot:said("#room")):equals("nonenone")
        end)
        t.test("not there", function() t.bot{ "absent" } end)
        t.test("no key", function() t.bot{ "greet", nicks = "x" } end)
        t.test("no value", function() t.bot{ "greet", flood_burst = -1 } end)
        t.test("broken", function()
          t.expect(function() t.bot{ { name = "x", code = "on(" } } end):raises("cannot be loaded")
          t.logged("x:1:") t.logged("x: not loaded")
        end)
    """, greet="""
        on("join", { mine = false }, function(ev)
          ev:reply((config.word or "none") .. (config.times or "none"))
        end)
    """)
    holds(done, "ok 1", "ok 2", "not ok 3", "there is no script 'absent'", "not ok 4",
          "nicks: is unknown; do you mean nick?", "not ok 5", "flood_burst: ", "ok 6")
    lacks(done, "not ok 1")
    lacks(done, "not ok 2")
    lacks(done, "not ok 6")


@test("no failure passes for a success, however it is told")
def _():
    done = run("""
        t.test("long", function() error(string.rep("x", 300000)) end)
        t.test("untold", function()
          error(setmetatable({}, { __tostring = function() error({}) end }))
        end)
        t.test("big", function()
          local function big(n)
            local all = {}
            for i = 1, 20 do all[i] = n == 0 and string.rep("y", 300) or big(n - 1) end
            return all
          end
          t.expect(big(2)):equals({})
        end)
        t.test("unasked", function() t.expect(1 == 2) end)
        t.test("asked", function() t.expect(1):equals(1) end)
        t.test("iterator", function() local f = pairs({ x = 1 }) f() end)
    """)
    holds(done, "not ok 1", "not ok 2", "not ok 3", "expected: {}", "not ok 4",
          "1 times t.expect was called", "ok 5", "not ok 6", "table expected")
    check(done.returncode == 1, done)


@test("a file that pauses outside its tests is told so")
def _():
    done = run("""
        t.test("before", function() end)
        sleep(5)
        t.test("after", function() error("never run") end)
    """)
    holds(done, "not ok 1", "the file pauses: only its tests may", "in sleep at", "a_test.lua:4")
    check(done.returncode == 1, done)


@test("names cannot pass for directives, and the line to repeat a test does")
def _():
    name = "it's 100% (wild) # TODO later\\nand more"
    source = f"""
        t.test("{name}", function() error("x") end)
        t.test("another", function() error("x") end)
    """
    done = run(source)
    holds(done, "not ok 1 - ", "it's 100% (wild) \\# TODO later\\x0Aand more\n", "not ok 2")
    again = done.stdout.split("to run it alone: ", 1)[1].split(")\n", 1)[0]
    place = folder()
    with open(os.path.join(place, "a_test.lua"), "w") as file:
        file.write('local t = require "ebb.test"\n' + source)
    again = again.rsplit(" ", 1)[0].replace("ebbd", EBBD, 1) + " " + place
    done = subprocess.run(again, shell=True, text=True, capture_output=True, timeout=20)
    holds(done, "not ok 1 - ", "1..1")


@test("the time zone of the machine has no say")
def _():
    done = subprocess.run([EBBD, "--test", os.path.join(ROOT, "tests", "lua", "trial_test.lua")],
                          env={**os.environ, "TZ": "Asia/Tokyo"}, text=True, capture_output=True,
                          timeout=20)
    check(done.returncode == 0, done.stdout)


@test("a bot that takes its time to be ready is not blamed for what it begins on the way")
def _():
    done = run("""
        local busy = { name = "busy", code = [[
          on("client_connect", function() every(60, print) on("join", print) end)
          spawn(function() sleep(1) on("part", print) every(60, print) end)
        ]] }
        t.test("slow to register", function()
          t.bot{ busy, networks = { t.network{ register_delay = 5 } } }
          t.advance(10)
        end)
        t.test("quick", function()
          t.bot{ busy }
          t.advance(10)
        end)
        t.test("but for what comes with the next connection", function()
          local bot = t.bot{ "reconnect", busy }
          t.advance(10)
          bot.net:drop()
          t.advance(10)
        end)
    """, reconnect="on('client_disconnect', function() sleep(3) connect() end)")
    holds(done, "ok 1", "ok 2", "not ok 3", "every from busy:1", "on join from busy:1")
    lacks(done, "not ok 1")
    lacks(done, "not ok 2")


@test("a function that would not come back for years is ended")
def _():
    done = run("""
        t.test("stuck", function() ("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40)) end)
    """)
    holds(done, "TAP version 13", "not ok 1", "pattern too complex")
    check(done.returncode != 0, done)


@test("wrong arguments are refused by name")
def _():
    rows = [
        ("t.bot()", "table expected"), ("t.bot{ 5 }", "a script is a name or a table, not number"),
        ("t.bot{ networks = 5 }", "networks: a list of one at least expected"),
        ("t.bot{ networks = {} }", "networks: a list of one at least expected"),
        ("t.bot{ networks = { 1 } }", "networks: what t.network gives expected, got number"),
        ("local n = t.network() t.bot{ networks = { n, n } }", "two networks are called 'test'"),
        ("t.bot{ networks = { t.network(), t.network{ name = 'b' } }, host = 'x' }",
         "host: makes no sense with several networks"),
        ("t.bot{ nick = '' }", "nick: is empty"), ("t.bot{ nick = print }", "nick: a text, a number"),
        ("t.bot{ channels = { 1 } }", "channels: a list of texts expected"),
        ("t.bot{ { code = 'x' } }", "a script without a name"),
        ("t.bot{ { name = 'x', code = '', trust = 'maybe' } }", "trust: maybe is not one of"),
        ("t.bot{ { name = 'x', code = '', greeting = '' } }", "greeting: is empty"),
        ("t.network{ profile = 'x' }", "profile: there is no 'x'"),
        ("t.network{ nam = 'x' }", "'nam' is no option"),
        ("t.network{ motd = 'x' }", "motd: a list of texts expected"),
        ("t.bot{}:person('a', { chanel = '#x' })", "'chanel' is no option"),
        ("t.bot{}:person('a', { account = {} })", "account: a text expected"),
        ("t.bot{}:person('no nick')", "is no nick, or is taken"),
        ("t.bot{}:person('a'):says('x')", "says: where? a was given no channel"),
        ("t.bot{}:person('a', '#a'):says(('x'):rep(401))", "too long for a line"),
        ("t.bot{}:person('a', '#a'):says('x\\ny')", "line break or NUL"),
        ("t.network():split{}", "a list of people expected"),
        ("t.network():split{ t.network{ name = 'b' }:person('a') }", "people of this network"),
        ("t.network():refuse('x')", "a numeric from 400 to 599"),
        ("t.network():kill('x')", "there is no 'x'"), ("t.advance('x')", "a number of seconds"),
        ("t.advance(-1)", "no time to wait"), ("t.test('x')", "function expected"),
    ]
    done = run("".join(f't.test("{i}", function() {code} end)\n' for i, (code, _) in enumerate(rows)))
    for i, (_, words) in enumerate(rows):
        holds(done, f"not ok {i + 1} - ", words)


@test("modules are there for a script, for its test, and for one whose text is in the test")
def _():
    files = {"quiz": 'log(require("words") .. " and " .. require("shared"))',
             "quiz/words": 'return "own"', "lib/shared": 'sleep(1) return "shared"'}
    done = run("""
        local words = require "words"
        t.test("all are there", function()
          t.expect(words .. require "shared"):equals("ownshared")
          t.bot{ "quiz", { name = "quiz", code = "log('too: ' .. require 'words')" } }
          t.advance(1)
          t.expect(t.logged("quiz: own and shared$")):differs(nil)
          t.expect(t.logged("quiz: too: own$")):differs(nil)
          t.expect(function() require "none" end):raises("no module 'none': tried ")
        end)
    """, name="quiz_test.lua", **files)
    check(done.returncode == 0, done.stdout)


@test("a folder with a script and its modules has its tests within")
def _():
    done = run("""
        t.test("all are there", function()
          t.expect(require "words"):equals("own")
          t.bot{ "init" }
          t.expect(t.logged("init: own$")):differs(nil)
        end)
    """, name="words_test.lua", init='log(require "words")', words='return "own"')
    check(done.returncode == 0, done.stdout)


@test("a script in a test has the trust that the test gives it, and other limits")
def _():
    done = run("""
        local code = "log(tostring(io and io.open('init.lua'):read()) .. tostring(config.trust))"
        t.test("it is there", function()
          t.bot{ { name = "some", code = code, trust = "full", memory_max = "8M" } }
          t.expect(t.logged("some: %-%- text" .. "nil$")):differs(nil)
          t.bot{ { name = "other", code = code } }
          t.expect(t.logged("other: nilnil$")):differs(nil)
        end)
    """, init="-- text")
    check(done.returncode == 0, done.stdout)


@test("faults of the network come as they are asked for")
def _():
    done = run("""
        local reconnect = { name = "again", code = [[
          on("client_disconnect", function(ev)
            log.info("gone: %s: %s", ev.kind, ev.reason)
            sleep(10)
            local ok, reason, kind = connect()
            log.info("tried: %s: %s", kind, reason)
          end)
        ]] }
        local function fault(name, kind, act)
          t.test(name, function()
            local bot = t.bot{ reconnect, channels = "#room", ping_interval = 20, ping_timeout = 5 }
            act(bot.net, bot)
            t.advance(60)
            t.expect(t.logged("gone: ")):contains("gone: " .. kind)
            bot:stop()
          end)
        end
        fault("drop", "closed", function(net) net:drop() end)
        fault("close", "closed: Closing", function(net) net:close("Closing for tea") end)
        fault("kill", "killed", function(net, bot) net:kill(bot.nick, "spam") end)
        fault("silence", "ping", function(net) net:silence() end)
        fault("half open", "ping", function(net) net:half_open() end)
        t.test("refusals", function()
          for _, row in ipairs{ { "down", true, "refused" }, { "refuse", "465", "banned" } } do
            local bot = t.bot{ reconnect }
            bot.net[row[1]](bot.net, row[2])
            bot.net:drop()
            t.advance(10)
            t.expect(t.logged("tried: ")):contains("tried: " .. row[3])
          end
        end)
        t.test("lag", function()
          local bot = t.bot{ "echo" }
          local alice = bot:person("alice", "#room")
          bot.net:lag(1.25)
          alice:says("!echo hi")
          t.expect(bot:said("#room", 10)):equals("hi")
          t.expect(t.now()):equals(2.5)
          bot.net:lag(0)
        end)
        t.test("split", function()
          local bot = t.bot{ { name = "count", code = [[
            on({ "quit", "join" }, function(ev) log(ev.event .. " " .. ev.nick) end)
          ]] } }
          local alice, bob = bot:person("alice", "#room"), bot:person("bob", "#room")
          bot.net:split{ alice, bob }
          t.expect(t.logged("quit alice")):differs(nil)
          bot.net:rejoin()
          t.expect(t.logged("quit bob")):differs(nil)
          t.expect(t.logged("join bob")):differs(nil)
          t.expect(bot.net:modes("#room", "bob")):equals("")
        end)
        t.test("two networks", function()
          local one, two = t.network{ name = "one" }, t.network{ name = "two", profile = "ngircd" }
          local bot = t.bot{ "echo", networks = { one, two }, channels = "#room" }
          local bob = two:person("bob", "#room")
          bob:says("!echo hi")
          t.expect(bot:said("#room")):equals("hi")
          t.expect(one:attempts()):equals({ 0 })
        end)
    """, echo="""
        on("privmsg", { match = "^!echo (.+)" }, function(ev, words) ev:reply(words) end)
    """)
    check(done.returncode == 0, done.stdout)
    holds(done, "# 9 tests, 0 failed")


@test("wrong arguments are told, a path that is not there, and options without --test")
def _():
    for args, status, words in [
            (["--test", "/nowhere/at/all"], 1, "/nowhere/at/all: cannot be read"),
            (["--test", folder()], 1, "no file named *_test.lua"),
            (["--test", "--seed", "x"], 2, "--seed: 'x' is no whole number"),
            (["--seed", "1"], 2, "--seed: is for --test only"),
            (["--check", "--shuffle"], 2, "--shuffle: is for --test only")]:
        done = subprocess.run([EBBD, *args], text=True, capture_output=True, timeout=20)
        check(done.returncode == status and words in done.stderr, f"{args}: {done}")


@test("the tests of the scripts that ship pass within a second, in every order")
def _():
    begin = time.monotonic()
    done = subprocess.run([EBBD, "--test", os.path.join(ROOT, "scripts")], text=True,
                          capture_output=True, timeout=60)
    check(done.returncode == 0, done.stdout)
    check(time.monotonic() - begin < 10, "they took over ten times a second")
    for seed in range(20):
        done = subprocess.run([EBBD, "--test", "--shuffle", "--seed", str(seed),
                               os.path.join(ROOT, "scripts")], capture_output=True, timeout=60)
        check(done.returncode == 0, done.stdout.decode())


main()
