-- Networks that scripts make while ebb runs, and remove again.

local t = require "ebb.test"

-- What a script does when it is told to, with a network made of `keys`.
local function maker(keys, more)
  return { name = "maker", code = ([[
    local keys = %s
    function make(others)
      local all = {}
      for _, from in ipairs{ keys, others or {} } do
        for key, value in pairs(from) do all[key] = value end
      end
      return connect(all)
    end
    on("privmsg", { match = "^!ping$" }, function(ev) ev:reply("pong on " .. ev.net.name) end)
    %s
  ]]):format(keys, more or "") }
end

local second = [[{ name = "second", host = "second", nick = "two", flood_rate = 0,
  channels = { "#a", "#b key" }, tls = false }]]

local function two_networks()
  return t.network{ name = "first" }, t.network{ name = "second" }
end

t.test("a script makes a network, and is in its channels", function()
  local first, other = two_networks()
  local bot = t.bot{ maker(second, [[
    local net, why = make()
    log.info("made %s %s %s", net.name, net.state, net.nick)
    for n in networks() do log.info("there is %s", n.name) end
  ]]), networks = { first } }
  t.expect(t.logged("made second ready two")):differs(nil)
  t.expect(t.logged("there is first")):differs(nil)
  t.expect(t.logged("there is second")):differs(nil)
  t.expect(bot:did("JOIN")):equals({ "#b" })
  t.expect(bot:did("JOIN")):equals({ "#a" })
  local alice = other:person("alice", "#a")
  alice:says("!ping")
  t.expect(bot:said("#a")):equals("pong on second")
end)

-- What is wrong, and the error.
local wrong = {
  { "nothing is said", "{}", "name: a text expected, got nil" },
  { "the name is none", "{ name = 'a b', host = 'h', nick = 'n' }", "its name may hold letters" },
  { "the name is long", "{ name = ('x'):rep(256), host = 'h', nick = 'n' }",
    "its name is longer than 255 bytes" },
  { "no host", "{ name = 'x', nick = 'n' }", "host: is missing" },
  { "no nick", "{ name = 'x', host = 'h' }", "nick: is missing" },
  { "an unknown key", "{ name = 'x', host = 'h', nick = 'n', hots = 'h' }",
    "hots: is unknown; do you mean host?" },
  { "a value that is none", "{ name = 'x', host = 'h', nick = 'n', port = 70000 }",
    "port: 70000 is not within 1 and 65535" },
  { "a fraction", "{ name = 'x', host = 'h', nick = 'n', port = 1.5 }",
    "port: 1.5 is not a whole number" },
  { "a function", "{ name = 'x', host = 'h', nick = print }",
    "nick: a text, a number or a list of texts expected, got function" },
  { "an empty value", "{ name = 'x', host = 'h', nick = '' }", "nick: is empty" },
  { "a place in a list", "{ 'x', host = 'h', nick = 'n' }", "a key is a text, not number" },
  { "a line break", "{ name = 'x', host = 'h', nick = 'n', realname = 'a\\r\\nQUIT' }",
    "realname: has a line break" },
  { "a NUL", "{ name = 'x', host = 'h', nick = 'n', realname = 'a\\0b' }", "realname: holds a NUL" },
  { "a long value", "{ name = 'x', host = 'h', nick = 'n', realname = ('x'):rep(5000) }",
    "realname: is longer than 4096 bytes" },
  { "no autoconnect", "{ name = 'x', host = 'h', nick = 'n', autoconnect = false }",
    "autoconnect: does nothing here" },
  { "a key that does nothing", "{ name = 'x', host = 'h', nick = 'n', account = 'a' }",
    "account: does nothing without sasl" },
  { "a configured name", "{ name = 'test', host = 'h', nick = 'n' }",
    'name: test is configured; use connect%("test"%)' },
}
for _, key in ipairs{ "tls_ca", "tls_cert", "tls_key", "ecdsa_key", "password_file", "proxy_file",
  "server_password_file" } do
  table.insert(wrong, { key, "{ name = 'x', host = 'h', nick = 'n', " .. key .. " = '/etc/passwd' }",
    key .. ": names a file, which needs trust = full in %[script maker%]" })
end

for _, row in ipairs(wrong) do
  t.test("misuse raises, and nothing is made: " .. row[1], function()
    t.bot{ maker("{}", "log(select(2, pcall(connect, " .. row[2] .. [[)))
      local n = 0
      for _ in networks() do n = n + 1 end
      log.info("networks: %d", n)
    ]]) }
    t.expect(t.logged("connect: .*" .. row[3])):differs(nil)
    t.expect(t.logged("networks: 1")):differs(nil)
  end)
end

