-- string.find, match, gmatch and gsub, where Lua's own could go on for hours.
--
-- Lua's matcher goes back and tries again, and no hook looks at the clock meanwhile: ".-.-.-.-b" over a few
-- thousand letters would hold the node for ever. So what may take too many steps is matched by `patterns.lua`,
-- which is watched: slower, and with the same results. All the rest, nearly everything, goes to Lua's own.

local box = ...

local concat, error, pairs, pcall, tostring, type = table.concat, error, pairs, pcall, tostring, type
local byte, find, gmatch, gsub, match, sub =
  string.byte, string.find, string.gmatch, string.gsub, string.match, string.sub
local max, min = math.max, math.min
local capture, captures, matcher, passed, run_at = box.capture, box.captures, box.matcher, box.passed, box.run_at

local STEPS_MAX = 1e8     -- that Lua's own may need: some tenths of a second
local COMPARED_MAX = 2e9  -- bytes that it may compare

local strings = box.string

-- How often `pattern` may choose how much to take: a repetition with something behind it, a pair, a capture again.
local function choices(pattern)
  local plain = gsub(gsub(pattern, '%%[^%wb]', 'x'), '[-*+?]?%)*$', '')
  local _, repeated = gsub(plain, '[-*+?]', '')
  local _, others = gsub(plain, '%%[b%d]', '')
  return repeated + others
end

-- May it take too long to look for `pattern` in `text`? Every choice is tried with every other, at every place.
local function is_heavy(text, pattern)
  local size = #text
  if #pattern <= 6 and size <= 200 then
    return false
  end
  local steps = max(size, 1)
  for i = 1, choices(pattern) do
    steps = steps * (size + i) / i
    if steps > STEPS_MAX then
      return true
    end
  end
  return size * #pattern > COMPARED_MAX
end

---- the four functions

-- Where the search begins that is asked to begin at `init`.
local function place(text, init)
  init = init and box.int(init) or 1
  return min(max(init < 0 and #text + init + 1 or init, 1), #text + 1)
end

-- The place, and the end, of the first match; and what matched it.
local function search(text, pattern, init)
  local is_anchored = sub(pattern, 1, 1) == '^'
  local m = matcher(text, pattern, is_anchored and 2 or 1)
  for s = place(text, init), is_anchored and place(text, init) or #text + 1 do
    local last = run_at(m, s)
    if last then
      return s, last, m
    end
  end
end

local function found(s, last, m)
  if s and m.level > 0 then
    return s, last - 1, captures(m)
  elseif s then
    return s, last - 1
  end
end

local function matched(s, last, m)
  if s then
    return captures(m, s, last)
  end
end

-- Looks for `piece` as it is.
local function find_plain(text, piece, init)
  local first = byte(piece, 1)
  for at = place(text, init), #text - #piece + 1 do
    if byte(text, at) == first then
      box.check_time()
      if sub(text, at, at + #piece - 1) == piece then
        return at, at + #piece - 1
      end
    end
  end
end

local function is_text(value)
  return type(value) == 'string' or type(value) == 'number'
end

-- Is it for us? Whatever Lua's own is to refuse is not.
local function is_ours(text, pattern)
  return is_text(text) and is_text(pattern) and is_heavy(tostring(text), tostring(pattern))
end

local slow = {}
box.slow = slow

slow.find = box.native('find', function(text, pattern, init, plain)
  text, pattern, init = tostring(text), tostring(pattern), init and box.check_number(init, 3)
  if plain or not find(pattern, '^[^%z]*[%^$*+?.([%%-]') then
    return find_plain(text, pattern, init)
  end
  return found(search(text, pattern, init))
end)

slow.match = box.native('match', function(text, pattern, init)
  return matched(search(tostring(text), tostring(pattern), init and box.check_number(init, 3)))
end)

slow.gmatch = box.native('gmatch', function(text, pattern)
  text = tostring(text)
  local m, s = matcher(text, tostring(pattern), 1), 1
  return box.native('?', function()
    while s <= #text + 1 do
      local first, last = s, run_at(m, s)
      if last then
        s = last == first and last + 1 or last
        return captures(m, first, last)
      end
      s = s + 1
    end
  end)
end)

-- What stands in place of a match by a text with %0 to %9 in it.
local function filled(m, first, last, by)
  return (gsub(by, '%%(.?)', function(c)
    if not find(c, '%d') then
      return c
    elseif c == '0' or (c == '1' and m.level == 0) then
      return sub(m.text, first, last - 1)
    elseif byte(c) - 48 > m.level then
      error('invalid capture index', 0)
    end
    return tostring(capture(m, byte(c) - 48))
  end))
end

local function replaced(m, first, last, by)
  local kind, value = type(by), nil
  if kind == 'function' then
    value = by(captures(m, first, last))
  elseif kind == 'table' then
    value = by[(captures(m, first, last))]
  else
    return filled(m, first, last, tostring(by))
  end
  if not value then
    return sub(m.text, first, last - 1)
  elseif not is_text(value) then
    error('invalid replacement value (a ' .. type(value) .. ')', 0)
  end
  return tostring(value)
end

slow.gsub = box.native('gsub', function(text, pattern, by, count_max)
  text, pattern = tostring(text), tostring(pattern)
  count_max = count_max and box.int(box.check_number(count_max, 4)) or #text + 1
  local is_anchored = sub(pattern, 1, 1) == '^'
  local m, pieces, s, count = matcher(text, pattern, is_anchored and 2 or 1), {}, 1, 0
  while count < count_max do
    local last = run_at(m, s)
    if last then
      count = count + 1
      pieces[#pieces + 1] = replaced(m, s, last, by)
    end
    if last and last > s then
      s = last
    elseif s <= #text then
      pieces[#pieces + 1] = sub(text, s, s)
      s = s + 1
    else
      break
    end
    if is_anchored then
      break
    end
  end
  pieces[#pieces + 1] = sub(text, s)
  return concat(pieces), count
end)

for name, own in pairs {find = find, match = match, gmatch = gmatch, gsub = gsub} do
  local careful = slow[name]
  strings[name] = function(...)
    if is_ours(...) then
      return careful(...)
    end
    return passed(name, pcall(own, ...))
  end
end
strings.gfind = strings.gmatch
