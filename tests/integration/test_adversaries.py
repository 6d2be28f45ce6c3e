#!/usr/bin/env python3
"""Scripts that misbehave, on a real ngIRCd, beside one that does not.

Each row is a script that listens to its own name. While it does its worst, the line to the server
carries fifty PINGs a second and the script `beside` ticks as often and answers numbered lines; then
the script itself answers again. Where a row's source says "-- here" the log has to lead a person.
"""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (  # noqa: E402
    IS_SANITISED, TIMEOUT, Bot, Ircd, Person, Pulse, attend, check, for_the_file, main, test)

ircd = Ircd("ngircd")

SLOW = 3 if IS_SANITISED else 1
LATE = 0.2 * SLOW  # how late a tick or PONG may be: ten times what is wanted
LATE_BLOCKED = 0.5 * SLOW  # the same beside code that cannot pause
RAN = r"1\.\d" if IS_SANITISED else r"1\.0"  # seconds, to the end of a function that cannot pause
STOP_BY = 3 * SLOW  # a second of processor time, and what the machine does beside
MEMORY_MAX = 256  # MB, of the whole daemon

BESIDE = """
local last, worst = os.clock(), 0
every(0.02, function()
  local now = os.clock()
  worst = math.max(worst, now - last - 0.02)
  last = now
end)
on("privmsg", { match = "^!late$" }, function(ev)
  ev:reply(("late by %.3f s"):format(math.max(worst, os.clock() - last - 0.02)))
  worst = 0
end)
on("privmsg", { match = "^say (%d+)$" }, function(ev, n) ev:reply("heard " .. n) end)
"""

rows = {}  # the script of each row, by its name
bombs = {}  # the same of those that are on a stage of their own, for the memory they take
sections = []  # of the configuration, for some of these


def handler(name, body):
    return (f'on("privmsg", {{ match = "^!{name}$" }}, function(ev)\n{body}\nend)\n')


def answer(name):
    return (f'on("privmsg", {{ match = "^!ping {name}$" }}, function(ev)\n'
            f'  ev:reply("{name} is there")\nend)\n')


def marked(source):
    """The numbers of the lines that a person has to find."""
    return [n for n, line in enumerate(source.splitlines(), 1) if "-- here" in line]


