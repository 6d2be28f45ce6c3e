-- What the client itself does on a network, without a script's help: it logs in, keeps its nick and
-- its channels, and sees what others become.

local t = require "ebb.test"

local function client(code, settings)
  local options = { { name = "client", code = code } }
  for key, value in pairs(settings or {}) do options[key] = value end
  return t.bot(options)
end

-- Logs how each connection ends.
local ends = [[
  on("client_disconnect", function(ev) log("ended: " .. ev.kind) end)
]]

t.test("a bot with an account logs in before it joins", function()
  local net = t.network{ accounts = { ebb = "secret" } }
  client([[
    local order = {}
    on({ "rpl_loggedin", "rpl_welcome", "join" }, function(ev)
      table.insert(order, ev.event)
      if ev.event == "join" then
        log("order: " .. table.concat(order, " ") .. ", as " .. tostring(ev.account))
      end
    end)
  ]], { networks = { net }, channels = "#room", sasl = "plain", password = "secret" })
  t.expect(t.logged("order: rpl_loggedin rpl_welcome join, as ebb$")):differs(nil)
end)

t.test("a password that takes more than one line is one", function()
  local long = ("x"):rep(295)
  local net = t.network{ accounts = { ebb = long } }
  local bot = client(ends, { networks = { net }, channels = "#room", sasl = "plain",
    password = long })
  t.expect(bot:did("JOIN")):equals({ "#room" })
end)

t.test("a wrong password ends the connection, and no channel is joined", function()
  local net = t.network{ accounts = { ebb = "secret" } }
  local bot = client(ends, { networks = { net }, channels = "#room", sasl = "plain",
    password = "wrong" })
  t.expect(t.logged("ended: sasl$")):differs(nil)
  t.expect(bot:did("JOIN")):equals(nil)
end)

t.test("where the login is not required, the bot goes on without", function()
  local net = t.network()
  net:sasl_fails("services are tired")
  local bot = client(ends, { networks = { net }, channels = "#room", sasl = "plain",
    password = "secret", sasl_required = false })
  t.expect(t.logged("services are tired")):differs(nil)
  t.expect(bot:did("JOIN")):equals({ "#room" })
  t.expect(t.logged("ended")):equals(nil)
end)

t.test("a login that failed succeeds on the next connection", function()
  local net = t.network()
  net:sasl_fails()
  local bot = client(ends .. [[
    on("client_disconnect", function()
      sleep(5)
      connect()
    end)
  ]], { networks = { net }, channels = "#room", sasl = "plain", password = "secret" })
  t.expect(t.logged("ended: sasl$")):differs(nil)
  net:sasl_fails(false)
  t.expect(bot:did("JOIN", 60)):equals({ "#room" })
  t.expect(net:attempts()):equals({ 0, 5 })
end)

t.test("the bot logs in once services are back", function()
  local net = t.network()
  net:services(false)
  client([[
    on("rpl_loggedin", function(ev) log("logged in: " .. ev.message) end)
  ]], { networks = { net }, sasl = "plain", password = "secret", sasl_required = false })
  t.expect(t.logged("logged in: ")):equals(nil)
  net:services()
  t.expect(t.logged("logged in: You are now logged in as ebb$")):differs(nil)
end)

t.test("the accounts of others are seen, and follow their changes", function()
  local bot = client([[
    on("account", function(ev) log(("%s is now %s"):format(ev.nick, ev.account)) end)
    on("privmsg", function(ev) ev:reply("for " .. tostring(ev.account)) end)
  ]])
  local alice = bot:person("alice", "#room")
  alice:says("hello")
  t.expect(bot:said("#room")):equals("for nil")
  alice:login("wonder")
  t.expect(t.logged("alice is now wonder$")):differs(nil)
  alice:says("hello")
  t.expect(bot:said("#room")):equals("for wonder")
  alice:login()
  t.expect(t.logged("alice is now ")):differs(nil)
  alice:says("hello")
  t.expect(bot:said("#room")):equals("for nil")
end)

-- Where the server tells when a nick is free, and where one has to ask.
for profile, within in pairs{ inspircd = 0, ngircd = 90 } do
  t.test("the wanted nick is taken back on " .. profile, function()
    local net = t.network{ profile = profile }
    local holder = net:person("ebb")
    local bot = client("", { networks = { net }, nick = "ebb", alt_nicks = "ebb_" })
    t.expect(bot.nick):equals("ebb_")
    t.advance(100)
    t.expect(bot.nick):equals("ebb_")
    holder:quits()
    t.advance(within)
    t.expect(bot.nick):equals("ebb")
  end)
