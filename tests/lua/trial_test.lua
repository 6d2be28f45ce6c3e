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
