-- struct.pack, struct.unpack and struct.size: C structures as strings
-- (http://www.inf.puc-rio.br/~roberto/struct/).

local box = ...

local find, format, match, rep, reverse, sub =
  string.find, string.format, string.match, string.rep, string.reverse, string.sub
local floor = math.floor
local concat = table.concat
local error, pairs, select, tonumber, unpack = error, pairs, select, tonumber, unpack
local check_number, check_text, number = box.check_number, box.check_text, box.number

local SIZES = {b = 1, B = 1, h = 2, H = 2, l = 8, L = 8, T = 8, f = 4, d = 8, x = 1}
local INTEGERS = '[bBhHlLTiI]'
local INTEGER_SIZE_MAX = 32
local INT_MAX = 2 ^ 31 - 1
local ALIGN_MAX = 8

local function bad_argument(i, problem)
  error(format("bad argument #%d to '?' (%s)", i, problem), 0)
end

-- A walk through a format: each step tells option, size and how many bytes of padding come before. Letters
-- and digits that mean nothing are refused, unless the walk is `lenient`. What an option sets, or that it is
-- wrong, is found by the next step: in C the data is looked at first.
local function walk(pattern, lenient)
  local at, little, align = 1, true, 1
  local pending
  pattern = match(pattern, '^[^%z]*')

  local function count(default)
    local digits = match(pattern, '^%d+', at)
    if not digits then
      return default
    end
    at = at + #digits
    local n = tonumber(digits)
    if n > INT_MAX then
      error('integral size overflow', 0)
    end
    return n
  end

  local function size_of(option)
    if option == 'c' then
      return count(1)
    elseif option == 'i' or option == 'I' then
      local size = count(4)
      if size > INTEGER_SIZE_MAX then
        error(format('integral size %d is larger than limit of %d', size, INTEGER_SIZE_MAX), 0)
      end
      return size
    end
    return SIZES[option] or 0
  end

  -- Options that stand for no data.
  local function control(option)
    if option == '<' or option == '>' then
      little = option == '<'
    elseif option == '!' then
      local n = count(ALIGN_MAX)
      local power = 1
      while power < n do
        power = power * 2
      end
      if power ~= n then
        error(format('alignment %d is not a power of 2', n), 0)
      end
      align = n
    elseif option ~= ' ' then
      bad_argument(1, format("invalid format option '%s'", option))
    end
  end

  local function padding(option, size, position)
    if size == 0 or option == 'c' then
      return 0
    end
    size = size > align and align or size
    -- As C does it: right for powers of two only.
    local rest = size - 1
    local offset = 0
    local power = 1
    local low = position
    while power <= rest do  -- position AND rest
      if floor(rest / power) % 2 == 1 and floor(low / power) % 2 == 1 then
        offset = offset + power
      end
      power = power * 2
    end
    local needed, result = size - offset, 0
    power = 1
    while power <= rest do
      if floor(rest / power) % 2 == 1 and floor(needed / power) % 2 == 1 then
        result = result + power
      end
      power = power * 2
    end
    return result
  end

  return function(position)
    if pending then
      control(pending)
      pending = nil
    end
    if at > #pattern then
      return nil
    end
    local option = sub(pattern, at, at)
    at = at + 1
    local size = size_of(option)
    local before = padding(option, size, position)
    if not find(option, '[bBhHlLTiIfdxcs]') and not (lenient and find(option, '%w')) then
      pending = option
    end
    return option, size, before, little
  end
end

local function ordered(bytes, little)
  return little and reverse(bytes) or bytes
end

-- An integer as C's long has it: cut to 64 bits, and bytes beyond those are zero.
local function integer_bytes(n, size, little)
  if n ~= n or n >= 2 ^ 64 or n < -2 ^ 63 then
    n = n >= 2 ^ 64 and 0 or 2 ^ 63
  end
  n = n < 0 and -floor(-n) or floor(n)
  local bytes = number.integer_bytes(n, size > 8 and 8 or size)
  return ordered(rep('\0', size - #bytes) .. bytes, little)
end

local packers = {
  x = function() return '\0' end,
  f = function(value, i, _, little) return ordered(number.float_bytes(check_number(value, i)), little) end,
  d = function(value, i, _, little) return ordered(number.double_bytes(check_number(value, i)), little) end,
}

function packers.c(value, i, size)
  local text = check_text(value, i)
  if size == 0 then
    return text
  elseif #text < size then
    bad_argument(i + 1, 'string too short')
  end
  return sub(text, 1, size)
end

function packers.s(value, i)
  return check_text(value, i) .. '\0'
end

local functions = {}

function functions.pack(pattern, ...)
  local following = walk(check_text(pattern, 1))
  local pieces, total, argument = {}, 0, 1
  local option, size, before, little = following(total)
  while option do
    local piece = ''
    if find(option, INTEGERS) then
      piece = integer_bytes(check_number((select(argument, ...)), argument + 1), size, little)
    elseif packers[option] then
      piece = packers[option]((select(argument, ...)), argument + 1, size, little)
    end
    if find(option, '[bBhHlLTiIfdcs]') then
      argument = argument + 1
    end
    pieces[#pieces + 1] = rep('\0', before) .. piece
    total = total + before + #piece
    option, size, before, little = following(total)
  end
  return concat(pieces)
end

local function integer_at(data, position, size, little, is_signed)
  if size == 0 then
    return 0
  end
  local bytes = sub(data, position + 1, position + size)
  if little then
    bytes = reverse(bytes)
  end
  if size > 8 then  -- the low 64 bits
    bytes, size = sub(bytes, -8), 8
  end
  return is_signed and number.signed(bytes, 1, size) or number.unsigned(bytes, 1, size)
end

local function check_room(position, size, data)
  if position < 0 or size > #data or position > #data - size then
    bad_argument(2, 'data string too short')
  end
end

local function text_at(data, position)
  local stop = find(data, '%z', position + 1)
  if not stop then
    error('unfinished string in data', 0)
  end
  return sub(data, position + 1, stop - 1), stop - position
end

local function counted_text(data, position, results)
  local size = tonumber(results[#results])
  if not size then
    error("format 'c0' needs a previous size", 0)
  end
  results[#results] = nil
  if size ~= size or size >= 2 ^ 64 then  -- as the processor converts to an unsigned integer
    size = 0
  end
  size = number.long(size)
  check_room(position, size < 0 and 2 ^ 63 or size, data)
  return sub(data, position + 1, position + size), size
end

function functions.unpack(pattern, data, position)
  local following = walk(check_text(pattern, 1))
  data = check_text(data, 2)
  position = position == nil and 1 or number.long(check_number(position, 3))
  if position == 0 then
    bad_argument(3, 'offset must be 1 or greater')
  end
  position = position - 1
  local results = {}
  local option, size, before, little = following(position)
  while option do
    position = position + before
    check_room(position, size, data)
    if find(option, INTEGERS) then
      results[#results + 1] = integer_at(data, position, size, little, find(option, '%l') ~= nil)
    elseif option == 'f' or option == 'd' then
      local bytes = ordered(sub(data, position + 1, position + size), little)
      results[#results + 1] = (option == 'f' and number.float or number.double)(bytes, 1)
    elseif option == 'c' and size == 0 then
      local text
      text, size = counted_text(data, position, results)
      results[#results + 1] = text
    elseif option == 'c' then
      results[#results + 1] = sub(data, position + 1, position + size)
    elseif option == 's' then
      results[#results + 1], size = text_at(data, position)
    end
    position = position + size
    option, size, before, little = following(position)
  end
  results[#results + 1] = position + 1
  return unpack(results)
end

function functions.size(pattern)
  local following = walk(check_text(pattern, 1), true)
  local position = 0
  local option, size, before = following(position)
  while option do
    if option == 's' then
      bad_argument(1, "option 's' has no fixed size")
    elseif option == 'c' and size == 0 then
      bad_argument(1, "option 'c0' has no fixed size")
    end
    position = position + before + size
    option, size, before = following(position)
  end
  return position
end

box.struct = {}
for name, f in pairs(functions) do
  box.struct[name] = box.native(name, f)
end
