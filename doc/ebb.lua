---@meta

--- The Lua interface of ebb. It is documented here and nowhere else: `make doc` makes the manual
--- page ebb-lua(7) of this file, and editors with the Lua language server read it as it is. For
--- these, a file .luarc.json beside the scripts says:
---
--- ```json
--- { "runtime.version": "Lua 5.4", "workspace.library": ["/usr/share/ebb/ebb.lua"],
---   "runtime.builtin": { "coroutine": "disable", "debug": "disable", "io": "disable",
---     "os": "disable", "package": "disable" } }
--- ```

--- # DESCRIPTION
---
--- ebb runs scripts in Lua 5.4, each in a state of its own: scripts share no variables. A script
--- says what it wants to hear of, and is called when that comes:
---
--- ```lua
--- on("privmsg", { match = "^!ping$" }, function(ev)
---   ev:reply("pong")
--- end)
--- ```
---
--- **Tasks.** The script's file and every handler run as a task, written as if it could block. What
--- is marked as pausing here suspends its task and nothing else: other tasks, other scripts and the
--- connection go on. Everything not so marked returns at once. Between two pauses nothing else of
--- the script runs: what a task reads and writes meanwhile needs no lock. Where it computes for
--- long, its script waits for it, and the other scripts and the connections go on; see LIMITS. After
--- a pause the world may have changed.
---
--- **Networks.** A task belongs to the network that its event came from, and so does what it starts
--- with `spawn`, `after` and `every`. `send`, `raw`, `request`, `connect`, `disconnect` and
--- `network` mean that network where none is named. In a task of no network, as the script's file itself is, they
--- mean the only network that the script takes part in; where it has several, that is an error.
--- Each of them is also a method of a network: `network("libera"):send(…)`.
---
--- **Failure.** A wrong argument raises an error that names it. What can fail in normal life gives
--- `nil, message, kind`, for `wait` and `wait_all` `nil, kind`. Only what sends raises instead,
--- because nobody checks it: an error object with a kind, see ERROR OBJECTS. An error that nobody
--- catches ends its task, and is logged with its traceback; the script goes on. In the script's
--- file it means that the script is not loaded, unless the file had paused before.
---
--- **Text.** Strings are bytes, as servers and users send them; most of it is UTF-8.

--- # LISTENING
---
--- For each event the matching handlers run first: script by script in the order of the
--- configuration, within a script as they were registered, each up to its end or first pause. Then
--- the matching waits go on, in the order in which they began; then comes the next event. A handler
--- or wait that is made during an event does not see that event; one that is switched off during it
--- does not run.

--- Runs a handler for each matching event, in a task of its own.
---
--- `event` is a name, in any case, or a list of names; see EVENTS. A name that neither IRC nor ebb
--- knows is an event of scripts' own. The handler gets the event, and then what the filter's
--- `match` captured.
---
--- ```lua
--- local sub = on("privmsg", { match = "^!say (.+)" }, function(ev, words)
---   ev:reply(words)
--- end)
--- sub:off()
--- ```
---@param event ebb.Names
---@param filter ebb.Wanted
---@param handler async fun(ev: ebb.Event, ...: string|integer)
---@return ebb.Subscription subscription
---@overload fun(event: ebb.Names, handler: async fun(ev: ebb.Event)): ebb.Subscription
function on(event, filter, handler) end

--- As `on`, for the first matching event only: the subscription is over before the handler runs.
---@param event ebb.Names
---@param filter ebb.Wanted
---@param handler async fun(ev: ebb.Event, ...: string|integer)
---@return ebb.Subscription subscription
---@overload fun(event: ebb.Names, handler: async fun(ev: ebb.Event)): ebb.Subscription
function once(event, filter, handler) end

--- Waits for the next matching event and returns it, followed by what the filter's `match`
--- captured.
---
--- Gives `nil, "timeout"` when `timeout` seconds have passed, and `nil, "disconnected"` when the
--- connection ended. The latter is for a wait that names only what the server sends, in a task of a
--- network that was connected when the wait began; a wait for `client_connect` or for an event of
--- scripts' own goes on. Where the network was removed, a wait for `client_connect` ends so, too,
--- and any other that only that network could have ended. A wait listens to the task's network; a task without one, or a filter with
--- `network = "*"`, to all. `timeout` may stand in the filter's place.
---
--- ```lua
--- on("privmsg", { match = "^!quiz$" }, function(ev)
---   ev:reply("what is the capital of France?")
---   local right = { channel = ev.channel, match = "[Pp]aris" }
---   local answer = wait("privmsg", right, 30)
---   ev:reply(answer and "right, " .. answer.nick or "too slow")
--- end)
--- ```
---@async
---@param event ebb.Names
---@param filter? ebb.Wanted
---@param timeout? number seconds; none: for ever
---@return ebb.Event? ev
---@return any kind why there is no event; else what was captured
---@return any ...
---@overload fun(event: ebb.Names, timeout: number): ebb.Event?, string?
function wait(event, filter, timeout) end

--- Reads a stream of events in a loop, which loses none between two rounds.
---
--- It listens from the call on, as `wait` does, until the loop is left, however that is. Events
--- that come during a round are kept, 256 or as many as `buffer` in the filter says, and as fit into
--- the script's memory; when more come, the loop gets those that are kept, and then an error of kind
--- `limit`. The loop ends when a round waits longer than the timeout, and with the connection, where
--- `wait` would end.
---
--- ```lua
--- for ev, word in events("privmsg", { channel = "#quiz", match = "^(%w+)$" }, 30) do
---   if word == answer then ev:reply("right, " .. ev.nick) break end
--- end
--- ```
---@async
---@param event ebb.Names
---@param filter? ebb.Wanted
---@param timeout? number seconds, for one round; none: for ever
---@return fun(): ebb.Event?, ...any
---@return ebb.Subscription
---@return nil
---@return ebb.Subscription
---@overload fun(event: ebb.Names, timeout: number): fun(): ebb.Event?
function events(event, filter, timeout) end

--- Waits until each of 1 to 64 events has come once, in whatever order.
---
--- Returns a table with the events by the names given, else `nil, "timeout"` or `nil,
--- "disconnected"` as `wait` does.
---
--- ```lua
--- local got = wait_all({ "rpl_endofmotd", "rpl_endofnames" }, 60)
--- if got then log(got.rpl_endofnames.channel) end
--- ```
---@async
---@param events ebb.EventName[]
---@param timeout? number seconds; none: for ever
---@return table<string, ebb.Event>? got
---@return string? kind
function wait_all(events, timeout) end

--- Makes an event of the script's own, which every script may handle.
---
--- The event is queued: handlers run after this task has paused or ended. It belongs to the task's
--- network, and has the fields given, with `script`, the name of the script that made it.
---
--- Fields are plain values: booleans, numbers, strings, and tables of these, 1 MB in all. Nobody
--- can forge a line from the server: the name must not be one that IRC or ebb has, nor begin with
--- `client_` or `script_`, and a field must not be one that every event has. Both raise. When 65536
--- events wait for their turn it raises an error object of kind `limit`.
---
--- ```lua
--- on("goal", function(ev) log(ev.script .. " says: " .. ev.team) end)
--- trigger("goal", { team = "home", score = { 1, 0 } })
--- ```
---@param event string
---@param fields? table<string, any>
function trigger(event, fields) end

--- What `on` and `once` return.
---@class ebb.Subscription
local sub = {}

--- Ends the subscription. Allowed at any time, also twice. A handler that has begun goes on.
function sub:off() end

--- # FILTERING
---
--- A filter says which events of a name are wanted. As a table it is evaluated before a task or an
--- event object is made, so lines that do not match cost next to nothing.
---
--- Each key names a field of the event. Its value is text, a whole number or a boolean that the
--- field must equal, or a list of which it must equal one. A field that is a list itself matches
--- when one of its elements does. `nick`, `target`, `channel` and `new_nick` are compared under the
--- network's casemapping, all others byte by byte. A key that no such event has is an error, but
--- for events of scripts' own, which may have any.
---
--- ```lua
--- on("kick", { channel = { "#ebb", "#ebb-dev" }, target = "ebb" }, handler)
--- on("join", function(ev) return ev.nick:find("^guest") end, handler)
--- ```
---
--- A filter may be a function of the event instead. It must not pause; an error in it is logged and
--- taken for no. `mine` and `replayed` are then as in a table that does not name them.

--- A filter: a table, or a function.
---@alias ebb.Wanted ebb.Filter|fun(ev: ebb.Event): boolean

--- The keys of a filter that are more than a field to compare.
---@class ebb.Filter
---@field match? string A Lua pattern that must be found in `message`. What it captures, or the
--- whole match where it captures nothing, follows the event as arguments or results.
---@field mine? boolean|"any" Whether the event is our own doing. Not named: what we say (privmsg,
--- notice, tagmsg, ctcp, ctcp_reply, action) is not delivered, all else is.
---@field replayed? boolean|"any" Whether the event is replayed from a history. Not named: as
--- `mine`.
---@field network? string|string[] The name of a network, or `"*"` for all of them. A name that the
--- script has no network of is an error; one that is removed and comes back under it is heard again.
---@field buffer? integer For `events`: how many events are kept, 1 to 65536; 256 when not named.
---@field [string] string|integer|boolean|(string|integer|boolean)[]

--- # EVENT OBJECTS
---
--- Handlers and waits get an event: an object that cannot be changed and may be kept. Its fields
--- are read when they are asked for; one that it does not have is nil. `pairs(ev)` walks them, and
--- two objects of the same event are equal.

--- These fields every event may have; EVENTS names the further ones of each.
---@class ebb.Event
---@field event string The event's name; a numeric's is its first one, `rpl_isupport`.
---@field network string? The name of its network; nil for an event of none.
---@field net ebb.Network? The object of its network.
---@field command string? The command as it was received, `PRIVMSG` or `433`.
---@field params string[]? The parameters as they were received.
---@field source string? Who sent it, as received: `nick!user@host`, or a server.
---@field nick string? The sender's nick; nil for a server.
---@field user string? The sender's user name.
---@field host string? The sender's host; the server's name where a server sent it.
---@field account string? The sender's services account, where the server tells it with each line.
---@field tags table<string, string>? The message tags; `""` for one without value.
---@field msgid string? The message's identity, for replies and reactions.
---@field batch string? The reference of the batch that it is part of.
---@field bot boolean? Whether the sender is marked as a bot.
---@field mine boolean Whether we are the sender.
---@field replayed boolean Whether it is replayed from a history.
---@field time number When it was: seconds since the epoch, with fractions. The server's time where
--- the line has it, else that of its arrival.
---@field raw string? The line as it was received, tags included.
---@field message string? Of most events: the text.
---@field target string? Of many events: whom it is about, or to.
---@field channel string? Of many events: the channel's name.
---@field script string? Of an event that a script made: that script's name.
---@field [string] any
local ev = {}

