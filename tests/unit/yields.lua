-- Programs whose results are known, as tests/unit/test_yields.c runs them: with others having their
-- turn after any instruction. What a program gives is logged, with what it should be where that
-- is written here.

local function show(...)
  local t = table.pack(...)
  for i = 1, t.n do t[i] = tostring(t[i]) end
  return table.concat(t, " ")
end

local n_wrong = 0

local function program(name, expected, fn)
  local got = show(fn())
  if expected and got ~= expected then
    n_wrong = n_wrong + 1
    log("wrong: " .. name)
  end
  log(name .. ": " .. got)
end

-- Between two pauses nothing else of the script runs.

local busy
local function alone(fn, ...)
  if busy then log("wrong: two tasks at once") end
  busy = true
  local r = table.pack(fn(...))
  if not busy then log("wrong: two tasks at once") end
  busy = false
  return table.unpack(r, 1, r.n)
end

local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end

local V = {}
V.__index = function(_, k) return k .. "?" end
V.__newindex = function(t, k, v) rawset(t, k, v * 2) end
V.__call = function(self, a, b) return self.n + a * b end
V.__concat = function(a, b)
  return (type(a) == "table" and a.n or a) .. "~" .. (type(b) == "table" and b.n or b)
end
V.__eq = function(a, b) return a.n == b.n end
V.__lt = function(a, b) return a.n < b.n end
V.__le = function(a, b) return a.n <= b.n end
V.__len = function(t) return t.n * 10 end
V.__unm = function(t) return -t.n end
V.__tostring = function(t) return "V" .. t.n end
for _, op in ipairs({ "add", "sub", "mul", "div", "mod", "pow", "idiv", "band", "bor", "bxor", "shl", "shr" }) do
  V["__" .. op] = function(a, b)
    local x, y = type(a) == "table" and a.n or a, type(b) == "table" and b.n or b
    return op .. x .. "," .. y
  end
end
V.__bnot = function(t) return "not" .. t.n end
local function v(n) return setmetatable({ n = n }, V) end