t.test("a script with full trust may name files", function()
  local script = maker("{}", [[
    log(select(2, pcall(connect, { name = 'x', host = 'h', nick = 'n', tls_ca = '/nowhere/x.pem' })))
  ]])
  script.trust = "full"
  t.bot{ script }
  t.expect(t.logged("connect: .*tls_ca: /nowhere/x.pem: No such file")):differs(nil)
end)

t.test("a network that cannot be reached stays known and idle", function()
  local first, other = two_networks()
  other:down()
  local bot = t.bot{ maker(second, [[
    local net, why, kind = make()
    log.info("%s %s, then %s", net, kind, network("second").state)
  ]]), networks = { first } }
  t.expect(t.logged("nil refused, then idle")):differs(nil)
  t.advance(600)
  t.expect(#other:attempts()):equals(1)
  other:down(false)
  first:person("alice"):says("x", "ebb")
end)

t.test("reconnect brings one back as any other", function()
  local first, other = two_networks()
  local bot = t.bot{ "../../scripts/reconnect.lua", maker(second, "make()"),
    networks = { first } }
  t.expect(#other:attempts()):equals(1)
  other:drop()
  t.advance(60)
  t.expect(#other:attempts()):equals(2)
  other:person("alice", "#a"):says("!ping")
  t.expect(bot:said("#a")):equals("pong on second")
end)

t.test("the same again is the same network; another of that name is an error", function()
  local first, other = two_networks()
  t.bot{ maker(second, [[
    local one = make()
    log.info("same: %s", one == make())
    log(select(2, pcall(make, { nick = "three", realname = "R" })))
  ]]), { name = "thief", code = "sleep(1) log(select(2, pcall(connect, " .. second .. ")))" },
    networks = { first } }
  t.expect(t.logged("same: true")):differs(nil)
  t.expect(t.logged("name: second is there already, and differs in nick, realname; remove it")):differs(nil)
  t.advance(2)
  t.expect(t.logged("name: script maker has made a second already")):differs(nil)
  t.expect(#other:attempts()):equals(1)
end)

t.test("a reload of its script leaves it where it is", function()
  local first, other = two_networks()
  local script = maker(second, "make()")
  local bot = t.bot{ script, networks = { first } }
  local alice = other:person("alice", "#a")
  t.expect(bot:reload("maker", script.code)):equals(true)
  alice:says("!ping")
  t.expect(bot:said("#a")):equals("pong on second")
  t.expect(bot:reload("maker", "")):equals(true)
  t.expect(#other:attempts()):equals(1)
end)

t.test("other scripts see it too", function()
  local first, other = two_networks()
  local listener = [[
    local heard = 0
    on("privmsg", function(ev) log.info("%s heard %s", NAME, ev.network) end)
    sleep(1)
    log.info("%s sees second: %s", NAME, network("second") ~= nil)
  ]]
  local mine = maker(second, "NAME = 'maker' " .. listener:gsub("sleep%(1%)", "make()"))
  t.bot{ mine, { name = "all", code = "NAME = 'all' " .. listener }, networks = { first } }
  t.advance(2)
  other:person("alice", "#a"):says("hello")
  t.expect(t.logged("maker sees second: true")):differs(nil)
  t.expect(t.logged("all sees second: true")):differs(nil)
  t.expect(t.logged("maker heard second")):differs(nil)
  t.expect(t.logged("all heard second")):differs(nil)
end)

t.test("remove ends it with QUIT, and nothing of it is left", function()
  local first, other = two_networks()
  local bot = t.bot{ maker(second, [[
    local net = make()
    spawn(function()
      log.info("wait: %s", select(2, wait("privmsg", { network = "second" })))
    end)
    spawn(function()
      sleep(5)
      log.info("removed: %s, %s", net:remove("so long"), network("second"))
      local ok, e = pcall(function() return net.state end)
      log.info("dead: %s %s", e.kind, e.message)
      log.info("dead: %s", select(2, pcall(function() net:remove() end)).kind)
      log.info("anew: %s", make({ nick = "three" }).nick)
    end)
    on("client_disconnect", function(ev) log.info("%s ends: %s", ev.network, ev.kind) end)
  ]]), networks = { first } }
  other:person("alice", "#a")
  t.advance(10)
  t.expect(bot:did("QUIT")):equals({ "Quit: so long" })
  t.expect(t.logged("second ends: requested")):differs(nil)
  t.expect(t.logged("removed: true, nil")):differs(nil)
  t.expect(t.logged("dead: disconnected .*the network was removed")):differs(nil)
  t.expect(t.logged("dead: disconnected$")):differs(nil)
  t.expect(t.logged("anew: three")):differs(nil)
end)

t.test("who waits for one that is removed hears of it", function()
  local first, other = two_networks()
  other:silence(true)
  t.bot{ maker(second, [[
    spawn(function() log.info("connect: %s", select(3, make())) end)
    spawn(function()
      sleep(1)
      local net = network("second")
      spawn(function() log.info("twice: %s", net:remove()) end)
      log.info("once: %s", net:remove())
    end)
  ]]), networks = { first } }
  t.advance(5)
  t.expect(t.logged("connect: requested")):differs(nil)
  t.expect(t.logged("once: true")):differs(nil)
  t.expect(t.logged("twice: true")):differs(nil)
end)

for _, is_up in ipairs{ true, false } do
  t.test("waits and loops end with it, connected: " .. tostring(is_up), function()
    local first, other = two_networks()
    if not is_up then other:down() end
    t.bot{ maker(second, [[
      make()
      local of_second = { network = "second" }
      local function note(name, fn, ...)
        spawn(function(...) log.info("%s: %s", name, (select(2, fn(...)))) end, ...)
      end
      note("line", wait, "privmsg", of_second)
      note("back", wait, "client_connect", of_second)
      note("either", wait, { "privmsg", "client_connect" }, of_second)
      note("loop", function() for _ in events("client_connect", of_second) do end return nil, "left" end)
      note("own", wait, { "goal", "privmsg" }, of_second)
      note("other", wait, "privmsg", { network = "first" })
      note("any", wait, "privmsg", { network = "*" })
      sleep(5)
      network("second"):remove()
      sleep(5)
      log.info("later")
      trigger("goal")
    ]]), networks = { first } }
    t.advance(5)
    for _, name in ipairs{ "line", "back", "either" } do
      t.expect(t.logged(name .. ": disconnected")):differs(nil)
    end
    t.expect(t.logged("loop: left")):differs(nil)
    for _, name in ipairs{ "own", "other", "any" } do t.expect(t.logged(name .. ": ")):equals(nil) end
    t.advance(10)
    t.expect(t.logged("own: nil")):differs(nil)
  end)
end

t.test("a handler for a name hears the network that is made again under it", function()
  local first, other = two_networks()
  t.bot{ maker(second, [[
    make()
    on("client_connect", { network = "second" }, function(ev) log.info("back: %s", ev.network) end)
    network("second"):remove()
    network("first"):disconnect()
    network("first"):connect()
    make()
  ]]), networks = { first } }
  t.advance(5)
  t.expect(t.logged("back: first")):equals(nil)
  t.expect(t.logged("back: second")):differs(nil)
end)

t.test("a configured network is not a script's to remove", function()
  local bot = t.bot{ maker("{}", [[
    log(select(2, pcall(network("test").remove, network("test"))))
  ]]) }
  t.expect(t.logged("remove: test is configured: take it out of the configuration")):differs(nil)
  bot:person("alice", "#a")
end)

t.test("a thousand networks are enough", function()
  local first = t.network{ name = "first" }
  t.bot{ { name = "greedy", code = [[
    local function make(i)
      return timeout(0, connect, { name = "n" .. i, host = "nowhere", nick = "n" })
    end
    for i = 1, 1000 do make(i) end
    local net, why, kind = connect{ name = "more", host = "nowhere", nick = "n" }
    log.info("%s %s %s", net, why, kind)
    network("n7"):remove()
    timeout(0, connect, { name = "more", host = "nowhere", nick = "n" })
    log.info("room: %s", network("more").name)
  ]] }, networks = { first } }
  t.expect(t.logged("nil scripts have made 1000 networks already limit")):differs(nil)
  t.expect(t.logged("room: more")):differs(nil)
end)

for _, host in ipairs{ "second", "bücher.example" } do
  t.test("the guard is not passed by making networks anew: " .. host, function()
    local first, other = t.network{ name = "first" }, t.network{ name = host }
    other:down()
    t.bot{ { name = "nuisance", code = [[
      for i = 1, 100 do
        local net, why, kind = connect{ name = "n" .. i, host = "]] .. host .. [[", nick = "n" }
        network("n" .. i):remove()
      end
    ]] }, networks = { first } }
    t.advance(3600)
    local at = other:attempts()
    for i = 2, #at do t.expect(at[i] - at[i - 1] >= 2):equals(true) end
    for i = 11, #at do t.expect(at[i] - at[i - 10] >= 600):equals(true) end
    t.expect(#at >= 60):equals(true)
  end)
end

t.test("the guard counts for the host, whatever networks are called", function()
  local first, other = two_networks()
  other:down()
  t.bot{ { name = "many", code = [[
    for i = 1, 40 do
      spawn(connect, { name = "n" .. i, host = "second", nick = "n" .. i, tls = false })
    end
    sleep(1)
    log.info("%s %s", network("n1").dial_in, math.floor(network("n40").dial_in + 0.5))
  ]] }, networks = { first } }
  t.advance(1)
  t.expect(#other:attempts()):equals(10)
  t.expect(t.logged("nil 599")):differs(nil)
  t.advance(580)
  t.expect(#other:attempts()):equals(10)
  other:down(false)
  t.advance(60) -- one succeeds, and the others follow
  t.expect(#other:attempts()):equals(40)
end)