--- Says something where the event was: in its channel, else to its sender alone.
---
--- What was said to `@#channel` is answered there. Sends as `send` does, and raises as it does; an
--- event that has nobody to answer is an error.
---@async
---@param text string|number
---@return true
function ev:reply(text) end

--- Replies with a question, and waits for what the same person says next in the same place.
---
--- Returns the privmsg that answers, else `nil, "timeout"` when `timeout` seconds have passed since
--- the question was taken for sending, or `nil, "disconnected"` when the connection ended. The
--- answer reaches other handlers and waits as well. An action or a notice is none.
---
--- The person is who caused the event, by whatever nick they have now: changes of nick since the
--- event are followed, before the question and after. With an account, as `ev.account` has it, the
--- account decides where the server tells it; without one, nobody is the same after a QUIT, whoever
--- takes the nick. The place is the event's channel, else a private message to us.
---
--- ```lua
--- on("privmsg", { match = "^!order$" }, function(ev)
---   local answer = ev:ask("what would you like, " .. ev.nick .. "?", 30)
---   if answer then ev:reply(answer.nick .. " gets " .. answer.message) end
--- end)
--- ```
---@async
---@param text string|number
---@param timeout? number seconds; none: for ever
---@return ebb.Event? answer
---@return "timeout"|"disconnected" why there is none
function ev:ask(text, timeout) end

--- Asks as `ask` does, and waits until the same person says yes or no in the same place.
---
--- Returns true for y, yes, yeah, yep, ok, okay, sure and +1, false for n, no, nope, nah and -1, in
--- upper or lower case, with a `.`, `!` or `?` at the end or without. What else they say is passed
--- over. Without an answer it returns nil and why, as `ask` does.
---
--- ```lua
--- on("privmsg", { match = "^!clear$" }, function(ev)
---   if ev:confirm("forget all the scores?", 60) then
---     scores = {}
---     ev:reply("forgotten")
---   end
--- end)
--- ```
---@async
---@param text string|number
---@param timeout? number seconds; none: for ever
---@return boolean? yes
---@return "timeout"|"disconnected" why there is no answer
function ev:confirm(text, timeout) end

--- Returns the channel of the event's field `channel`, also where we are not in it; nil for an
--- event that has none. See CHANNELS AND USERS.
---
--- ```lua
--- on("join", function(ev)
---   if ev.account == "alice" then ev:chan():op(ev.nick) end
--- end)
--- ```
---@return ebb.Channel? channel
function ev:chan() end

--- Returns the fields as a plain table, but for `net`.
---@return table<string, any> fields
function ev:copy() end

--- # EVENTS
---
--- Every line from the server is an event. Its name is the command in lower case, for a numeric its
--- three digits (`"433"`) or one of its names (`"err_nicknameinuse"`) in RFC 1459, RFC 2812, the
--- modern IRC documents, IRCv3 and the lists of the servers. Where documents give a name to several
--- numerics it stands for all of these. Lines that ebb answers by itself, as PING, are events too.
---
--- A numeric has `target`, ourselves, and `message`, its last parameter. Those with more are listed
--- in NUMERICS.

--- One event, or several.
---@alias ebb.Names ebb.EventName|ebb.EventName[]

--- The names, and the fields of each beside those that every event has.
---@alias ebb.EventName
---| "*" # every line from the server
---| "client_connect" # the network is ready for use: registered, and the configured channels are about to be joined. With register = manual: the connection stands. Fields: host, port
---| "client_disconnect" # a connection ended, an attempt was ended on request, or one failed that no task waits for. Fields: host, port, reason (text), kind (as of connect), requested (boolean: disconnect or the end of ebb was the cause), uptime (whole seconds since it was ready; nil when it never was)
---| "script_load" # a script was loaded. Fields: script, reload (boolean: its code took the place of older code)
---| "script_unload" # a script does not run any more. Fields: script, reason ("unload", "shutdown", "failed")
---| "script_error" # a script failed: a task of it ended with an error that nobody caught, or was stopped, or its loading did. An error in a handler of this event is not told of. Fields: script, doing ("run", "load", "reload": the old code goes on; "end": the script cannot), message, traceback (nil for none)
---| "privmsg" # somebody says something. Fields: target, message, channel (nil in private), statusmsg ("@" when it was said to the operators of the channel only)
---| "notice" # the same, to be read and not answered. Fields: target, message, channel, statusmsg
---| "action" # "/me": somebody does something. Fields: target, message, channel, statusmsg, ctcp ("ACTION")
---| "ctcp" # a request from client to client. Such a line is not a privmsg event too. Fields: target, channel, statusmsg, ctcp (the request, in upper case), message (its text)
---| "ctcp_reply" # the answer to one. Fields: target, channel, statusmsg, ctcp, message
---| "tagmsg" # a line of tags only. Fields: target, channel, statusmsg
---| "join" # somebody enters a channel. Fields: channel, account and real_name where the server tells them
---| "part" # somebody leaves a channel. Fields: channel, message ("" for none)
---| "quit" # somebody leaves the network. Fields: message ("" for none), channels (those that we share)
---| "kick" # somebody is thrown out of a channel. Fields: channel, target, message
---| "kill" # somebody is thrown off the network. Fields: target, message
---| "nick" # somebody changes nick. Fields: new_nick
---| "invite" # somebody is invited. Fields: target, channel
---| "topic" # a topic is set. Fields: channel, message ("" when it was removed)
---| "channelmode" # a channel's modes change. Fields: channel, modes (the letters as sent), params (their arguments), changes (a list of { set = boolean, mode = letter, param = text or nil })
---| "usermode" # a user's modes change. Fields: nick (whose), modes
---| "mode" # channelmode and usermode
---| "account" # somebody logs in or out. Fields: account (nil: out)
---| "away" # somebody goes away or is back. Fields: message (nil: back)
---| "chghost" # somebody's user name and host change. Fields: new_user, new_host
---| "setname" # somebody's real name changes. Fields: real_name
---| "wallops" # operators tell all who listen. Fields: message
---| "ping" # ebb has answered it. Fields: message
---| "pong" # Fields: message
---| "error" # the server ends the connection. Fields: message
---| "fail" # a command failed. Fields: target_command, code, context (a list), message
---| "warn" # the server warns. Fields: target_command, code, context, message
---| "note" # the server notes something. Fields: target_command, code, context, message
---| "batch" # a batch opens or closes. Fields: reference, type, batch_params (a list), messages (the events in it, when it closes; nil when it opens)
---| "ack" # the server took a command of ours and has nothing else to say of it
---| "redact" # a message is taken back: what showed it should do so no more. Fields: target, channel, statusmsg, target_msgid (the msgid that the message had), message (the reason; nil for none)
---| "rename" # a channel gets another name. Fields: channel (the old one), new_channel, message (the reason; nil for none)
---| "cap" # capability negotiation. Fields: target, subcommand, caps (a list)
---| "authenticate" # Fields: data
---| ebb.Numeric
---| string

--- # ACTING

--- Sends a command by its name, with named parameters. See COMMANDS.
---
--- The line is queued and sent as soon as flood control lets it. Pauses only while the queue is
--- full. A PRIVMSG or NOTICE that is too long for one line is sent as several, cut at a space, else
--- between characters. So is a command that names more channels, nicks or mode changes than the
--- server takes at once, or than fit: in their order, with what else it says on each line.
---
--- An unknown command or parameter, a parameter that is missing, and a value that would break the
--- line (a line break anywhere; a space, an empty value or a leading colon where only the last
--- parameter may have them) raise, and nothing is sent. So do, with a kind, a network that is not
--- connected (`disconnected`), also when the connection ends while the task waits for room, and a
--- line that is too long (`limit`).
---
--- ```lua
--- send("join", { channel = { "#ebb", "#ebb-dev" } })
--- send("privmsg", { target = "#ebb", message = "good morning" })
--- send("tagmsg", { target = "#ebb", tags = { ["+draft/react"] = ":)" } })
--- ```
---@async
---@param command ebb.Command in any case
---@param params? ebb.Params
---@return boolean # true; false for a `tagmsg` of which the server takes no tag: nothing is sent
function send(command, params) end

--- Sends a command as `send` does, and returns the server's answer, see REPLIES.
---
--- Where the server has labeled-response it marks the answer, and any command can be asked for;
--- elsewhere the answer is known by the replies that belong to the command. A PRIVMSG is not split.
---
--- What the server refuses gives nil, its words, and the name of its reply as the kind:
--- `err_nosuchnick`, `rpl_tryagain`; for a FAIL, its code in lower case: `invalid_target`. Of several
--- targets one that is there is enough for a reply; what was said of the others is in its `events`.
--- Further kinds:
--- - `timeout`: there was no answer in time. Time passes from when the line was sent, not while it
---   is held back by flood control; `timeout(60, request, …)` limits both;
--- - `disconnected`: there is no connection, or it ended meanwhile;
--- - `limit`: the line or the answer (65,536 lines, 4 MB) is too long, or 256 wait for theirs;
--- - `invalid`: the server does not mark answers, and none is known to this command.
---
--- Only what `send` would call a wrong argument raises. A task that is cancelled does not wait any
--- more; the line may be sent all the same. Handlers of the events that make up the answer run
--- before `request` returns.
---
--- ```lua
--- local bob, why, kind = request("whois", { mask = "bob" })
--- if bob then log("bob is logged in as " .. (bob.account or "nobody"))
--- elseif kind == "err_nosuchnick" then log("bob is not there")
--- else log.warn("who is bob? %s", why) end
--- ```
---@async
---@param command ebb.Command in any case
---@param params? ebb.Params
---@param timeout? number seconds; none: 30
---@return ebb.Reply? reply
---@return string? message
---@return string? kind
function request(command, params, timeout) end

--- Pauses until all that was sent to the network, by any script, is on the wire.
---
--- Returns true; or nil, a message and a kind: `timeout`, or `disconnected`, which it is at once
--- where there is no connection.
---
--- ```lua
--- send("privmsg", { target = "#ebb", message = "restarting" })
--- flush(5)
--- ```
---@async
---@param timeout? number seconds; none: for ever
---@return true? flushed
---@return string? message
---@return string? kind
function flush(timeout) end

--- Sends one line as it is, without CR and LF. Queued as `send` does; returns and raises as it
--- does.
---@async
---@param line string
---@return true
function raw(line) end