program("arithmetic metamethods", "add1,2 sub1,2 mul3,2 div2,1 mod5,3 pow2,8 idiv7,2", function()
  return v(1) + v(2), 1 - v(2), v(3) * 2, v(2) / v(1), v(5) % v(3), v(2) ^ v(8), v(7) // v(2)
end)
program("bitwise metamethods", "band1,2 bor1,2 bxor1,2 shl1,2 shr1,2 not4 -4", function()
  return v(1) & v(2), v(1) | v(2), v(1) ~ 2, 1 << v(2), v(1) >> v(2), ~v(4), -v(4)
end)
program("comparisons", "true false true true false true", function()
  return v(1) == v(1), v(1) == v(2), v(1) < v(2), v(1) <= v(1), v(2) < v(1), v(2) ~= v(1)
end)
program("a comparison decides a jump", "yes no yes", function()
  local r = {}
  if v(1) < v(2) then r[1] = "yes" else r[1] = "no" end
  if v(3) <= v(2) then r[2] = "yes" else r[2] = "no" end
  if not (v(3) == v(2)) then r[3] = "yes" else r[3] = "no" end
  return table.unpack(r)
end)
program("index, newindex, call, len", "x? 14 13 30 V5", function()
  local t = v(3)
  t.y = 7
  return t.x, t.y, t(2, 5), #t, v(5)
end)
program("concat", "a~1 1~2 a1~2b 1~x", function()
  return "a" .. v(1), v(1) .. v(2), "a" .. 1 .. "~" .. 2 .. "b", v(1) .. "x"
end)
program("concat of many", "1~2~3~4", function() return v(1) .. v(2) .. v(3) .. v(4) end)
program("index chains", "deep 1 nil", function()
  local a = setmetatable({}, { __index = setmetatable({ one = 1 }, { __index = function(_, k)
    return k == "deep" and k or nil
  end }) })
  return a.deep, a.one, a.none
end)
program("close metamethods", "body c2 c1 | c3 boom", function()
  local out = {}
  local function closer(name)
    return setmetatable({}, { __close = function(_, e)
      out[#out + 1] = name
      if e then out[#out + 1] = e end
    end })
  end
  do
    local a <close> = closer("c1")
    local b <close> = closer("c2")
    out[#out + 1] = "body"
  end
  out[#out + 1] = "|"
  pcall(function()
    local c <close> = closer("c3")
    error("boom", 0)
  end)
  return table.concat(out, " ")
end)
program("close and results", "1 2 3 closed", function()
  local closed
  local function f()
    local c <close> = setmetatable({}, { __close = function() closed = "closed" return 9, 9 end })
    return 1, 2, 3
  end
  local a, b, c = f()
  return a, b, c, closed
end)
program("a generic for closes", "1 2 closed", function()
  local out = {}
  local c = setmetatable({}, { __close = function() out[#out + 1] = "closed" end })
  local function iterate(_, i) if i < 5 then return i + 1 end end
  for i in iterate, nil, 0, c do
    out[#out + 1] = i
    if i == 2 then break end
  end
  return table.unpack(out)
end)
program("varargs", "5 nil nil 3 nil 0 4", function()
  local function f(...)
    local a, b = ...
    return select("#", ...), a, (select(-1, ...)), select(3, ...)
  end
  local n, a, last, c, d = f(nil, 2, 3, 4, nil)
  local function count(...) return select("#", ...) end
  return n, a, last, c, d == 4 and nil, count(), count(nil, nil, table.unpack({ 1, 2 }))
end)
program("varargs go on", "6 1,2,3,1,2,3", function()
  local function twice(...)
    local t = { ... }
    for _, x in ipairs({ ... }) do t[#t + 1] = x end
    return #t, table.concat(t, ",")
  end
  return twice(1, 2, 3)
end)
program("closures and upvalues", "1 2 1 3 12", function()
  local function counter()
    local n = 0
    return function() n = n + 1 return n end, function() return n end
  end
  local a, get = counter()
  local b = counter()
  local x, y, z = a(), a(), b()
  a()
  local fs, sum = {}, 0
  for i = 1, 4 do fs[i] = function(d) i = i + d return i end end
  for i = 1, 4 do sum = sum + fs[i](0) end
  return x, y, z, get(), sum + fs[1](1)
end)
program("goto", "1 3 5 7 9 done", function()
  local t, i = {}, 0
  ::top::
  i = i + 1
  if i > 10 then goto done end
  if i % 2 == 0 then goto top end
  t[#t + 1] = i
  goto top
  ::done::
  t[#t + 1] = "done"
  return table.unpack(t)
end)
program("continue by goto, with closures", "6 1 2 4 5", function()
  local fs, out = {}, { 6 }
  for i = 1, 5 do
    local k = i
    if k == 3 then goto continue end
    fs[#fs + 1] = function() return k end
    ::continue::
  end
  for _, f in ipairs(fs) do out[#out + 1] = f() end
  return table.unpack(out)
end)
program("numeric for", "5050 2500 55.0 0 9223372036854775807", function()
  local a, b, c, d, last = 0, 0, 0, 0, nil
  for i = 1, 100 do a = a + i end
  for i = 99, 1, -2 do b = b + i end
  for x = 1.0, 10.0, 1.0 do c = c + x end
  for _ = 1, 0 do d = d + 1 end
  for i = math.maxinteger - 2, math.maxinteger do last = i end
  return a, b, c, d, last
end)
program("integers and floats", "3 3.5 -4 1 -1.0 inf 0x10 1e+15 true", function()
  return 7 // 2, 7 / 2, -7 // 2, -7 % 2 , 5.0 // -4 + 1, 1 / 0, string.format("%#x", 16), 1e15,
    math.maxinteger + 1 == math.mininteger
end)
program("pcall gives values", "false 42 false e! true 1 nil 3", function()
  local a, b = pcall(error, 42)
  local c, d = xpcall(function() error("e", 0) end, function(e) return e .. "!" end)
  return a, b, c, d, pcall(function(...) return ... end, 1, nil, 3)
end)
program("errors through frames", "false level 3 false nested", function()
  local function f(n) if n == 0 then error("level 3", 0) end return f(n - 1) + 1 end
  local a, b = pcall(f, 3)
  local c, d = pcall(function()
    local ok, e = pcall(function() local ok, e = pcall(error, "nested", 0) error(e, 0) end)
    error(e, 0)
  end)
  return a, b, c, d
end)
program("errors of the machine", "false false false false", function()
  return (pcall(function() return nil + 1 end)), (pcall(function() return {} .. "" end)),
    (pcall(function() local x x.y = 1 end)), (pcall(function() return {} < {} end))
end)
program("generators in generators", "1 1,2 1,2,3 6", function()
  local function upto(n)
    return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end)
  end
  local function sums(n)
    return coroutine.wrap(function()
      for i in upto(n) do
        local t = {}
        for k in upto(i) do t[#t + 1] = k end
        coroutine.yield(table.concat(t, ","), #t)
      end
    end)
  end
  local t, total = {}, 0
  for s, n in sums(3) do t[#t + 1] = s total = total + n end
  t[#t + 1] = total
  return table.unpack(t)
end)
program("permutations", "24 4321", function()
  local function permutations(a, n)
    if n == 0 then coroutine.yield(table.concat(a)) return end
    for i = 1, n do
      a[n], a[i] = a[i], a[n]
      permutations(a, n - 1)
      a[n], a[i] = a[i], a[n]
    end
  end
  local n, max = 0, ""
  for p in coroutine.wrap(function() permutations({ 1, 2, 3, 4 }, 4) end) do
    n = n + 1
    if p > max then max = p end
  end
  return n, max
end)
program("coroutines and values", "true 1 2 true 30 nil dead false cannot resume dead coroutine", function()
  local co = coroutine.create(function(a, b)
    local c, d = coroutine.yield(a, b)
    return c + d, nil
  end)
  local r = { coroutine.resume(co, 1, 2) }
  local s = table.pack(coroutine.resume(co, 10, 20))
  return r[1], r[2], r[3], s[1], s[2], s[3], coroutine.status(co), coroutine.resume(co)
end)
program("yield across pcall", "in 1 2 caught boom 3", function()
  local co = coroutine.wrap(function()
    coroutine.yield("in")
    local ok, e = pcall(function()
      coroutine.yield(1)
      coroutine.yield(2)
      error("boom", 0)
    end)
    coroutine.yield(ok and "" or "caught")
    coroutine.yield(e)
    return 3
  end)
  return co(), co(), co(), co(), co(), co()
end)
program("close of a coroutine", "closed true dead false failed", function()
  local out = {}
  local co = coroutine.create(function()
    local c <close> = setmetatable({}, { __close = function() out[1] = "closed" end })
    coroutine.yield()
  end)
  coroutine.resume(co)
  out[2] = coroutine.close(co)
  out[3] = coroutine.status(co)
  local co2 = coroutine.create(function()
    local c <close> = setmetatable({}, { __close = function() error("failed", 0) end })
    coroutine.yield()
  end)
  coroutine.resume(co2)
  out[4], out[5] = coroutine.close(co2)
  return table.unpack(out, 1, 5)
end)
program("yield in metamethods and iterators", "a+b 1 2 end", function()
  local co = coroutine.wrap(function()
    local t = setmetatable({}, { __add = function() return coroutine.yield("a") end,
      __index = function(_, k) return coroutine.yield(k) end })
    local x = t + t
    local out = { x .. "b" }
    for i in function(_, i) i = (i or 0) + 1 if i < 3 then return coroutine.yield(i) end end do
      out[#out + 1] = i
    end
    return table.concat(out, " ")
  end)
  local r = co()
  r = co(r .. "+")
  while type(r) == "number" do r = co(r) end
  return r, "end"
end)
program("string building", "1000 12345 abcabcabc", function()
  local s = ""
  for i = 1, 1000 do s = s .. i % 10 end
  return #s, s:sub(1, 5), ("abc"):rep(3)
end)
program("table.sort with a comparator", "true 1 200", function()
  local t, x = {}, 7
  for i = 1, 200 do t[i] = i end
  for i = 200, 2, -1 do
    x = (x * 1103515245 + 12345) % 2147483648
    local k = x % i + 1
    t[i], t[k] = t[k], t[i]
  end
  table.sort(t, function(a, b) return a < b end)
  local ok = true
  for i = 1, 200 do ok = ok and t[i] == i end
  return ok, t[1], t[200]
end)
program("table.sort by metamethods", "V1 V2 V3 V5", function()
  local t = { v(3), v(1), v(5), v(2) }
  table.sort(t)
  return table.unpack(t)
end)
program("gsub and gmatch with callbacks", "HELLO world! 3 k=v;a=b 2", function()
  local s, n = ("hello world"):gsub("%w+", function(w) return w == "hello" and w:upper() or nil end)
  local t = {}
  for k, x in ("k=v, a=b"):gmatch("(%w+)=(%w+)") do t[#t + 1] = k .. "=" .. x end
  local s2, n2 = ("xyx"):gsub("%w", setmetatable({}, { __index = function(_, k) return k == "x" and "!" end }))
  return s .. s2:sub(1, 1), n2, table.concat(t, ";"), n
end)
program("deep recursion", "5000 1597", function()
  local function depth(n) if n == 0 then return 0 end return 1 + depth(n - 1) end
  return depth(5000), fib(17)
end)
program("tail calls", "done 20000", function()
  local function loop(n, acc) if n == 0 then return "done", acc end return loop(n - 1, acc + 1) end
  return loop(20000, 0)
end)
program("multiple assignment", "2 1 3 x y nil 10 20", function()
  local a, b, c = 1, 2
  a, b, c = b, a, 3
  local t = {}
  local i = 1
  i, t[i] = i + 1, 10
  t[i], t[i + 1] = 20
  local p, q, r = (function() return "x", "y" end)()
  return a, b, c, p, q, r, t[1], t[2]
end)
program("load", "3 7 global nil", function()
  local env = setmetatable({}, { __index = function(_, k) return k end })
  local f = load("local a, b = ... return a + b")
  local parts, i = { "return ", "3 ", "+ 4" }, 0
  local g = load(function() i = i + 1 return parts[i] end)
  return f(1, 2), g(), load("return global", "x", "t", env)(), (load("return return"))
end)
program("tostring, pairs and next", "V7 6 abc", function()
  local sum, keys = 0, {}
  for k, x in pairs(setmetatable({}, { __pairs = function()
    return function(_, k) if not k then return "a", 1 elseif k == "a" then return "b", 2
      elseif k == "b" then return "c", 3 end end
  end })) do
    sum = sum + x
    keys[#keys + 1] = k
  end
  return tostring(v(7)), sum, table.concat(keys)
end)
program("and, or, not", "1 nil false 2 true", function()
  local function f(x) return x end
  return f(1) or f(2), f(nil) and f(2), f(false) and f(1), f(nil) or f(2), not f(nil)
end)
program("integer division and comparison of mixed numbers", "true true false true", function()
  return 1 < 1.5, 2 ^ 53 == 2 ^ 53 + 0, math.maxinteger < math.maxinteger + 0.0 and false, -1 // 1 == -1.0
end)
program("a sieve", "1229 9973", function()
  local is, n, last = {}, 0, nil
  for i = 2, 10000 do is[i] = true end
  for i = 2, 10000 do
    if is[i] then
      n, last = n + 1, i
      for k = i * i, 10000, i do is[k] = false end
    end
  end
  return n, last
end)

-- Programs of several tasks.

program("sleep within generators", "1 2 3 4 / 10 20", function()
  local function slow(n, by)
    return coroutine.wrap(function()
      for i = 1, n do
        sleep(0.01)
        alone(fib, 5)
        coroutine.yield(i * by)
      end
    end)
  end
  local out = {}
  local other = spawn(function()
    local t = {}
    for x in slow(2, 10) do
      for _ in slow(2, 1) do end
      t[#t + 1] = x
    end
    return table.concat(t, " ")
  end)
  for x in slow(4, 1) do out[#out + 1] = x end
  out[#out + 1] = "/"
  out[#out + 1] = other:join()
  return table.concat(out, " ")
end)
program("tasks, queue and lock", "15 15 false 1,2,3,4,5", function()
  local q, l, order, total = queue(2), lock(), {}, 0
  local makers = {}
  for i = 1, 5 do
    makers[i] = spawn(function(x)
      alone(fib, 8)
      q:push(x)
      l:with(function()
        local before = total
        sleep(0.01)
        alone(fib, 6)
        total = before + x
        order[#order + 1] = x
      end)
      return x
    end, i)
  end
  local sum = 0
  for _ = 1, 5 do sum = sum + alone(function(x) fib(5) return x end, q:pop()) end
  for i = 1, 5 do makers[i]:join() end
  return sum, total, busy, table.concat(order, ",")
end)
program("all, race and timeout", "1 2 fast nil timeout false bad", function()
  local a, b = all(function() alone(fib, 9) return 1 end, function() sleep(0.01) alone(fib, 9) return 2 end)
  local r = race(function() sleep(5) return "slow" end, function() alone(fib, 7) sleep(0.1) return "fast" end)
  local n, why = timeout(0.05, function() while true do alone(fib, 6) sleep(0.01) end end)
  return a, b, r, n, why, pcall(all, function() alone(fib, 5) error("bad", 0) end, function() sleep(9) end)
end)
program("cancellation", "cancelled d2 d1 closed", function()
  local out = {}
  local t = spawn(function()
    defer(function() alone(fib, 5) out[#out + 1] = "d1" end)
    defer(function() alone(fib, 5) out[#out + 1] = "d2" end)
    while true do
      pcall(function()
        local c <close> = setmetatable({}, { __close = function() fib(6) out.closed = "closed" end })
        for _ in coroutine.wrap(function() while true do sleep(0.01) coroutine.yield(1) end end) do
          alone(fib, 6)
        end
      end)
    end
  end)
  sleep(0.05)
  t:cancel()
  local _, why = t:join()
  return why, out[1], out[2], out.closed
end)
program("futures and events", "value 3", function()
  local f, n, me = future(), 0, tostring({}) -- the other script hears of ours
  local got = spawn(function()
    for ev in events("own", { by = me, buffer = 10 }) do
      n = n + ev.n
      alone(fib, 4)
      if n == 3 then break end
    end
    f:set("value")
  end)
  sleep(0)
  trigger("own", { n = 1, by = me })
  trigger("own", { n = 2, by = me })
  got:join()
  return f:wait(), n
end)

-- What lines bring about: handlers in their order, and then the waits.

for i = 1, 3 do
  on("privmsg", { match = "^n(%d+)" }, function(ev, n)
    alone(fib, 6 + i)
    log.info("handler %d of %s from %s", i, n, ev.nick)
    sleep(0.001)
    alone(fib, 5)
    log.info("handler %d of %s after a pause", i, n)
  end)
end
on("privmsg", function(ev) return fib(6) == 8 and ev.message == "n2" end, function() log("a filter found n2") end)
once("privmsg", function(ev) fib(10) log.info("once, %s", ev.message) end)
spawn(function()
  while true do
    local ev = wait("privmsg")
    log.info("a wait got %s", ev.message)
  end
end)
log.info("%d wrong", n_wrong)
