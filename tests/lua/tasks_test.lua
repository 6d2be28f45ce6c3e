-- The documented examples of asyncio's tasks, synchronisation and queues, and of the mistakes made
-- with them, in ebb's terms. Each test is a task, and time is virtual: all times are exact.

local t = require "ebb.test"

-- Notes what happens, with the time: { "0 start", "1.5 end" }.
local function journal()
  local lines = {}
  return lines, function(what) table.insert(lines, ("%g %s"):format(t.now(), what)) end
end

local function say_after(delay, what, say)
  sleep(delay)
  say(what)
end

-- Errors.

t.test("an error that nobody joins is logged at once, with the place of its spawn", function()
  local task = spawn(function()
    sleep(1)
    error("not consumed")
  end)
  t.advance(0.9)
  t.expect(t.logged("not consumed")):equals(nil)
  t.advance(0.1)
  t.expect(t.logged("spawn from .*tasks_test.lua:%d+: .*not consumed\n")):differs(nil)
  t.expect(task:status()):equals("failed")
end)

t.test("who joins a task gets its error, which is not logged as well", function()
  local task = spawn(function()
    sleep(1)
    error("consumed")
  end)
  t.expect(function() task:join() end):raises("consumed$")
  t.expect(t.now()):near(1)
  t.expect(t.logged("consumed")):equals(nil)
end)

t.test("an error that was logged is still there for who joins later", function()
  local task = spawn(error, { reason = "too late" })
  t.expect(t.logged("spawn from ")):differs(nil)
  for _ = 1, 2 do
    local ok, e = pcall(task.join, task)
    t.expect(ok):equals(false)
    t.expect(e.reason):equals("too late")
  end
end)

t.test("a task that joins a failed one fails with it, up to who handles it", function()
  local inner = spawn(function()
    sleep(1)
    error("deep down")
  end)
  local middle = spawn(function() return inner:join() end)
  local outer = spawn(function()
    local ok, e = pcall(middle.join, middle)
    return ok, e
  end)
  local ok, e = outer:join()
  t.expect(ok):equals(false)
  t.expect(e):matches("deep down$")
  t.expect(inner:status()):equals("failed")
  t.expect(middle:status()):equals("failed")
  t.expect(outer:status()):equals("done")
end)

t.test("a task that nobody awaits runs all the same", function()
  local done = false
  spawn(function() done = true end)
  t.expect(done):equals(false) -- it begins after this task has paused
  sleep(0)
  t.expect(done):equals(true)
end)

-- Order.

local function file_steps(note)
  local function create() say_after(3, "create", note) end
  local function write() say_after(1, "write", note) end
  local function close() note("close") end
  return create, write, close
end

t.test("plain calls run in their order: create, write, close", function()
  local lines, note = journal()
  local create, write, close = file_steps(note)
  create()
  write()
  close()
  t.expect(lines):equals({ "3 create", "4 write", "4 close" })
end)

t.test("tasks spawned one after the other do not wait for one another", function()
  local lines, note = journal()
  local create, write, close = file_steps(note)
  local first = spawn(create)
  spawn(write)
  spawn(close)
  sleep(2)
  t.expect(lines):equals({ "0 close", "1 write" })
  t.expect(first:status()):equals("paused")
  first:join() -- else it would be left over
  t.expect(lines):equals({ "0 close", "1 write", "3 create" })
end)

t.test("tasks that are joined one after the other keep the order", function()
  local lines, note = journal()
  for _, step in ipairs({ file_steps(note) }) do spawn(step):join() end
  t.expect(lines):equals({ "3 create", "4 write", "4 close" })
end)

-- Concurrency.

t.test("one call after the other takes the sum of their times", function()
  local lines, note = journal()
  note("begin")
  say_after(1, "hello", note)
  say_after(2, "world", note)
  t.expect(lines):equals({ "0 begin", "1 hello", "3 world" })
end)

t.test("tasks take the time of the longest", function()
  local lines, note = journal()
  local hello, world = spawn(say_after, 1, "hello", note), spawn(say_after, 2, "world", note)
  note("begin")
  hello:join()
  world:join()
  t.expect(lines):equals({ "0 begin", "1 hello", "2 world" })
end)

