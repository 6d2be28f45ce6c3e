-- What the module of the tests itself does.

local t = require "ebb.test"

t.test("t.logged takes an error with its traceback, and no other", function()
  local function fail() error("this\nis broken") end
  spawn(fail)
  spawn(fail)
  t.expect(t.logged("broken")):matches("^script trial_test: spawn from .*\n.*stack traceback:\n")
  t.expect(t.logged("spawn from .*: this\n")):differs(nil)
  t.expect(t.logged("traceback")):equals(nil)
end)

t.test("pairs walks a table in the order of its keys, and bears its changes", function()
  local got = {}
  local some = { [3] = 1, b = 2, [1.5] = 3, a = 4, [true] = 5, [-1] = 6, [false] = 7, ab = 8 }
  for key, value in pairs(some) do
    got[#got + 1] = key
    some[key] = nil
    some.ab = nil
    t.expect(value):differs(nil)
  end
  t.expect(got):equals{ -1, 1.5, 3, "a", "b", false, true }
  local proxy = setmetatable({}, { __pairs = function() return next, { x = 1 }, nil end })
  for key in pairs(proxy) do t.expect(key):equals("x") end
  t.expect(function() for _ in pairs(nil) do end end):raises("table expected")
end)

t.test("the date is always the same", function()
  t.expect(os.date("%Y-%m-%d %H:%M:%S")):equals("2026-01-01 00:00:00")
  t.advance(90)
  t.expect(os.date("%H:%M:%S")):equals("00:01:30")
  t.expect(os.time()):equals(os.time{ year = 2026, month = 1, day = 1, hour = 0, sec = 90 })
end)

t.test("a server's message of the day ends a registration as its absence does", function()
  local net = t.network{ motd = { "welcome", "be kind" } }
  local bot = t.bot{ networks = { net }, { name = "reader", code = [[
    on("rpl_motd", function(ev) log(ev.message) end)
    on("client_connect", function() log("ready") end)
  ]] } }
  t.expect(t.logged("be kind")):differs(nil)
  t.expect(t.logged("ready")):differs(nil)
  t.expect(bot.nick):equals("ebb")
end)

t.test("events takes a timeout in the filter's place, as wait does", function()
  for _ in events("goal", 3) do end
  t.expect(t.now()):equals(3.0)
end)

t.test("an event of a script's own cannot smuggle a line into a reply", function()
  local bot = t.bot{ channels = "#room", { name = "forger", code = [[
    on("won", function(ev)
      local ok, why = pcall(ev.reply, ev, "hi")
      log.info("%s %s", ok, why)
    end)
    on("privmsg", function(ev)
      for _, place in ipairs{ "#a :x\r\nJOIN #b\r\nPRIVMSG #a", "#a b", ":a", "#a,#b", "", "#\0" } do
        trigger("won", { channel = place })
      end
      trigger("won", { channel = "#room" })
    end)
  ]] } }
  bot:person("alice", "#room"):says("go")
  for _ = 1, 6 do
    t.expect(t.logged("^script forger: false")):contains("nobody to answer")
  end
  t.expect(t.logged("^script forger: true")):differs(nil)
  t.expect(bot:said("#room")):equals("hi")
  t.expect(bot:did("JOIN")):equals({ "#room" })
  t.expect(bot:did("JOIN")):equals(nil)
end)

t.test("the time of an event does not change", function()
  local bot = t.bot{ { name = "clock", code = [[
    on("privmsg", function(ev)
      local first = ev.time
      sleep(5)
      log.info("%s %s", first == ev.time, ev:copy().time == first)
    end)
  ]] } }
  bot:person("alice", "#room"):says("go")
  t.advance(6)
  t.expect(t.logged("^script clock: %l+ ")):contains("true true")
end)
