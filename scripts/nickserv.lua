-- nickserv: logs in to services where SASL cannot be had, and gets the nick back by them.
--
-- Where the network has SASL let ebb log in by itself, with `sasl` in the network's section: that
-- comes before the channels are joined, and shows the password to nobody else. Else:
--
--     [script nickserv]
--     networks = oftc
--     password_file = oftc-password    ; or password = ...; a section for each password
--
-- Further keys, with what holds without them:
--
--     account                          ; who to identify as, where services want it named
--     nick                             ; the nick to get back: the first that was refused
--     service  = NickServ              ; NickServ@services.example shows the password to no other
--     command  = GHOST                 ; or REGAIN, RECOVER, RELEASE; none: leave the nick alone
--     identify = IDENTIFY              ; or AUTH, LOGIN, ID
--
-- When a network is ready, and when services ask for it later, the script identifies, unless the
-- server says that we are logged in. Where another nick than the wanted one was taken it is asked
-- for: GHOST frees it, then ebb takes it; REGAIN, and RECOVER of Anope, give it back themselves. Who
-- gets no answer tries again, half a minute later at first and then twice as long each time. A
-- password that is refused is not sent again on that connection: services lock out who guesses.

-- Only what the log of the lines sent knows to mask.
local function word(key, allowed)
  local value = (config[key] or allowed:match("%a+")):upper()
  if not (" " .. allowed .. " "):find(" " .. value .. " ", 1, true) then
    error(key .. ": one of " .. allowed .. " expected", 0)
  end
  return value
end

local service  = config.service or "NickServ"
local command  = word("command", "GHOST REGAIN RECOVER RELEASE NONE")
local identify = word("identify", "IDENTIFY AUTH LOGIN ID")
local password = config.password or error("password is missing: add password or password_file", 0)

local patience = 30              -- seconds that services have for an answer
local first, longest = 30, 1800  -- between two tries

local service_nick = service:match("^[^@]+")

-- By name: { is_identified, is_refused; nick: the first that was refused }, of this connection; kept
-- over a reload.
local networks = state.networks or {}
state.networks = networks
local is_busy = {} -- networks at which a task is

local function facts(name)
  networks[name] = networks[name] or {}
  return networks[name]
end

-- What services say, Atheme's, Anope's and Ergo's, and what it means. The first that is found counts.
local meanings = {
  { "incorrect", "no" }, { "invalid", "no" }, { "authentication failed", "no" },
  { "access denied", "no" }, { "not a registered", "no" }, { "n't registered", "no" },
  { "not registered", "no" }, { "suspended", "no" }, { "frozen", "no" }, { "too many", "no" },
  { "now identified", "yes" }, { "already identified", "yes" }, { "now logged in", "yes" },
  { "already logged in", "yes" }, { "password accepted", "yes" }, { "now recognized", "yes" },
  { "ghosted", "yes" }, { "has been killed", "yes" }, { "regained", "yes" },
  { "recovered", "yes" }, { "released", "yes" }, { "not online", "yes" }, { "n't online", "yes" },
  { "not in use", "yes" }, { "n't currently in use", "yes" }, { "no one is using", "yes" },
}

-- Without formatting; and whoever echoes the password must not bring it into the log.
local function words_of(ev)
  local words = ev.message:gsub("\3%d?%d?,?%d?%d?", ""):gsub("[\1-\31]", "")
  local from, to = words:find(password, 1, true)
  while from do
    words = words:sub(1, from - 1) .. "***" .. words:sub(to + 1)
    from, to = words:find(password, from + 3, true)
  end
  return words
end

local function meaning_of(words)
  words = words:lower()
  for _, row in ipairs(meanings) do
    if words:find(row[1], 1, true) then return row[2] end
  end
end

-- "yes", "no", "nobody", or nil for what is no answer
local function verdict(net, ev)
  if ev.network ~= net.name then return nil end
  if ev.event == "rpl_loggedin" then return "yes" end
  if ev.event == "err_servicesdown" then return "nobody" end
  if ev.event == "err_nosuchnick" then
    return ev.nick and (net:same(ev.nick, service) or net:same(ev.nick, service_nick)) and "nobody"
  end
  if ev.event == "nick" then return ev.mine and "yes" or nil end
  return ev.nick and net:same(ev.nick, service_nick) and meaning_of(words_of(ev)) or nil
end