t.test("all runs its functions together, and gives their results in their order", function()
  local lines, note = journal()
  local function factorial(n)
    return function()
      local product = 1
      for i = 2, n do
        sleep(1)
        product = product * i
      end
      note(("%d! = %d"):format(n, product))
      return product
    end
  end
  local results = { all(factorial(4), factorial(2), factorial(3)) }
  t.expect(results):equals({ 24, 2, 6 })
  t.expect(lines):equals({ "1 2! = 2", "2 3! = 6", "3 4! = 24" })
end)

t.test("the first error in all cancels the others, which have ended when it is raised", function()
  local lines, note = journal()
  local function patient()
    defer(function() note("cleaned up") end)
    sleep(60)
    note("never")
  end
  t.expect(function()
    all(patient, function()
      sleep(2)
      error("no luck")
    end)
  end):raises("no luck$")
  t.expect(lines):equals({ "2 cleaned up" })
end)

t.test("all with pcall around each function lets every one of them end", function()
  local function guarded(fn) return function() return { pcall(fn) } end end
  local bad, good = all(guarded(function() error("bad", 0) end), guarded(function()
    sleep(5)
    return "good"
  end))
  t.expect(bad):equals({ false, "bad" })
  t.expect(good):equals({ true, "good" })
  t.expect(t.now()):near(5)
end)

t.test("race gives the result of the first, and the others are cancelled", function()
  local lines, note = journal()
  local winner, why = race(
    function()
      say_after(5, "tortoise", note)
      return "tortoise"
    end,
    function()
      say_after(1, "hare", note)
      return "hare", "it was fast"
    end)
  t.expect(winner):equals("hare")
  t.expect(why):equals("it was fast")
  sleep(10)
  t.expect(lines):equals({ "1 hare" })
end)

-- Timeouts.

t.test("timeout gives up on what takes for ever, at its time", function()
  local function eternity() sleep(3600) end
  local result, why = timeout(1, eternity)
  t.expect(result):equals(nil)
  t.expect(why):equals("timeout")
  t.expect(t.now()):near(1)
end)

t.test("timeout hands on arguments, results and errors of what is in time", function()
  local function divide(a, b)
    sleep(0.5)
    if b == 0 then error("division by zero", 0) end
    return a // b, a % b
  end
  t.expect({ timeout(1, divide, 17, 5) }):equals({ 3, 2 })
  t.expect(function() timeout(1, divide, 17, 0) end):raises("^division by zero$")
end)

t.test("of nested timeouts the shorter one ends, whichever it is", function()
  local lines, note = journal()
  local function inner(seconds)
    local _, why = timeout(seconds, sleep, 60)
    note("inner " .. why)
    return "inner is over"
  end
  t.expect(timeout(10, inner, 2)):equals("inner is over")
  t.expect({ timeout(2, inner, 10) }):equals({ nil, "timeout" })
  t.expect(lines):equals({ "2 inner timeout" })
  t.expect(t.now()):near(4)
end)

t.test("join with a timeout leaves the task alone", function()
  local task = spawn(function()
    sleep(5)
    return "at last"
  end)
  t.expect({ task:join(1) }):equals({ nil, "timeout" })
  t.expect(task:status()):equals("paused")
  t.expect(task:join()):equals("at last")
  t.expect(t.now()):near(5)
end)

-- Cancellation.

t.test("a cancelled task cleans up, whatever it catches", function()
  local lines, note = journal()
  local task = spawn(function()
    defer(function() note("deferred first") end)
    defer(function() note("deferred last") end)
    local file <close> = setmetatable({}, { __close = function() note("closed") end })
    note("before sleep")
    pcall(sleep, 3600)
    note("after sleep")
  end)
  sleep(1)
  task:cancel()
  t.expect({ task:join() }):equals({ nil, "cancelled" })
  t.expect(lines):equals({
    "0 before sleep", "1 closed", "1 deferred last", "1 deferred first",
  })
  t.expect(task:status()):equals("cancelled")
end)

