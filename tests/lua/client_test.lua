-- The documented examples of bottom, a small asyncio client, in ebb's terms: a client made of event
-- handlers, which registers, answers and comes back by itself.

local t = require "ebb.test"

-- A bot of one script, with the settings of its network.
local function client(code, settings)
  local options = { { name = "client", code = code } }
  for key, value in pairs(settings or {}) do options[key] = value end
  return t.bot(options)
end

local register = [[
  on("client_connect", function()
    send("nick", { nick = "bottom-bot" })
    send("user", { nick = "bottom-bot", realname = "a bot made of handlers" })
    local ev = wait({ "rpl_endofmotd", "err_nomotd" })
    log("registered: " .. ev.event)
    send("join", { channel = "#bottom-dev" })
  end)
]]

t.test("a client registers by hand, and joins after the first of two events", function()
  local net = t.network{ register_delay = 3 }
  local bot = client(register, { register = "manual", networks = { net } })
  t.advance(2.9)
  t.expect(bot:did("JOIN")):equals(nil)
  t.expect(bot:did("JOIN", 1)):equals({ "#bottom-dev" })
  t.expect(t.now()):near(3)
  t.expect(t.logged("registered: err_nomotd$")):differs(nil)
  t.expect(bot.nick):equals("bottom-bot")
end)

t.test("a client that registers by hand does so again on each connection", function()
  local bot = client(register .. [[
    on("client_disconnect", function()
      sleep(5)
      connect()
    end)
  ]], { register = "manual" })
  t.expect(bot:did("JOIN")):equals({ "#bottom-dev" })
  bot.net:drop()
  t.expect(bot:did("JOIN", 60)):equals({ "#bottom-dev" })
  t.expect(bot.net:attempts()):equals({ 0, 5 })
end)

t.test("a wait in a handler is over when the connection is", function()
  local bot = client([[
    on("client_connect", function()
      send("nick", { nick = "bottom-bot" })
      local ev, why = wait({ "rpl_endofmotd", "err_nomotd" })
      log("waited in vain: " .. tostring(ev) .. ", " .. why)
    end)
  ]], { register = "manual" })
  t.expect(t.logged("waited in vain")):equals(nil)
  bot.net:drop()
  t.expect(t.logged("waited in vain: nil, disconnected$")):differs(nil)
end)

t.test("PING is answered without a script, and twice does no harm", function()
  local net = t.network{ ping_interval = 60 }
  client("", { networks = { net } })
  local other = t.network{ ping_interval = 60, name = "other" }
  client([[
    on("ping", function(ev)
      send("pong", { message = ev.message })
      log("kept alive by hand")
    end)
  ]], { networks = { other } })
  t.advance(3600)
  t.expect(t.logged("kept alive by hand")):differs(nil)
  t.expect(net:attempts()):equals({ 0 })
  t.expect(other:attempts()):equals({ 0 })
  t.expect(t.logged("disconnected")):equals(nil)
end)

local echo = [[
  on("privmsg", function(ev)
    if ev.channel then
      send("privmsg", { target = ev.target, message = ev.message })
    else
      send("privmsg", { target = ev.nick, message = ev.message })
    end
  end)
]]

t.test("an echo answers in the channel, or in private", function()
  local bot = client(echo)
  local alice = bot:person("alice", "#room")
  alice:says("hello, room")
  t.expect(bot:said("#room")):equals("hello, room")
  alice:tells("hello, bot")
  t.expect(bot:said("alice")):equals("hello, bot")
  t.expect(bot:said("#room")):equals(nil)
end)

t.test("an echo does not answer itself, unless it asks for its own words", function()
  local bot = client(echo .. [[
    on("client_connect", function(ev)
      send("privmsg", { target = ev.net.nick, message = "who is there?" })
    end)
    on("privmsg", { mine = true }, function(ev) log("heard itself: " .. ev.message) end)
  ]])
  t.expect(t.logged("heard itself: who is there%?$")):differs(nil)
  t.expect(t.logged("heard itself")):equals(nil)
  t.expect(bot:said("ebb")):equals("who is there?")
  t.expect(bot:said("ebb", 60)):equals(nil)
end)