--- Connects, and returns the network when it is ready for use.
---
--- A network that is ready is returned at once, an attempt that is under way is shared. It returns
--- after the handlers of `client_connect` have run to their first pause. Whatever scripts ask, a
--- network is not dialled again before two seconds have passed, and no more than ten times in ten
--- minutes without success, over all its hosts; nor is a host dialled more often than `dial_rate`
--- allows, over all networks. `connect` waits until it may, and it is logged for how long and why.
---
--- A failure gives `nil, message, kind`, and then nobody else is told of it, unless it is of kind
--- `requested`: who calls `connect` has to try again, or to leave it. A task whose own function is
--- `connect`, as in `spawn(connect)`, does not count as a caller: there a failure becomes
--- `client_disconnect`, and the script `reconnect` sees to it. While ebb ends, and under `ebbd
--- --check`, it fails at once, of kind `requested`.
---
--- The kinds:
--- - `dns`: the host's name is not known, here or to the proxy;
--- - `refused`: nobody listens there, or there is no way to the address;
--- - `denied`: the proxy does not let us through, for its password or by its rules;
--- - `timeout`: no answer in time, or ours came too late;
--- - `tls`: the encryption failed, or the certificate is not trusted;
--- - `closed`: the server closed the connection;
--- - `registration`: the server did not let us in, for instance for a wrong password;
--- - `sasl`: the login to the account failed;
--- - `banned`: it said so;
--- - `throttled`: it said that we connect too often or too fast, that there are too many of us, or
---   that we sent too much (Excess Flood);
--- - `nick`: every nick was refused;
--- - `killed`: an operator ended it;
--- - `ping`: the server fell silent, or took us to be (Ping timeout);
--- - `requested`: somebody called `disconnect`, or ebb ends;
--- - `limit`, `system`: the machine itself lacks something.
---
--- A table makes a network, and connects it. It has a `name` and the keys of [network], see
--- ebb.ini(5), with text, numbers, booleans or lists of texts as values of 4096 bytes at most. What
--- is wrong with it raises an error that names the key, and then nothing is made. Keys that name
--- files are for scripts with `trust = full`; `autoconnect = false` is refused, for it is dialled at
--- once.
---
--- The network stays, also idle after a failure, until `net:remove`: over a reload or the end of
--- the script that made it, and when the configuration is read again. Where that has come to name
--- it, it is as configured from then on. When ebb starts anew it is not there until it is made
--- again. All scripts that take part in all networks see it, and the script that made it;
--- `reconnect` brings it back as any other. The same table in the same script means the network
--- that is there; to use the name for another raises.
---
--- There may be 1,000 at a time, made by all scripts; one more gives `nil, message, "limit"`. That
--- they can be made anew gives no more attempts: those of one host have ten in ten minutes without
--- success together, and over all hosts they are dialled no faster than one host is. `ebbd
--- --console` can make none, which raises; in `ebbd --test` the host is the name of a network of
--- the test.
---
--- ```lua
--- local net, why, kind = connect("libera")
--- if not net then log.warn("no luck (%s): %s", kind, why) end
---
--- local guest = connect{ name = "guest", host = "irc.example.org", nick = "visitor",
---   channels = { "#lobby" } }
--- ```
---@async
---@param network? string|ebb.Network|ebb.NewNetwork its name or object, an unknown name is an error; or what is made
---@return ebb.Network? network
---@return string? message
---@return string? kind
function connect(network) end

--- A network to be made by `connect`.
---@class ebb.NewNetwork
---@field name string Letters, digits and `_ - .`, the first a letter or a digit.
---@field host string|string[] As in [network], and so is every other key.
---@field nick string The nick.
---@field [string] string|number|boolean|string[] Any other key of [network].

--- Ends the connection, or the attempt to connect, and returns true when it is closed.
---
--- `message` goes with QUIT, ahead of all that waits in the queue, which is dropped. The kind of
--- the end is `requested`, so no policy comes back. Where there is nothing to end it returns at
--- once. A single text that is the name of a network means that network. `send("quit")` is not the
--- same: to others it looks as if the server had closed the connection.
---
--- ```lua
--- disconnect("good night")
--- disconnect("libera", "good night")
--- ```
---@async
---@param network string|ebb.Network
---@param message? string
---@return true
---@overload fun(message?: string): true
function disconnect(network, message) end

--- Returns the object of a network: by its name, else the task's.
---
--- `nil, message` where the script has no network of that name.
---@param name? string
---@return ebb.Network? network
---@return string? message
function network(name) end

--- Iterates over the networks of the script, in the order of the configuration.
---
--- ```lua
--- for net in networks() do
---   if net.state == "ready" then net:send("away", { message = "asleep" }) end
--- end
--- ```
---@return fun(): ebb.Network? iterator
function networks() end

--- # COMMANDS
---
--- Each command has one or more forms, lines with holes; a hole is a parameter of `send`. The form
--- with the most parameters for which all are given is used, and must have room for every parameter
--- given. A parameter that is false or nil is not given. `{x:comma}` and `{x:space}` take one value
--- or a list, which is joined; `{x:bool}` takes true; `{x:nospace}` takes one word.
---
--- Every command takes `tags` as well: a table of client tags, whose names begin with `+`, with
--- text or true as value. They are left out where the server has no message tags, and so is each
--- that it does not let pass (CLIENTTAGDENY).

--- Adds a form for a command, for `send` in this script.
---
--- `command` is a new name, or one of those below, which keeps its own forms beside it: the one with
--- the most parameters for which all are given is used, among equals the script's. A command can be
--- given four forms, a script 256 commands. A hole that ends the line after ` :` takes any text, as
--- in `:{message}`; all others refuse what is no single word. `{target}`, `{nick}`, `{channel}` and
--- `{server}` refuse a comma too, unless they are of the kind `comma`. A reload begins without the
--- forms that were added before.
---
--- ```lua
--- register_pattern("sajoin", "SAJOIN {nick} {channel:comma}")
--- send("sajoin", { nick = "bob", channel = { "#ebb", "#ebb-dev" } })
--- ```
---@param command string in any case
---@param form string
function register_pattern(command, form) end

--- Parameters by name: text, a number, a list of these, or a boolean.
---@alias ebb.Params table<string, string|number|boolean|table>

--- The commands and their forms.
---@alias ebb.Command
---| "pass" # PASS {password}
---| "nick" # NICK {nick}
---| "user" # USER {nick} {mode} * :{realname} | USER {nick} 0 * :{realname}
---| "oper" # OPER {nick} {password}
---| "usermode" # MODE {nick} {modes} | MODE {nick}
---| "service" # SERVICE {nick} * {distribution} {type} 0 :{info}
---| "quit" # QUIT :{message} | QUIT
---| "squit" # SQUIT {server} :{message} | SQUIT {server}
---| "join" # JOIN {channel:comma} {key:comma} | JOIN {channel:comma}
---| "part" # PART {channel:comma} :{message} | PART {channel:comma}
---| "channelmode" # MODE {channel} {modes} {params:space} | MODE {channel} {modes} | MODE {channel} {params:space} | MODE {channel}
---| "topic" # TOPIC {channel} :{message} | TOPIC {channel}
---| "names" # NAMES {channel:comma} {target} | NAMES {channel:comma} | NAMES
---| "list" # LIST {channel:comma} {target} | LIST {channel:comma} | LIST
---| "invite" # INVITE {nick} {channel}
---| "kick" # KICK {channel:comma} {nick:comma} :{message} | KICK {channel:comma} {nick:comma}
---| "privmsg" # PRIVMSG {target} :{message}
---| "notice" # NOTICE {target} :{message}
---| "motd" # MOTD {target} | MOTD
---| "lusers" # LUSERS {mask} {target} | LUSERS {mask} | LUSERS
---| "version" # VERSION {target} | VERSION
---| "stats" # STATS {query} {target} | STATS {query} | STATS
---| "links" # LINKS {remote} {mask} | LINKS {mask} | LINKS
---| "time" # TIME {target} | TIME
---| "connect" # CONNECT {target} {port} {remote} | CONNECT {target} {port}
---| "trace" # TRACE {target} | TRACE
---| "admin" # ADMIN {target} | ADMIN
---| "info" # INFO {target} | INFO
---| "servlist" # SERVLIST {mask} {type} | SERVLIST {mask} | SERVLIST
---| "squery" # SQUERY {target} :{message}
---| "who" # WHO {mask} {o:bool} | WHO {mask} | WHO
---| "whois" # WHOIS {target} {mask:comma} | WHOIS {mask:comma}
---| "whowas" # WHOWAS {nick:comma} {count} {target} | WHOWAS {nick:comma} {count} | WHOWAS {nick:comma}
---| "kill" # KILL {nick} :{message}
---| "ping" # PING {message:nospace} {target} | PING {message:nospace}
---| "pong" # PONG :{message} | PONG
---| "away" # AWAY :{message} | AWAY
---| "rehash" # REHASH
---| "die" # DIE
---| "restart" # RESTART
---| "summon" # SUMMON {nick} {target} {channel} | SUMMON {nick} {target} | SUMMON {nick}
---| "users" # USERS {target} | USERS
---| "wallops" # WALLOPS :{message}
---| "userhost" # USERHOST {nick:space}
---| "ison" # ISON {nick:space}
---| "accept" # ACCEPT {nick:comma}
---| "action" # PRIVMSG {target} :\x01ACTION {message}\x01
---| "authenticate" # AUTHENTICATE {data}
---| "cap" # CAP {subcommand} :{caps:space} | CAP {subcommand} {version} | CAP {subcommand}
---| "chathistory" # CHATHISTORY {subcommand} {target} {from} {to} {limit} | CHATHISTORY {subcommand} {target} {from} {limit} | CHATHISTORY {subcommand} {from} {to} {limit}
---| "ctcp" # PRIVMSG {target} :\x01{command:nospace} {message}\x01 | PRIVMSG {target} :\x01{command:nospace}\x01
---| "ctcp_reply" # NOTICE {target} :\x01{command:nospace} {message}\x01 | NOTICE {target} :\x01{command:nospace}\x01
---| "help" # HELP :{subject} | HELP
---| "knock" # KNOCK {channel} :{message} | KNOCK {channel}
---| "mode" # MODE {target} {modes} {params:space} | MODE {target} {modes} | MODE {target}
---| "monitor" # MONITOR {modifier} {target:comma} | MONITOR {modifier}
---| "redact" # REDACT {target} {target_msgid} :{message} | REDACT {target} {target_msgid}
---| "rename" # RENAME {channel} {new_channel} :{message} | RENAME {channel} {new_channel}
---| "setname" # SETNAME :{realname} | SETNAME :{real_name}
---| "silence" # SILENCE {mask:comma} {flags} | SILENCE {mask:comma} | SILENCE
---| "tagmsg" # TAGMSG {target}
---| "webirc" # WEBIRC {password} {gateway} {hostname} {ip} :{options:space} | WEBIRC {password} {gateway} {hostname} {ip}
---| "whox" # WHO {mask} {fields}