t.test("what must still pause when it cleans up does so in shield", function()
  local lines, note = journal()
  local task = spawn(function()
    defer(function()
      t.expect(pcall(shield, say_after, 2, "saved", note)):equals(true)
    end)
    sleep(3600)
  end)
  sleep(1)
  task:cancel()
  task:join()
  t.expect(lines):equals({ "3 saved" })
end)

t.test("shield keeps a cancellation waiting until it is over", function()
  local lines, note = journal()
  local task = spawn(function()
    shield(say_after, 3, "the important part", note)
    note("after shield")
    sleep(0) -- a task is cancelled where it pauses
    note("never")
  end)
  sleep(1)
  task:cancel()
  t.expect(task:status()):equals("paused")
  task:join()
  t.expect(lines):equals({ "3 the important part", "3 after shield" })
  t.expect(task:status()):equals("cancelled")
end)

t.test("a task that has not begun never does when it is cancelled", function()
  local task = spawn(function() error("it began") end)
  t.expect(task:status()):equals("runnable")
  task:cancel()
  t.expect(task:status()):equals("cancelled")
  t.settle()
  t.expect({ task:join() }):equals({ nil, "cancelled" })
end)

t.test("a cancelled group takes all of its members with it", function()
  local lines, note = journal()
  local function member(name)
    return function()
      defer(function() note(name .. " leaves") end)
      sleep(3600)
    end
  end
  local group = spawn(all, member("one"), member("one"), function()
    race(member("one"), member("one"))
  end)
  sleep(1)
  group:cancel()
  t.expect({ group:join() }):equals({ nil, "cancelled" })
  t.expect(lines):equals({ "1 one leaves", "1 one leaves", "1 one leaves", "1 one leaves" })
end)

t.test("status tells how far a task is", function()
  local tasks = {}
  local seen
  tasks.done = spawn(function()
    seen = tasks.done:status()
    sleep(1)
  end)
  tasks.failed = spawn(function() error("failed") end)
  tasks.cancelled = spawn(sleep, 60)
  tasks.later = after(5, function() end)
  t.expect(tasks.done:status()):equals("runnable")
  t.expect(tasks.later:status()):equals("waiting")
  t.expect(t.logged("failed")):differs(nil)
  t.expect(seen):equals("running")
  t.expect(tasks.done:status()):equals("paused")
  tasks.cancelled:cancel()
  t.advance(5)
  for _, name in ipairs{ "done", "failed", "cancelled" } do
    t.expect(tasks[name]:status()):equals(name)
  end
  t.expect(tasks.later:status()):equals("done")
  t.expect(tasks.done.name):matches("^spawn .*tasks_test.lua:%d+$")
end)

-- Futures, locks, queues.

t.test("a future is set by another task", function()
  local fut = future()
  spawn(function()
    sleep(1)
    fut:set("... world")
  end)
  t.expect("hello " .. fut:wait()):equals("hello ... world")
  t.expect(t.now()):near(1)
end)

t.test("a future wakes all who wait, and those who come later", function()
  local event, woken = future(), 0
  local function waiter()
    event:wait()
    woken = woken + 1
  end
  for _ = 1, 5 do spawn(waiter) end
  t.advance(10)
  t.expect(woken):equals(0)
  event:set()
  t.settle()
  t.expect(woken):equals(5)
  waiter()
  t.expect(woken):equals(6)
  t.expect(function() event:set() end):raises("settled")
end)

t.test("a future that fails raises its error in all who wait, and a wait may time out", function()
  local fut, errors = future(), 0
  t.expect({ fut:wait(1) }):equals({ nil, "timeout" })
  for _ = 1, 3 do
    spawn(function()
      local ok, e = pcall(fut.wait, fut)
      if not ok and e == "it broke" then errors = errors + 1 end
    end)
  end
  sleep(1)
  fut:fail("it broke")
  t.settle()
  t.expect(errors):equals(3)
end)

t.test("a lock lets one task in at a time, and is let go by an error too", function()
  local l, inside, most = lock(), 0, 0
  local function work(fails)
    l:with(function()
      inside = inside + 1
      most = math.max(most, inside)
      sleep(1)
      inside = inside - 1
      if fails then error("while it held the lock", 0) end
    end)
  end
  local tasks = { spawn(work), spawn(work, true), spawn(work) }
  t.expect(function() tasks[2]:join() end):raises("^while it held the lock$")
  tasks[1]:join()
  tasks[3]:join()
  t.expect(most):equals(1)
  t.expect(t.now()):near(3)
end)

