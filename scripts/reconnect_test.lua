local t = require "ebb.test"

local day = 24 * 3600

-- The policy, to which chance gives this part of every span: with 0 it waits the least that it
-- may, with 1 the most.
local function policy(part)
  return { name = "reconnect", prelude = "function math.random() return " .. part .. " end" }
end

-- Another script of the bot, which does something by itself.
local function operator(code)
  return { name = "operator", code = code }
end

-- Faults, and ends of a connection, for the table below.
local function down(net) net:down() end

local function mute(how)
  return function(net) net:silence(how) end
end

local function sasl_fails(net) net:sasl_fails() end

local function close(words)
  return function(net) net:close(words) end
end

local function refuse(...)
  local words = table.pack(...)
  return function(net) net:refuse(table.unpack(words, 1, words.n)) end
end

-- Gives every end and every failed attempt another kind: in a network inside the process there are
-- no look-ups, no TLS and nothing of the machine that could be short.
local as_kind = [[
  local kind, listen, dial = "%s", on, connect
  function on(event, handler)
    return listen(event, function(ev) handler(setmetatable({ kind = kind }, { __index = ev })) end)
  end
  function connect()
    local net, why = dial()
    return net, why, not net and kind or nil
  end
]]

-- What happens and the kind that it is; what is waited at least, the first span and the longest;
-- then how it is brought about. A fault is there from the beginning, `ends` ends a connection that
-- stands; `takes` is how long it is from the attempt to its end; `login`: the bot has an account.
-- What is a `fake` the policy is made to take for its kind.
local rows = {
  { "nobody listens", "refused", 0, 2, 300, fault = down },
  { "the server does not answer", "timeout", 0, 2, 300, fault = mute(true), takes = 60 },
  { "the server falls silent", "ping", 0, 2, 300, fault = mute("ready"), takes = 150 },
  { "the connection is reset", "closed", 0, 2, 300, ends = function(net) net:drop() end },
  { "the server goes down", "closed", 0, 2, 300, ends = close("Server going down") },
  { "an operator kills it", "killed", 15, 30, 600, ends = function(net) net:kill("ebb") end },
  { "the password is wrong", "registration", 15, 30, 1800, fault = refuse("464") },
  { "the server wants somebody else", "registration", 15, 30, 1800,
    fault = refuse("ERROR", nil, "You are not authorised") },
  { "every nick is taken", "nick", 15, 30, 600, fault = refuse("433") },
  { "it comes too fast", "throttled", 60, 30, 600,
    fault = refuse("ERROR", nil, "Trying to reconnect too fast.") },
  { "it is one too many", "throttled", 60, 30, 600, ends = close("Too many connections") },
  { "the server is full", "throttled", 60, 30, 600,
    fault = refuse("ERROR", nil, "No more connections allowed") },
  { "it says too much", "throttled", 60, 30, 600,
    ends = close("Closing Link: h.example (Excess Flood)") },
  { "it is banned", "banned", 3600, 600, 7200, fault = refuse("465") },
  { "a ban throws it out", "banned", 3600, 600, 7200, ends = close("K-lined: spam") },
  { "the encryption fails", "tls", 5, 10, 600, fault = down, fake = true },
  { "the proxy does not let us through", "denied", 15, 30, 1800, fault = down, fake = true },
  { "it cannot log in", "sasl", 15, 30, 1800, fault = sasl_fails, login = true },
  { "the host has no address", "dns", 0, 2, 300, fault = down, fake = true },
  { "the machine lacks something", "limit", 0, 2, 300, fault = down, fake = true },
  { "the machine refuses", "system", 0, 2, 300, fault = down, fake = true },
}

-- The attempts of one bot, n after the first, with what it waited for. The guard holds back what
-- comes before two seconds have passed.
local function follow(row, part, n)
  local _, kind, least, first, longest = table.unpack(row)
  local takes, net, script = row.takes or 0, t.network(), policy(part)
  local due = { t.now() }
  if row.fake then script.prelude = script.prelude .. as_kind:format(kind) end
  if row.fault then row.fault(net) end
  local login = row.login and "plain" or nil
  local bot = t.bot{ script, networks = { net }, sasl = login, password = login }
  for i = 1, n do
    local wait = least + part * math.min(first * 2 ^ (i - 1), longest)
    if row.ends then row.ends(net) end
    t.advance(takes)
    t.expect(t.logged(("next attempt in %.1f s: %s: "):format(wait, kind))):differs(nil)
    due[i + 1] = due[i] + math.max(takes + wait, 2)
    t.advance(due[i + 1] - t.now())
  end
  bot:stop()
  t.expect(net:attempts()):equals(due)