--- # REPLIES
---
--- What `request` returns is a table of what the server has told, by name. For the common commands:
--- - `whois`: nick, user, host, real_name, server, server_info, account, channels, idle, signon,
---   away, certfp, ip, country, gateway, connected_from, special, and registered, oper, bot and
---   secure, which are true or nil;
--- - `whowas`: users, and of the latest of them nick, user, host, real_name, server, server_info,
---   account, ip, connected_from;
--- - `who`, `whox`: users;
--- - `names`: channel, users;
--- - `list`: channels;
--- - `topic`: channel, topic, setter, set_at;
--- - `join`: channel, topic, setter, set_at, users;
--- - `channelmode`, `mode`: channel, modes, params, created; of a list (`modes = "b"`): masks; where
---   modes are changed: channel, modes, params, changes; of ourselves: modes;
--- - `part`: channel;
--- - `kick`: channel, target;
--- - `invite`: nick, channel, away;
--- - `nick`: nick;
--- - `ison`: nicks;
--- - `userhost`, `userip`: replies;
--- - `monitor`: online, offline, targets;
--- - `version`: version, server;
--- - `time`: server, time;
--- - `links`: links;
--- - `ping`: message;
--- - `motd`, `info`, `help`, `admin`: lines;
--- - `lusers`: operator_count, unknown_count, channel_count, local_count, local_max, global_count,
---   global_max;
--- - `rename`: channel, new_channel;
--- - `privmsg`, `notice`, `tagmsg`: msgid, where the server has labels and sends them back.
---
--- What the server did not tell is nil, but for lists, which then are empty. Of several targets a
--- list holds what was told of all, and what is no list is of the first.

--- A reply. Besides `ok` and `events` it has what the command is asked for.
---@class ebb.Reply
---@field ok true
---@field events ebb.Event[] The lines of the answer, as events. They are made when this is first read; `pairs` meets them from then on.
---@field account string? The account that somebody is logged in to.
---@field away string? The message that somebody left.
---@field bot true? Says so of itself.
---@field certfp string? The words on the certificate.
---@field changes table[]? As in the event `channelmode`.
---@field channel string? In its right case.
---@field channel_count integer?
---@field channels (string|table)[]? For `whois` names, prefixes in front; for `list` tables: channel, users (how many), topic.
---@field connected_from string?
---@field country string?
---@field created integer? When, in seconds since 1970.
---@field gateway string?
---@field global_count integer?
---@field global_max integer?
---@field host string?
---@field idle integer? Seconds.
---@field ip string?
---@field lines string[]? A text, line by line.
---@field links table[]? Tables: mask, server, message.
---@field local_count integer?
---@field local_max integer?
---@field masks table[]? Of a list of a channel: mask, setter, set_at.
---@field message string?
---@field modes string? Letters, as `+ntk`.
---@field msgid string?
---@field new_channel string?
---@field nick string?
---@field nicks string[]? Who is there.
---@field offline string[]?
---@field online string[]? As `nick!user@host`, or nicks.
---@field oper true?
---@field operator_count integer?
---@field params string[]? Of the modes.
---@field real_name string?
---@field registered true?
---@field replies string[]? As `nick=+user@host`.
---@field secure true? Connected with TLS.
---@field server string?
---@field server_info string?
---@field set_at integer? When, in seconds since 1970.
---@field setter string? Who did.
---@field signon integer? When, in seconds since 1970.
---@field special string[]? Whatever else the server says of somebody.
---@field target string?
---@field targets string[]?
---@field time string? As the server writes it.
---@field topic string?
---@field unknown_count integer?
---@field user string?
---@field users (string|table)[]? For `names` and `join` nicks, prefixes in front; for `who` tables: nick, user, host, server, channel, real_name, hg_code, hopcount; for `whox` tables: params; for `whowas` tables: nick, user, host, real_name.
---@field version string?

--- # NETWORK OBJECTS

--- A network. `ev.net`, `connect`, `network` and `networks` give it; two objects of one network are
--- equal. Its fields tell what is true now.
---@class ebb.Network
---@field name string Its name in the configuration, or that it was made with.
---@field nick string Our nick, or the one that is tried while we are not registered yet.
---@field account string? The account that we are logged in to; nil while we are not.
---@field state "idle"|"resolving"|"connecting"|"tls"|"registering"|"ready"|"closing"
---@field host string The server that it is connected to, or that is tried next.
---@field port integer The port of that server.
---@field lag number? Seconds that the last PING of ours took; nil before the first answer.
---@field attempt integer How many attempts were begun since it was last ready.
---@field dial_in number? Seconds until the next attempt, which was asked for too soon; nil when none waits.
---@field caps table<string, true> The capabilities that are negotiated, by name.
---@field isupport table<string, string> What the server says of itself, by token: `NETWORK`,
--- `NICKLEN`.
local net = {}

--- As `send`, to this network.
---@async
---@param command ebb.Command
---@param params? ebb.Params
---@return boolean
function net:send(command, params) end

--- As `raw`, to this network.
---@async
---@param line string
---@return true
function net:raw(line) end

--- As `request`, to this network.
---@async
---@param command ebb.Command
---@param params? ebb.Params
---@param timeout? number
---@return ebb.Reply? reply
---@return string? message
---@return string? kind
function net:request(command, params, timeout) end

--- As `flush`, of this network.
---@async
---@param timeout? number
---@return true? flushed
---@return string? message
---@return string? kind
function net:flush(timeout) end

--- As `connect`, of this network.
---@async
---@return ebb.Network? network
---@return string? message
---@return string? kind
function net:connect() end

--- As `disconnect`, of this network.
---@async
---@param message? string
---@return true
function net:disconnect(message) end

--- Removes a network that a script made, and returns true when it is gone.
---
--- It ends the connection as `disconnect` does. Afterwards there is no such network: to use its
--- object raises an error object of kind `disconnected`, and who waits in `connect` gets the kind
--- `requested`. A network of the configuration goes with its section there: to remove it raises. Where
--- the configuration has come to name it before it was gone, it stays: `nil, message, "requested"`.
---@async
---@param message? string
---@return true? removed
---@return string? message
---@return string? kind
function net:remove(message) end

--- Lets each line that the network receives pass a function before scripts hear of it. Only for
--- scripts with `trust = full`: it can make lines that no server sent.
---
--- The function gets the line as it was received, without CR and LF, and `next`. What is given to
--- `next` goes on, to the next such function and in the end to the handlers and waits of all
--- scripts: the line, another one, several, or none at all. Functions stand in the order of the
--- scripts in the configuration, and of one script in the order of the calls. ebb itself sees what
--- the server sent, not what became of it: it answers PING, and knows who is where, whatever a
--- filter does; the `messages` of a batch are as they came. A message that came in several lines
--- is one line here, with line feeds in its text. What else is given to `next` must be one line,
--- without CR, LF and NUL, else `next` raises; one that is no message is dropped.
---
--- The function must not pause, and holds all of ebb up while it runs; see LIMITS. Where it fails
--- or is stopped, this is logged, and the line goes on as if the function were not there; one that
--- was stopped for taking too long is over. It runs at once, also between two steps of a task of its
--- script that computes for long, and during a reload until the new code takes over: what it then
--- changes in `state` may be lost. What it sends passes no filter. After it has returned `next`
--- raises. It ends by `off`, with its script or by a reload, and with the network.
---
--- ```lua
--- net:filter_in(function(line, next)
---   if not line:find("viagra", 1, true) then next(line) end
--- end)
--- ```
---@param fn fun(line: string, next: fun(line: string))
---@return ebb.LineFilter filter
function net:filter_in(fn) end

--- The same for each line that a script sends to the network, with `send`, `raw`, `reply` or
--- otherwise, before it is queued. What ebb itself sends passes no filter. Only for scripts with
--- `trust = full`, as they see what others send.
---
--- The function gets the line as the script sends it, without CR and LF, and before it is cut to
--- the length that the server takes. What it gives to `next` is checked as `raw` does: who sends
--- gets the error. Where nothing goes on, the script that sends does not notice. A `request` asks
--- the first line only, and gives `nil, message, "denied"` where there is none.
---
--- ```lua
--- net:filter_out(function(line, next)
---   next((line:gsub("ponies", "horses")))
--- end)
--- ```
---@param fn fun(line: string, next: fun(line: string))
---@return ebb.LineFilter filter
function net:filter_out(fn) end

--- What `filter_in` and `filter_out` return.
---@class ebb.LineFilter
local filter = {}

--- Ends the filter. Allowed at any time, also twice. If it runs, it may still pass lines on.
function filter:off() end

--- Whether two nicks or channels are the same under the network's casemapping.
---@param a string
---@param b string
---@return boolean
function net:same(a, b) end

--- Whether a name is that of a channel.
---@param name string
---@return boolean
function net:is_channel(name) end

--- Returns a channel that we are in; nil for any other. See CHANNELS AND USERS.
---@param name string
---@return ebb.Channel? channel
function net:channel(name) end

--- Gives the channels that we are in, for a loop. What is joined meanwhile may be among them.
---
--- ```lua
--- for ch in net:channels() do log.info("%s: %d users", ch.name, ch.count) end
--- ```
---@return fun(): ebb.Channel?
function net:channels() end

--- Returns who has that nick, if we share a channel with them or it is ourselves; else nil. See
--- CHANNELS AND USERS.
---@param nick string
---@return ebb.User? user
function net:user(nick) end

--- # CHANNELS AND USERS
---
--- ebb keeps what the server tells of the channels that we are in, and of the users in these.
--- Objects stand for them. They hold nothing but whom they mean: each field is read when it is
--- asked for, and tells what is known then. They cannot be changed, and `state` does not carry them
--- over: keep names there. Each call makes a new object, so the key of a table is better a name.
---
--- **When.** Until a handler or a wait's task pauses next, all is as it was when the event came: in
--- `part`, `kick` and `quit` who leaves is still there; in `join` and `nick` the newcomer and the
--- new nick are not there yet, and after `sleep(0)` they are. This holds for a script that keeps up.
--- One that computes for long, or is being reloaded, gets its events later, and so does a loop over
--- `events` between its rounds: it then finds what has come of them since. What the event itself
--- says, as the `channels` of `quit`, does not change. In `client_disconnect` nobody is there any
--- more.
---
--- **What is known.** Members and their prefixes come when we join; the user names, hosts, accounts
--- and real names of those who were there before us come a little later, as the server answers WHO,
--- and are nil until then. Accounts and being away are followed where the server tells of changes.

--- A channel, by name. `net:channel`, `net:channels` and `ev:chan` give it; two objects of the same
--- channel are equal.
---
--- When we leave the channel its fields are nil, but for `name`, `net`, `joined` and `users`; when we
--- join it again the same object tells of it again. Its methods need only its name. Each sends a
--- line, as `send` does: it pauses where the queue is full and raises what `send` raises. The server
--- may refuse what is asked; that is an event. Where a nick is wanted a user's object does as well;
--- of one who is gone it raises an error object of kind `err_nosuchnick`.
---
--- ```lua
--- local known = { op = true, deop = true, voice = true, devoice = true }
--- on("privmsg", { match = "^!(%w+)$" }, function(ev, word)
---   local ch = ev:chan()
---   local user = ch and ch.users[ev.nick]
---   if user and user.op and known[word] then ch[word](ch, user) end
--- end)
--- ```
---@class ebb.Channel
---@field name string Its name, as the server writes it.
---@field net ebb.Network? Its network; nil where that was removed.
---@field joined boolean Whether we are in it.
---@field topic string? The topic; `""` where there is none, nil where it is not known.
---@field topic_setter string? Who set the topic: a nick, or `nick!user@host`.
---@field topic_time integer? When that was, in seconds since the epoch.
---@field modes string? The modes with their parameters, `+klnt secret 50`, without lists and what
--- members have; nil where there are none, or none are known.
---@field key string? The key, where there is one and it is known.
---@field created integer? When it was created, in seconds since the epoch.
---@field count integer? How many are in it, we too.
---@field complete boolean? Whether all who are in it are known: soon after we have joined.
---@field users ebb.Users Who is in it.
local ch = {}