t.test("messages are routed by pattern, with what it captures", function()
  local bot = client([[
    on("privmsg", { match = "^bot, say (%w+)%.$" }, function(ev, word) ev:reply(word) end)
    on("privmsg", { match = "^bot, add (%d+) and (%d+)$" }, function(ev, a, b)
      ev:reply(("%d"):format(a + b))
    end)
  ]])
  local alice = bot:person("alice", "#room")
  alice:says("bot, say cheese.")
  t.expect(bot:said("#room")):equals("cheese")
  alice:says("bot, add 20 and 22")
  t.expect(bot:said("#room")):equals("42")
  alice:says("bot, say two words.")
  t.expect(bot:said("#room")):equals(nil)
end)

t.test("a handler that pauses holds up no other", function()
  local bot = client([[
    on("privmsg", function(ev)
      sleep(2)
      ev:reply("slow: " .. ev.message)
    end)
    on("privmsg", function(ev) ev:reply("quick: " .. ev.message) end)
  ]])
  local alice = bot:person("alice", "#room")
  alice:says("one")
  t.expect(bot:said("#room")):equals("quick: one")
  t.advance(1)
  alice:says("two")
  t.expect(bot:said("#room")):equals("quick: two")
  t.expect(bot:said("#room", 9)):equals("slow: one")
  t.expect(t.now()):near(2)
  t.expect(bot:said("#room", 9)):equals("slow: two")
  t.expect(t.now()):near(3)
end)

t.test("a handler that fails is logged, and the others run", function()
  local bot = client([[
    on("privmsg", function(ev) error("no answer to " .. ev.message) end)
    on("privmsg", function(ev) ev:reply("yes") end)
  ]])
  local alice = bot:person("alice", "#room")
  for _ = 1, 2 do
    alice:says("well?")
    t.expect(bot:said("#room")):equals("yes")
    t.expect(t.logged("on privmsg .*no answer to well%?")):differs(nil)
  end
end)

