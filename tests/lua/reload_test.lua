-- What scripts are promised over a reload, as their own tests see it.

local t = require "ebb.test"

local counter = [[
  on("privmsg", { match = "^!count$" }, function(ev)
    state.n = (state.n or 0) + 1
    ev:reply(version .. " " .. state.n)
  end)
]]

local function bot_with(source)
  return t.bot{ { name = "x", code = source } }
end

t.test("the state of a script outlives its code", function()
  local bot = bot_with("version = 'one'\n" .. counter)
  local alice = bot:person("alice", "#c")
  alice:says("!count")
  t.expect(bot:said("#c")):equals("one 1")
  t.expect(bot:reload("x", "version = 'two'\n" .. counter)):equals(true)
  alice:says("!count")
  t.expect(bot:said("#c")):equals("two 2")
end)

t.test("code that fails leaves the old at work", function()
  local bot = bot_with("version = 'one'\n" .. counter)
  local alice = bot:person("alice", "#c")
  local ok, why = bot:reload("x", "version = nil .. 'two'")
  t.expect(ok):equals(nil)
  t.expect(why):contains("attempt to concatenate a nil value")
  t.expect(t.logged("x: not reloaded, the old code goes on")):differs(nil)
  alice:says("!count")
  t.expect(bot:said("#c")):equals("one 1")
end)

t.test("code that pauses for more than two seconds is refused", function()
  local bot = bot_with("")
  local began = t.now()
  local ok, why = bot:reload("x", "sleep(3)")
  t.expect(ok):equals(nil)
  t.expect(why):contains("spawn() what goes on for long")
  t.expect(t.now() - began):near(2, 0.01)
  t.logged("not reloaded")
end)

t.test("on_reload sees the state of the code before it", function()
  local bot = bot_with("state.points = { alice = 3 }")
  t.expect(bot:reload("x", [[
    on_reload(function(s) s.scores, s.points = s.points, nil end)
    on("privmsg", function(ev) ev:reply(state.scores.alice .. " " .. tostring(state.points)) end)
  ]])):equals(true)
  bot:person("alice", "#c"):says("hello")
  t.expect(bot:said("#c")):equals("3 nil")
end)

t.test("a handler under way ends in the old code", function()
  local bot = bot_with([[on("privmsg", { match = "^!quiz$" }, function(ev)
    ev:reply("old?")
    ev:reply("old: " .. (ev:ask("really?", 5) or { message = "nothing" }).message)
  end)]])
  local alice = bot:person("alice", "#c")
  alice:says("!quiz")
  t.expect(bot:said("#c")):equals("old?")
  t.expect(bot:said("#c")):equals("really?")
  t.expect(bot:reload("x", [[on("privmsg", { match = "^!quiz$" }, function(ev)
    ev:reply("new") end)]])):equals(true)
  alice:says("yes")
  t.expect(bot:said("#c")):equals("old: yes")
  alice:says("!quiz")
  t.expect(bot:said("#c")):equals("new")
  t.expect(bot:said("#c")):equals(nil)
end)

t.test("every and cron keep their times", function()
  local source = [[every(60, function() network():send("privmsg", { target = "#c", message = name }) end)]]
  local bot = bot_with("name = 'old'\n" .. source)
  bot:person("alice", "#c")
  t.advance(61)
  t.expect(bot:said("#c")):equals("old")
  t.advance(40)
  t.expect(bot:reload("x", "name = 'new'\n" .. source)):equals(true)
  t.advance(18)
  t.expect(bot:said("#c")):equals(nil)
  t.expect(bot:said("#c", 2)):equals("new")
end)

t.test("a script that is not there cannot be reloaded", function()
  local bot = bot_with("")
  t.expect(function() bot:reload("y") end):raises("the bot has no script 'y'")
end)
