-- Every name that a script has, used at least once: tests/unit/test_memory.c runs this with memory
-- that fails at each request in turn. Each part is a task of its own: where one ends the others go
-- on.

local function part(fn, ...) return spawn(fn, ...) end

local closer = setmetatable({}, { __close = function() log.debug("closed") end })

-- The standard library.

local function basics()
  assert(_VERSION and _G and ebb.on == on and config.greeting == "hello")
  assert(type(tostring(tonumber("12"))) == "string" and select("#", 1, nil) == 2)
  local t = setmetatable({ 1, 2, 3 }, { __index = function(_, k) return k == "x" and "x!" or nil end })
  assert(getmetatable(t) and t.x == "x!" and rawget(t, "x") == nil and rawlen(t) == 3)
  rawset(t, "y", 1)
  assert(rawequal(t, t) and next(t))
  for _, v in ipairs(t) do assert(v) end
  for k in pairs(t) do assert(k) end
  local f = load("local a = ... return function() return { a, a .. 'x' } end")
  assert(f(7)()[2] == "7x" and not load("syntax error here"))
  assert(load(coroutine.wrap(function() for _ = 1, 3 do coroutine.yield(" ") end end)))
  assert(not pcall(error, { code = 1 }) and not xpcall(error, function(e) return e .. "!" end, "bad"))
  print("printed", 1, nil, {})
  warn("a ", "warning")
  collectgarbage()
  assert(collectgarbage("count") > 0)
  collectgarbage("step")
end