t.test("an event of one's own reaches all its handlers, after who made it has paused", function()
  local order = {}
  local first = on("goal", function(ev) table.insert(order, "first " .. ev.team) end)
  local second = on("Goal", function(ev)
    table.insert(order, "second " .. ev.team)
    sleep(1)
    table.insert(order, "second goes on")
  end)
  trigger("goal", { team = "home" })
  table.insert(order, "triggered")
  t.advance(1)
  t.expect(order):equals({ "triggered", "first home", "second home", "second goes on" })
  first:off()
  second:off()
  trigger("goal", { team = "guests" })
  t.settle()
  t.expect(#order):equals(4)
end)

t.test("handlers of own events answer one another", function()
  local bot = client([[
    on("ask", function(ev)
      sleep(0.5)
      trigger("answer", { who = ev.who, text = "it is " .. ev.text })
    end)
    on("answer", function(ev)
      send("privmsg", { target = "#room", message = ev.who .. ": " .. ev.text })
    end)
    on("privmsg", function(ev) trigger("ask", { who = ev.nick, text = ev.message }) end)
  ]])
  local alice = bot:person("alice", "#room")
  alice:says("late")
  t.expect(bot:said("#room", 1)):equals("alice: it is late")
  t.expect(t.now()):near(0.5)
end)

t.test("once hears the first event only, also when more come at the same moment", function()
  local bot = client([[
    once("privmsg", { match = "^hello" }, function(ev) ev:reply("hello, " .. ev.nick) end)
  ]])
  local alice, bob = bot:person("alice", "#room"), bot:person("bob", "#room")
  alice:says("who is here?")
  alice:says("hello")
  bob:says("hello")
  t.expect(bot:said("#room")):equals("hello, alice")
  t.expect(bot:said("#room")):equals(nil)
end)

local asking = [[
  on("privmsg", { match = "^!order$" }, function(ev)
    ev:reply("what would you like, " .. ev.nick .. "?")
    local what = wait("privmsg", { nick = ev.nick, channel = ev.channel }, 30)
    if what then
      ev:reply(ev.nick .. " gets " .. what.message)
    else
      ev:reply(ev.nick .. " gets nothing")
    end
  end)
]]

t.test("a handler waits for the next message of the same person", function()
  local bot = client(asking)
  local alice, bob = bot:person("alice", "#room"), bot:person("bob", "#room")
  alice:says("!order")
  t.expect(bot:said("#room")):equals("what would you like, alice?")
  bob:says("she wants water")
  alice:says("tea")
  t.expect(bot:said("#room")):equals("alice gets tea")
  t.advance(60)
  t.expect(bot:said("#room")):equals(nil)
end)

t.test("conversations at the same time do not mix, and each has its own patience", function()
  local bot = client(asking)
  local alice, bob = bot:person("alice", "#room"), bot:person("bob", "#room")
  alice:says("!order")
  t.expect(bot:said("#room")):equals("what would you like, alice?")
  t.advance(20)
  bob:says("!order")
  t.expect(bot:said("#room")):equals("what would you like, bob?")
  t.expect(bot:said("#room", 60)):equals("alice gets nothing")
  t.expect(t.now()):near(30)
  bob:says("coffee")
  t.expect(bot:said("#room")):equals("bob gets coffee")
end)

t.test("a quiz knows who it asked under another nick, and nobody else by the old one", function()
  local bot = client([[
    on("privmsg", { match = "^!quiz$" }, function(ev)
      repeat
        local answer, why = ev:ask("what is the capital of France?", 30)
        if not answer then return ev:reply("no answer: " .. why) end
        local right = answer.message:lower() == "paris"
        ev:reply((right and "right, " or "wrong, ") .. answer.nick)
      until right or not ev:confirm("once more?", 30)
    end)
  ]])
  local alice, bob = bot:person("alice", "#room"), bot:person("bob", "#room")
  alice:says("!quiz")
  t.expect(bot:said("#room")):equals("what is the capital of France?")
  t.advance(20)
  alice:renames("alice_away")
  alice:renames("alison")
  bob:renames("alice")
  bob:says("Paris")
  alice:tells("Paris")
  alice:acts("thinks")
  t.expect(bot:said("#room")):equals(nil)
  alice:says("Berlin")
  t.expect(bot:said("#room")):equals("wrong, alison")
  t.expect(bot:said("#room")):equals("once more?")
  alice:says("well")
  bob:says("no!")
  t.advance(20)
  alice:says("OK!")
  t.expect(bot:said("#room")):equals("what is the capital of France?")
  t.advance(20)
  alice:says("Paris")
  t.expect(bot:said("#room")):equals("right, alison")
  bob:says("!quiz")
  t.expect(bot:said("#room")):equals("what is the capital of France?")
  bob:quits()
  alice:renames("alice")
  alice:says("Paris")
  t.expect(bot:said("#room", 60)):equals("no answer: timeout")
  t.expect(t.now()):near(90)
end)

t.test("wait_all has all of its events, in whatever order they came", function()
  local both = spawn(wait_all, { "bread", "butter" })
  after(2, trigger, "butter", { grams = 250 })
  after(3, trigger, "butter", { grams = 500 })
  after(5, trigger, "bread", { loaves = 2 })
  local got = both:join()
  t.expect(t.now()):near(5)
  t.expect(got.bread.loaves):equals(2)
  t.expect(got.butter.grams):equals(250)
end)

t.test("wait_all gives up when one of its events does not come in time", function()
  after(2, trigger, "butter")
  local got, why = wait_all({ "bread", "butter" }, 10)
  t.expect(got):equals(nil)
  t.expect(why):equals("timeout")
  t.expect(t.now()):near(10)
end)

t.test("a handler of client_disconnect sleeps, connects, and says that it is back", function()
  local bot = client([[
    on("client_disconnect", function()
      sleep(3)
      connect()
      send("privmsg", { target = "#bottom-dev", message = "I'm baaack!" })
    end)
  ]], { channels = "#bottom-dev" })
  for round = 1, 2 do
    t.advance(100 * round - t.now())
    bot.net:drop()
    t.expect(bot:said("#bottom-dev", 60)):equals("I'm baaack!")
    t.expect(t.now()):near(100 * round + 3)
  end
  t.expect(bot.net:attempts()):equals({ 0, 103, 203 })
end)

t.test("who connects once gets the failure, and is left to try again", function()
  local bot = client([[
    on("client_disconnect", function()
      sleep(3)
      local net, why, kind = connect()
      log(("%s (%s): %s"):format(net, kind, why))
    end)
  ]])
  t.advance(100)
  bot.net:down()
  bot.net:drop()
  t.advance(10)
  t.expect(t.logged("nil %(refused%): ")):differs(nil)
  bot.net:down(false)
  t.advance(3600)
  t.expect(bot.net:attempts()):equals({ 0, 103 })
end)

t.test("spawn(connect) makes each failure a client_disconnect, so the handler goes on", function()
  local bot = client([[
    on("client_disconnect", function()
      sleep(3)
      spawn(connect)
      wait("client_connect")
      send("privmsg", { target = "#bottom-dev", message = "I'm baaack!" })
    end)
  ]], { channels = "#bottom-dev" })
  t.advance(100)
  bot.net:down()
  bot.net:drop()
  t.advance(10)
  bot.net:down(false)
  -- Each of the handlers has waited since its own failure.
  for _ = 1, 4 do
    t.expect(bot:said("#bottom-dev", 60)):equals("I'm baaack!")
    t.expect(t.now()):near(112)
  end
  t.expect(bot:said("#bottom-dev", 60)):equals(nil)
  t.expect(bot.net:attempts()):equals({ 0, 103, 106, 109, 112 })
end)

local in_a_loop = [[
  spawn(function()
    while true do
      if connect() then wait("client_disconnect") end
      sleep(5)
    end
  end)
]]

t.test("a loop connects, waits for the end and sleeps", function()
  local bot = client(in_a_loop, { autoconnect = false, channels = "#bottom-dev" })
  t.expect(bot:did("JOIN")):equals({ "#bottom-dev" })
  t.advance(100)
  bot.net:drop()
  t.expect(bot:did("JOIN", 60)):equals({ "#bottom-dev" })
  t.advance(200 - t.now())
  bot.net:down()
  bot.net:drop()
  t.advance(12)
  bot.net:down(false)
  t.expect(bot:did("JOIN", 60)):equals({ "#bottom-dev" })
  t.expect(bot.net:attempts()):equals({ 0, 105, 205, 210, 215 })
end)

t.test("the loop misses no end, not even one right after the connection is ready", function()
  local net = t.network()
  net:flood(6, 1) -- one line less than it takes to register and join
  client(in_a_loop, { autoconnect = false, channels = "#bottom-dev", networks = { net } })
  t.advance(12)
  t.expect(net:attempts()):equals({ 0, 5, 10 })
  net:flood(0)
  t.advance(3600)
  t.expect(net:attempts()):equals({ 0, 5, 10, 15 })
  t.expect(net:modes("#bottom-dev", "ebb")):equals("o")
end)

local with_backoff = [[
  on("client_disconnect", function(ev)
    if ev.requested then return end
    local delay = 2
    repeat
      sleep(delay)
      delay = math.min(delay * 2, 300)
    until connect()
    send("privmsg", { target = "#bottom-dev", message = "I'm baaack!" })
  end)
  on("privmsg", { match = "^!leave$" }, function() disconnect("good night") end)
]]

t.test("with backoff the attempts lie ever further apart, until one succeeds", function()
  local bot = client(with_backoff, { channels = "#bottom-dev" })
  t.advance(100)
  bot.net:down()
  bot.net:drop()
  t.advance(60)
  bot.net:down(false)
  t.expect(bot:said("#bottom-dev", 60)):equals("I'm baaack!")
  t.expect(bot.net:attempts()):equals({ 0, 102, 106, 114, 130, 162 })
  t.advance(200 - t.now())
  bot.net:drop()
  t.expect(bot:said("#bottom-dev", 60)):equals("I'm baaack!")
  t.expect(t.now()):near(202)
end)

t.test("after a disconnect that somebody asked for nobody comes back", function()
  local bot = client(with_backoff, { channels = "#bottom-dev" })
  bot:person("alice", "#bottom-dev"):says("!leave")
  t.expect(bot:did("QUIT")):equals({ "Quit: good night" })
  t.advance(3600)
  t.expect(bot.net:attempts()):equals({ 0 })
end)

t.test("two policies of coming back share their attempts", function()
  local bot = client(in_a_loop .. with_backoff, { channels = "#bottom-dev" })
  t.advance(100)
  bot.net:down()
  bot.net:drop()
  t.advance(10)
  bot.net:down(false)
  t.expect(bot:said("#bottom-dev", 60)):equals("I'm baaack!")
  t.expect(bot:said("#bottom-dev", 60)):equals(nil)
  -- 102 and 107 are the handler's, 107 because of the guard; at 115 both want to.
  t.expect(bot.net:attempts()):equals({ 0, 102, 105, 107, 110, 115 })
end)

t.test("a handler of all lines logs each as it was received", function()
  local bot = client(register .. [[
    local seen = 0
    on("*", function(ev)
      seen = seen + 1
      log(("%s got: %s"):format(ev.network, ev.raw))
    end)
    on("privmsg", { match = "^!seen$" }, function(ev) ev:reply(tostring(seen)) end)
  ]], { register = "manual" })
  t.expect(t.logged("test got: :irc%.sim%.example 001 bottom%-bot :Welcome")):differs(nil)
  t.expect(t.logged("test got: :irc%.sim%.example 422 bottom%-bot ")):differs(nil)
  local alice = bot:person("alice", "#bottom-dev")
  t.expect(t.logged("test got: :alice!%S+ JOIN ")):differs(nil)
  alice:acts("waves")
  t.expect(t.logged("test got: :alice!%S+ PRIVMSG #bottom%-dev :\1ACTION waves\1$")):differs(nil)
  local n = 0
  while t.logged("test got: ") do n = n + 1 end
  alice:says("!seen")
  t.expect(t.logged("test got: :alice!%S+ PRIVMSG #bottom%-dev :!seen$")):differs(nil)
  t.expect(bot:said("#bottom-dev")):equals(tostring(4 + n + 1))
end)

t.test("a script answers on the network where it was asked", function()
  local red, blue = t.network{ name = "red" }, t.network{ name = "blue" }
  local bot = client([[
    on("privmsg", { match = "^!where$" }, function(ev)
      sleep(1)
      send("privmsg", { target = ev.nick, message = "on " .. network().name })
    end)
  ]], { networks = { red, blue }, channels = "#room" })
  local alice, bob = red:person("alice", "#room"), blue:person("bob", "#room")
  alice:says("!where")
  bob:says("!where")
  t.expect(bot:said("alice", 5)):equals("on red")
  t.expect(bot:said("bob", 5)):equals("on blue")
end)

t.test("a relay hears one network and talks to the other", function()
  local red, blue = t.network{ name = "red" }, t.network{ name = "blue" }
  local bot = client([[
    local other = { red = "blue", blue = "red" }
    on("privmsg", { channel = "#room" }, function(ev)
      local text = ("[%s] <%s> %s"):format(ev.network, ev.nick, ev.message)
      network(other[ev.network]):send("privmsg", { target = "#room", message = text })
    end)
  ]], { networks = { red, blue }, channels = "#room" })
  local alice = red:person("alice", "#room")
  blue:person("bob", "#room"):says("hello from bob")
  t.expect(bot:said("#room")):equals("[blue] <bob> hello from bob")
  alice:says("hello from alice")
  t.expect(bot:said("#room")):equals("[red] <alice> hello from alice")
  t.expect(bot:said("#room")):equals(nil)
end)

t.test("the end of one network is none of another", function()
  local red, blue = t.network{ name = "red" }, t.network{ name = "blue" }
  local bot = client(with_backoff .. [[
    on("privmsg", { match = "^!count$" }, function(ev)
      for _ = 1, 2 do
        local said, why = wait("privmsg", 60)
        send("privmsg", { target = "#bottom-dev", message = said and said.message or why })
      end
    end)
  ]], { networks = { red, blue }, channels = "#bottom-dev" })
  red:person("alice", "#bottom-dev")
  local bob = blue:person("bob", "#bottom-dev")
  bob:says("!count")
  t.advance(10)
  red:drop()
  t.expect(bot:said("#bottom-dev", 10)):equals("I'm baaack!")
  bob:says("one")
  bob:says("two")
  t.expect(bot:said("#bottom-dev")):equals("one")
  t.expect(bot:said("#bottom-dev")):equals("two")
  t.expect(red:attempts()):equals({ 0, 12 })
  t.expect(blue:attempts()):equals({ 0 })
end)
