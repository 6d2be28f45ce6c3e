-- reconnect: brings a network back when its connection ended or an attempt failed.
--
-- Exponential backoff with full jitter: the next wait is a random part of a span that doubles with
-- each try. The script is loaded unless the configuration says [script reconnect] enabled = no; to
-- have a policy of your own, copy this file to the first folder of script_path and change it.

-- By the kind of the failure, in seconds: what is waited at least, the first and the longest span.
-- `other` are dns, refused, timeout, closed, ping, limit and system; requested is left alone.
local paces = {
  banned       = { least = 3600, first = 600, longest = 7200 },
  throttled    = { least = 60,   first = 30,  longest = 600 },
  denied       = { least = 15,   first = 30,  longest = 1800 },
  sasl         = { least = 15,   first = 30,  longest = 1800 },
  registration = { least = 15,   first = 30,  longest = 1800 },
  nick         = { least = 15,   first = 30,  longest = 600 },
  killed       = { least = 15,   first = 30,  longest = 600 },
  tls          = { least = 5,    first = 10,  longest = 600 },
  other        = { least = 0,    first = 2,   longest = 300 },
}
local stable = 600 -- a connection that held for so long begins anew, with the first span

-- By name, kept over a reload of this file: { tries, last: of the latest client_disconnect its kind,
-- its reason and whether it was requested; is_trying; wait, due: of the next attempt, how long and
-- until when }
local networks = state.networks or {}
state.networks = networks

local function next_wait(net, kind)
  local pace = paces[kind] or paces.other
  local span = math.min(pace.first * 2.0 ^ net.tries, pace.longest)
  net.tries = net.tries + 1
  return pace.least + math.random() * span
end

-- The one loop of a network, until it is back or nobody wants it; seconds: what is left of a wait.
local function bring_back(name, net, seconds)
  defer(function() net.is_trying = false end)
  local ok, reason, kind, seen = nil, net.last.reason, net.last.kind, nil
  repeat
    seconds = seconds or next_wait(net, kind)
    net.wait, net.due = seconds, os.time() + seconds
    log.info("%s: next attempt in %.1f s: %s: %s", name, seconds, kind, reason)
    if wait("client_connect", { network = name }, seconds) then break end -- somebody else connected
    if net.last.requested then break end -- somebody wants no connection any more
    if not network(name) then networks[name] = nil break end -- it was removed
    seen, seconds = net.last, nil
    ok, reason, kind = connect(name)
    if ok and net.last ~= seen then -- it is lost again already, before this task went on
      ok, reason, kind = nil, net.last.reason, net.last.kind
    end
  until ok or kind == "requested"
end

on("client_disconnect", function(ev)
  local net = networks[ev.network] or { tries = 0 }
  networks[ev.network] = net
  net.last = { kind = ev.kind, reason = ev.reason, requested = ev.requested }
  if ev.uptime and ev.uptime >= stable then net.tries = 0 end
  if ev.requested then
    sleep(1) -- by then it is gone, if it was removed
    if not network(ev.network) then networks[ev.network] = nil end
  elseif not net.is_trying then
    net.is_trying = true
    spawn(bring_back, ev.network, net)
  end
end)

for name, net in pairs(networks) do
  if net.is_trying and network(name) then
    local left = net.due - os.time() -- no more than it was, even if the clock was set back
    spawn(bring_back, name, net, math.max(0, math.min(net.wait, left)))
  else
    net.is_trying = false
    if not network(name) then networks[name] = nil end
  end
end