--- Says something in the channel; what is too long for one line is sent as several.
---@async
---@param text string|number
---@return true
function ch:say(text) end

--- As `say`, as a notice.
---@async
---@param text string|number
---@return true
function ch:notice(text) end

--- As `say`, as an action, which `/me` is.
---@async
---@param text string|number
---@return true
function ch:act(text) end

--- Makes one or several users operators.
---@async
---@param nick string|ebb.User
---@param ... string|ebb.User
---@return true
function ch:op(nick, ...) end

--- Makes operators common users again.
---@async
---@param nick string|ebb.User
---@param ... string|ebb.User
---@return true
function ch:deop(nick, ...) end

--- Gives one or several users voice.
---@async
---@param nick string|ebb.User
---@param ... string|ebb.User
---@return true
function ch:voice(nick, ...) end

--- Takes the voice of users.
---@async
---@param nick string|ebb.User
---@param ... string|ebb.User
---@return true
function ch:devoice(nick, ...) end

--- Changes modes, with a parameter for each of them that takes one.
---
--- ```lua
--- ch:mode("+ml-k", 50, "*")
--- ```
---@async
---@param modes string
---@param ... string|number|ebb.User
---@return true
function ch:mode(modes, ...) end

--- Bans one or several masks, `*!*@bad.example`.
---@async
---@param mask string
---@param ... string
---@return true
function ch:ban(mask, ...) end

--- Takes bans back.
---@async
---@param mask string
---@param ... string
---@return true
function ch:unban(mask, ...) end

--- Removes a user.
---@async
---@param nick string|ebb.User
---@param why? string
---@return true
function ch:kick(nick, why) end

--- Invites a user.
---@async
---@param nick string|ebb.User
---@return true
function ch:invite(nick) end

--- Sets the topic; `""` for none.
---@async
---@param topic string
---@return true
function ch:set_topic(topic) end

--- Leaves the channel.
---@async
---@param why? string
---@return true
function ch:part(why) end

--- Who is in a channel, by nick. `#ch.users` is how many; there is nobody where we are not in it.
---
--- `pairs` walks them. Its loop may pause while people come and go: it meets everybody who is there
--- from its beginning to its end, maybe those who come meanwhile, and maybe somebody twice when
--- others leave.
---
--- ```lua
--- for nick, user in pairs(ch.users) do
---   if user.away then log(nick .. " is away") end
--- end
--- ```
---@class ebb.Users
---@field [string] ebb.Member

--- A user. `net:user` and `ch.users` give it; two objects of the same user are equal.
---
--- It follows its user through changes of nick. When we share no channel any more the user is gone
--- for good, and the fields are nil, whoever has the nick later.
---@class ebb.User
---@field nick string? The nick as it is now.
---@field user string? The user name.
---@field host string? The host.
---@field account string? The services account; nil for who is logged out, or not known to be logged
--- in.
---@field realname string? The real name.
---@field away boolean|string? Whether they are away; the message, where it is known.
---@field bot boolean? Whether they are marked as a bot.
---@field oper boolean? Whether they are known to be a server operator.
---@field me boolean? Whether it is ourselves.
---@field channels string[]? The names of the channels that we share.
---@field gone boolean Whether they have left.
---@field net ebb.Network? Their network; nil where that was removed.

--- A user in a channel, which `ch.users` gives: the same, and what they are there. These fields are
--- nil when they, or we, have left the channel.
---@class ebb.Member : ebb.User
---@field prefix string? The symbols of what they have there, highest first: `@+`, `""` for none. A
--- server without multi-prefix tells only of the highest.
---@field op boolean? Whether they are an operator, or more: `@`, `&`, `~`.
---@field voice boolean? Whether they have voice, `+`.

--- # TIME AND TASKS

--- Pauses for a number of seconds, which may have a fraction. With 0, other tasks have their turn.
---@async
---@param seconds number
function sleep(seconds) end

--- Starts a task that runs `fn` with the arguments given.
---
--- It begins after the present task has paused or ended. An error in it is logged with its
--- traceback and the place where it was spawned.
---
--- ```lua
--- for net in networks() do spawn(net.connect, net) end
--- ```
---@param fn async fun(...: any)
---@param ... any
---@return ebb.Task task
function spawn(fn, ...) end

--- Runs `fn` with the arguments given once, in `seconds` from now, as a task of its own.
---
--- ```lua
--- after(180, function()
---   send("privmsg", { target = "#tea", message = "it is ready" })
--- end)
--- ```
---@param seconds number
---@param fn async fun(...: any)
---@param ... any
---@return ebb.Task task
function after(seconds, fn, ...) end

--- Runs `fn` with the arguments given again and again, `seconds` apart and first after `seconds`,
--- each time as a task of its own, for as long as the script runs.
---
--- It never overlaps itself: a time that comes while the task before still runs is passed over. An
--- error ends only the task in which it is. A millisecond is the shortest period.
---@param seconds number
---@param fn async fun(...: any)
---@param ... any
---@return ebb.Task task
function every(seconds, fn, ...) end

--- Runs `fn` with the arguments given at times of the calendar, each time as a task of its own.
---
--- `spec` has the five fields of crontab(5), in local time: minute, hour, day of the month, month,
--- day of the week (0 and 7 are Sunday). Each is `*`, a number, a range `a-b` or a list of these,
--- with `/step` behind it; months and days of the week also by the first three letters of their
--- names. Where both kinds of day are restricted, either is enough. It never overlaps itself. An
--- error names the field that makes no sense.
---
--- ```lua
--- cron("0 9 * * mon-fri", function()
---   network("libera"):send("privmsg", { target = "#work", message = "good morning" })
--- end)
--- ```
---@param spec string
---@param fn async fun(...: any)
---@param ... any
---@return ebb.Task task
function cron(spec, fn, ...) end

--- What `spawn`, `after`, `every` and `cron` return.
---@class ebb.Task
---@field name string What it is and where it was made, as in the log: `spawn karma.lua:12`.
local task = {}

--- Pauses until the task has ended, and returns its results; raises its error, which then is not
--- logged as well. At once where it has ended already. A task cannot join itself. What `after`
--- returned is joined with the task that runs then; what `every` or `cron` returned, when it was
--- cancelled.
---@async
---@param timeout? number seconds; none: for ever
---@return any ... or nil and why: "timeout", "cancelled"
function task:join(timeout) end

--- Cancels the task; of `every` and `cron`, all that would come as well.
---
--- A task that has not started never does. One that pauses is woken: the function in which it
--- pauses raises, and so does every other that pauses, until it has ended. No `pcall` holds that.
--- Variables with `__close` are closed and what `defer` noted runs on the way; what must still
--- pause there does so within `shield`.
function task:cancel() end

--- What it does: "runnable", "running", "paused"; "waiting" for its time; or how it ended: "done",
--- "failed", "cancelled".
---@return string status
function task:status() end

--- Runs the functions at once, each as a task of its own, and pauses until all have ended.
---
--- Returns the first result of each, in their order. The first error cancels the others, and is
--- raised when these have ended. Cancelling the task that waits cancels them first.
---
--- ```lua
--- local a, b = all(function() return wait("rpl_time", 10) end, function() return wait("rpl_version", 10) end)
--- ```
---@async
---@param ... async fun(): any
---@return any ...
function all(...) end

--- Runs the functions at once, and returns the results of the one that ends first; the others are
--- cancelled, and have ended when it returns. An error that comes first is raised.
---@async
---@param ... async fun(): any
---@return any ...
function race(...) end

--- Calls `fn` with the arguments given, and cancels it when it takes too long.
---
--- Returns its results, or `nil, "timeout"`.
---
--- ```lua
--- local ok, why = timeout(30, connect)
--- ```
---@async
---@param seconds number
---@param fn async fun(...: any): any
---@param ... any
---@return any ...
function timeout(seconds, fn, ...) end

--- Calls `fn` with the arguments given; a cancellation from outside waits until it has returned. A
--- task that is cancelled has five seconds: what begins later is not shielded. As out of `timeout`,
--- `fn` does not yield out of it to the consumer of a coroutine.
---@async
---@param fn async fun(...: any): any
---@param ... any
---@return any ... its results
function shield(fn, ...) end

--- Notes a function that runs when the present task ends, however it ends; the last one first.
---@param fn async fun()
function defer(fn) end

--- Makes a future: a value that one task sets and others wait for.
---@return ebb.Future future
function future() end

---@class ebb.Future
local fut = {}

--- Settles it with values. An error when it is settled already.
---@param ... any
function fut:set(...) end

--- Settles it with an error, any value, which `wait` raises.
---@param err any
function fut:fail(err) end

--- Pauses until it is settled, and returns its values, or raises its error; else `nil, "timeout"`.
---@async
---@param timeout? number seconds; none: for ever
---@return any ...
function fut:wait(timeout) end

--- Makes a queue: values come out in the order in which they went in, and who waited longest for
--- one gets it. `#q` is how many are in it.
---@param max? integer a full queue lets `push` wait; none: without bound
---@return ebb.Queue queue
function queue(max) end

---@class ebb.Queue
local q = {}

--- Puts a value, which is not nil, at the end; pauses while the queue is full.
---@async
---@param value any
function q:push(value) end

--- Takes the first value; pauses while there is none. Else `nil, "timeout"`.
---@async
---@param timeout? number seconds; none: for ever
---@return any value
---@return string? why
function q:pop(timeout) end

--- Makes a lock, which one task at a time holds.
---@return ebb.Lock lock
function lock() end

---@class ebb.Lock
local l = {}

--- Calls `fn` with the arguments given while it holds the lock, and returns its results; pauses
--- until those who asked earlier have let it go. It is let go however `fn` ends. An error where
--- the task holds it already.
---@async
---@param fn async fun(...: any): any
---@param ... any
---@return any ...
function l:with(fn, ...) end

--- # MODULES
---
--- A script may be spread over several files. `require "quiz.words"` in `karma.lua` looks for the
--- file `karma/quiz/words.lua` and then `karma/quiz/words/init.lua` in the script's own folder,
--- which has the name of its file; for a script that is `karma/init.lua` that is the folder
--- `karma`, too. Next come `lib/quiz/words.lua` and `lib/quiz/words/init.lua` in each folder of
--- `script_path`, see ebb.ini(5). Without a configuration, as in the console and in tests, `lib` is
--- beside the script, or beside the folder of `init.lua`; a test called `karma_test.lua` also sees
--- the modules that `karma.lua` has to itself.

