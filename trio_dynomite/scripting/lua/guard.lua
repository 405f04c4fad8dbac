-- Read-only tables, and the base functions that must know of them.
--
-- Redis patches read-only tables into Lua. Stock Lua 5.1 has none: here a script gets an empty stand-in, whose
-- metatable reads from the table behind it and refuses to write. The base functions that go past metatables
-- (rawset, next, setmetatable, table.insert...) look at `box.behind` first.

local box = ...

local error, getmetatable, next, pairs, pcall, rawget, rawset, select, setmetatable =
  error, getmetatable, next, pairs, pcall, rawget, rawset, select, setmetatable
local tonumber, tostring, type, unpack = tonumber, tostring, type, unpack
local find, floor, format, gsub, match, rep =
  string.find, math.floor, string.format, string.gsub, string.match, string.rep
local foreach, insert, remove, sort = table.foreach, table.insert, table.remove, table.sort

-- cjson.null: C has a null pointer there, and a value that is itself only does as well.
box.null = newproxy(true)
getmetatable(box.null).__tostring = function() return 'userdata: (nil)' end

local READONLY = 'Attempt to modify a readonly table'

local behind = {}      -- stand-in -> the table that it stands for
local advertised = {}  -- stand-in -> what getmetatable tells of it

local function refuse()
  error(READONLY, 2)
end

-- A stand-in for `t`. `metatable` is what scripts are told that it has.
function box.locked(t, metatable)
  local stand_in = setmetatable({}, {__index = t, __newindex = refuse})
  behind[stand_in] = t
  advertised[stand_in] = metatable
  return stand_in
end

-- Raises what pcall caught. An error that a C function raised knows neither the name by which it was called nor
-- the place of the script: both are added here, the place being that of the function at `level`.
local function raise_again(name, level, problem)
  if type(problem) ~= 'string' or find(problem, '^[%w_]+:%d+: ') or find(problem, '^table index is ') then
    error(problem, 0)
  end
  error(gsub(problem, "to '%?'", "to '" .. name .. "'", 1), level)
end

-- Hands on what pcall gave; an error has the place of the function that called our caller.
local function passed(name, ok, ...)
  if ok then
    return ...
  end
  raise_again(name, 4, (...))
end

-- Of a missing argument Lua says "no value", of a nil "nil": only here it is known which it was.
local function told_apart(problem, count)
  local place = type(problem) == 'string' and match(problem, "^bad argument #(%d+) .* got no value%)$")
  place = place and tonumber(place)
  if place and place <= count then
    return gsub(problem, 'no value%)$', 'nil)')
  end
  return problem
end

local function passed_on(name, count, ok, ...)
  if ok then
    return ...
  end
  box.clean()
  raise_again(name, 4, told_apart((...), count))
end

-- The function that scripts know as `name`: it raises as if it were C what `f` raises without a place.
function box.native(name, f)
  return function(...)
    return passed_on(name, select('#', ...), pcall(f, ...))
  end
end

local function told(value)
  return value == nil and 'no value' or type(value)
end

-- The number that argument `i` is, for functions that `native` makes known.
function box.check_number(value, i)
  local n = value
  if type(value) ~= 'number' then
    n = type(value) == 'string' and tonumber(value)
    if not n then
      error(format("bad argument #%d to '?' (number expected, got %s)", i, told(value)), 0)
    end
  end
  return n
end

-- The text that it is.
function box.check_text(value, i)
  if type(value) ~= 'string' and type(value) ~= 'number' then
    error(format("bad argument #%d to '?' (string expected, got %s)", i, told(value)), 0)
  end
  return tostring(value)
end

-- What converters have in hand when they fail is dropped: it may be much.
local cleaners = {}