-- As wait; a nick of ours is taken over once its event is through.
local function hear(...)
  local ev, why = wait(...)
  sleep(0)
  return ev, why
end

-- Says it to services, with the password behind; returns the verdict and the words that go with it.
local function ask(net, request, also)
  net:send("privmsg", { target = service, message = request .. " " .. password })
  local ev = hear({ "notice", "privmsg", "err_nosuchnick", "err_servicesdown", also },
    function(ev) return verdict(net, ev) and true or false end, patience)
  if not ev then return "nobody", "no answer" end
  return verdict(net, ev), ev.message and words_of(ev) or ev.event
end

local function log_in(net, known)
  local request = config.account and identify .. " " .. config.account or identify
  local answer, words = ask(net, request, "rpl_loggedin")
  if answer == "yes" then
    known.is_identified = true
    log.info("%s: identified: %s", net.name, words)
  elseif answer == "no" then
    known.is_refused = true
    log.error("%s: %s refuses to identify us: %s", net.name, service, words)
  else
    log.warn("%s: %s: %s", net.name, service, words)
  end
end

local function get_back(net, known, nick)
  local answer, words = ask(net, command .. " " .. nick, "nick")
  local level = answer == "yes" and "info" or "warn"
  log[level]("%s: %s %s: %s", net.name, command, nick, words)
  if answer == "no" then
    known.is_refused = true
  elseif answer == "yes" and not net:same(net.nick, nick) then
    net:send("nick", { nick = nick })
    hear({ "nick", "err_nicknameinuse", "err_unavailresource" },
      function(ev) return ev.network == net.name and (ev.event ~= "nick" or ev.mine) end, patience)
  end
end

-- The nick to be got back, or nil.
local function missing_nick(net, known)
  local nick = config.nick or known.nick
  return command ~= "NONE" and nick and not net:same(net.nick, nick) and nick or nil
end

-- One try. Without an account services take us for the nick that we have, so that must be ours.
local function try(net, known)
  local nick = missing_nick(net, known)
  if not known.is_identified and (config.account or not nick) then log_in(net, known) end
  if not nick or known.is_refused then return end
  get_back(net, known, nick)
  if not known.is_identified and not known.is_refused and net:same(net.nick, nick) then
    log_in(net, known)
  end
end

local function is_settled(net, known)
  return known.is_refused or (known.is_identified and not missing_nick(net, known))
end

-- The one loop of a network, until all is well, services have refused, or the connection is over.
local function settle(net)
  local known, pause = facts(net.name), first
  if is_busy[net.name] or is_settled(net, known) then return end
  is_busy[net.name] = true
  defer(function() is_busy[net.name] = nil end)
  try(net, known)
  while not is_settled(net, known) do
    log.info("%s: next try in %d s", net.name, pause)
    local ev, why = hear("nick", { mine = true, network = net.name }, pause)
    if why == "disconnected" or net.state ~= "ready" then return end
    if ev and known.nick and not net:same(ev.new_nick, known.nick) then
      known.nick = nil -- somebody has decided for yet another nick
    end
    pause = math.min(pause * 2, longest)
    if not is_settled(net, known) then try(net, known) end
  end
end

-- In a task of its own, which ends with this code when the file is reloaded.
on("client_connect", function(ev) spawn(settle, ev.net) end)

-- A connection ended, or the next begins: of one that failed before it was ready somebody else hears.
local function forget(ev) networks[ev.network] = nil end
on("client_disconnect", forget)
on("cap", { subcommand = "LS" }, forget)

-- While we register: ebb goes on with the next nick.
on({ "err_nicknameinuse", "err_nickcollision", "err_unavailresource" }, function(ev)
  local known = facts(ev.network)
  if ev.net.state == "registering" then known.nick = known.nick or ev.nick end
end)

on("rpl_loggedin", function(ev) facts(ev.network).is_identified = true end)
on("rpl_loggedout", function(ev) facts(ev.network).is_identified = nil end)

-- Services that were away ask again who we are.
on("notice", { nick = service_nick, match = "[Ii][Dd][Ee][Nn][Tt][Ii][Ff][Yy]" }, function(ev)
  if ev.net.state == "ready" then spawn(settle, ev.net) end
end)

-- Loaded, or loaded anew, while the networks are connected.
for net in ebb.networks() do
  if net.state == "ready" then spawn(settle, net) end
end