--- Gives the value of a module, which is loaded when it is first asked for.
---
--- The module's file runs as a function that gets the module's name and the file's path; what it
--- returns is the value, `true` in place of nothing. It may pause: other tasks that require it
--- meanwhile wait until it has ended. Each script has modules of its own. Also returns the path.
---
--- An error in the file is raised, and the module can be required again. It raises as well where
--- there is no such module; where modules require each other in a loop; for a file that is no text,
--- or longer than 1 MB; for a symbolic link that leads out of the folders above; and for a name that
--- is not of letters, digits, `_` and `-`, in parts with a dot between.
---
--- ```lua
--- local words = require "quiz.words"
--- ```
---@async
---@param name string
---@return any value
---@return string? path
function require(name) end

--- # RELOADING
---
--- A script is reloaded when one of its files changes, and when somebody asks for it. Its files are
--- its own and those of its modules, also of modules that it required in vain, up to 500 places. The
--- new code runs in a fresh state beside the old, with a copy of `state`; what happens meanwhile
--- waits. When its file has run to its end it takes the old code's place, between two events: each
--- event goes to the handlers of the one or the other. Until then anything that fails means that
--- nothing has changed: the old code goes on, and the log says why. So does a file that has not come
--- to its end after two seconds (`reload_timeout`): what goes on for long is to be started with
--- `spawn`. While the file pauses, what it has started runs, but for alarms, and no event reaches it.
--- What it sends is sent, also where it fails later.
---
--- When the new code is in place, the old code's subscriptions and alarms end, and its tasks that
--- `spawn`, `after`, `every` and `cron` started are cancelled, unless a handler waits for them in
--- `join`: what a loop over `events` in one of them has not read yet is lost. Handlers under way may
--- go on for ten seconds (`reload_drain`), and hear of what they wait for; then they are cancelled as
--- well. An alarm of `every` or `cron` that the new file makes comes when the old one with the same
--- period or times would have come next.

--- What a script keeps over reloads: a table that is there before the file runs.
---
--- It may hold text, numbers and booleans, and tables of these, with such keys, up to 60 deep and
--- 64 MB in all; a table that stands in it twice, or in itself, stays one. The reload is refused
--- where it holds anything else. Metatables are not carried over: `on_reload` can set them again. It
--- outlives the script also when that used up its memory and is started anew, but not the daemon.
--- To assign the name itself is an error.
---
--- ```lua
--- local games = state.games or {}
--- state.games = games
--- ```
---@type table
state = {}

--- Notes a function that runs in the new code after a reload, when its file has run. It gets
--- `state`, and may change it. An error in it refuses the reload. The last function that was noted
--- counts.
---
--- ```lua
--- on_reload(function(state)
---   state.scores = state.scores or state.points -- as it was called before
--- end)
--- ```
---@param fn fun(state: table)
function on_reload(fn) end

--- Notes a function that runs in the old code when it is out of service: after a reload, when the
--- script is unloaded, and when the daemon ends. It gets the reason, `"reload"`, `"unload"` or
--- `"shutdown"`, and may pause. The last function that was noted counts.
---@param fn async fun(reason: string)
function on_unload(fn) end

--- # LOG AND CONFIGURATION

--- The log. Called, `log(text)` writes a line of level info.
---
--- The functions take a format and its arguments, as `string.format` does, or a text alone, which
--- is taken as it is. A level that is not logged costs nothing. ebb puts the script's name in
--- front.
---
--- ```lua
--- log("ready")
--- log.warn("%s: %d lines were lost", ev.network, n)
--- ```
---@class ebb.Log
---@overload fun(text: any)
log = {}

--- A line of level debug.
---@param format any
---@param ... any
function log.debug(format, ...) end

--- A line of level info.
---@param format any
---@param ... any
function log.info(format, ...) end

--- A line of level warning: something went wrong, and the script coped.
---@param format any
---@param ... any
function log.warn(format, ...) end

--- A line of level error: a person must act.
---@param format any
---@param ... any
function log.error(format, ...) end

--- Writes its arguments to the log, separated by tabs, as a line of level info.
---@param ... any
function print(...) end

--- The keys of the script's section in the configuration that are not ebb's own, as text.
---
--- ```lua
--- local greeting = config.greeting or "hello"
--- local seconds = tonumber(config.seconds) or 60
--- ```
---@type table<string, string>
config = {}

--- All of the globals above as fields of one table, but for `print`: `ebb.on`, `ebb.send` and so
--- on.
---@type table<string, any>
ebb = {}

--- # ERROR OBJECTS

--- What `send`, `raw`, `reply` and the methods of channels raise when the network is at fault, not
--- the script: an object that `pcall` gives. So does `trigger` when too many events wait, and a
--- method of a channel that is given a user who is gone. As text (`tostring`) it is its message.
---
--- One of kind `disconnected` that nobody catches is logged once for a script and an outage,
--- without traceback.
---
--- ```lua
--- local ok, e = pcall(send, "away", { message = "asleep" })
--- if not ok and type(e) == "table" and e.kind == "disconnected" then
---   log("nobody is told: " .. e.message)
--- end
--- ```
---@class ebb.Error
---@field kind "disconnected"|"limit"|"err_nosuchnick" Why it was raised.
---@field message string The same in words, with the place in the script.

