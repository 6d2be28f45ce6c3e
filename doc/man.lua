-- man: makes the manual page ebb-lua(7) of the definition file ebb.lua.
--
--     lua5.4 doc/man.lua < doc/ebb.lua > ebb-lua.7
--
-- The file is read as blocks of lines that begin with "---", each with the declaration that follows
-- it, if one does. "# TITLE" opens a section; in prose, `code`, **words**, lists and ``` are known.

local out = {}

local function put(format, ...)
  out[#out + 1] = select("#", ...) > 0 and string.format(format, ...) or format
end

-- Blocks.

local function new_block()
  return { prose = {}, params = {}, returns = {}, overloads = {}, fields = {}, entries = {} }
end

-- "table<string, any>? the fields" as the type and what follows it.
local function split_type(text)
  local kind, rest = text:match("^(fun%b(): %S+) ?(.*)")
  if not kind then kind, rest = text:match("^(%w+%b<>%??) ?(.*)") end
  if not kind then kind, rest = text:match("^(%S+) ?(.*)") end
  return kind, rest
end

local tags = {
  async = function(b) b.pauses = true end,
  class = function(b, rest) b.class = rest:match("%S+") end,
  alias = function(b, rest) b.alias = rest:match("%S+") end,
  type = function(b) b.is_value = true end,
  overload = function(b, rest) table.insert(b.overloads, rest) end,
  param = function(b, rest)
    local name, optional = rest:match("^([%w_%.]+)(%??)")
    b.params[name] = { is_optional = optional == "?" }
  end,
  ["return"] = function(b, rest)
    local kind, name = split_type(rest)
    name = name:match("^%S+") or kind
    if name ~= "..." then
      table.insert(b.returns, { name = name, may_fail = kind:match("%?$") })
    end
  end,
  field = function(b, rest)
    local name, optional, declared = rest:match("^([%w_]+)(%??) (.*)")
    if not name then return end -- [string]
    local kind, text = split_type(declared)
    table.insert(b.fields, { name = name, kind = kind .. optional, text = text })
  end,
}

local function read_doc_line(b, line)
  local tag, rest = line:match("^%-%-%-@(%w+) ?(.*)")
  if tag then
    b.in_field = tag == "field"
    if tags[tag] then tags[tag](b, rest) end
    return
  end
  if line:match("^%-%-%-|") then
    local name, text = line:match('^%-%-%-| "(.-)" # (.*)')
    if name then table.insert(b.entries, { name = name, text = text }) end
    return
  end
  local text = line:match("^%-%-%- ?(.*)")
  if b.in_field then
    local field = b.fields[#b.fields]
    if field then field.text = field.text .. " " .. text end
  else
    table.insert(b.prose, text)
  end
end

local function read_blocks(file)
  local blocks, b = {}, nil
  for line in file:lines() do
    if line:match("^%-%-%-") then
      b = b or new_block()
      read_doc_line(b, line)
    elseif b then
      b.declaration = line ~= "" and line or nil
      table.insert(blocks, b)
      b = nil
    end
  end
  if b then table.insert(blocks, b) end
  return blocks
end

-- Text. A sentence begins a line, and so does a macro.

local sections = {}

local function escape(text)
  text = text:gsub("\\", "\\e"):gsub("…", "...")
  return (text:gsub("^[%.']", "\\&%0"))
end

-- As one argument of a macro.
local function argument(text)
  text = escape(text):gsub('"', "\\(dq")
  if text:match("^%u%l$") or text:match("^[%(%)%[%].,:;|?!]$") then text = "\\&" .. text end
  return text:match("%s") and '"' .. text .. '"' or text
end

-- Text that follows a macro without space: punctuation in arguments of its own, else joined.
local function tail(text)
  local spaced = text:gsub(".", " %0")
  if text == "" or text:match("^[%.,:;?!%)]+$") then return spaced end
  return " Ns " .. argument(text)
end

local function reference(word)
  local page, section, rest = word:match("^([%w%.%-]+)%((%d)%)(.*)$")
  if page then return (".Xr %s %s%s"):format(page, section, tail(rest)) end
  local title, stop = word:match("^(%u+)([%.,;:]?)$")
  if title and sections[title] then return (".Sx %s%s"):format(title, tail(stop)) end
  if word:match("^https?://") then return ".Lk " .. word end
end

-- The words of a text: code and bold spans are one word, with what touches them.
local function words_of(text)
  local words, at = {}, 1
  while true do
    at = text:find("%S", at)
    if not at then return words end
    local a, b, before, code, after = text:find("^([^%s`]*)`([^`]+)`([^%s`]*)", at)
    if not a then
      a, b, before, code, after = text:find("^()%*%*(.-)%*%*()", at)
      if a then
        table.insert(words, ".Sy " .. code:gsub("%p$", " %0"))
      else
        a, b = text:find("^%S+", at)
        table.insert(words, reference(text:sub(a, b)) or text:sub(a, b))
      end
    elseif before == "" then
      table.insert(words, ".Ic " .. argument(code) .. tail(after))
    else
      table.insert(words, (".Pf %s Ic %s%s"):format(argument(before), argument(code), tail(after)))
    end
    at = b + 1
  end