class Stage:
    """A daemon with many scripts, and a person who talks to them."""

    def __init__(self, nick, scripts, more):
        self.nick = nick
        self.channel = "#" + nick
        self.link = Pulse(ircd)
        self.alice = Person(ircd, "alice_" + nick, self.channel)
        network = self.link.network(f"channels = {self.channel}", nick=nick)
        self.bot = Bot("\n".join(["[daemon]\nlog_level = info", network, *more]),
                       {**scripts, "beside": BESIDE})
        self.alice.sees(nick, self.channel)
        self.said = 0
        self._answered = 0
        self._log_from = 0

    def begin(self):
        """Measures from here on."""
        self._log_from = len(self.bot.log)
        self._answered = self.said
        self._ask("!late", "late by .*")
        self.link.slowest()

    def _ask(self, text, pattern):
        return self.alice.asks(self.nick, self.channel, text, pattern)

    def say(self, *texts):
        self.alice.send(*(f"PRIVMSG {self.channel} :{text}" for text in texts))

    def hears(self, pattern):
        return self.alice.hears(self.nick, self.channel, pattern)

    def say_a_line(self):
        self.said += 1
        self.say(f"say {self.said}")

    def say_until(self, condition, what, timeout):
        """Says a numbered line every 20 ms until the condition holds, which it returns."""
        end = time.monotonic() + timeout
        while not (value := condition()):
            check(self.bot.process.poll() is None, "ebbd ended")
            check(time.monotonic() < end, f"not within {timeout} s: {what}")
            self.say_a_line()
            time.sleep(0.02)
        self.say_a_line()
        return value

    def hear_all(self):
        """The answers to all numbered lines, in their order."""
        while self._answered < self.said:
            heard = self.hears(r"heard \d+")
            self._answered += 1
            check(heard == f"heard {self._answered}",
                  f"beside said '{heard}' where {self._answered} was due")

    def asks(self, name):
        self._ask(f"!ping {name}", f"{name} is there")

    def check_time(self, late):
        """Ticks and PONGs since begin()."""
        pong = self.link.slowest()
        told = self._ask("!late", "late by .*")
        tick = float(told.split()[2])
        print(f"# tick {1000 * tick:.0f} ms late, PONG after {1000 * pong:.0f} ms")
        check(tick < late, f"a tick came {tick:.3f} s late")
        check(pong < late, f"a PONG came after {pong:.3f} s")

    def lines(self):
        """What was logged since begin()."""
        return self.bot.log[self._log_from:]

    def errors(self, name):
        """What the log tells of a script's errors: the lines of each."""
        found = []
        for line in self.lines():
            if f" error: script {name}: " in line:
                found.append([line])
            elif found and re.search(r" error: (?!script )", line):
                found[-1].append(line)
        return found

    def warnings(self, name):
        return [line for line in self.lines() if f" warning: script {name}: " in line]

    def memory(self):
        """The most that the daemon ever had resident, in MB."""
        with open(f"/proc/{self.bot.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024

    def story(self):
        return self.bot.story() + "\n" + self.alice.story()

    def vouch(self):
        check(self.bot.process.poll() is None, "ebbd ended")


_stages = {}


def stage(nick="ebb"):
    """The one that rows share; a new one where a row has ended it."""
    s = _stages.get(nick)
    if not s or s.bot.process.poll() is not None:
        with for_the_file():
            s = Stage(nick, bombs, sections) if nick == "bombs" else Stage(nick, rows, [])
        _stages[nick] = s
    attend(s)
    s.begin()
    return s


def check_led(lines, name, source):
    """Whether what was logged leads to a marked line."""
    text = "\n".join(lines)
    check(any(re.search(rf"{name}\.lua:{n}:", text) for n in marked(source)),
          f"the log leads to no line of {marked(source)}:\n{text}")


def add(scripts, name, source):
    assert name not in scripts, name
    scripts[name] = source


# Scripts that are stopped.

def stopped(name, sentence, body, script=None, late=LATE, errors=1):
    """A row that takes all the time it can get, in the handler of its name, or in a whole script."""
    source = (script or handler(name, body)) + answer(name)
    add(rows, name, source)

    @test(f"{sentence} is stopped and told of with its line, and holds nobody up")
    def _():
        s = stage()
        began = time.monotonic()

        s.say(f"!{name}")
        s.say_until(lambda: s.warnings(name), "a warning", STOP_BY)
        warned = time.monotonic() - began
        s.say_until(lambda: s.errors(name), "an error", STOP_BY)
        took = time.monotonic() - began

        s.hear_all()
        s.asks(name)
        s.check_time(late)
        print(f"# warned of after {1000 * warned:.0f} ms, stopped after {1000 * took:.0f} ms")
        check(warned < SLOW, f"the warning came after {warned:.2f} s")
        check(len(s.warnings(name)) == 1, "it was warned of more than once")
        check(len(s.errors(name)) == errors, "it was told of more than once")
        check(re.search(rf": stopped: it ran for ({RAN} s without a pause|0\.1 s where it cannot)",
                        s.errors(name)[0][0]), "the error is another")
        check_led(s.errors(name)[0], name, source)


stopped("loop", "an endless loop", """
  while true do end -- here""")
stopped("loop_in_pcall", "a loop around pcall around a loop", """
  while true do
    pcall(function()
      while true do end -- here
    end)
  end""")
stopped("pcall_in_pcall", "a loop in pcall in pcall", """
  local function again(n)
    while true do
      if n > 0 then pcall(again, n - 1) end -- here
    end
  end
  while true do pcall(again, 50) end""")
stopped("message_handler", "a loop in xpcall's handler", """
  while true do
    xpcall(error, function()
      while true do end -- here
    end)
  end""", late=LATE_BLOCKED)
stopped("failing_message_handler", "xpcall for ever with a handler that fails", """
  while true do
    xpcall(error, function(e) error(e) end, "again") -- here
  end""", late=LATE_BLOCKED)
stopped("comparator", "a loop in a sort's comparator", """
  table.sort({ 3, 1, 2 }, function()
    while true do end -- here
  end)""")
stopped("sort_again", "sorting for ever", """
  local t = {}
  for i = 1, 50000 do t[i] = i * 7919 % 50021 end
  while true do
    table.sort(t, function(a, b) return a > b end) -- here
    table.sort(t) -- here
  end""")
stopped("gsub_callback", "a loop in gsub's callback", """
  ("x"):gsub("x", function()
    while true do end -- here
  end)""", late=LATE_BLOCKED)
stopped("coroutine", "a loop in a coroutine", """
  coroutine.resume(coroutine.create(function()
    while true do end -- here
  end))""")
stopped("coroutines", "making coroutines for ever", """
  while true do
    pcall(coroutine.wrap(function() coroutine.yield(pcall(error)) end)) -- here
  end""")
stopped("coroutine_in_coroutine", "a loop in a hundred nested coroutines", """
  local function deeper(n)
    while true do
      if n > 0 then pcall(coroutine.wrap(deeper), n - 1) end -- here
    end
  end
  deeper(100)""")
stopped("generator", "a generator that never ends", """
  local naturals = coroutine.wrap(function()
    local n = 0
    while true do n = n + 1 coroutine.yield(n) end -- here
  end)
  for _ in naturals do end -- here""")
stopped("generators", "generators within each other that never end", """
  local function numbers(n)
    return coroutine.wrap(function()
      while true do
        coroutine.yield(n > 0 and numbers(n - 1)() or 0) -- here
      end
    end)
  end
  for _ in numbers(20) do end -- here""")
stopped("close", "a loop in __close", """
  local guard <close> = setmetatable({}, { __close = function()
    while true do end -- here
  end })""")
stopped("close_after_error", "a loop in __close after an error", """
  local guard <close> = setmetatable({}, { __close = function()
    while true do end -- here
  end })
  error("on the way out")""")
stopped("close_in_pcall", "a loop in __close under pcall", """
  while true do
    pcall(function()
      local guard <close> = setmetatable({}, { __close = function()
        while true do pcall(error) end -- here
      end })
      error("on the way out")
    end)
  end""")
stopped("close_of_stopped", "a loop whose __close is a loop again", """
  local guard <close> = setmetatable({}, { __close = function() while true do end end })
  while true do pcall(error) end -- here""")
stopped("coroutine_close", "a loop in the __close of a coroutine that is closed", """
  local co = coroutine.create(function()
    local guard <close> = setmetatable({}, { __close = function()
      while true do end -- here
    end })
    coroutine.yield()
  end)
  coroutine.resume(co)
  coroutine.close(co)""", late=LATE_BLOCKED)

for metamethod, use in (("index", "o.x = o.y"), ("newindex", "o.x = 1"), ("call", "o()"),
                        ("add", "o = o + 1"), ("concat", "o = o .. 'x'"), ("unm", "o = -o"),
                        ("eq", "o = o == other"), ("lt", "o = o < other"), ("len", "o = #o"),
                        ("pairs", "for _ in pairs(o) do end")):
    stopped(f"meta_{metamethod}", f"a loop in __{metamethod}", f"""
  local meta = {{ __{metamethod} = function()
    while true do end -- here
  end }}
  local o, other = setmetatable({{}}, meta), setmetatable({{}}, meta)
  {use}""")

for metamethod, function, use in (
        ("index", "table.concat", "table.concat(o, '', 1, 9)"),
        ("len", "table.insert", "table.insert(o, 1)"),
        ("lt", "table.sort", "table.sort({ o, other })"),
        ("tostring", "tostring", "tostring(o)"),
        ("tostring", "print", "print(o)"),
        ("tostring", "log", "log(o)"),
        ("tostring", "log.warn", "log.warn('%s', o)"),
        ("tostring", "string.format", "string.format('%s', o)")):
    stopped(f"{metamethod}_by_{function.replace('.', '_')}",
            f"a loop in the __{metamethod} that {function} calls", f"""
  local meta = {{ __{metamethod} = function()
    while true do end -- here
  end }}
  local o, other = setmetatable({{}}, meta), setmetatable({{}}, meta)
  {use}""", late=LATE_BLOCKED)

stopped("tostring_of_error", "a loop in the __tostring of an error that nobody catches", """
  error(setmetatable({}, { __tostring = function()
    while true do end -- here
  end }))""", late=LATE_BLOCKED)
stopped("load_reader", "a loop in the function that load reads from", """
  load(function()
    while true do end -- here
  end)""", late=LATE_BLOCKED)
stopped("filter", "a loop in a filter", "", script="""
on("privmsg", function(ev)
  while ev.message == "!filter" do end -- here
end, function() end)
""", late=LATE_BLOCKED)
stopped("after", "a loop in a function of after", """
  after(0.01, function()
    while true do end -- here
  end)""")
stopped("every", "a loop in a function of every", """
  local n = 0
  every(0.01, function()
    n = n + 1
    while n == 3 do end -- here
  end)""")
stopped("deferred", "a loop in a function that was deferred", """
  defer(function()
    while true do end -- here
  end)""")
stopped("spawned", "a loop in a spawned task", """
  spawn(function()
    while true do end -- here
  end)""")
stopped("all", "a loop in a task of all", """
  all(function() sleep(0.01) end, function()
    sleep(0.01)
    while true do end -- here
  end)""", errors=2)
stopped("shielded", "a loop in shield", """
  shield(function()
    repeat until false -- here
  end)""")
stopped("timed", "a loop in timeout", """
  timeout(0.1, function()
    while true do pcall(error) end -- here
  end)""")
stopped("spawn_in_pcall", "spawning without a pause under pcall", """
  while true do pcall(spawn, function() end) end -- here""")
stopped("pattern_in_pcall", "a pattern that backtracks for ever, again and again under pcall", """
  local text = ("a"):rep(3000)
  while true do pcall(string.find, text, ".-.-.-.-b") end -- here""")
stopped("balance_in_pcall", "%b on a run of brackets, again and again under pcall", """
  local text = ("("):rep(300000)
  while true do pcall(string.find, text, "%b()") end -- here""")
stopped("move_in_pcall", "moving ten million elements, again and again under pcall", """
  while true do pcall(table.move, {}, 1, 9999999, 2, {}) end -- here""")
stopped("rep_in_pcall", "repeating megabytes again and again under pcall", """
  while true do pcall(string.rep, "0123456789abcdef", 1 << 20) end -- here""")
stopped("collect", "collecting garbage again and again", """
  local t = {}
  for i = 1, 200000 do t[i] = {} end
  while true do collectgarbage() end -- here""", late=LATE_BLOCKED)


# Scripts that are refused.

def refused(name, sentence, body, words):
    """A row that gets an error at once, on the marked line."""
    source = handler(name, body) + answer(name)
    add(rows, name, source)

    @test(f"{sentence} is an error")
    def _():
        s = stage()

        s.say(f"!{name}")
        s.say_until(lambda: s.errors(name), "an error", STOP_BY)

        s.hear_all()
        s.asks(name)
        s.check_time(LATE_BLOCKED)
        text = "\n".join(s.errors(name)[0])
        check(len(s.errors(name)) == 1, "it was told of more than once")
        check(re.search(words, text), f"the error is another: {text}")
        check_led(s.errors(name)[0], name, source)


refused("rep", "a string of a terabyte", """
  local s = ("x"):rep(1 << 40) -- here""", "rep: ")
refused("rep_with_separator", "a string of separators", """
  local s = (""):rep(1 << 62, "x") -- here""", "too large")
refused("move", "moving more elements than there can be", """
  table.move({}, 1, 1 << 62, 2) -- here""", "table.move: more than")
refused("insert", "inserting where __len is a lie", """
  table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 0) -- here""",
        "table.insert: more than")
refused("remove", "removing where __len is a lie", """
  table.remove(setmetatable({}, { __len = function() return 1 << 60 end }), 1) -- here""",
        "table.remove: ")
refused("sort", "sorting where __len is a lie", """
  table.sort(setmetatable({}, { __len = function() return 1 << 30 end })) -- here""",
        "table.sort: more than")
refused("concat", "joining more elements than there can be", """
  table.concat(setmetatable({}, { __index = function() return "" end }), "", 1, 1 << 40) -- here""",
        "table.concat: more than")
refused("unpack", "unpacking more elements than there can be", """
  table.unpack({}, 1, 1 << 40) -- here""", "too many results to unpack")
refused("pattern", "a pattern that backtracks for ever", """
  (("a"):rep(3000)):find(".-.-.-.-b") -- here""", "too complex")
refused("date", "a date of a megabyte", """
  os.date(("%c"):rep(1 << 19)) -- here""", "too long")
refused("bytecode", "bytecode", r"""
  assert(load("\27LuaT\0\25\147\r\n\26\n\4\8\8xV\0\0\0\0\0\0", "chunk", "b")) -- here""",
        "only text chunks")
refused("bytecode_from_function", "bytecode that comes bit by bit", r"""
  local bytes = { "\27Lu", "aT\0\25\147\r\n\26\n" }
  assert(load(function() return table.remove(bytes, 1) end)) -- here""", "only text chunks")
refused("dump", "making bytecode", """
  string.dump(print) -- here""", "attempt to call a nil value")
refused("finalizer", "a finalizer", """
  setmetatable({}, { __gc = function() while true do end end }) -- here""", "__gc")
refused("closes", "closing a hundred thousand coroutines within each other", """
  local n = 0
  local function close()
    n = n + 1
    local co = coroutine.create(function()
      local guard <close> = setmetatable({}, { __close = n < 100000 and close or nil })
      coroutine.yield()
    end)
    coroutine.resume(co)
    assert(coroutine.close(co)) -- here
  end
  close()""", "coroutine.close: more than")
refused("spawns", "spawning without a pause", """
  while true do spawn(function() end) end -- here""", "spawn: ")
refused("recursion", "recursion without an end", """
  local function f() return 1 + f() end -- here
  f()""", "not enough memory|stack overflow")
refused("recursion_in_c", "recursion without an end through C", """
  local function f() return ("x"):gsub("x", f) end -- here
  f()""", "stack overflow")

# What holds nobody up.

def harmless(name, sentence, body, script=None, is_told=False):
    """A row that never ends, and need not: until it hears !stop, `over` is false."""
    source = ("local over = false\n"
              f'on("privmsg", {{ match = "^!stop {name}$" }}, function() over = true end)\n'
              + (script or handler(name, body)) + answer(name))
    add(rows, name, source)

    @test(f"{sentence} holds nobody up")
    def _():
        s = stage()
        lines = s.said + 40

        s.say(f"!{name}")
        s.say_until(lambda: s.said >= lines, "40 lines", TIMEOUT)

        s.hear_all()
        if not IS_SANITISED:  # where its own tasks take their time, its own events wait for them
            s.asks(name)
        s.check_time(LATE)
        s.say(f"!stop {name}")
        s.asks(name)
        check(is_told or not s.errors(name), "an error was logged")


harmless("sleeps", "sleep(0) for ever", """
  repeat sleep(0) until over""")
harmless("sleepers", "sleep(0) for ever in ten thousand tasks", """
  for i = 1, 10 do
    for i = 1, 1000 do spawn(function() repeat sleep(0) until over end) end
    sleep(0)
  end""")
harmless("spawning", "a task that starts two of its kind", """
  local function f()
    if over then return end
    spawn(f)
    spawn(f)
  end
  f()""", is_told=True)
harmless("alarming", "an alarm that sets two of its kind", """
  local function f()
    if over then return end
    after(0, f)
    after(0, f)
  end
  f()""", is_told=True)
harmless("logging", "a log of long texts of many lines", """
  local lines = ("\\n"):rep(2000)
  repeat
    log(lines)
    log(("x"):rep(1 << 20))
    sleep(0.1)
  until over""")
harmless("triggering", "an event that triggers itself", "", script="""
on({ "again", "privmsg" }, function(ev)
  if not over and (ev.event == "again" or ev.message == "!triggering") then trigger("again") end
end)
""")
harmless("ticking", "a thousand alarms a millisecond", """
  local alarms = {}
  for i = 1, 1000 do
    alarms[i] = every(0.001, function()
      if over then alarms[i]:cancel() end
    end)
  end""")
harmless("ticking_often", "fifty thousand alarms a millisecond", """
  local alarms = {}
  for i = 1, 50000 do
    alarms[i] = every(0.001, function()
      if over then alarms[i]:cancel() end
    end)
  end""", is_told=True)
harmless("failing_often", "a thousand alarms a millisecond that fail", """
  local alarms = {}
  for i = 1, 1000 do
    alarms[i] = every(0.001, function()
      if over then alarms[i]:cancel() end
      error("again")
    end)
  end""", is_told=True)


# Scripts that do not listen to a cancellation.

def cancelled(name, sentence, loop):
    """A row whose loop another task cancels."""
    source = handler(name, f"""
  local t = spawn(function()
{loop}
  end)
  repeat sleep(0.01) until t:status() == "paused"
  sleep(0.05)
  t:cancel()
  local _, why = t:join()
  ev:reply("{name}: " .. why)""") + answer(name)
    add(rows, name, source)

    @test(f"{sentence} ends when it is cancelled")
    def _():
        s = stage()

        s.say(f"!{name}")

        s.hears(f"{name}: cancelled")
        s.asks(name)
        s.check_time(LATE)
        check(not s.errors(name) and not s.warnings(name), "it was told of")


cancelled("cancelled_pcall", "pcall around sleep for ever", """
    while true do pcall(sleep, 10) end""")
cancelled("cancelled_xpcall", "xpcall around wait for ever, with a handler that sleeps", """
    while true do xpcall(wait, function() pcall(sleep, 10) end, "never") end""")
cancelled("cancelled_coroutine", "coroutines that sleep, for ever", """
    while true do coroutine.resume(coroutine.create(sleep), 10) end""")
cancelled("cancelled_wrap", "wrapped coroutines under pcall, for ever", """
    while true do pcall(coroutine.wrap(function() while true do pcall(sleep, 10) end end)) end""")
cancelled("cancelled_close", "__close that sleeps, for ever", """
    while true do
      pcall(function()
        local guard <close> = setmetatable({}, { __close = function() pcall(sleep, 10) end })
        sleep(10)
      end)
    end""")
cancelled("cancelled_all", "tasks within tasks for ever", """
    local function deeper(n)
      while true do pcall(all, n == 0 and function() sleep(10) end or function() deeper(n - 1) end) end
    end
    deeper(10)""")


# Memory.

def bomb(name, sentence, body, script=None, words="memory", memory_max="8M"):
    """A row that takes all the memory it can get. Where memory is refused Lua may know only the
    line on which the function began: it is marked, too, where that is so."""
    source = (script or handler(name, body)) + answer(name)
    add(bombs, name, source)
    sections.append(f"[script {name}]\nmemory_max = {memory_max}\n")

    @test(f"{sentence}: the script ends or gets an error, and nobody else notices")
    def _():
        s = stage("bombs")

        s.say(f"!{name}")
        s.say_until(lambda: s.errors(name), "an error", TIMEOUT)
        s.hear_all()
        s.check_time(LATE_BLOCKED)
        errors = s.errors(name)
        if any(" ended: " in line for error in errors for line in error):
            s.bot.wait_log(f" info: script {name}: loaded", count=2)

        s.asks(name)
        print(f"# at most {s.memory():.0f} MB")
        ends = words + "|stopped" if IS_SANITISED else words  # its time may be up before
        check(re.search(ends, errors[0][0]), f"the error is another: {errors[0][0]}")
        check_led(s.lines(), name, source)
        check(IS_SANITISED or s.memory() < MEMORY_MAX, f"ebbd took {s.memory():.0f} MB")


bomb("tables", "a table of tables", """
  local t = {}
  while true do t[#t + 1] = {} end -- here""")
bomb("tables_kept", "a table of tables that the script keeps", "", script="""
local kept = {}
on("privmsg", { match = "^!tables_kept$" }, function() -- here
  while true do kept = { kept } end -- here
end)
""")
bomb("tables_64", "a table of tables in 64 MB", """
  local t = {}
  while true do t[#t + 1] = { t } end -- here""", memory_max="64M")
bomb("tables_in_pcall", "tables under pcall", "", script="""
local kept = {}
local function more() -- here
  while true do kept = { kept } end -- here
end
on("privmsg", { match = "^!tables_in_pcall$" }, function()
  while true do pcall(more) end -- here
end)
""")
bomb("doubling", "a string that doubles", """
  local s = "x"
  while true do s = s .. s end -- here""")
bomb("strings", "many strings", """
  local t = {}
  for i = 1, 1 << 40 do t[i] = ("%d"):format(i) end -- here""")
bomb("closures", "closures", """
  local t = {}
  for i = 1, 1 << 40 do t[i] = function() return t, i end end -- here""")
bomb("coroutines_kept", "coroutines", """
  local t = {}
  for i = 1, 1 << 40 do t[i] = coroutine.wrap(function() end) end -- here""")
bomb("sleeping", "tasks that sleep", "", script="""
on("privmsg", { match = "^!sleeping$" }, function()
  while true do
    for i = 1, 1000 do spawn(sleep, 1000) end -- here
    sleep(0)
  end
end)
""")
bomb("listening", "subscriptions", """
  while true do on("privmsg", function() end) end -- here""", words="may not have more|memory")
bomb("names", "events with long names", """
  local name = ("x"):rep(1 << 20)
  for i = 1, 100000 do on(name .. i, print) end -- here""", words="too long")
bomb("arguments", "arguments", """
  local t = {}
  for i = 1, 1 << 20 do t[i] = i end -- here
  local function f(...) return f(0, ...) end
  f(table.unpack(t))""")
bomb("buffers", "table.concat of what is large", """
  local t = {}
  for i = 1, 1000 do t[i] = ("x"):rep(10000) end -- here
  while true do t[#t + 1] = table.concat(t) end -- here""")
bomb("backlog", "events that nobody reads", """
  for _ = 1, 20 do
    spawn(function()
      for _ in events("fill", { buffer = 65536 }) do sleep(1000) end -- here
    end)
  end
  sleep(0)
  while true do
    trigger("fill", { text = ("x"):rep(500000) }) -- here
    sleep(0)
  end""", words="")
bomb("hoard", "events that wait for others", """
  for i = 1, 1000 do
    spawn(function() wait_all { "hoard", "never" } end)
    sleep(0)
    trigger("hoard", { text = ("x"):rep(500000) }) -- here
    sleep(0)
  end""", words="limit|memory|does not fit")
bomb("large_events", "large events without a pause", """
  local text = ("x"):rep(500000) -- here
  while true do trigger("large", { text = text }) end -- here""", words="it computes on and on")
bomb("small_events", "events without a pause", """
  while true do trigger("small") end -- here""", words="it computes on and on")


# Errors.

rows["raising"] = """
on("privmsg", { match = "^fail (%d+)$" }, function(ev, n)
  local x = nil
  x.y = n -- here
end)
""" + answer("raising")


@test("five thousand lines whose handler fails: the first errors are told, and no line is lost")
def _():
    s = stage()
    lines = 5000

    for first in range(1, lines, 100):
        s.say(*(f"fail {n}" for n in range(first, first + 100)))
        s.say_a_line()
    s.hear_all()

    s.asks("raising")
    s.check_time(LATE)
    check(len(s.errors("raising")) == 100, f"{len(s.errors('raising'))} errors were logged")
    check_led(s.errors("raising")[99], "raising", rows["raising"])
    more = s.bot.wait_log(r" error: script raising: (\d+) more errors").group(1)
    check(int(more) == lines - 100, f"{more} more")


VALUES = (
    ("nil", "error()", "a nil"),
    ("a boolean", "error(false)", "a boolean"),
    ("a number", "error(42)", "42"),
    ("an empty text", 'error("")', ": $"),
    ("a text with control characters", r'error("\27[2J\r\n\0 forged")', r"\\x1b\[2J"),
    ("a table", "error({ 1 })", "a table"),
    ("a function", "error(print)", "a function"),
    ("a coroutine", "error(coroutine.create(print))", "a thread"),
    ("an event", "error(ev)", "event privmsg: "),
    ("a table with __tostring", "error(setmetatable({}, { __tostring = function() return 'odd' end }))",
     "odd"),
    ("a table whose __tostring fails",
     "error(setmetatable({}, { __tostring = function() error('worse') end }))", "worse"),
    ("a table whose __tostring gives no text",
     "error(setmetatable({}, { __tostring = function() return {} end }))", "must return a string"),
    ("a table whose __tostring pauses",
     "error(setmetatable({}, { __tostring = function() sleep(1) end }))", "cannot pause here"),
    ("a table whose __tostring is no function", "error(setmetatable({}, { __tostring = 1 }))",
     "attempt to call"),
    ("a table whose __name is odd", "error(setmetatable({}, { __name = {} }))", "a table"),
    ("a text of a megabyte", "error(('x'):rep(1 << 20))", "x{3000}"),
)
rows["values"] = "".join(
    handler(f"value {n}", f"  {source} -- here") for n, (_, source, _) in enumerate(VALUES)
) + answer("values")


@test("an error value of any kind is told once, with its line")
def _():
    for number, (what, _, words) in enumerate(VALUES):
        s = stage()
        s.say(f"!value {number}")
        s.say_until(lambda: s.errors("values"), f"an error for {what}", TIMEOUT)
        s.hear_all()
        s.asks("values")
        errors = s.errors("values")
        check(len(errors) == 1, f"{what}: it was told of {len(errors)} times")
        check(re.search(words, "\n".join(errors[0]), re.M), f"{what}: {errors[0]}")


# Scripts of daemons of their own.

def on_its_own(scripts, more=""):
    """A daemon with these scripts beside the one that does not misbehave."""
    alice = Person(ircd, "bob", "#two")
    link = Pulse(ircd)
    bot = Bot("[daemon]\nlog_level = info\n" + link.network("channels = #two", nick="own") + more,
              {**scripts, "beside": BESIDE})
    alice.sees("own", "#two")
    return bot, alice, link


@test("a main chunk that does not end is stopped: the script is not loaded, and the others are")
def _():
    bot, alice, link = on_its_own({
        "first": "\nwhile true do end\n",
        "second": "local n = 0\nwhile true do\n  pcall(error)\nend\n",
        "third": "xpcall(error, function()\n  while true do end\nend)\n",
        "fourth": "local t = {}\nwhile true do\n  t = { t }\nend\n"})

    for name, line in (("first", 2), ("second", 3), ("third", 2)):
        bot.wait_log(f"error: script {name}: main chunk: stopped: it ran for ")
        bot.wait_log(f"error: \t.*/{name}.lua:{line}: ")
        bot.wait_log(f"error: script {name}: not loaded")
    bot.wait_log("error: script fourth: (ended|not loaded: main chunk: not enough memory)")
    alice.say("#two", "say 1")
    alice.hears("own", "#two", "heard 1")
    check(link.slowest() < LATE_BLOCKED, "a PONG was late")
    late = float(alice.asks("own", "#two", "!late", "late by .*").split()[2])
    check(late < LATE_BLOCKED, f"a tick came {late:.3f} s late")


for what, source in (
        ("an endless loop", "while true do end"),
        ("an endless loop where nothing can pause",
         "while true do xpcall(error, function() while true do end end) end"),
        ("a loop that catches all", "while true do pcall(error) pcall(sleep, 0) end"),
        ("a shielded loop", "shield(function() while true do sleep(0) end end)"),
        ("a loop in __close", "local guard <close> = setmetatable({}, { __close = function() "
         "while true do pcall(sleep, 0) end end }) sleep(1000)"),
        ("tasks without end", "local function f() spawn(f) spawn(f) end f()")):
    @test(f"SIGTERM ends the daemon beside {what}")
    def _(source=source):
        bot, alice, _ = on_its_own({"looping": f"""
local n = 0
every(0.01, function()
  n = n + 1
  if n < 5 then log("loop " .. n) end
  {source}
end)
"""})
        bot.wait_log("script looping: loop 1")

        bot.stop()

        alice.expect("^:own!.* QUIT ")


_failing = []


def failing():
    """A daemon whose script fails whenever it is loaded; it takes half a minute to be given up."""
    with for_the_file():
        _failing.append(Bot("[daemon]\nlog_level = info\n[script bomb]\nmemory_max = 4M\n", {
            "bomb": "local t = {}\nafter(0.01, function()\n  while true do t = { t } end\nend)\n",
            "beside": "log('is here')"}))


@test("a script in an endless loop beside a bot: the log leads a person to the line within a second")
def _():
    bot, alice, _ = on_its_own({"karma": """-- points for people
local points = {}

local function total()
  local sum, name = 0, next(points)
  while name do
    sum = sum + points[name]
  end
  return sum
end

on("privmsg", { match = "^(%w+)%+%+$" }, function(ev, name)
  points[name] = (points[name] or 0) + 1
  ev:reply(("%s has %d of %d points"):format(name, points[name], total()))
end)
"""})

    alice.say("#two", "alice++")
    began = time.monotonic()
    bot.wait_log("warning: script karma: on privmsg from .*karma.lua:12: blocked for 50 ms, in$")
    bot.wait_log(r"warning: \t.*karma.lua:[67]: in function total")
    bot.wait_log(r"warning: \t.*karma.lua:14: in the function of line 12$")
    took = time.monotonic() - began
    alice.say("#two", "say 1")
    alice.hears("own", "#two", "heard 1")
    bot.wait_log("error: script karma: on privmsg from .*karma.lua:12: stopped: it ran for 1.0 s "
                 "without a pause, in$")
    bot.wait_log(r"error: \t.*karma.lua:[67]: in function total")
    bot.wait_log(r"error: \t.*karma.lua:14: in the function of line 12$")

    print(f"# after {1000 * took:.0f} ms")
    check(took < SLOW, f"it took {took:.2f} s")


@test("a script that uses up its memory six times within ten minutes is disabled")
def _():
    bot = _failing[0]
    attend(bot)
    for seconds in (1, 2, 4, 8, 16):
        bot.wait_log(f"warning: script bomb: it is loaded anew in {seconds} s", timeout=60)
    bot.wait_log("error: script bomb: failed 6 times within ten minutes: it is disabled",
                 timeout=60)

    check(len(bot.ever_logged("error: script bomb: ended: it used up its memory: ")) == 6,
          "it was ended for another reason")
    check(len(bot.logged("info: script bomb: loaded")) == 6, "it was loaded once more")


@test("the daemons in which all of this happened end as they are told")
def _():
    for s in _stages.values():
        attend(s.bot)
        s.bot.stop()


failing()
main()
