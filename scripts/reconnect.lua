-- reconnect: brings a network back when its connection ended or an attempt failed.
--
-- Exponential backoff with full jitter: the next wait is a random part of a span that doubles with
-- each try. The script is loaded unless the configuration says [script reconnect] enabled = no; to
-- have a policy of your own, copy this file to the first folder of script_path and change it.

-- By the kind of the failure, in seconds: what is waited at least, the first and the longest span.
local paces = {
  banned       = { least = 3600, first = 600, longest = 7200 },
  throttled    = { least = 60,   first = 30,  longest = 600 },
  sasl         = { least = 15,   first = 30,  longest = 1800 },
  registration = { least = 15,   first = 30,  longest = 1800 },
  nick         = { least = 15,   first = 30,  longest = 600 },
  tls          = { least = 5,    first = 10,  longest = 600 },
  other        = { least = 0,    first = 2,   longest = 300 },
}
local stable = 600 -- a connection that held for so long begins anew, with the first span

local networks = {} -- by name: { tries, last: the latest client_disconnect, is_trying }

local function next_wait(net, kind)
  local pace = paces[kind] or paces.other
  local span = math.min(pace.first * 2.0 ^ net.tries, pace.longest)
  net.tries = net.tries + 1
  return pace.least + math.random() * span
end

on("client_disconnect", function(ev)
  local net = networks[ev.network] or { tries = 0 }
  networks[ev.network], net.last = net, ev
  if ev.uptime and ev.uptime >= stable then net.tries = 0 end
  if ev.requested or net.is_trying then return end -- one loop for each network
  net.is_trying = true
  local ok, reason, kind, seen = nil, ev.reason, ev.kind, nil
  repeat
    local seconds = next_wait(net, kind)
    log.info("%s: next attempt in %.1f s: %s: %s", ev.network, seconds, kind, reason)
    if wait("client_connect", seconds) then break end -- somebody else connected
    if net.last.requested then break end -- somebody wants no connection any more
    seen = net.last
    ok, reason, kind = connect()
    if ok and net.last ~= seen then -- it is lost again already, before this task went on
      ok, reason, kind = nil, net.last.reason, net.last.kind
    end
  until ok or kind == "requested"
  net.is_trying = false
end)
