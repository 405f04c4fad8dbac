-- Lua's patterns, matched in Lua, where the clock is looked at. `searches.lua` says why.
--
-- A pattern becomes a list of items, each with the bytes that it takes; a match goes along them and back again.

local box = ...

local error, unpack = error, unpack
local byte, char, find, match, sub = string.byte, string.char, string.find, string.match, string.sub

local CAPTURES_MAX = 32
local OPEN, PLACE = -1, -2  -- lengths of captures: not ended yet, or a place only

---- a pattern as a list of items

-- The bytes that a class or a set takes: as Lua's own matcher says.
local function set_of(item)
  local set = {}
  for c = 0, 255 do
    set[c] = find(char(c), '^' .. item) ~= nil
  end
  return set
end

-- Where the single class that begins at `at` ends.
local function class_end(pattern, at)
  local c = sub(pattern, at, at)
  if c == '%' then
    if at == #pattern then
      error("malformed pattern (ends with '%')", 0)
    end
    return at + 1
  elseif c ~= '[' then
    return at
  end
  at = at + 1
  if sub(pattern, at, at) == '^' then
    at = at + 1
  end
  repeat
    if at > #pattern then
      error("malformed pattern (missing ']')", 0)
    end
    at = at + (sub(pattern, at, at) == '%' and 2 or 1)
  until sub(pattern, at, at) == ']'
  return at
end

local function single(pattern, at)
  local last = class_end(pattern, at)
  local item = sub(pattern, at, last)
  local set
  if #item == 1 and item ~= '.' then
    set = {[byte(item)] = true}
  else
    set = set_of(item)
  end
  local times = match(pattern, '^[-*+?]', last + 1)
  return {kind = 'set', set = set, times = times}, last + (times and 2 or 1)
end

local function special(pattern, at)
  if at == #pattern then
    error("malformed pattern (ends with '%')", 0)
  end
  local c = sub(pattern, at + 1, at + 1)
  if c == 'b' then
    if at + 3 > #pattern then
      error('unbalanced pattern', 0)
    end
    return {kind = 'pair', from = byte(pattern, at + 2), to = byte(pattern, at + 3)}, at + 4
  elseif c == 'f' then
    if sub(pattern, at + 2, at + 2) ~= '[' then
      error("missing '[' after '%f' in pattern", 0)
    end
    local last = class_end(pattern, at + 2)
    return {kind = 'border', set = set_of(sub(pattern, at + 2, last))}, last + 1
  elseif find(c, '%d') then
    return {kind = 'again', number = byte(c) - 48}, at + 2
  end
  return single(pattern, at)
end

local function next_item(pattern, at)
  local c = sub(pattern, at, at)
  if c == '(' then
    if sub(pattern, at + 1, at + 1) == ')' then
      return {kind = 'open', size = PLACE}, at + 2
    end
    return {kind = 'open', size = OPEN}, at + 1
  elseif c == ')' then
    return {kind = 'close'}, at + 1
  elseif c == '$' and at == #pattern then
    return {kind = 'end'}, at + 1
  elseif c == '%' then
    return special(pattern, at)
  end
  return single(pattern, at)
end

