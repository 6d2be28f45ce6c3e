local t = require "ebb.test"

local secret = "s3s%ame"

-- Somebody who is NickServ on a network with the wanted nick free, or taken, and the bot.
local function scene(options, is_taken)
  local net = t.network()
  local nickserv = net:person("NickServ")
  local ghost = is_taken and net:person("ebb")
  local script = { name = "nickserv", password = secret }
  for key, value in pairs(options or {}) do script[key] = value end
  local bot = t.bot{ script, networks = { net }, nick = "ebb", alt_nicks = { "ebb_" } }
  return bot, nickserv, net, ghost
end

local function expect_no_secret()
  t.expect(t.logged((secret:gsub("%p", "%%%0")))):equals(nil)
end

t.test("the bot identifies when it is connected, and once", function()
  local bot, nickserv = scene()
  t.expect(bot:said("NickServ")):equals("IDENTIFY " .. secret)
  nickserv:notices("This nickname is registered. Please choose another, or identify.", "ebb")
  nickserv:notices("You are now identified for \2ebb\2.", "ebb")
  t.expect(t.logged("test: identified: You are now identified for ebb%.")):differs(nil)
  t.advance(24 * 3600)
  t.expect(bot:said("NickServ")):equals(nil)
  expect_no_secret()
end)

t.test("the service, the account and the request are configured", function()
  local bot, nickserv = scene{ service = "X@services.test", account = "robot", identify = "login" }
  t.expect(bot:did("PRIVMSG")):equals(nil)
  t.expect(t.logged("X@services.test")):differs(nil)
  bot, nickserv = scene{ account = "robot", identify = "login" }
  t.expect(bot:said("NickServ")):equals("LOGIN robot " .. secret)
  nickserv:notices("You are now logged in as robot.", "ebb")
  t.expect(t.logged("identified: You are now logged in")):differs(nil)
end)

t.test("who gets no answer waits for longer each time", function()
  local bot, nickserv = scene()
  local asked, last = {}, t.now()
  for i = 1, 9 do
    t.expect(bot:said("NickServ", 7200)):equals("IDENTIFY " .. secret)
    asked[i], last = t.now() - last, t.now()
  end
  local expected = { 0, 60, 90, 150, 270, 510, 990, 1830, 1830 } -- 30 of each for the answer
  for i, seconds in ipairs(expected) do t.expect(asked[i]):near(seconds, 1) end
  nickserv:notices("Password accepted - you are now recognized.", "ebb")
  t.advance(24 * 3600)
  t.expect(bot:said("NickServ")):equals(nil)
  expect_no_secret()
end)

t.test("a network without services is asked again later", function()
  local net = t.network()
  local bot = t.bot{ { name = "nickserv", password = secret }, networks = { net }, nick = "ebb" }
  t.expect(t.logged("NickServ: No such nick")):differs(nil)
  local nickserv = net:person("NickServ")
  t.expect(bot:said("NickServ", 31)):equals("IDENTIFY " .. secret)
  nickserv:notices("You are now identified.", "ebb")
  expect_no_secret()
end)

t.test("services that come back and ask are told", function()
  local bot, nickserv = scene()
  t.expect(bot:said("NickServ")):equals("IDENTIFY " .. secret)
  t.advance(35)
  nickserv:notices("This nickname is registered. To identify, type /msg NickServ IDENTIFY.", "ebb")
  t.expect(bot:said("NickServ")):equals(nil) -- a try is under way already
  t.expect(bot:said("NickServ", 30)):equals("IDENTIFY " .. secret)
  nickserv:notices("Already identified.", "ebb")
  nickserv:notices("Please identify.", "ebb")
  t.expect(bot:said("NickServ", 3600)):equals(nil)
end)

for _, words in ipairs{ "Invalid password for \2ebb\2.", "Password incorrect.",
  "\2ebb\2 is not a registered nickname.", "Nick \2ebb\2 isn't registered." } do
  t.test("a password that is refused is not sent again: " .. words, function()
    local bot, nickserv, net = scene()
    t.expect(bot:said("NickServ")):equals("IDENTIFY " .. secret)
    nickserv:notices(words, "ebb")
    t.expect(t.logged("NickServ refuses to identify us")):differs(nil)
    nickserv:notices("Please identify.", "ebb")
    t.expect(bot:said("NickServ", 24 * 3600)):equals(nil)
    expect_no_secret()
  end)
end

t.test("another connection is another chance", function()
  local net = t.network()
  local nickserv = net:person("NickServ")
  local bot = t.bot{ { name = "nickserv", password = secret }, { name = "again",
    code = 'on("client_disconnect", function() sleep(60) connect() end)' },
    networks = { net }, nick = "ebb" }
  t.expect(bot:said("NickServ")):equals("IDENTIFY " .. secret)
  nickserv:notices("Password incorrect.", "ebb")
  net:drop()
  t.expect(bot:said("NickServ", 70)):equals("IDENTIFY " .. secret)
  nickserv:notices("You are now identified.", "ebb")
  t.expect(t.logged("NickServ refuses")):differs(nil)
end)

t.test("words of others who say that we are identified do not count", function()
  local bot, nickserv, net = scene()
  local mallory = net:person("mallory")
  t.expect(bot:said("NickServ")):equals("IDENTIFY " .. secret)
  mallory:notices("You are now identified.", "ebb")
  mallory:notices("Please identify.", "ebb")
  t.expect(bot:said("mallory", 30)):equals(nil)
  t.expect(bot:said("NickServ", 60)):equals("IDENTIFY " .. secret)
  nickserv:notices("You are now identified.", "ebb")
end)