--- # LIMITS
---
--- What one script does wrong is its own affair: the others, and the connections, do not notice.
---
--- **Time.** A task that computes for more than some milliseconds shares the processor with the other
--- scripts, unseen by itself; its own script waits for it, and hears what happens meanwhile later,
--- in the same order. After 50 ms a warning with the traceback is logged. After a second (five with
--- `trust = full`; `cpu_max` in the script's section) without a pause it is stopped: an error with
--- the traceback is logged, of its code only `__close` still runs, for 20 ms, and who waits for it
--- with `join` gets an error. Where nothing can pause, as in a filter or in `__tostring`, the whole
--- loop waits, and the limit is 0.1 seconds. No `pcall` keeps a task that is stopped alive.
---
--- **Cancellation.** A task that is cancelled gets an error that no `pcall` and no coroutine catches,
--- at its pause and at each further one. On its way out variables with `__close` are closed, and
--- what `defer` noted runs. If it is still there five seconds later, and no `shield` is the reason,
--- it is stopped.
---
--- **Memory.** A script has 64 MB (`memory_max`), with the events that wait in it to be read. What
--- does not fit raises `not enough memory`, or an error object of kind `limit` where it waits. When
--- the memory stays nearly full, the script is ended and loaded anew: after a second, and twice as
--- long each time. What fails for the sixth time within ten minutes stays away. So does a script
--- that computes on and on while more than 65,536 events, or 64 MB of them, wait for it.
---
--- **Numbers.** 20,000 tasks, 20,000 subscriptions and waits, 100,000 alarms of `after`, `every` and
--- `cron`; 1,000 networks made by `connect`, by all scripts; 10,000 tasks spawned between two pauses; 64 line filters for a network and a direction,
--- and 64 lines, or 1 MB, that become of one; 65,536 events that scripts triggered and that
--- wait for their turn. What is more raises an error that says so.
---
--- **Errors.** A hundred errors of a script are logged within ten seconds, and then how many more
--- there were.
---
--- **Debug mode.** `debug = yes` in the script's section, or `log_level = debug`, tells more: every
--- time a task is blocked for 50 ms, a task that has been paused for an hour, the hundredth wait for
--- one event, a call that wants to pause where nothing can, and what is pending when a script ends;
--- each with the line where it was made.

--- # STANDARD LIBRARY
---
--- The basic functions are there (but `warn` does nothing). `load` takes text only, 1 MB at most,
--- and an error in its reader is raised; `collectgarbage` takes only `"collect"`, `"count"` and
--- `"step"`. So are `table`, `math`, `utf8`, `coroutine`, and `string` without `dump`. There is no
--- `package`. Of `os`, `io` and `debug` there is what stands below.
---
--- **Trust.** What is marked as being there with `trust = full` only is not seen by other scripts,
--- see ebb.ini(5). A relative path begins at the folder of the script's file. While a file is opened,
--- read or written everything waits, all of ebb. Under `ebbd --check` no file is changed: what would
--- do that gives `nil`, a message and a number. With `trust = full` a metatable may have `__gc`, else
--- `setmetatable` refuses it: nothing can stop such a function, and when its script ends it is not
--- called.
---
--- The functions of `table` work on 10,000,000 elements at most, `table.sort` and `table.concat` on
--- 1,000,000, and `table.concat` makes no more than 16 MB; what is larger is an error. `table.sort`
--- is stable, and its comparator may pause. The table is written at the end: an error in the
--- comparator leaves it as it was.
---
--- Patterns are Lua's own, but what they may cost is limited: `find`, `match`, `gmatch` and `gsub`
--- raise `pattern too complex` where a pattern tries too much, as `.-.-.-.-x` does in a long text.
--- `string.rep` makes at most 16 MB. A pattern of a filter that costs too much in a message does not
--- match it, and a warning is logged the first time.
---
--- A task cannot pause in a filter, in `__tostring`, nor in the handler of `xpcall`; `sleep` and the
--- like raise there. In `pcall`, iterators, coroutines, other metamethods, the comparator of
--- `table.sort`, the function that `string.gsub` is given and the reader of `load` it can.

--- Loads the text of a file as a function, as Lua's manual says. With `trust = full` only.
---@param path string
---@param mode? string
---@param env? table
---@return function? chunk
---@return string? message
function loadfile(path, mode, env) end

--- Runs a file and returns what it returns; it may pause. With `trust = full` only.
---@async
---@param path string
---@return any ...
function dofile(path) end

--- What there is of the library `os`.
---@class oslib
os = {}

--- The time of day in whole seconds since the epoch, or the time that a table means.
---@param table? table as `os.date("*t")` gives
---@return integer
function os.time(table) end

--- A time as text or as a table, as Lua's manual says; without `time`, now. The format has 4096
--- bytes at most.
---@param format? string
---@param time? integer
---@return string|table text
function os.date(format, time) end

--- Seconds since ebb began, with fractions: a clock that never jumps. (Lua's own gives CPU time.)
---@return number
function os.clock() end

--- The seconds from `from` to `to`.
---@param to integer
---@param from integer
---@return number
function os.difftime(to, from) end

--- A variable of the environment. With `trust = full` any but those that tell of ebb's credentials
--- and of the service manager's socket; else nil but for HOME, LANG and TZ.
---@param name string
---@return string? value
function os.getenv(name) end

--- Removes a file or an empty folder. With `trust = full` only.
---@param path string
---@return true? removed
---@return string? message
---@return integer? number
function os.remove(path) end

--- Renames a file or a folder. With `trust = full` only.
---@param from string
---@param to string
---@return true? renamed
---@return string? message
---@return integer? number
function os.rename(from, to) end

--- Raises: a script cannot end ebb. It is there with `trust = full` only.
function os.exit() end

--- Raises: all of ebb would wait for the program. It is there with `trust = full` only.
function os.execute() end

--- What there is of the library `io`, with `trust = full` only.
---@class iolib
io = {}

--- Opens a file: to read (`"r"`, which goes without saying), to write it anew (`"w"`), or to write at
--- its end (`"a"`); with `+` behind it for both, with `b` behind that if one likes.
---
--- A script has 64 files open at most; they are closed when it ends. `nil`, a message and a number
--- when it fails.
---@param path string
---@param mode? string
---@return ebb.File? file
---@return string? message
---@return integer? number
function io.open(path, mode) end

--- Iterates over the lines of a file, or over what `file:lines` would give for the formats; the file
--- is closed at its end, and when the loop is left. Raises when it cannot be opened.
---@param path string
---@param ... string|integer
---@return fun(): string? next_line
function io.lines(path, ...) end

--- "file", "closed file", or nil for what is no file.
---@param value any
---@return string? kind
function io.type(value) end

--- An open file. Its functions are Lua's own.
---@class ebb.File
local file = {}

--- Closes it.
---@return true? closed
---@return string? message
---@return integer? number
function file:close() end

--- Writes what was kept back so far.
---@return ebb.File? file
---@return string? message
---@return integer? number
function file:flush() end

--- Iterates over lines, or over what `file:read` gives for the formats.
---@param ... string|integer
---@return fun(): string? next_line
function file:lines(...) end

--- Reads by formats: `"l"`, a line; `"L"`, one with its end; `"n"`, a number; `"a"`, all the rest; or
--- so many bytes. A line where none is given; nil at the end of the file.
---@param ... string|integer
---@return string|number|nil ...
function file:read(...) end

--- Moves to a place, counted from `"set"` (the beginning), `"cur"` or `"end"`, and returns it.
---@param whence? string
---@param offset? integer
---@return integer? position
---@return string? message
---@return integer? number
function file:seek(whence, offset) end

--- How what is written is kept back: `"no"`, `"full"` or `"line"`.
---@param mode string
---@param size? integer
---@return true? set
function file:setvbuf(mode, size) end

--- Writes texts and numbers.
---@param ... string|number
---@return ebb.File? file
---@return string? message
---@return integer? number
function file:write(...) end

--- What there is of the library `debug`.
---@class debuglib
debug = {}

--- The calls that led here, or to where a thread is, as text below `message`.
---@param message? any
---@param level? integer
---@return string text
---@overload fun(thread: thread, message?: any, level?: integer): string
function debug.traceback(message, level) end

--- What is known of a function, or of the one at a level of the calls, as Lua's manual says. It does
--- not give a function in C that it finds at a level. With `trust = full` only.
---@param f function|integer
---@param what? string
---@return table? info
---@overload fun(thread: thread, f: function|integer, what?: string): table?
function debug.getinfo(f, what) end

--- The name and the value of a local variable at a level of the calls, where that is a function in
--- Lua; of a function the name of a parameter. With `trust = full` only.
---@param f function|integer
---@param index integer
---@return string? name
---@return any value
---@overload fun(thread: thread, f: function|integer, index: integer): string?, any
function debug.getlocal(f, index) end

--- # TESTING SCRIPTS
---
--- `ebbd --test` runs tests written in Lua, see ebbd(8): files called NAME_test.lua, beside the
--- scripts that they test. Bots in a test are real: scripts on ebb's own connections, to IRC
--- networks that are inside the process. Time is virtual: when nothing else can run, the clock
--- jumps to the next deadline, so ten hours take milliseconds, and times are exact.
---
--- ```lua
--- local t = require "ebb.test"
--- t.test("a quiz times out", function()
---   local bot = t.bot{ "quiz" }
---   local alice = bot:person("alice", "#quiz")
---   alice:says("!quiz")
---   t.expect(bot:said("#quiz")):contains("capital of France")
---   t.advance(31)
---   t.expect(bot:said("#quiz")):equals("too slow")
--- end)
--- ```
---
--- Each test runs in a Lua state of its own, as a task: all of this manual's functions but for
--- those of networks work in it too. It starts on the first of January 2026, 00:00:00 UTC. It fails
--- with an error; when it does not end within its limit; when a script logs an error that
--- `t.logged` does not take; and when it leaves tasks, alarms or subscriptions over, its own, or a
--- bot's that were made after the bot was up (`bot:stop` ends a bot with all that it has).
---
--- With the same seed a test does the same: `math.random` follows from it, and `pairs` walks a
--- table in the order of its keys, where these are numbers, texts and booleans. `next` does not, keys
--- that are objects come in any order, and an address that `tostring` gives of a table is another
--- each time.

--- What `require "ebb.test"` gives. Only tests have it.
---@class ebb.test
local t = {}

--- Defines a test. To be called by the file itself, not by a test.
---@param name string
---@param fn async fun()
---@param options? { limit: number } limit: the virtual seconds that it may take, a week otherwise
function t.test(name, fn, options) end

--- Makes a bot, connects it, and returns when nothing more can happen at this moment of time.
---
--- The list in `options` names its scripts, in their order: `"quiz"` is quiz.lua beside the test,
--- else an installed one; `"../quiz.lua"` a path; `{ name = "quiz", rounds = 3 }` has keys of the
--- script's section too, ebb's own among them (`trust = "full"`), and with `code` the script's text.
--- No other script is there, reconnect neither.
---
--- `networks` is a list of what `t.network` gave; without it the bot has one of its own, called
--- test. All other keys are those of a [network] section, see ebb.ini(5), with text, numbers,
--- booleans or lists of texts as values: `nick = "ebb"`, `channels = { "#a", "#b key" }`,
--- `sasl = "plain"` with `account` and `password`, `autoconnect = false`. Lines are sent without pacing unless `flood_rate` says otherwise.
---@async
---@param options table
---@return ebb.test.Bot bot
function t.bot(options) end

--- Makes a network for bots to be on. It behaves as a server of its profile does: `inspircd`, which
--- is the default, `ngircd`, `hybrid`, `libera` or `ergo`.
---
--- Further options are `name`; `password`, which the server asks for; `accounts`, those that one can
--- log in to, as in `{ ebb = "secret" }`: without it any name and password will do; `motd`, the lines of its message
--- of the day; `register_delay`, the seconds between the last line of a registration and the welcome;
--- `ping_interval`, after so many silent seconds of which it sends a PING.
---@param options? table
---@return ebb.test.Network sim
function t.network(options) end

--- Says what is expected of a value, by the functions of what it returns.
---@param value any
---@return ebb.test.Expectation that
function t.expect(value) end

--- Lets time pass; all that is due by then has happened when it returns.
---@async
---@param seconds number
function t.advance(seconds) end

--- Lets the machine sleep for so long, and wake. No deadline comes nearer meanwhile, and `t.now`
--- stays; only the time of day goes on. What follows at once has happened when it returns.
---@async
---@param seconds number
function t.suspend(seconds) end

--- Lets everything happen that can happen without time passing.
---@async
function t.settle() end

--- The virtual seconds since the test began.
---@return number seconds
function t.now() end

--- Takes the next line of the log, of level debug or above, that matches; nil when there is none.
--- After this line those before it can still be taken. An error is one line with its traceback.
---@async
---@param pattern string a Lua pattern
---@return string? line
function t.logged(pattern) end

--- A bot of a test.
---@class ebb.test.Bot
---@field net ebb.test.Network Its first network.
---@field nick string? Its nick there.
local bot = {}

--- Takes the next thing that it said in a channel, or to a nick, as others saw it; nil when there
--- is none. Things said in one place are taken in their order.
---@async
---@param place string
---@param within? number seconds to wait for it; none: only what was said by now
---@return string? text
---@return "privmsg"|"notice"|"action" how
function bot:said(place, within) end

--- Takes the next line of that command of the bot's that others saw, as the list of its parameters:
--- PRIVMSG, NOTICE, TAGMSG, JOIN, PART, KICK, TOPIC, MODE, NICK or QUIT.
---@async
---@param command string
---@param within? number
---@return string[]? params
function bot:did(command, within) end

--- Makes somebody on the bot's network. With a channel they are in it, and the bot joins it
--- before, if it is not there.
---@async
---@param nick string
---@param options? string|table a channel, or its fields: channel, account, user, host, realname
---@return ebb.test.Person person
function bot:person(nick, options) end

--- Reloads a script of the bot's, from its file or from another text. Returns when that is
--- decided, and nothing can run but for time that passes: true, or nil and why it was refused.
---
--- ```lua
--- bot:person("alice", "#quiz"):says("!quiz")
--- t.expect(bot:reload("quiz")):equals(true)
--- ```
---@async
---@param name string
---@param code? string Lua text in place of the file
---@return boolean? ok
---@return string? why
function bot:reload(name, code) end

--- Ends it, with all that its scripts have under way.
function bot:stop() end

--- Somebody on a network of a test. What the server refuses does not happen. Where no channel is
--- named, it is the one that the person was given.
---@class ebb.test.Person
---@field nick string
local person = {}

--- Says something, in the channel that the person was given unless a target is named.
---@param text string
---@param target? string
function person:says(text, target) end

--- The same as a notice.
---@param text string
---@param target? string
function person:notices(text, target) end

--- The same as an action (/me).
---@param text string
---@param target? string
function person:acts(text, target) end

--- Says something to the bot alone.
---@param text string
function person:tells(text) end

---@param channel string
---@param key? string
function person:joins(channel, key) end

---@param channel? string
---@param reason? string
function person:parts(channel, reason) end

---@param reason? string
function person:quits(reason) end

--- Takes another nick.
---@param nick string
function person:renames(nick) end

---@param nick string
---@param reason? string
---@param channel? string
function person:kicks(nick, reason, channel) end

--- Changes modes: `person:mode("+o ebb")`.
---@param change string
---@param channel? string
function person:mode(change, channel) end

---@param topic string
---@param channel? string
function person:topic(topic, channel) end

---@param nick string
---@param channel? string
function person:invites(nick, channel) end

--- Is away, or without a message back.
---@param message? string
function person:away(message) end

--- Is logged in by services; without an account logged out.
---@param account? string
function person:login(account) end

--- Sends a line as it is.
---@param line string
function person:raw(line) end

--- A network of a test. Its faults befall the bots' connections, also those to come where they
--- last.
---@class ebb.test.Network
---@field name string
local sim = {}

--- Makes somebody on it, as `bot:person` does, but joins no bot.
---@async
---@param nick string
---@param options? string|table
---@return ebb.test.Person person
function sim:person(nick, options) end

--- What is sent arrives so many seconds later, in both directions; 0 ends it.
---@param seconds number
function sim:lag(seconds) end

--- Resets the connections.
function sim:drop() end

--- The server says ERROR with these words, and closes.
---@param words string
function sim:close(words) end

--- The server says nothing any more; `"ready"`: once the bot is registered; false ends it.
---@param how? boolean|"ready"
function sim:silence(how) end

--- Bytes vanish in both directions, without an end; false ends it.
---@param is_on? boolean
function sim:half_open(is_on) end

--- Nobody can connect; false ends it.
---@param is_on? boolean
function sim:down(is_on) end

--- Registrations are refused: with a numeric such as `"465"`, or with `"ERROR"` and a text; false
--- ends it. 431 to 437 refuse the nick.
---@param how string|false
---@param count? integer how many; none: all
---@param text? string in place of the words that servers use
function sim:refuse(how, count, text) end

--- Joins of a channel are refused with a numeric such as `"471"`, whatever its modes; false ends it.
--- People always get in.
---@param channel string
---@param how string|false
---@param count? integer how many; none: all
function sim:refuse_join(channel, how, count) end

--- Who joins a channel is sent to another instead (470); false ends it.
---@param channel string
---@param to string|false
---@param count? integer how many joins; none: all
function sim:forward(channel, to, count) end

--- Every login by SASL fails, with these words or the usual ones; false ends it.
---@param words? string|false
function sim:sasl_fails(words) end

--- Services are gone, and the login with them, or are back: `sim:services(false)`, `sim:services()`.
--- Nothing happens where the server has no login.
---@param is_up? boolean
function sim:services(is_up) end

--- Services log in who has that nick, the bot too; without an account they log out.
---@param nick string
---@param account? string
function sim:login(nick, account) end

--- Services, or an operator, give who has that nick another.
---@param nick string
---@param other string
function sim:rename(nick, other) end

--- Who has that nick gets another host, and maybe user.
---@param nick string
---@param host string
---@param user? string
function sim:chghost(nick, host, user) end

--- Who connects within so many seconds of the connection before is told to be too fast; 0 ends it.
---@param seconds number
function sim:throttle(seconds) end

--- Who sends more lines than that in so many seconds is closed for it; 0 ends it.
---@param lines integer
---@param seconds? number
function sim:flood(lines, seconds) end

--- These people quit with the words of a netsplit.
---@param people ebb.test.Person[]
function sim:split(people) end

--- They come back.
function sim:rejoin() end

--- An operator kills who has that nick.
---@param nick string
---@param reason? string
function sim:kill(nick, reason) end

--- The prefix modes that a nick has in a channel, "o" or "", or nil for who is not in it.
---@param channel string
---@param nick string
---@return string? modes
function sim:modes(channel, nick) end

--- The server gives prefix modes.
---@param channel string
---@param nick string
---@param modes string
function sim:grant(channel, nick, modes) end

--- The topic, "" for none; nil where there is no such channel.
---@param channel string
---@return string? topic
function sim:topic(channel) end

--- The seconds since the test began at which bots tried to connect.
---@return number[] seconds
function sim:attempts() end

--- What `t.expect` returns. Each function raises where it is not so.
---@class ebb.test.Expectation
local that = {}

--- The value is equal; tables are when all their fields are.
---@param value any
function that:equals(value) end

---@param value any
function that:differs(value) end

--- A text that has this in it, or a list with this element.
---@param part any
function that:contains(part) end

--- A text that a Lua pattern matches; returns what it captures.
---@param pattern string
---@return any ...
function that:matches(pattern) end

--- A number so far from this one at most.
---@param number number
---@param tolerance? number 0.000001 otherwise
function that:near(number, tolerance) end

--- A function that raises an error, whose text matches; returns what the pattern captures.
---@async
---@param pattern? string
---@return any ...
function that:raises(pattern) end

--- # NUMERICS
---
--- Fields of numerics, beyond `target` and `message`. `count`, `max`, `limit`, `hopcount`, `idle`,
--- `signon`, `created`, `set_at`, `port` and the `users` of `rpl_list` are whole numbers; `info`,
--- `params`, `nicks`, `replies`, `channels`, `targets`, `mechanisms` and the `users` of `rpl_namreply`
--- are lists; all others are text. What `rpl_whospcrpl`, 354, tells is what was asked for with
--- `whox`: its parts are in `params`, behind ourselves, in the order that the servers agree on
--- (`tcuihsnfdlaor`).

--- The numerics with fields of their own.
---@alias ebb.Numeric
---| "rpl_myinfo" # 004: info
---| "rpl_isupport" # 005: info
---| "rpl_bounce" # 010: server port
---| "rpl_yourid" # 042: id
---| "rpl_savenick" # 043: nick
---| "rpl_endofstats" # 219: query
---| "rpl_umodeis" # 221: modes
---| "rpl_luserop" # 252: count
---| "rpl_luserunknown" # 253: count
---| "rpl_luserchannels" # 254: count
---| "rpl_tryagain" # 263: target_command
---| "rpl_localusers" # 265: count max
---| "rpl_globalusers" # 266: count max
---| "rpl_silelist" # 271: nick mask
---| "rpl_whoiscertfp" # 276: nick
---| "rpl_away" # 301: nick
---| "rpl_userhost" # 302: replies
---| "rpl_ison" # 303: nicks
---| "rpl_whoisregnick" # 307: nick
---| "rpl_whoishelpop" # 310: nick
---| "rpl_whoisuser" # 311: nick user host real_name
---| "rpl_whoisserver" # 312: nick server server_info
---| "rpl_whoisoperator" # 313: nick
---| "rpl_whowasuser" # 314: nick user host real_name
---| "rpl_endofwho" # 315: name
---| "rpl_whoischanop" # 316: nick
---| "rpl_whoisidle" # 317: nick idle signon
---| "rpl_endofwhois" # 318: nick
---| "rpl_whoischannels" # 319: nick channels
---| "rpl_whoisspecial" # 320: nick
---| "rpl_list" # 322: channel users topic
---| "rpl_channelmodeis" # 324: channel modes params
---| "rpl_uniqopis" # 325: channel
---| "rpl_channelurl" # 328: channel url
---| "rpl_creationtime" # 329: channel created
---| "rpl_whoisaccount" # 330: nick account
---| "rpl_notopic" # 331: channel
---| "rpl_topic" # 332: channel
---| "rpl_topicwhotime" # 333: channel setter set_at
---| "rpl_whoisbot" # 335: nick
---| "rpl_whoisactually" # 338: nick ip
---| "rpl_userip" # 340: replies
---| "rpl_inviting" # 341: nick channel
---| "rpl_summoning" # 342: nick
---| "rpl_whoiscountry" # 344: nick country
---| "rpl_invitelist" # 346: channel mask setter set_at
---| "rpl_endofinvitelist" # 347: channel
---| "rpl_exceptlist" # 348: channel mask setter set_at
---| "rpl_endofexceptlist" # 349: channel
---| "rpl_whoisgateway" # 350: nick
---| "rpl_version" # 351: version server
---| "rpl_whoreply" # 352: channel user host server nick hg_code hopcount real_name
---| "rpl_namreply" # 353: channel_type channel users
---| "rpl_whowasreal" # 360: nick
---| "rpl_links" # 364: mask server hopcount server_info
---| "rpl_endoflinks" # 365: mask
---| "rpl_endofnames" # 366: channel
---| "rpl_banlist" # 367: channel mask setter set_at
---| "rpl_endofbanlist" # 368: channel
---| "rpl_endofwhowas" # 369: nick
---| "rpl_whoishost" # 378: nick
---| "rpl_whoismodes" # 379: nick
---| "rpl_rehashing" # 382: file
---| "rpl_time" # 391: server
---| "rpl_visiblehost" # 396: host
---| "err_nosuchnick" # 401: nick
---| "err_nosuchserver" # 402: server
---| "err_nosuchchannel" # 403: channel
---| "err_cannotsendtochan" # 404: channel
---| "err_toomanychannels" # 405: channel
---| "err_wasnosuchnick" # 406: nick
---| "err_unknowncommand" # 421: unknown_command
---| "err_erroneusnickname" # 432: nick
---| "err_nicknameinuse" # 433: nick
---| "err_servicenameinuse" # 434: nick
---| "err_banonchan" # 435: nick channel
---| "err_nickcollision" # 436: nick
---| "err_unavailresource" # 437: nick channel
---| "err_nicktoofast" # 438: nick
---| "err_usernotinchannel" # 441: nick channel
---| "err_notonchannel" # 442: channel
---| "err_useronchannel" # 443: nick channel
---| "err_nologin" # 444: nick
---| "err_forbiddenchannel" # 448: channel
---| "err_acceptexist" # 457: nick
---| "err_acceptnot" # 458: nick
---| "err_needmoreparams" # 461: target_command
---| "err_keyset" # 467: channel
---| "err_linkchannel" # 470: channel new_channel
---| "err_channelisfull" # 471: channel
---| "err_unknownmode" # 472: mode
---| "err_inviteonlychan" # 473: channel
---| "err_bannedfromchan" # 474: channel
---| "err_badchannelkey" # 475: channel
---| "err_badchanmask" # 476: channel
---| "err_needreggednick" # 477: channel
---| "err_banlistfull" # 478: channel mode
---| "err_badchanname" # 479: channel
---| "err_cannotknock" # 480: channel
---| "err_chanoprivsneeded" # 482: channel
---| "err_uniqopprivsneeded" # 485: channel
---| "err_htmdisabled" # 488: channel
---| "err_secureonlychan" # 489: channel
---| "err_noswear" # 490: channel
---| "err_ownmode" # 494: channel
---| "err_delayrejoin" # 495: channel
---| "err_chanownprivneeded" # 499: channel
---| "err_toomanyjoins" # 500: channel
---| "err_umodeunknownflag" # 501: mode
---| "err_admonly" # 519: channel
---| "err_operonly" # 520: channel
---| "err_helpnotfound" # 524: subject
---| "err_invalidkey" # 525: channel
---| "err_cantsendtouser" # 531: nick
---| "rpl_whoissecure" # 671: nick
---| "rpl_whoislanguage" # 690: nick
---| "err_invalidmodeparam" # 696: channel mode
---| "err_listmodealreadyset" # 697: channel mask mode
---| "err_listmodenotset" # 698: channel mask mode
---| "rpl_helpstart" # 704: subject
---| "rpl_helptxt" # 705: subject
---| "rpl_endofhelp" # 706: subject
---| "rpl_knock" # 710: channel mask
---| "rpl_knockdlvr" # 711: channel
---| "err_toomanyknock" # 712: channel
---| "err_chanopen" # 713: channel
---| "err_knockonchan" # 714: channel
---| "rpl_targumodeg" # 716: nick
---| "rpl_targnotify" # 717: nick
---| "rpl_umodegmsg" # 718: nick mask
---| "err_noprivs" # 723: privilege
---| "rpl_quietlist" # 728: channel mode mask setter set_at
---| "rpl_endofquietlist" # 729: channel mode
---| "rpl_mononline" # 730: targets
---| "rpl_monoffline" # 731: targets
---| "rpl_monlist" # 732: targets
---| "err_monlistfull" # 734: limit targets
---| "err_mlockrestricted" # 742: channel mode
---| "err_invalidban" # 743: channel
---| "err_topiclock" # 744: channel
---| "rpl_loggedin" # 900: mask account
---| "rpl_loggedout" # 901: mask
---| "rpl_saslmechs" # 908: mechanisms

--- # SEE ALSO
---
--- ebb.ini(5), ebbd(8), Lua 5.4's manual at https://www.lua.org/manual/5.4/