-- The items of `pattern` from `at`; it ends before a zero byte, as in C.
local function items_of(pattern, at)
  local items = {}
  pattern = match(pattern, '^[^%z]*')
  while at <= #pattern do
    items[#items + 1], at = next_item(pattern, at)
  end
  return items
end

---- matching

local run  -- run(m, s, k): where a match of the items from `k` at place `s` ends, or nil

local function takes(m, s, item)
  return s <= m.size and item.set[byte(m.text, s)]
end

local function run_longest(m, s, k, item)
  local count = 0
  while takes(m, s + count, item) do
    count = count + 1
  end
  for i = count, item.times == '+' and 1 or 0, -1 do
    local last = run(m, s + i, k + 1)
    if last then
      return last
    end
  end
end

local function run_shortest(m, s, k, item)
  while true do
    local last = run(m, s, k + 1)
    if last then
      return last
    elseif not takes(m, s, item) then
      return nil
    end
    s = s + 1
  end
end

local function open(m, s, k, item)
  local level = m.level + 1
  if level > CAPTURES_MAX then
    error('too many captures', 0)
  end
  m.starts[level], m.sizes[level], m.level = s, item.size, level
  local last = run(m, s, k + 1)
  if not last then
    m.level = m.level - 1
  end
  return last
end

local function close(m, s, k)
  local level = m.level
  while level > 0 and m.sizes[level] ~= OPEN do
    level = level - 1
  end
  if level == 0 then
    error('invalid pattern capture', 0)
  end
  m.sizes[level] = s - m.starts[level]
  local last = run(m, s, k + 1)
  if not last then
    m.sizes[level] = OPEN
  end
  return last
end

-- Where the pair that opens at `s` is closed.
local function pair_end(m, s, item)
  if byte(m.text, s) ~= item.from then
    return nil
  end
  local depth = 1
  for at = s + 1, m.size do
    local c = byte(m.text, at)
    if c == item.to then
      depth = depth - 1
      if depth == 0 then
        return at + 1
      end
    elseif c == item.from then
      depth = depth + 1
    end
  end
end

-- Where what was captured ends if it stands at `s` again.
local function again_end(m, s, item)
  local number = item.number
  if number < 1 or number > m.level or m.sizes[number] == OPEN then
    error('invalid capture index', 0)
  end
  local size = m.sizes[number]
  if size >= 0 and m.size - s + 1 >= size then
    local start = m.starts[number]
    if sub(m.text, start, start + size - 1) == sub(m.text, s, s + size - 1) then
      return s + size
    end
  end
end

local function is_border(m, s, item)
  local before = s > 1 and byte(m.text, s - 1) or 0
  local after = s <= m.size and byte(m.text, s) or 0
  return not item.set[before] and item.set[after]
end

function run(m, s, k)
  while true do
    local item = m.items[k]
    if not item then
      return s
    end
    local kind, times = item.kind, item.times
    if kind == 'open' then
      return open(m, s, k, item)
    elseif kind == 'close' then
      return close(m, s, k)
    elseif kind == 'end' then
      return s == m.size + 1 and s or nil
    elseif kind == 'pair' or kind == 'again' then
      s = (kind == 'pair' and pair_end or again_end)(m, s, item)
    elseif kind == 'border' then
      s = is_border(m, s, item) and s or nil
    elseif times == '*' or times == '+' then
      return run_longest(m, s, k, item)
    elseif times == '-' then
      return run_shortest(m, s, k, item)
    elseif times == '?' then
      local last = takes(m, s, item) and run(m, s + 1, k + 1)
      if last then
        return last
      end
    else
      s = takes(m, s, item) and s + 1 or nil
    end
    if not s then
      return nil
    end
    k = k + 1
  end
end

-- What a pattern is looked for in. `at`: where the pattern begins.
local function matcher(text, pattern, at)
  return {text = text, size = #text, items = items_of(pattern, at), level = 0, starts = {}, sizes = {}}
end

local function run_at(m, s)
  m.level = 0
  return run(m, s, 1)
end

local function capture(m, i)
  local size = m.sizes[i]
  if size == OPEN then
    error('unfinished capture', 0)
  elseif size == PLACE then
    return m.starts[i]
  end
  return sub(m.text, m.starts[i], m.starts[i] + size - 1)
end

-- All captures; the whole match when there are none and `first` is given.
local function captures(m, first, last)
  if m.level == 0 then
    return first and sub(m.text, first, last - 1)
  end
  local found = {}
  for i = 1, m.level do
    found[i] = capture(m, i)
  end
  return unpack(found, 1, m.level)
end

box.matcher, box.run_at, box.capture, box.captures = matcher, run_at, capture, captures