t.test("a service that repeats the password does not bring it into the log", function()
  local bot, nickserv = scene()
  t.expect(bot:said("NickServ")):equals("IDENTIFY " .. secret)
  nickserv:notices("You are now identified by " .. secret .. " and " .. secret .. ".", "ebb")
  t.expect(t.logged("now identified by %*%*%* and %*%*%*%.")):differs(nil)
  expect_no_secret()
end)

t.test("GHOST frees the nick, the bot takes it and identifies", function()
  local bot, nickserv, net = scene(nil, true)
  t.expect(bot.nick):equals("ebb_")
  t.expect(bot:said("NickServ")):equals("GHOST ebb " .. secret)
  net:kill("ebb", "GHOST command used")
  nickserv:notices("\2ebb\2 has been ghosted.", "ebb_")
  t.expect(bot:said("NickServ", 5)):equals("IDENTIFY " .. secret)
  t.expect(bot.nick):equals("ebb")
  nickserv:notices("You are now identified.", "ebb")
  expect_no_secret()
end)

t.test("REGAIN gives the nick back by itself", function()
  local bot, nickserv, net = scene({ command = "regain", account = "robot" }, true)
  t.expect(bot:said("NickServ")):equals("IDENTIFY robot " .. secret)
  nickserv:notices("You are now logged in as robot.", "ebb_")
  t.expect(bot:said("NickServ")):equals("REGAIN ebb " .. secret)
  net:kill("ebb", "regained")
  nickserv:notices("\2ebb\2 has been regained.", "ebb_")
  t.settle()
  t.expect(bot.nick):equals("ebb")
  t.expect(bot:said("NickServ", 24 * 3600)):equals(nil)
end)

t.test("a nick that services do not give back is asked for again", function()
  local bot, nickserv, net = scene({ account = "robot" }, true)
  t.expect(bot:said("NickServ")):equals("IDENTIFY robot " .. secret)
  nickserv:notices("You are now logged in as robot.", "ebb_")
  t.expect(bot:said("NickServ")):equals("GHOST ebb " .. secret)
  t.expect(bot:said("NickServ", 61)):equals("GHOST ebb " .. secret)
  nickserv:notices("Access denied.", "ebb_")
  t.expect(t.logged("GHOST ebb: Access denied")):differs(nil)
  t.expect(bot:said("NickServ", 24 * 3600)):equals(nil)
  t.expect(bot.nick):equals("ebb_")
  expect_no_secret()
end)

t.test("a nick that comes free by itself is identified for", function()
  local bot, nickserv, net, ghost = scene(nil, true)
  t.expect(bot:said("NickServ")):equals("GHOST ebb " .. secret)
  ghost:quits("Ping timeout")
  t.expect(bot:said("NickServ", 61)):equals("IDENTIFY " .. secret)
  t.expect(bot.nick):equals("ebb")
  nickserv:notices("You are now identified.", "ebb")
end)

t.test("with none as command the nick is left alone", function()
  local bot, nickserv = scene({ command = "none", account = "robot" }, true)
  t.expect(bot:said("NickServ")):equals("IDENTIFY robot " .. secret)
  nickserv:notices("You are now logged in as robot.", "ebb_")
  t.expect(bot:said("NickServ", 3600)):equals(nil)
end)

-- An INVITE stands for the numeric that tells of a login: the network in the process knows none.
t.test("who is logged in already does not identify", function()
  local net = t.network()
  local nickserv = net:person("NickServ", "#door")
  local bot = t.bot{ { name = "nickserv", password = secret, prelude = [[
    local listen = on
    function on(event, ...) return listen(event == "rpl_loggedin" and "invite" or event, ...) end
  ]] }, networks = { net }, nick = "ebb" }
  t.expect(bot:said("NickServ")):equals("IDENTIFY " .. secret)
  nickserv:invites("ebb")
  nickserv:notices("Please identify.", "ebb")
  t.expect(bot:said("NickServ", 24 * 3600)):equals(nil)
end)

t.test("what is known outlasts a reload", function()
  local bot, nickserv = scene()
  t.expect(bot:said("NickServ")):equals("IDENTIFY " .. secret)
  t.expect(bot:reload("nickserv")):equals(true)
  t.expect(bot:said("NickServ", 5)):equals("IDENTIFY " .. secret)
  nickserv:notices("You are now identified.", "ebb")
  t.settle()
  t.expect(bot:reload("nickserv")):equals(true)
  nickserv:notices("Please identify.", "ebb")
  t.expect(bot:said("NickServ", 3600)):equals(nil)
end)

t.test("a password must be given", function()
  t.expect(function() t.bot{ "nickserv" } end):raises("cannot be loaded")
  t.expect(t.logged("password is missing")):differs(nil)
end)

t.test("only commands are sent that the log masks", function()
  for key, error in pairs{ command = "one of GHOST REGAIN", identify = "one of IDENTIFY AUTH" } do
    local script = { name = "nickserv", password = secret, [key] = "tell" }
    t.expect(function() t.bot{ script } end):raises("cannot be loaded")
    t.expect(t.logged(key .. ": " .. error)):differs(nil)
  end
end)
