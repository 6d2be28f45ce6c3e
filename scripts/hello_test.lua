local t = require "ebb.test"

t.test("who joins is greeted, and the bot does not greet itself", function()
  local bot = t.bot{ "hello" }
  bot:person("alice", "#room")
  t.expect(bot:said("#room")):equals("hello, alice")
  t.expect(bot:said("#room")):equals(nil)
end)

t.test("the greeting is configured", function()
  local bot = t.bot{ { name = "hello", greeting = "good day" } }
  local alice = bot:person("alice", "#room")
  t.expect(bot:said("#room")):equals("good day, alice")
  alice:says("!hello")
  t.expect(bot:said("#room")):equals("good day, alice")
end)

t.test("!ping is answered where it was said", function()
  local bot = t.bot{ "hello" }
  local alice = bot:person("alice", "#room")
  t.expect(bot:said("#room")):equals("hello, alice")
  alice:says("!ping")
  t.expect(bot:said("#room")):equals("pong")
  alice:tells("!ping  ")
  t.expect(bot:said("alice")):equals("pong")
  alice:says("!pingpong")
  alice:says("well, !ping")
  t.expect(bot:said("#room")):equals(nil)
end)

t.test("!hello greets who is named, or who asks", function()
  local bot = t.bot{ "hello" }
  local alice = bot:person("alice", "#room")
  t.expect(bot:said("#room")):equals("hello, alice")
  alice:says("!hello")
  t.expect(bot:said("#room")):equals("hello, alice")
  alice:says("!hello  Bob the builder ")
  t.expect(bot:said("#room")):equals("hello, Bob the builder")
end)

t.test("what bots say is no command", function()
  local bot = t.bot{ "hello" }
  local alice = bot:person("alice", "#room")
  t.expect(bot:said("#room")):equals("hello, alice")
  alice:mode("+B", "alice")
  alice:says("!ping")
  alice:says("!hello")
  t.expect(bot:said("#room")):equals(nil)
  alice:mode("-B", "alice")
  alice:says("!ping")
  t.expect(bot:said("#room")):equals("pong")
end)