end

t.test("a bot that was renamed takes its nick back, but not at once", function()
  local bot = client("", { nick = "ebb" })
  bot.net:rename("ebb", "Guest4711")
  t.settle()
  t.expect(bot.nick):equals("Guest4711")
  t.advance(90)
  t.expect(bot.nick):equals("ebb")
end)

t.test("who is kicked is back after five seconds", function()
  local net = t.network()
  local alice = net:person("alice", "#room")
  local bot = client("", { networks = { net }, channels = "#room" })
  t.expect(bot:did("JOIN")):equals({ "#room" })
  t.advance(100)
  alice:kicks("ebb")
  t.expect(net:modes("#room", "ebb")):equals(nil)
  t.expect(bot:did("JOIN", 60)):equals({ "#room" })
  t.expect(t.now()):near(105)
end)

t.test("a join that is refused is tried again", function()
  local net = t.network()
  net:refuse_join("#room", "471", 1)
  local bot = client("", { networks = { net }, channels = "#room" })
  t.expect(bot:did("JOIN")):equals(nil)
  t.expect(bot:did("JOIN", 3600)):equals({ "#room" })
  t.expect(t.now()):near(60)
end)

t.test("a channel for those who are logged in is joined when the bot is", function()
  local net = t.network()
  net:refuse_join("#room", "477")
  local bot = client("", { networks = { net }, channels = "#room" })
  t.advance(10)
  t.expect(bot:did("JOIN")):equals(nil)
  net:refuse_join("#room", false)
  net:login("ebb", "ebb")
  t.expect(bot:did("JOIN")):equals({ "#room" })
end)

t.test("a bot that is sent to another channel stays there, and does not insist", function()
  local net = t.network()
  net:forward("#room", "##room")
  local bot = client("", { networks = { net }, channels = "#room" })
  t.expect(bot:did("JOIN")):equals({ "##room" })
  net:forward("#room", false)
  t.expect(bot:did("JOIN", 7200)):equals(nil)
end)

t.test("changes of host, of name and of absence are events", function()
  local bot = client([[
    on("chghost", function(ev) log(("%s moves to %s@%s"):format(ev.nick, ev.new_user, ev.new_host)) end)
    on("setname", function(ev) log(ev.nick .. " is " .. ev.real_name) end)
    on("away", function(ev) log(ev.nick .. ": " .. tostring(ev.message)) end)
  ]])
  local alice = bot:person("alice", "#room")
  bot.net:chghost("alice", "staff.example")
  t.expect(t.logged("alice moves to alice@staff%.example$")):differs(nil)
  alice:raw("SETNAME :Alice A.")
  t.expect(t.logged("alice is Alice A%.$")):differs(nil)
  alice:away("lunch")
  t.expect(t.logged("alice: lunch$")):differs(nil)
  alice:away()
  t.expect(t.logged("alice: nil$")):differs(nil)
end)

t.test("history is replayed, and no command runs from it", function()
  local net = t.network()
  local alice = net:person("alice", "#room")
  alice:mode("+H 10:3600")
  alice:says("!ping")
  local bot = client([[
    on("privmsg", { match = "^!ping$" }, function(ev) ev:reply("pong") end)
    on("privmsg", { replayed = true }, function(ev) log("replayed: " .. ev.message) end)
  ]], { networks = { net }, channels = "#room" })
  t.expect(t.logged("replayed: !ping$")):differs(nil)
  t.expect(bot:said("#room")):equals(nil)
  alice:says("!ping")
  t.expect(bot:said("#room")):equals("pong")
end)

t.test("what a network of a test is told wrong is an error", function()
  local net = t.network()
  t.expect(function() t.network{ accounts = "ebb" } end):raises("accounts: a table of names")
  t.expect(function() t.network{ accounts = { ebb = 1 } } end):raises("accounts: a table of names")
  t.expect(function() net:refuse_join("#a", "470") end):raises("400 to 599 but 470")
  t.expect(function() net:login("nobody", "x") end):raises("there is no 'nobody'")
  t.expect(function() net:rename("nobody", "x") end):raises("cannot become")
  t.expect(function() net:chghost("nobody", "x") end):raises("there is no 'nobody'")
end)