end

for _, row in ipairs(rows) do
  local title = "when %s (%s), it waits %d s and a part of a span that grows from %d to %d s"
  t.test(title:format(table.unpack(row)), function()
    follow(row, 1, 9)
    follow(row, 0.5, 4)
    follow(row, 0, 4)
  end)
end

t.test("the span doubles with each try, and the guard holds back who is impatient", function()
  local patient, impatient = t.network(), t.network()
  down(patient)
  down(impatient)
  local one = t.bot{ policy(1), networks = { patient } }
  local other = t.bot{ policy(0), networks = { impatient } }
  t.advance(1200)
  t.expect(patient:attempts()):equals{ 0, 2, 6, 14, 30, 62, 126, 254, 510, 810, 1110 }
  t.expect(impatient:attempts()):equals{
    0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 600, 602, 604, 606, 608, 610, 612, 614, 616, 618, 1200,
  }
  one:stop()
  other:stop()
end)

t.test("chance decides how much of a span is waited", function()
  local net, script = t.network(), { name = "reconnect", prelude = "math.randomseed(42)" }
  net:refuse("464")
  local bot = t.bot{ script, networks = { net } }
  math.randomseed(42) -- the same numbers as the policy's
  local at = 0
  for i = 1, 12 do
    at = at + 15 + math.random() * math.min(30 * 2 ^ (i - 1), 1800)
    t.advance(at + 0.001 - t.now())
    t.expect(#net:attempts()):equals(i + 1)
    t.expect(net:attempts()[i + 1]):near(at)
  end
  bot:stop()
end)

t.test("two bots that lose a network together do not come back together", function()
  local net = t.network()
  net:refuse("464")
  local one = t.bot{ "reconnect", networks = { net }, nick = "one" }
  local other = t.bot{ "reconnect", networks = { net }, nick = "other" }
  t.advance(3600)
  local times, seen = net:attempts(), {}
  for i = 3, #times do
    t.expect(seen[times[i]]):equals(nil)
    seen[times[i]] = true
  end
  one:stop()
  other:stop()
end)

t.test("each end counts by its own kind, and all of them as tries", function()
  local bot = t.bot{ policy(1) }
  bot.net:drop()
  bot.net:refuse("465", 1) -- met at 2
  t.advance(2)
  bot.net:refuse("ERROR", 1, "Trying to reconnect too fast.") -- at 2 + 3600 + 1200
  t.advance(4800)
  bot.net:refuse("433", 1) -- at 4802 + 60 + 120
  t.advance(180)
  t.advance(255) -- 15 + 240: it is in
  t.expect(bot.net:attempts()):equals{ 0, 2, 4802, 4982, 5237 }
  bot.net:close("Z-lined")
  t.advance(10800) -- 3600 + 7200
  t.expect(bot.net:attempts()):equals{ 0, 2, 4802, 4982, 5237, 16037 }
end)

-- How many seconds a bot waits that lost its connection after an attempt in vain and so many
-- seconds.
local function wait_after(uptime)
  local net = t.network()
  net:refuse("ERROR", 1, "No authorization")
  local bot = t.bot{ policy(1), networks = { net } }
  t.advance(45 + uptime)
  net:drop()
  t.advance(60)
  bot:stop()
  return net:attempts()[3] - net:attempts()[2] - uptime
end

t.test("a connection that held for ten minutes begins anew, a shorter one does not", function()
  t.expect(wait_after(0)):equals(4)
  t.expect(wait_after(599)):equals(4)
  t.expect(wait_after(599.5)):equals(4)
  t.expect(wait_after(600)):equals(2)
  t.expect(wait_after(7 * 3600)):equals(2)
end)

t.test("the tries of many short connections add up", function()
  local bot = t.bot{ policy(1) }
  for _, wait in ipairs{ 2, 4, 8, 16, 32 } do
    t.advance(100)
    bot.net:drop()
    t.advance(wait)
  end
  t.expect(bot.net:attempts()):equals{ 0, 102, 206, 314, 430, 562 }
end)

t.test("a requested disconnect is not undone", function()
  local bot = t.bot{ policy(0), operator "after(5, disconnect)" }
  t.advance(day)
  t.expect(bot.net:attempts()):equals{ 0 }
end)

t.test("a requested disconnect between two attempts is the end of them", function()
  local net = t.network()
  net:refuse("465")
  local bot = t.bot{ policy(1), operator "after(5000, disconnect)", networks = { net } }
  t.advance(day)
  t.expect(net:attempts()):equals{ 0, 4200 }
end)

t.test("a requested disconnect during an attempt is the end of them", function()
  local net = t.network()
  net:silence()
  local bot = t.bot{ policy(1), operator "after(70, disconnect)", networks = { net } }
  t.advance(day)
  t.expect(net:attempts()):equals{ 0, 62 }
end)

t.test("a requested disconnect while the guard holds an attempt is the end of them", function()
  local net = t.network()
  net:down()
  local bot = t.bot{ policy(0), operator "after(1, disconnect)", networks = { net } }
  t.advance(day)
  t.expect(net:attempts()):equals{ 0 }
end)

t.test("who leaves with QUIT comes back", function()
  local bot = t.bot{ policy(1), operator "after(5, send, 'quit')" }
  t.advance(day)
  t.expect(bot.net:attempts()):equals{ 0, 7 }
end)

t.test("after a requested end, a connection that somebody makes is kept again", function()
  local bot = t.bot{ policy(1), operator "after(5, disconnect) after(100, connect)" }
  t.advance(100)
  t.expect(bot.net:attempts()):equals{ 0, 100 }
  bot.net:drop()
  t.advance(2)
  t.expect(bot.net:attempts()):equals{ 0, 100, 102 }
end)

t.test("a connection is kept again after an end that was requested between attempts", function()
  local net = t.network()
  net:refuse("465", 1)
  t.bot{ policy(1), operator "after(5, disconnect) after(5000, connect)", networks = { net } }
  t.advance(6000)
  net:drop()
  t.advance(2)
  t.expect(net:attempts()):equals{ 0, 5000, 6002 }
end)

t.test("a connection is kept again after an end that was requested during an attempt", function()
  local net = t.network()
  net:silence()
  t.bot{ policy(1), operator "after(70, disconnect) after(100, connect)", networks = { net } }
  t.advance(90)
  net:silence(false)
  t.advance(10)
  net:drop()
  t.advance(4)
  t.expect(net:attempts()):equals{ 0, 62, 100, 104 }
end)

t.test("a network that nobody connects stays as it is", function()
  local bot = t.bot{ policy(1), autoconnect = false }
  t.advance(day)
  t.expect(bot.net:attempts()):equals{}
end)

t.test("a failure that has a caller is the caller's", function()
  local net = t.network()
  net:down()
  t.bot{ policy(1), networks = { net }, autoconnect = false,
    operator "after(5, function() connect() end)" }
  t.advance(day)
  t.expect(net:attempts()):equals{ 5 }
end)

t.test("a failure that has no caller is the policy's", function()
  local net = t.network()
  net:down()
  local bot = t.bot{ policy(1), networks = { net }, autoconnect = false,
    operator "after(5, connect)" }
  t.advance(20)
  t.expect(net:attempts()):equals{ 5, 7, 11, 19 }
  bot:stop()
end)

t.test("there is one loop for each network, whatever else fails meanwhile", function()
  local net = t.network()
  net:down()
  local bot = t.bot{ policy(1), operator "after(10, connect)", networks = { net } }
  t.advance(100)
  t.expect(net:attempts()):equals{ 0, 2, 6, 10, 14, 30, 62 }
  bot:stop()
end)

t.test("a connection that somebody else made is not made again", function()
  local net = t.network()
  net:down()
  t.bot{ policy(1), operator "after(10, connect)", networks = { net } }
  t.advance(9)
  net:down(false)
  t.advance(day)
  t.expect(net:attempts()):equals{ 0, 2, 6, 10 }
end)

t.test("an attempt that somebody else has under way is shared", function()
  local net = t.network{ register_delay = 10 }
  t.bot{ policy(1), operator "after(21, connect)", networks = { net } }
  t.advance(20)
  net:drop()
  t.advance(20) -- the policy asked at 22, and was let in with the other at 31
  t.expect(net:attempts()):equals{ 0, 21 }
  net:drop()
  t.advance(20)
  t.expect(net:attempts()):equals{ 0, 21, 44 }
end)

-- Somebody else connects while the policy waits for its next attempt.

t.test("a connection that somebody else made is kept like the policy's own", function()
  local net = t.network()
  net:refuse("465", 1) -- for which it would wait until 4200
  t.bot{ policy(1), operator "after(100, connect)", networks = { net } }
  t.advance(700)
  net:drop()
  t.advance(2)
  t.expect(net:attempts()):equals{ 0, 100, 702 }
end)

t.test("a ban counts that ends a connection which somebody else made", function()
  local net = t.network()
  net:down()
  t.bot{ policy(1), operator "after(10, connect)", networks = { net } }
  t.advance(9)
  net:down(false)
  t.advance(2)
  net:close("K-lined: spam") -- at 11; it would have tried at 14
  t.advance(day)
  t.expect(net:attempts()):equals{ 0, 2, 6, 10, 11 + 3600 + 4800 }
end)

t.test("a disconnect is not undone whose connection somebody else made", function()
  local net = t.network()
  net:down()
  t.bot{ policy(1), operator "after(10, connect) after(12, disconnect)", networks = { net } }
  t.advance(9)
  net:down(false)
  t.advance(2)
  net:silence() -- the disconnect takes until 14, when it would have tried
  t.advance(day)
  t.expect(net:attempts()):equals{ 0, 2, 6, 10 }
end)

t.test("a disconnect during somebody else's attempt is the end of the policy's, too", function()
  local net = t.network()
  net:down()
  t.bot{ policy(1), networks = { net },
    operator "after(10, function() connect() end) after(11, disconnect)" }
  t.advance(9)
  net:down(false)
  net:silence()
  t.advance(day)
  t.expect(net:attempts()):equals{ 0, 2, 6, 10 }
end)

t.test("a connection that somebody wanted after all, after a disconnect, is kept", function()
  local net = t.network()
  net:refuse("465", 1)
  t.bot{ policy(1), operator "after(5, disconnect) after(100, connect)", networks = { net } }
  t.advance(200)
  net:drop()
  t.advance(4)
  t.expect(net:attempts()):equals{ 0, 100, 204 }
end)

-- The policy, whose task goes on only ten seconds after its connect has returned.
local function slow_policy()
  local script = policy(1)
  script.prelude = script.prelude .. [[
    local dial = connect
    function connect()
      local net, why, kind = dial()
      sleep(10)
      return net, why, kind
    end
  ]]
  return script
end

t.test("a connection that is lost again before the policy has seen it is made again", function()
  local bot = t.bot{ slow_policy() }
  bot.net:drop()
  t.advance(5) -- connected again at 2
  bot.net:close("K-lined: spam")
  t.advance(day)
  t.expect(bot.net:attempts()):equals{ 0, 2, 12 + 3600 + 1200 }
end)

t.test("a connection that was ended on request before the policy has seen it stays so", function()
  local bot = t.bot{ slow_policy(), operator "after(5, disconnect)" }
  bot.net:drop()
  t.advance(day)
  t.expect(bot.net:attempts()):equals{ 0, 2 }
end)

t.test("networks do not affect each other", function()
  local lost, banned, fine, left =
    t.network{ name = "lost" }, t.network{ name = "banned" }, t.network{ name = "fine" },
    t.network{ name = "left" }
  lost:down()
  banned:refuse("465")
  local bot = t.bot{ policy(1), operator "after(5, disconnect, 'left')",
    networks = { lost, banned, fine, left } }
  t.advance(100)
  left:down()
  fine:drop()
  t.advance(9900)
  fine:drop()
  t.advance(2)
  t.expect(lost:attempts()[12]):equals(1410)
  t.expect(banned:attempts()):equals{ 0, 4200, 9000 }
  t.expect(fine:attempts()):equals{ 0, 102, 10002 }
  t.expect(left:attempts()):equals{ 0 }
  bot:stop()
end)

t.test("each attempt takes the next host", function()
  local net = t.network()
  net:down()
  local bot = t.bot{ policy(1), networks = { net }, host = "a.example, b.example:6697" }
  t.advance(6)
  for _, host in ipairs{ "a", "b", "a" } do
    t.expect(t.logged("connecting to [ab]%.")):contains(host .. ".example:6697")
  end
  bot:stop()
end)

t.test("a connection is kept that is slow for a while, as long as its server answers in time", function()
  local bot = t.bot{ policy(0) }
  for lag = 0, 14 do
    bot.net:lag(lag)
    t.advance(150)
    bot.net:lag(0)
    t.advance(30)
  end
  t.expect(bot.net:attempts()):equals{ 0 }
end)

t.test("a connection is made anew whose server takes too long to answer", function()
  local bot = t.bot{ policy(1) }
  bot.net:lag(16) -- each way
  t.advance(150)
  t.expect(t.logged("next attempt in 2.0 s: ping: no answer to PING within 30 s")):differs(nil)
  bot.net:lag(0)
  t.advance(2)
  t.expect(bot.net:attempts()):equals{ 0, 152 }
end)

t.test("who slept finds out at once that the server has given it up", function()
  local bot = t.bot{ policy(1) }
  bot.net:half_open()
  t.suspend(8 * 3600)
  t.expect(t.logged("the machine slept for 28800 s")):differs(nil)
  t.advance(29)
  bot.net:half_open(false)
  t.advance(3) -- found at 30
  t.expect(bot.net:attempts()):equals{ 0, 32 }
  t.advance(3600)
  t.expect(bot.net:attempts()):equals{ 0, 32 }
end)

t.test("who slept stays where the server still is", function()
  local bot = t.bot{ policy(1) }
  for _ = 1, 5 do
    t.suspend(3600)
    t.advance(300)
  end
  t.expect(bot.net:attempts()):equals{ 0 }
end)

t.test("sleep does not make a wait shorter, nor an attempt longer", function()
  local net = t.network()
  net:silence()
  local bot = t.bot{ policy(1), networks = { net } }
  t.advance(30)
  t.suspend(3600)
  t.advance(31) -- the attempt took 60
  t.suspend(3600)
  t.advance(1)
  t.expect(net:attempts()):equals{ 0, 62 }
  bot:stop()
end)

t.test("a bot that comes back is where it was", function()
  local bot = t.bot{ policy(1), operator [[
    once("rpl_endofnames", function()
      send("join", { channel = "#later" })
      send("part", { channel = "#left" })
    end)
  ]], channels = "#room, #left, #key secret" }
  t.settle()
  bot.net:drop()
  t.advance(2)
  t.expect(bot.net:attempts()):equals{ 0, 2 }
  t.expect(bot.net:modes("#room", bot.nick)):differs(nil)
  t.expect(bot.net:modes("#key", bot.nick)):differs(nil)
  t.expect(bot.net:modes("#later", bot.nick)):differs(nil)
  t.expect(bot.net:modes("#left", bot.nick)):equals(nil)
end)

t.test("it is logged what is waited for, and why", function()
  local bot = t.bot{ policy(0.5) }
  bot.net:close("Server going down")
  t.advance(1)
  t.expect(t.logged("next attempt")):equals(
    "script reconnect: test: next attempt in 1.0 s: closed: Server going down")
  bot:stop()
end)

-- The file itself changes.

t.test("a reload of the policy keeps what is left of a wait", function()
  local net = t.network()
  net:down()
  local bot = t.bot{ policy(1), networks = { net } }
  t.advance(5)
  t.expect(net:attempts()):equals{ 0, 2 }
  t.expect(bot:reload("reconnect")):equals(true)
  net:down(false)
  t.advance(0.9)
  t.expect(net:attempts()):equals{ 0, 2 }
  t.advance(0.2)
  t.expect(net:attempts()):equals{ 0, 2, 6 }
end)

t.test("a clock that is set back meanwhile does not make the wait longer", function()
  local net, script = t.network(), policy(1)
  script.prelude = script.prelude .. ([[
    local time = os.time
    function os.time() return time() < %d and time() or time() - 36000 end
  ]]):format(os.time() + 500)
  net:refuse("465", 1)
  local bot = t.bot{ script, networks = { net } }
  t.advance(1000)
  t.expect(bot:reload("reconnect")):equals(true)
  t.advance(4200)
  t.expect(net:attempts()):equals{ 0, 5200 }
end)

t.test("a reload of the policy brings back nothing that it was not about to", function()
  local net = t.network()
  local bot = t.bot{ policy(1), operator [[once("privmsg", function() disconnect() end)]],
    networks = { net }, channels = "#c" }
  bot:person("alice", "#c"):says("go")
  t.expect(bot:reload("reconnect")):equals(true)
  t.advance(day)
  t.expect(net:attempts()):equals{ 0 }
end)

for _, is_up in ipairs{ true, false } do
  t.test("of a network that was removed nothing is kept, connected: " .. tostring(is_up), function()
    local first, guest = t.network{ name = "first" }, t.network{ name = "guest" }
    local bot = t.bot{ policy(1), operator([[
      connect{ name = "guest", host = "guest", nick = "visitor" }
      sleep(100)
      network("guest"):remove()
    ]]), networks = { first } }
    if not is_up then
      guest:down()
      guest:drop()
    end
    t.advance(200)
    bot:reload("reconnect", "log.info('known: %s', next(state.networks))")
    t.expect(t.logged("known: nil")):differs(nil)
  end)
end

t.test("a reload just after a network was removed keeps nothing of it", function()
  local first, guest = t.network{ name = "first" }, t.network{ name = "guest" }
  local bot = t.bot{ policy(1), operator([[
    connect{ name = "guest", host = "guest", nick = "visitor" }
    sleep(100)
    network("guest"):remove()
  ]]), networks = { first } }
  t.advance(100.5)
  bot:reload("reconnect")
  t.advance(20)
  bot:reload("reconnect", "log.info('known: %s', next(state.networks))")
  t.expect(t.logged("known: nil")):differs(nil)
end)
