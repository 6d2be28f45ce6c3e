-- What scripts see of channels and users, at a server that tells it.

local t = require "ebb.test"

-- A bot in #room of one script, with the settings of its network.
local function keeper(code, settings)
  local options = { { name = "keeper", code = code }, channels = "#room" }
  for key, value in pairs(settings or {}) do options[key] = value end
  return t.bot(options)
end

local asks = [[
  local function shown(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    return table.concat(words, " ")
  end
  on("privmsg", { match = "^= (.*)" }, function(ev, code)
    local env = setmetatable({ ev = ev, ch = ev:chan(), net = ev.net }, { __index = _G })
    ev:reply(shown(assert(load("return " .. code, "=code", "t", env))()))
  end)
]]

-- What the expression is for the bot, asked by alice in #room.
local function asker(bot, alice)
  return function(code)
    alice:says("= " .. code, "#room")
    return bot:said("#room", 30)
  end
end

t.test("a channel and its users are known after a while", function()
  local bot = keeper(asks)
  local alice = bot:person("alice", "#room")
  bot:person("carol", "#room")
  local value = asker(bot, alice)
  t.advance(60)
  t.expect(value("ch, ch.count, ch.complete, ch.joined")):equals("channel #room 3 true true")
  t.expect(value("net:user('alice').user ~= nil, net:user('alice').host ~= nil")):equals("true true")
  t.expect(value("ch.users.ebb.me, ch.users.carol.me, ch.users.dave")):equals("true false nil")
  t.expect(value("ch == net:channel('#ROOM'), net:channel('#other')")):equals("true nil")
  t.expect(value("table.concat(net:user('carol').channels, ' ')")):equals("#room")
end)

t.test("people are followed as they come, change and go", function()
  local bot = keeper(asks .. "on('privmsg', { match = '^keep$' }, function(ev) kept = ev.net:user('carol') end)")
  local alice = bot:person("alice", "#room")
  local value = asker(bot, alice)
  t.advance(60)
  local carol = bot:person("carol", { channel = "#room", account = "caro" })
  t.expect(value("ch.users.carol, ch.count")):equals("user carol 3")
  alice:says("keep", "#room")
  carol:renames("caroline")
  t.expect(value("kept, ch.users.carol, ch.users.caroline == kept")):equals("user caroline nil true")
  t.expect(value("kept.account, kept.away")):equals("caro false")
  bot.net:grant("#room", "caroline", "v")
  t.expect(value("ch.users.caroline.prefix, ch.users.caroline.voice, ch.users.caroline.op"))
    :equals("+ true false")
  carol:quits("bye")
  t.expect(value("kept, kept.gone, kept.nick, ch.count")):equals("user that is gone true nil 2")
end)

t.test("who leaves is there until the handler pauses", function()
  local bot = keeper([[
    on({ "part", "kick", "quit" }, function(ev)
      local nick, net = ev.target or ev.nick, ev.net
      local before = net:user(nick)
      local there = before and table.concat(before.channels, " ")
      sleep(0)
      log.info("%s %s: %s, then %s", nick, ev.event, there, net:user(nick))
    end)
  ]])
  local people = {}
  for _, nick in ipairs{ "alice", "bob", "carol" } do people[nick] = bot:person(nick, "#room") end
  t.advance(60)
  bot.net:grant("#room", "alice", "o")
  people.bob:parts("#room")
  t.expect(t.logged("bob part: #room, then nil$")):differs(nil)
  people.alice:kicks("carol", "out", "#room")
  t.expect(t.logged("carol kick: #room, then nil$")):differs(nil)
  people.alice:quits("bye")
  t.expect(t.logged("alice quit: #room, then nil$")):differs(nil)
end)

t.test("what a channel is asked to do, the server does", function()
  local bot = keeper([[
    on("privmsg", function(ev)
      local ch = ev:chan()
      ch:op("bob", "carol")
      ch:set_topic("news")
      ch:kick(ch.users.carol, "out")
      ch:act("is done")
    end)
    on("topic", { mine = true }, function(ev)
      sleep(0)
      log.info("the topic is %s", ev:chan().topic)
    end)
  ]])
  local alice = bot:person("alice", "#room")
  bot:person("bob", "#room")
  bot:person("carol", "#room")
  t.advance(60)
  bot.net:grant("#room", "ebb", "o")
  alice:says("go", "#room")
  t.advance(30)
  t.expect(bot.net:modes("#room", "bob")):equals("o")
  t.expect(bot.net:modes("#room", "carol")):equals(nil)
  t.expect(bot.net:topic("#room")):equals("news")
  t.expect(t.logged("the topic is news$")):differs(nil)
  t.expect(bot:did("KICK")):equals({ "#room", "carol", "out" })
end)

t.test("after a connection nothing is known, and after the next all is again", function()
  local bot = keeper(asks .. [[
    on("client_connect", function(ev) net = ev.net end)
    on("privmsg", { match = "^keep$" }, function(ev)
      kept = ev:chan()
      who = kept.users.alice
    end)
    on("client_disconnect", function()
      log.info("%s %s %s", kept.joined, who.gone, net:channel("#room"))
      sleep(30)
      connect()
    end)
  ]])
  local alice = bot:person("alice", "#room")
  t.advance(60)
  alice:says("keep", "#room")
  t.advance(1)
  bot.net:drop()
  t.expect(t.logged("false true nil$")):differs(nil)
  t.advance(120)
  local value = asker(bot, alice)
  t.expect(value("kept == ch, kept.joined, kept.count, who.gone")):equals("true true 2 true")
end)

t.test("a walk over 2000 members pauses while they come and go", function()
  local bot = keeper([[
    on("privmsg", { match = "^walk$" }, function(ev)
      local n, last = 0, ev:chan().count
      for nick, user in pairs(ev:chan().users) do
        n = n + 1
        if user.nick == nick and n % 100 == 0 then sleep(1) end
      end
      log.info("walked from %d: %d", last, n)
    end)
  ]])
  local alice = bot:person("alice", "#room")
  local people = {}
  for i = 1, 1998 do people[i] = bot:person("p" .. i, "#room") end
  t.advance(60)
  alice:says("walk", "#room")
  for i = 1, 10 do
    t.advance(1)
    people[i]:parts("#room")
    people[1000 + i]:renames("q" .. i)
    people[i]:joins("#room")
  end
  t.advance(60)
  t.expect(t.logged("walked from 2000: [12]%d+$")):differs(nil)
end)
