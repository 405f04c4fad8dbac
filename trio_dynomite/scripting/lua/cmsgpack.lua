-- cmsgpack.*: MessagePack as lua-cmsgpack 0.4.0 writes and reads it
-- (https://github.com/msgpack/msgpack/blob/master/spec.md).

local box = ...

local byte, char, format, sub = string.byte, string.char, string.format, string.sub
local abs, floor, huge = math.abs, math.floor, math.huge
local concat = table.concat
local error, next, rawset, select, type, unpack = error, next, rawset, select, type, unpack
local number = box.number

local NESTING_MAX = 16
local INT64_MAX = 2 ^ 63

---- packing

local out, size

local function put(piece)
  size = size + 1
  out[size] = piece
end

local function head(code, n, bytes)
  return char(code) .. number.integer_bytes(n, bytes)
end

local function integer(n)
  if n >= 0 then
    if n < 0x80 then
      return char(n)
    elseif n < 0x100 then
      return head(0xCC, n, 1)
    elseif n < 0x10000 then
      return head(0xCD, n, 2)
    elseif n < 2 ^ 32 then
      return head(0xCE, n, 4)
    end
    return head(0xCF, n, 8)
  elseif n >= -32 then
    return char(256 + n)
  elseif n >= -0x80 then
    return head(0xD0, n, 1)
  elseif n >= -0x8000 then
    return head(0xD1, n, 2)
  elseif n >= -2 ^ 31 then
    return head(0xD2, n, 4)
  end
  return head(0xD3, n, 8)
end

local function float(n)
  local bytes = number.float_bytes(n)
  if n == n and number.float(bytes, 1) == n then
    return '\202' .. bytes
  end
  return '\203' .. number.double_bytes(n)
end

local function text(value)
  local length = #value
  if length < 32 then
    return char(0xA0 + length) .. value
  elseif length < 0x100 then
    return head(0xD9, length, 1) .. value
  elseif length < 0x10000 then
    return head(0xDA, length, 2) .. value
  end
  return head(0xDB, length, 4) .. value
end

local function sized(few, code, count)
  if count < 16 then
    return char(few + count)
  elseif count < 0x10000 then
    return head(code, count, 2)
  end
  return head(code + 1, count, 4)
end

-- Has `t` the keys 1..n and no others? And how many.
local function array_length(t)
  local longest, count, is_array = 0, 0, true
  for key in next, t do
    if type(key) ~= 'number' or key <= 0 or key ~= floor(key) or key >= 2 ^ 31 then
      is_array = false
    elseif key > longest then
      longest = key
    end
    count = count + 1
  end
  return is_array and longest == count, count
end

local write

local function write_table(t, level)
  t = box.behind[t] or t
  local is_array, count = array_length(t)
  if is_array then
    put(sized(0x90, 0xDC, count))
    for i = 1, count do
      write(t[i], level + 1)
    end
  else
    put(sized(0x80, 0xDE, count))
    for key, value in next, t do
      write(key, level + 1)
      write(value, level + 1)
    end
  end
end

function write(value, level)
  local kind = type(value)
  if kind == 'string' then
    put(text(value))
  elseif kind == 'number' then
    local whole = value == floor(value) and abs(value) ~= huge and value >= -INT64_MAX and value < INT64_MAX
    put(whole and integer(value) or float(value))
  elseif kind == 'boolean' then
    put(value and '\195' or '\194')
  elseif kind == 'table' and level < NESTING_MAX then
    write_table(value, level)
  else
    put('\192')
  end
end

local functions = {}

function functions.pack(...)
  local count = select('#', ...)
  if count == 0 then
    error("bad argument #0 to '?' (MessagePack pack needs input.)", 0)
  end
  out, size = {}, 0
  for i = 1, count do
    write((select(i, ...)), 0)
  end
  local packed = concat(out)
  out = nil
  return packed
end

---- unpacking

local data, at

-- Moves on by `count` bytes, and tells where they began.
local function take(count)
  local start = at
  if start + count - 1 > #data then
    error('Missing bytes in input.', 0)
  end
  at = start + count
  return start
end

local read

local function read_text(length)
  local start = take(length)
  return sub(data, start, start + length - 1)
end

local function read_array(count)
  local array = {}
  for i = 1, count do
    array[i] = read()
  end
  return array
end

local function read_map(count)
  local map = {}
  for _ = 1, count do
    local key = read()
    rawset(map, key, read())
  end
  return map
end

local function unsigned(bytes)
  return number.unsigned(data, take(bytes), bytes)
end

local function signed(bytes)
  return number.signed(data, take(bytes), bytes)
end

local readers = {
  [0xC0] = function() return nil end,
  [0xC2] = function() return false end,
  [0xC3] = function() return true end,
  [0xCA] = function() return number.float(data, take(4)) end,
  [0xCB] = function() return number.double(data, take(8)) end,
  [0xCC] = function() return unsigned(1) end,
  [0xCD] = function() return unsigned(2) end,
  [0xCE] = function() return unsigned(4) end,
  [0xCF] = function()  -- pushed as a signed integer, as Lua 5.1 has no other
    return signed(8)
  end,
  [0xD0] = function() return signed(1) end,
  [0xD1] = function() return signed(2) end,
  [0xD2] = function() return signed(4) end,
  [0xD3] = function() return signed(8) end,
  [0xD9] = function() return read_text(unsigned(1)) end,
  [0xDA] = function() return read_text(unsigned(2)) end,
  [0xDB] = function() return read_text(unsigned(4)) end,
  [0xDC] = function() return read_array(unsigned(2)) end,
  [0xDD] = function() return read_array(unsigned(4)) end,
  [0xDE] = function() return read_map(unsigned(2)) end,
  [0xDF] = function() return read_map(unsigned(4)) end,
}

function read()
  local code = byte(data, take(1))
  local reader = readers[code]
  if reader then
    return reader()
  elseif code < 0x80 then
    return code
  elseif code < 0x90 then
    return read_map(code - 0x80)
  elseif code < 0xA0 then
    return read_array(code - 0x90)
  elseif code < 0xC0 then
    return read_text(code - 0xA0)
  elseif code >= 0xE0 then
    return code - 0x100
  end
  error('Bad data format in input.', 0)
end

box.when_failed(function() out, data = nil, nil end)

-- Up to `limit` values from `offset` on, with their number and where to go on.
local function read_some(packed, limit, offset)
  data, at = packed, offset + 1
  local values, count = {}, 0
  while at <= #data and count < limit do
    count = count + 1
    values[count] = read()
  end
  local rest = at > #data and -1 or at - 1
  data = nil
  return values, count, rest
end

local function check_integer(value, i, default)
  if value == nil and default then
    return default
  end
  return number.long(box.check_number(value, i))
end

local function unpack_from(packed, limit, offset)
  packed = box.check_text(packed, 1)
  if offset < 0 or limit < 0 then
    error(format('Invalid request to unpack with offset of %d and limit of %d.', offset, #packed), 0)
  elseif offset > #packed then
    error(format('Start offset %d greater than input length %d.', offset, #packed), 0)
  elseif limit == 0 and offset == 0 then
    local values, count = read_some(packed, 2 ^ 31, 0)
    return unpack(values, 1, count)
  end
  local values, count, rest = read_some(packed, limit, offset)
  return rest, unpack(values, 1, count)
end

function functions.unpack(packed)
  return unpack_from(packed, 0, 0)
end

function functions.unpack_one(packed, offset)
  return unpack_from(packed, 1, check_integer(offset, 2, 0))
end

function functions.unpack_limit(packed, limit, offset)
  return unpack_from(packed, check_integer(limit, 2), check_integer(offset, 3, 0))
end

box.cmsgpack = {
  _NAME = 'cmsgpack', _VERSION = 'lua-cmsgpack 0.4.0', _COPYRIGHT = 'Copyright (C) 2012, Redis Ltd.',
  _DESCRIPTION = 'MessagePack C implementation for Lua',
}
for name, f in pairs(functions) do
  box.cmsgpack[name] = box.native(name, f)
end