t.test("three workers share a queue, and take a third of the time", function()
  local q, slept, done = queue(), 0, future()
  local left = 20
  for i = 1, left do
    q:push(i % 2 == 1 and 0.25 or 0.5)
  end
  local function worker()
    while true do
      local seconds = q:pop()
      sleep(seconds)
      slept = slept + seconds
      left = left - 1
      if left == 0 then done:set() end
    end
  end
  local workers = { spawn(worker), spawn(worker), spawn(worker) }
  done:wait()
  for _, task in ipairs(workers) do task:cancel() end
  t.expect(#q):equals(0)
  t.expect(slept):near(7.5)
  t.expect(t.now()):near(2.75)
end)

t.test("a queue gives results in the order in which they come", function()
  local results = queue()
  for _, seconds in ipairs{ 3, 1, 2 } do
    spawn(function()
      sleep(seconds)
      results:push(seconds)
    end)
  end
  t.expect({ results:pop(), results:pop(), results:pop() }):equals({ 1, 2, 3 })
  t.expect(t.now()):near(3)
end)

t.test("a full queue makes its producer wait for the consumer", function()
  local q = queue(2)
  local lines, note = journal()
  local producer = spawn(function()
    for i = 1, 4 do
      q:push(i)
      note("put " .. i)
    end
    q:push("end")
  end)
  local got = {}
  repeat
    sleep(1)
    table.insert(got, q:pop())
  until got[#got] == "end"
  producer:join()
  t.expect(got):equals({ 1, 2, 3, 4, "end" })
  t.expect(lines):equals({ "0 put 1", "0 put 2", "1 put 3", "2 put 4" })
  t.expect({ q:pop(3) }):equals({ nil, "timeout" })
  t.expect(t.now()):near(8)
end)

-- Alarms.

t.test("after calls later, with its arguments, unless it is cancelled", function()
  local lines, note = journal()
  after(2, note, "two")
  after(1, note, "one")
  local never = after(1.5, note, "never")
  after(1.2, function() never:cancel() end)
  t.advance(1.9)
  t.expect(lines):equals({ "1 one" })
  t.advance(0.1)
  t.expect(lines):equals({ "1 one", "2 two" })
  t.expect(never:status()):equals("cancelled")
end)

t.test("a call that makes the next one shows the date each second, for five seconds", function()
  local lines, note = journal()
  local last = t.now() + 5
  local function show()
    note(os.date("%X"))
    if t.now() + 1 < last then after(1, show) end
  end
  show()
  t.advance(60)
  t.expect(lines):equals({
    "0 00:00:00", "1 00:00:01", "2 00:00:02", "3 00:00:03", "4 00:00:04",
  })
end)

t.test("every comes again and again until it is cancelled", function()
  local lines, note = journal()
  local task = every(10, note, "tick")
  t.advance(35)
  task:cancel()
  t.advance(60)
  t.expect(lines):equals({ "10 tick", "20 tick", "30 tick" })
end)

t.test("every never overlaps itself, and an error ends only one of its tasks", function()
  local lines, note = journal()
  local task = every(10, function()
    note("begin")
    sleep(15)
    error("each time")
  end)
  t.advance(65)
  task:cancel()
  t.expect(lines):equals({ "10 begin", "30 begin", "50 begin" })
  for _ = 1, 3 do t.expect(t.logged("every from .*each time")):differs(nil) end
end)

t.test("cron comes at the times of the calendar", function()
  local times = {}
  local task = cron("30 9 * * mon-fri", function()
    table.insert(times, os.date("%a %Y-%m-%d %H:%M:%S"))
  end)
  t.advance(5 * 24 * 3600) -- from Thursday, the first of January
  task:cancel()
  t.expect(times):equals({
    "Thu 2026-01-01 09:30:00", "Fri 2026-01-02 09:30:00", "Mon 2026-01-05 09:30:00",
  })
end)