local function strings()
  local s = ("abc"):rep(20, "-")
  assert(s:len() == #s and s:byte(1) == 97 and string.char(97, 98) == "ab")
  assert(s:find("c-a", 1, true) and s:find("(a)(b)") and s:match("^(%w+)-") == "abc")
  for word in s:gmatch("%a+") do assert(word == "abc") end
  assert(s:gsub("b", { b = "x" }):sub(1, 3) == "axc")
  assert(s:gsub("%w", function(c) return c:upper() end):lower() == s)
  assert(string.format("%5.2f %q %s %d", 1.5, "x\n", {}, 3))
  assert(s:reverse():upper())
  assert(string.unpack("<i4", string.pack("<i4", 77)) == 77 and string.packsize("i4") == 4)
  assert(utf8.char(228, 8364) == "ä€" and utf8.len("ä€") == 2 and utf8.codepoint("ä") == 228)
  for p, c in utf8.codes("aä") do assert(p and c) end
  assert(utf8.offset("äb", 2) == 3 and ("a"):match(utf8.charpattern))
end

local function tables()
  local t = table.pack(5, 3, 1)
  table.insert(t, 4)
  table.insert(t, 1, 9)
  table.sort(t)
  table.sort(t, function(a, b) return a > b end)
  assert(table.remove(t) == 1 and table.concat(t, ",") == "9,5,4,3")
  assert(#table.move(t, 1, 4, 2, {}) == 5 and select("#", table.unpack(t, 1, 4)) == 4)
end

local function numbers()
  assert(math.abs(-1) + math.ceil(0.5) + math.floor(1.5) + math.fmod(5, 3) + math.max(1, 2) > 0)
  assert(math.min(1, 2) + math.sqrt(4) + math.exp(0) + math.log(1) + math.sin(0) + math.cos(0) > 0)
  assert(math.tan(0) + math.asin(0) + math.acos(1) + math.atan(0) + math.deg(0) + math.rad(0) == 0)
  assert(math.pi and math.huge and math.maxinteger and math.mininteger and math.modf(1.5))
  assert(math.tointeger(3.0) == 3 and math.type(1) == "integer" and math.ult(1, 2))
  for _, old in ipairs({ "sinh", "cosh", "tanh", "pow", "frexp", "ldexp", "log10", "atan2" }) do
    if math[old] then math[old](1, 2) end -- where Lua is built with them
  end
  math.randomseed(42)
  assert(math.random(10))
  assert(os.time() and os.time({ year = 2020, month = 1, day = 1 }) and os.date("!%c", 0))
  assert(not os.getenv("NOTIFY_SOCKET") and debug.traceback("text", 1))
  assert(os.date("*t").year and os.clock() >= 0 and os.difftime(2, 1) == 1)
end

-- Coroutines.

local function generator(n)
  return coroutine.wrap(function()
    for i = 1, n do
      sleep(0.01)
      coroutine.yield(i, ("item "):rep(i))
    end
  end)
end

local function deep(n)
  if n == 0 then return 0 end
  local ok, r = coroutine.resume(coroutine.create(deep), n - 1)
  return ok and r or n
end

local function coroutines()
  local co = coroutine.create(function(...)
    local c <close> = closer
    assert(coroutine.isyieldable() and coroutine.running())
    coroutine.yield(...)
  end)
  assert(coroutine.status(co) == "suspended" and coroutine.resume(co, 1, 2, 3))
  assert(coroutine.close(co))
  for i, text in generator(2) do
    for k in generator(2) do assert(i and k and text) end
  end
  pcall(coroutine.wrap(function() error({ "in a coroutine" }) end))
  assert(deep(190) == deep(190))
  assert(deep(210)) -- deeper than they may be within each other
end

-- Events.

local fields = { "event", "network", "net", "command", "params", "source", "nick", "user", "host",
  "account", "tags", "msgid", "batch", "bot", "mine", "replayed", "time", "raw", "message",
  "target", "channel", "script" }
local channel_fields = { "name", "net", "joined", "topic", "topic_setter", "topic_time", "modes", "key",
  "created", "count", "complete", "users" }
local user_fields = { "nick", "user", "host", "account", "realname", "away", "bot", "oper", "me",
  "channels", "gone", "net", "prefix", "op", "voice" }

on({ "privmsg", "notice" }, { mine = "any", channel = { "#t", "#u" }, network = "*" }, function(ev)
  local copy = ev:copy()
  for _, name in ipairs(fields) do assert(name ~= "event" or ev[name] == copy[name]) end
  for k, v in pairs(ev) do assert(k and v ~= nil) end
  assert(tostring(ev) and ev == ev and not pcall(function() ev.nick = 1 end))
  ev:reply("a heard " .. ev.message)
  sleep(0.1)
  ev:reply("a bit later")
end)

on("privmsg", { match = "^count (%d+) (%w+)" }, function(ev, n, word)
  ev:reply(n .. word .. ev.event)
end)

on("privmsg", function(ev) return ev.message:match("^filter") end, function() error("a filter passed") end)
on("privmsg", function() error("in a filter") end, print)

once("privmsg", { match = "^ask" }, function(ev)
  local answer, why = ev:ask("what?", 5)
  log.info("%s %s", answer and answer.message, why)
end)

once("privmsg", { match = "^confirm" }, function(ev) log.info("%s", ev:confirm("sure?", 5)) end)

on({ "mode", "rpl_namreply", "rpl_isupport", "topic", "nick" }, function(ev)
  for k, v in pairs(ev:copy()) do log.debug("%s %s", k, v) end
end)

on("client_disconnect", function(ev) log.warn(ev.reason) ev.net:connect() end)
on("client_connect", function(ev) log.error("%s is back", ev.network) end)

local sub = on("*", function() end)
on("own", function(ev) assert(ev.list[2] == 2 and ev.half == 0.5 and ev.script) ev:copy() end)
on("own", { text = "wanted" }, function(ev) log(ev.event) end)

local function listeners()
  sub:off()
  do
    local scoped <close> = on("part", print)
  end
  trigger("own", { list = { 1, 2, { x = "y" } }, half = 0.5, text = "wanted", flag = true })
  for ev, n in events("privmsg", { match = "^count (%d+)", buffer = 3 }, 60) do
    sleep(0.2)
    if ev.message and n == "3" then break end
  end
end

local function waits()
  local ev, word = wait("privmsg", { match = "^count 1 (%w+)" }, 60)
  assert(ev.nick and word)
  wait("privmsg", 0.1)
  local got = wait_all({ "privmsg", "notice" }, 1)
  assert(got == nil or got.privmsg)
  got = wait_all({ "privmsg" }, 60)
  wait("own")
end

-- Networks.

on("part", function(ev)
  local ch, one = ev:chan(), ev.net
  local user = one:user("a")
  for c in one:channels() do assert(c == ch and c == one:channel("#T")) end
  for _, name in ipairs(channel_fields) do log.debug("%s %s", name, ch[name]) end
  for _, name in ipairs(user_fields) do log.debug("%s %s", name, ch.users.a[name]) end
  for nick, member in pairs(ch.users) do assert(tostring(member) == "user " .. nick) end
  assert(#ch.users >= 3 and tostring(ch.users) and tostring(ch) and ch.users[user] == user)
  pcall(function() ch.topic = "x" end)
  ch:op("x", user)
  ch:say("x")
  pcall(ch.mode, ch, "+b", "two words")
  sleep(0.1)
  assert(#ch.users == 3)
  spawn(function()
    for _, m in ipairs({ "deop", "voice", "devoice", "ban", "unban", "mode", "kick", "invite", "notice",
      "act", "set_topic" }) do
      ch[m](ch, "x")
    end
    ch:part()
  end)
end)

local network_fields = { "name", "nick", "account", "state", "host", "port", "lag", "attempt", "dial_in", "caps", "isupport" }

local function nets()
  local one = network("one")
  for net in networks() do
    for _, name in ipairs(network_fields) do assert(name ~= "name" or net[name]) end
    assert(tostring(net) and (net == one) == (net.name == "one"))
  end
  assert(one:same("a[", "A{") and one:is_channel("#x") and not network("none"))
  one:send("privmsg", { target = "#t", message = "x", tags = { ["+a"] = "b;c" } })
  one:send("join", { channel = { "#a", "#b" }, key = { "k" } })
  one:raw("RAW line")
  pcall(one.raw, one, "two\nlines")
  pcall(one.request, one, "nothing")
  pcall(send, "nothing", { x = 1 })
  pcall(one.send, one, "privmsg", { target = 1, message = {} })
  assert(one:flush(1) and network("two"):connect())
end

local function made_nets()
  local keys = { name = "made", host = { "a", "b:7000" }, nick = "x", tls = false, flood_rate = 0.5,
    port = 6667.0 }
  local net = connect(keys)
  assert(net.name == "made" and select(3, connect(keys)) == "limit")
  pcall(connect, { name = "made", 1 })
  pcall(connect, { name = "made", nick = "a\nb" })
  pcall(net.remove, network("one"))
  assert(net:remove("bye") and not pcall(tostring, net))
end

local function line_filters()
  local one = network("one")
  register_pattern("sajoin", "SAJOIN {nick} {channel:comma}")
  register_pattern("away", "AWAY {since} :{message}")
  one:send("sajoin", { nick = "bob", channel = { "#a", "#b" } })
  one:send("away", { since = 1, message = "text" })
  pcall(register_pattern, "x", "X {")
  local copy = function(line, next) next((("<" .. line):sub(2))) end
  one:filter_in(copy)
  one:filter_out(copy)
  one:filter_in(function(line, next) next(line) pcall(next, line) end):off()
  local failing = one:filter_out(function(line, next) next(line) error("in a line filter") end)
  sleep(2)
  failing:off()
end

on("privmsg", { match = "^send" }, function()
  assert(network() and flush(5))
  send("privmsg", { target = "#t", message = "from send" })
  raw("PING raw")
end)

on("privmsg", { match = "^fill" }, function(ev)
  all(function() ev:reply("when there is room") end, function() request("motd", nil, 1) end, function() send("topic", { channel = "#t" }) end,
    function() flush(0.5) end, function() flush() end)
end)

on("privmsg", { match = "^query" }, function()
  local bob = request("whois", { mask = "bob" }, 20)
  if bob then
    assert(bob.ok and bob.nick == "bob" and bob.channels[2] == "#b" and #bob.events == 3)
    for k, v in pairs(bob) do log.debug("%s %s", k, v) end
    for _, ev in ipairs(bob.events) do assert(ev.raw) end
  end
  local bans = request("mode", { target = "#t", modes = "b" })
  assert(not bans or bans.masks[1].mask == "*!*@x")
  local _, why, kind = request("whois", { mask = "eve" })
  log.info("%s %s", why, kind)
  request("version", nil, 0.5)
end)

once("privmsg", { match = "^leave" }, function()
  disconnect("bye")
  connect()
  network("one"):disconnect()
end)

-- Tasks.

local function tasks()
  local child = spawn(function(...)
    defer(function() sleep(0.1) log.debug("deferred") end)
    local c <close> = closer
    sleep(0.5)
    return ...
  end, 1, nil, ("x"):rep(50))
  assert(child.name and tostring(child) and child:status())
  assert(child:join() == 1)
  child = spawn(function() error("nobody waits") end)
  sleep(0)
  child = spawn(function() error({ "for who waits" }) end)
  pcall(child.join, child)
  child = spawn(function()
    defer(function() shield(sleep, 0.2) error("in a deferred function") end)
    while true do pcall(sleep, 100) end
  end)
  sleep(0.1)
  child:cancel()
  child:join()
  spawn(print):cancel()
  assert(select("#", all(function() return 1 end, function() sleep(0.1) return "b" end)) == 2)
  assert(race(function() sleep(0.1) return "b" end, function() sleep(5) end) == "b")
  pcall(all, function() error("first") end, function() sleep(9) end, function() sleep(9) end)
  local _, why = timeout(0.1, function() sleep(9) end)
  assert(why == "timeout" and timeout(5, function(...) sleep(0) return ... end, 3) == 3)
  timeout(0.2, all, function() sleep(9) end, function() for i in generator(100) do assert(i) end end)
end

local function times()
  local a = after(0.1, function(...) sleep(0.1) return ... end, 1, ("y"):rep(60))
  a:join()
  after(9, print):cancel()
  local n = 0
  local e
  e = every(0.1, function(x) n = n + x if n > 3 then e:cancel() end end, 1)
  e:join()
  local c = cron("* * * * *", log.info, "a minute")
  sleep(61)
  c:cancel()
  after(0, function() error("in an alarm") end)
end

local function exchange()
  local f, q, l = future(), queue(2), lock()
  local waiter = spawn(function() return f:wait() end)
  sleep(0)
  f:set("value", { 1 })
  assert(waiter:join() == "value" and f:wait() == "value")
  f = future()
  f:wait(0.1)
  f:fail("failed")
  pcall(f.wait, f)
  local pusher = spawn(function() for i = 1, 6 do q:push({ i }) end end)
  sleep(0)
  for _ = 1, 6 do assert(q:pop()[1]) end
  q:pop(0.1)
  pusher:join()
  for _ = 1, 20 do spawn(q.pop, q, 1) end
  sleep(0)
  for i = 1, 10 do q:push(i) end
  assert(#q >= 0)
  for i = 1, 3 do
    spawn(function() l:with(function(...) sleep(0.1) return ... end, i) end)
  end
  sleep(0.1)
  local co = coroutine.create(function() lock():with(coroutine.yield, 1) end)
  coroutine.resume(co)
  coroutine.close(co)
  assert(l:with(function(x) return x end, "held") == "held")
  pcall(l.with, l, error, "while held")
end

local function modules()
  local other = spawn(require, "every_module")
  assert(require("every_module").name == "every_module" and other:join())
  assert(not pcall(require, "every_missing") and not pcall(require, "../x"))
end

-- What only a trusted script has.
local function files()
  local _, path = require("every_module")
  assert(dofile(path).name == nil and loadfile(path)().name == nil)
  local lines = 0
  for line in io.lines(path) do lines = lines + #line end
  local f = assert(io.open(path))
  assert(f:seek("end") > lines and f:seek("set") == 0 and #f:read("a") > lines and io.type(f))
  f:close()
  local sink <close> = assert(io.open("/dev/null", "w"))
  sink:setvbuf("full")
  assert(sink:write("a", 1):flush())
  io.open(path) -- and forgotten
  assert(not io.open("every_missing") and not os.rename("every_missing", "x"))
  assert(not os.remove("every_missing") and not pcall(os.exit) and not pcall(os.execute, "true"))
  local here = debug.getinfo(1, "Sl")
  assert(here.currentline > 0 and debug.getlocal(1, 1))
end

local function survival()
  state.n = (state.n or 0) + 1
  assert(ebb.state == state and not pcall(function() state = {} end))
  on_reload(function(s) s.n = 0 end)
  on_unload(print)
end

for _, fn in ipairs({ survival, files, modules, basics, strings, tables, numbers, coroutines, listeners, waits, nets,
  made_nets, line_filters, tasks, times, exchange }) do
  part(fn)
end
log("the file is at its end")
sleep(0.01)
for _ = 1, 80 do part(sleep, 0.1) end -- more than there are threads kept
sleep(1)