end

local function put_text(text)
  local line
  local function flush()
    if line then put("%s", escape(line)) end
    line = nil
  end
  for _, word in ipairs(words_of(text)) do
    if word:match("^%.%u%l ") then
      flush()
      put("%s", word)
    else
      if line and #line + #word > 78 then flush() end
      line = line and line .. " " .. word or word
      if word:match("[%.?!]%)?$") and not word:match("^%.") then flush() end
    end
  end
  flush()
end

-- Prose: paragraphs, lists and examples. `opened`: no .Pp is wanted before the first.
local function put_prose(lines, opened)
  local i, text = 1, nil
  local function flush()
    if not text then return end
    if not opened then put(".Pp") end
    put_text(text)
    text, opened = nil, false
  end
  while lines[i] do
    local line = lines[i]
    if line == "" then
      flush()
    elseif line:match("^```") then
      flush()
      put(".Bd -literal -offset indent")
      i = i + 1
      while not lines[i]:match("^```") do
        put("%s", escape(lines[i]))
        i = i + 1
      end
      put(".Ed")
      opened = false
    elseif line:match("^%- ") then
      flush()
      put(".Bl -tag -width registration -compact -offset indent")
      while lines[i] and lines[i]:match("^[%- ] ") do
        local item = lines[i]:sub(3)
        while lines[i + 1] and lines[i + 1]:match("^  ") do
          i = i + 1
          item = item .. " " .. lines[i]:sub(3)
        end
        local names, rest = item:match("^(`.-`): (.*)$")
        put(".It %s", (names:gsub("`, `", " , "):gsub("`", ""):gsub("^", "Ic ")))
        put_text(rest)
        i = i + 1
      end
      put(".El")
      i, opened = i - 1, false
    else
      text = text and text .. " " .. line or line
    end
    i = i + 1
  end
  flush()
end

-- Declarations.

-- "fun(event: ebb.Names, handler: async fun(ev: ebb.Event))" as { "event", "handler" }
local function overload_names(overload)
  local inner = overload:match("^fun(%b())"):sub(2, -2):gsub("%b()", "")
  local names = {}
  for part in inner:gmatch("[^,]+") do table.insert(names, part:match("[%w_]+")) end
  return names
end

-- What an overload leaves out is optional.
local function note_overloads(b)
  for _, overload in ipairs(b.overloads) do
    local given = {}
    for _, name in ipairs(overload_names(overload)) do given[name] = true end
    for name, param in pairs(b.params) do
      param.is_optional = param.is_optional or not given[name]
    end
  end
end

local function arguments(b, declared)
  local names = {}
  for name in declared:gmatch("[%w_%.]+") do
    local param = b.params[name]
    table.insert(names, param and param.is_optional and "[" .. name .. "]" or name)
  end
  return "(" .. table.concat(names, ", ") .. ")"
end

local function results(b)
  local names, may_fail = {}, b.returns[1] and b.returns[1].may_fail
  for i, r in ipairs(b.returns) do
    names[i] = i == 1 and may_fail and #b.returns > 1 and r.name .. " | nil" or r.name
  end
  return #names > 0 and " -> " .. table.concat(names, ", ") or ""
