-- hello: greets who joins, answers !ping and !hello. A first script to read, copy and change.
--
--     [script hello]
--     greeting = good day        ; default: hello

local greeting = config.greeting or "hello"

-- `mine = false`: the bot does not greet itself.
on("join", { mine = false }, function(ev)
  ev:reply(greeting .. ", " .. ev.nick)
end)

-- `match` is a Lua pattern; handlers of lines that do not match are not run. `bot = false`: what a
-- bot says is no command, or two bots might talk for ever.
on("privmsg", { match = "^!ping%s*$", bot = false }, function(ev)
  ev:reply("pong")
end)

-- What the pattern captures comes as further arguments: "!hello Bob" greets Bob.
on("privmsg", { match = "^!hello%s*(.-)%s*$", bot = false }, function(ev, who)
  ev:reply(greeting .. ", " .. (who ~= "" and who or ev.nick))
end)