function box.when_failed(cleaner)
  cleaners[#cleaners + 1] = cleaner
end

function box.clean()
  for i = 1, #cleaners do
    cleaners[i]()
  end
end

local base = {}

function base.rawset(...)
  local t = ...
  if behind[t] then
    error(READONLY, 0)
  elseif type(t) == 'table' and select('#', ...) == 3 then
    return rawset(...)
  end
  return passed('rawset', pcall(rawset, ...))
end

function base.rawget(t, ...)
  if type(t) == 'table' and select('#', ...) == 1 then
    return rawget(behind[t] or t, ...)
  end
  return passed('rawget', pcall(rawget, t, ...))
end

function base.setmetatable(...)
  local t, metatable = ...
  if type(t) == 'table' and (type(metatable) == 'table' or metatable == nil) and behind[t] then
    error(READONLY, 0)
  end
  return passed('setmetatable', pcall(setmetatable, ...))
end

function base.getmetatable(...)
  local value = ...
  if type(value) == 'string' then
    return box.string_metatable
  elseif behind[value] or value == box.null then
    return advertised[value]
  end
  return passed('getmetatable', pcall(getmetatable, ...))
end

function base.next(...)
  local t, key = ...
  if type(t) == 'table' then
    return next(behind[t] or t, key)
  end
  return passed('next', pcall(next, ...))
end

function base.pairs(...)
  local t = ...
  if type(t) == 'table' then
    return behind[t] and base.next or next, t, nil
  end
  return passed('pairs', pcall(pairs, ...))
end

---- what stock Lua 5.1 does with too little care

-- C's conversion of a double to a 32-bit integer.
local function int(n)
  n = (n < 0 and -floor(-n) or floor(n)) % 2 ^ 32
  return n < 2 ^ 31 and n or n - 2 ^ 32
end

local RESULTS_MAX = 8000

-- Lua's own writes beyond its stack when the number of results overflows (CVE-2025-46817).
function base.unpack(...)
  local t, first, last = ...
  if type(t) == 'table' and (first ~= nil or last ~= nil) then
    local low, high = tonumber(first or 1), tonumber(last or #t)
    if low and high and int(high) - int(low) >= RESULTS_MAX then
      error('too many results to unpack', 2)
    end
  end
  return passed('unpack', pcall(unpack, ...))
end

-- Lua's own copies nothing two thousand million times.
local function string_rep(...)
  local text, count = ...
  if text == '' and tonumber(count) then
    return ''
  end
  return passed('rep', pcall(rep, ...))
end

box.string = {}
for name, value in pairs(string) do
  box.string[name] = value
end
box.string.rep = string_rep
box.int = int

---- and the rest

-- Redis's own pcall: of an error table that tells an error it gives the text alone.
--
-- Whoever catches an error looks at the clock. The watch cannot look where C's stack is full, and a script that
-- caught the failures of that, again and again, would never end.
local function caught(ok, ...)
  if not ok then
    box.check_time()
    local problem = ...
    if type(problem) == 'table' then
      local text = problem.err
      if type(text) == 'string' or type(text) == 'number' then
        return false, text
      end
      return false, problem, text
    end
  end
  return ok, ...
end

function base.pcall(...)
  if select('#', ...) == 0 then
    return false
  end
  return caught(pcall(...))
end

local SHIFTS_MAX = 100000  -- elements that C may move while nobody watches the time

-- Does so much lie behind the place `position` of `t` that Lua is to move it, where it is watched?
local function is_far(t, position)
  position = type(t) == 'table' and tonumber(position)
  return position and #t - int(position) > SHIFTS_MAX
end

local function table_insert(...)
  local t, position, value = ...
  local count = select('#', ...)
  if type(t) == 'table' and not behind[t] and count == 2 then
    return insert(...)
  elseif behind[t] then
    error(READONLY, 0)
  elseif count == 3 and is_far(t, position) then
    position = int(tonumber(position))
    for i = #t + 1, position + 1, -1 do
      rawset(t, i, rawget(t, i - 1))
    end
    rawset(t, position, value)
    return
  end
  return passed('insert', pcall(insert, ...))
end

local function table_remove(...)
  local t, position = ...
  if not is_far(t, position) then
    return passed('remove', pcall(remove, ...))
  end
  position = int(tonumber(position))
  local size = #t
  if position < 1 then
    return
  end
  local value = rawget(t, position)
  for i = position, size do
    rawset(t, i, rawget(t, i + 1))
  end
  return value
end

local function table_sort(...)
  local t, before = ...
  if type(t) ~= 'table' or (before ~= nil and type(before) ~= 'function') then
    return passed('sort', pcall(sort, ...))
  elseif not behind[t] then
    sort(t, before)
  end
end

local function table_foreach(...)
  local t, visit = ...
  if type(t) ~= 'table' or type(visit) ~= 'function' then
    return passed('foreach', pcall(foreach, ...))
  end
  for key, value in next, behind[t] or t do
    local result = visit(key, value)
    if result ~= nil then
      return result
    end
  end
end

box.table = {}
for name, value in pairs(table) do
  box.table[name] = value
end
box.table.insert, box.table.remove, box.table.sort, box.table.foreach =
  table_insert, table_remove, table_sort, table_foreach

box.base, box.behind, box.passed = base, behind, passed
