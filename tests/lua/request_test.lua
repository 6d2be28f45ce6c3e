-- request, at the simulated server.

local t = require "ebb.test"

-- A bot that runs the code once it is in its channel, with a person there.
local function asker(code, options)
  options = options or {}
  options.channels = options.channels or "#room"
  options[1] = { name = "asker", code = [[
    local function show(v)
      if type(v) ~= "table" then return tostring(v) end
      local out = {}
      for i, w in ipairs(v) do out[i] = show(w) end
      return "{" .. table.concat(out, " ") .. "}"
    end
    local function say(...)
      local words = table.pack(...)
      for i = 1, words.n do words[i] = show(words[i]) end
      log("got: " .. table.concat(words, ", "))
    end
    on("privmsg", { match = "^go" }, function(ev)
      ]] .. code .. [[
    end)
  ]] }
  local bot = t.bot(options)
  local alice = bot:person("alice", "#room")
  return bot, alice
end

-- What the code says.
local function said(code, options, prepare)
  local bot, alice = asker(code, options)
  if prepare then prepare(bot, alice) end
  alice:says("go")
  return t.logged("got: (.*)"), bot, alice
end

local rows = {
  { "whois", [[
      local r = request("whois", { mask = "alice" })
      say(r.ok, r.nick, r.account, r.channels, r.events[1].event)
    ]], "true, alice, ally, {#room}, rpl_whoisuser",
    function(_, alice) alice:login("ally") end },
  { "whois of nobody", [[say(request("whois", { mask = "nobody" }))]],
    "nil, No such nick/channel, err_nosuchnick" },
  { "whowas of nobody", [[say(request("whowas", { nick = "nobody" }))]],
    "nil, There was no such nickname, err_wasnosuchnick" },
  { "names", [[
      local r = request("names", { channel = "#room" })
      table.sort(r.users)
      say(r.channel, r.users)
    ]], "#room, {@ebb!ebb@client.sim.example alice!alice@alice.sim.example}" },
  { "who", [[
      local r = request("who", { mask = "#room" })
      local nicks = {}
      for i, user in ipairs(r.users) do nicks[i] = user.nick end
      table.sort(nicks)
      say(nicks)
    ]], "{alice ebb}" },
  { "list", [[
      local r = request("list")
      say(#r.channels, r.channels[1].channel, r.channels[1].users)
    ]], "1, #room, 2" },
  { "topic", [[
      say(request("topic", { channel = "#room" }).topic)
    ]], "nil" },
  { "topic that is set", [[
      local r = request("topic", { channel = "#room", message = "new" })
      local again = request("topic", { channel = "#room" })
      say(r.topic, r.events[1].mine, again.topic, again.setter)
    ]], "new, true, new, ebb" },
  { "mode", [[
      send("mode", { target = "#room", modes = "+k", params = "key" })
      local r = request("mode", { target = "#room" })
      say(r.modes:find("k") ~= nil, r.created and r.created > 0)
    ]], "true, true" },
  { "bans", [[
      local none = request("mode", { target = "#room", modes = "b" })
      request("mode", { target = "#room", modes = "+b", params = "*!*@spam" })
      local r = request("mode", { target = "#room", modes = "b" })
      say(#none.masks, #r.masks, r.masks[1].mask)
    ]], "0, 1, *!*@spam" },
  { "join", [[
      local r = request("join", { channel = "#other" })
      say(r.channel, r.users)
    ]], "#other, {@ebb!ebb@client.sim.example}" },
  { "join of a full channel", [[say(request("join", { channel = "#full" }))]],
    "nil, Cannot join channel (+l), err_channelisfull", function(bot)
      local bob = bot.net:person("bob")
      bob:joins("#full")
      bob:mode("+l 1", "#full")
    end },
  { "nick", [[say(request("nick", { nick = "other" }).nick, network().nick)]], "other, other" },
  { "nick in use", [[say(request("nick", { nick = "alice" }))]],
    "nil, Nickname is already in use, err_nicknameinuse" },
  { "ison", [[say(request("ison", { nick = { "alice", "nobody" } }).nicks)]], "{alice}" },
  { "userhost", [[say(#request("userhost", { nick = "alice" }).replies)]], "1" },
  { "version", [[local r = request("version") say(r.server, r.version ~= nil)]], "irc.sim.example, true" },
  { "motd", [[say(request("motd").lines)]], "{- be kind}", nil,
    { networks = { t.network{ motd = { "be kind" } } } } },
  { "kick", [[
      local r = request("kick", { channel = "#room", nick = "alice" })
      say(r.target, r.channel)
    ]], "alice, #room" },
  { "kick of nobody", [[say(select(3, request("kick", { channel = "#room", nick = "nobody" })))]],
    "err_nosuchnick" },
  { "several at once", [[
      local a, b = all(
        function() return request("whois", { mask = "alice" }).nick end,
        function() return select(3, request("whois", { mask = "nobody" })) end)
      say(a, b)
    ]], "alice, err_nosuchnick" },
}

for _, row in ipairs(rows) do
  local name, code, expected, prepare, options = table.unpack(row, 1, 5)
  t.test("request: " .. name, function()
    t.expect((said(code, options, prepare))):equals("script asker: got: " .. expected)
  end)
end

t.test("a server that is silent is given up in time", function()
  local bot, alice = asker([[
    say(request("whois", { mask = "alice" }, 5))
  ]])
  bot.net:lag(2)
  alice:says("go")
  t.advance(3)
  bot.net:silence()
  t.advance(3.9)
  t.expect(t.logged("got")):equals(nil)
  t.advance(0.2)
  t.expect(t.logged("no answer")):differs(nil)
end)

t.test("the end of the connection ends a request", function()
  local bot, alice = asker([[say(select(3, request("whois", { mask = "alice" })))]])
  bot.net:lag(10)
  alice:says("go")
  t.advance(15)
  bot.net:drop()
  t.expect(t.logged("got: (.*)")):equals("script asker: got: disconnected")
end)

t.test("two scripts that ask the same get an answer each", function()
  local code = [[
    on("privmsg", { match = "^go" }, function(ev)
      local r = request("whois", { mask = "alice" })
      ev:reply(r.nick .. " " .. #r.events)
    end)
  ]]
  local bot = t.bot{ channels = "#room", { name = "a", code = code }, { name = "b", code = code } }
  bot:person("alice", "#room"):says("go")
  local first = bot:said("#room")
  t.expect(first):matches("^alice %d+$")
  t.expect(bot:said("#room")):equals(first)
end)

t.test("a handler that waits for its answer has it in the old code after a reload", function()
  local bot, alice = asker([[say(request("whois", { mask = "alice" }).nick)]])
  bot.net:lag(2)
  alice:says("go")
  t.advance(3)
  bot:reload("asker", [[log("new")]])
  t.expect(t.logged("^script asker: new")):differs(nil)
  t.advance(5)
  t.expect(t.logged("got: alice")):differs(nil)
end)