end

local function put_head(name, b, args)
  local signature = args .. results(b)
  put(".It Ic %s%s", argument(name .. signature), b.pauses and " Pq pauses" or "")
end

-- The heads that a declaration has in a list; nothing for one that is prose only.
local function put_heads(b)
  local name, declared = b.declaration:match("^function ([%w_%.:]+)%((.-)%)")
  local value = b.declaration:match("^([%w_]+) = ")
  if name then
    note_overloads(b)
    put_head(name, b, arguments(b, declared))
  elseif b.is_value then
    put_head(value, b, "")
  else -- a table that can be called
    put_head(value, b, "(" .. table.concat(overload_names(b.overloads[1]), ", ") .. ")")
  end
end

local function is_listed(b)
  local d = b.declaration
  return d and (d:match("^function ") or b.is_value or #b.overloads > 0)
end

-- `"idle"|"ready"` as words, table<string, string> as table, `string?` as such or nil.
local function kind_words(kind)
  local may_be_nil = kind:match("%?$") and " or nil" or ""
  kind = kind:gsub("%?$", ""):gsub("<.*>", ""):gsub("^ebb%.", ""):lower()
  return kind:gsub("%[%]$", " list"):gsub("|", ", "):gsub("%[%]", " list") .. may_be_nil
end

local function put_fields(b)
  put(".Pp")
  put(".Bl -tag -width Ds -compact")
  for _, field in ipairs(b.fields) do
    put(".It Va %s Pq %s", argument(field.name), argument(kind_words(field.kind)))
    put_text(field.text)
  end
  put(".El")
end

local function put_entry_list(b)
  put(".Bl -tag -width authenticate -compact")
  for _, entry in ipairs(b.entries) do
    put(".It Ic %s", argument(entry.name))
    put_text(entry.text)
  end
  put(".El")
end

-- A name, then its forms, or its words wrapped, in columns.
local function put_entry_table(b)
  local width = 0
  for _, entry in ipairs(b.entries) do width = math.max(width, #entry.name + 2) end
  put(".Bd -literal")
  for _, entry in ipairs(b.entries) do
    local name = entry.name
    for form in (entry.text .. " | "):gmatch("(.-) | ") do
      put("%s", escape(("%-" .. width .. "s%s"):format(name, form)))
      name = ""
    end
  end
  put(".Ed")
end

-- The page.

local as_table = { ["ebb.Command"] = true, ["ebb.Numeric"] = true }

local function put_section(title, prose)
  put(".Sh %s", title)
  put_prose(prose, true)
end

local function put_page(blocks)
  local in_list, opened = false, false
  local function set_list(wanted)
    if in_list ~= wanted then put(wanted and ".Bl -tag -width Ds" or ".El") end
    in_list = wanted
  end
  for _, b in ipairs(blocks) do
    local title = b.prose[1] and b.prose[1]:match("^# (.+)")
    if title then
      set_list(false)
      table.remove(b.prose, 1)
      while b.prose[1] == "" do table.remove(b.prose, 1) end
      put_section(title, b.prose)
      opened = #b.prose == 0
    elseif is_listed(b) then
      set_list(true)
      put_heads(b)
      put_prose(b.prose, true)
      opened = false
    elseif #b.fields > 0 or #b.entries > 0 or (b.class and b.declaration) then
      set_list(false)
      put_prose(b.prose, opened)
      if #b.fields > 0 then put_fields(b) end
      if as_table[b.alias] then
        put_entry_table(b)
      elseif #b.entries > 0 then
        put_entry_list(b)
      end
      opened = false
    end
  end
  set_list(false)
end

local blocks = read_blocks(io.stdin)
for _, b in ipairs(blocks) do
  local title = b.prose[1] and b.prose[1]:match("^# (.+)")
  if title then sections[title] = true end
end
put(".Dd November 20, 2026")
put(".Dt EBB-LUA 7")
put(".Os")
put(".Sh NAME")
put(".Nm ebb-lua")
put(".Nd the Lua interface of the IRC bot daemon ebbd")
put_page(blocks)
io.write(table.concat(out, "\n"), "\n")
