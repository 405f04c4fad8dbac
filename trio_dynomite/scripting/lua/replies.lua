-- Replies in RESP to Lua values, and what a script returns to a reply in RESP.
--
-- Sources: https://valkey.io/topics/lua-api/#data-type-conversion and Valkey's script_lua.c.

local box = ...

local byte, find, format, gsub, match, sub =
  string.byte, string.find, string.format, string.gsub, string.match, string.sub
local concat = table.concat
local getmetatable, next, rawget, tonumber, type = getmetatable, next, rawget, tonumber, type
local double_text = box.number.text

local STACK_LIMIT = '-ERR reached lua stack limit\r\n'
local STACK_MAX = 7995  -- slots of Lua's stack that Redis's converter has

---- RESP -> Lua: readers(raw, line, next position) -> value, next position

local readers = {}

-- The value at `at` in `raw`, and where the next one begins.
local function read(raw, at)
  local stop = find(raw, '\r', at, true)
  return readers[byte(raw, at)](raw, sub(raw, at + 1, stop - 1), stop + 2)
end

local function read_bulk(raw, line, at)
  local size = tonumber(line)
  if size < 0 then
    return false, at
  end
  return sub(raw, at, at + size - 1), at + size + 2
end

local function read_error(text)
  if not find(text, ' ', 1, true) then
    text = 'ERR ' .. text
  end
  return {err = text, ignore_error_stats_update = true}
end

local function read_array(raw, line, at)
  local size = tonumber(line)
  if size < 0 then
    return false, at
  end
  local values = {}
  for i = 1, size do
    values[i], at = read(raw, at)
  end
  return values, at
end

local function skip(raw, count, at)
  for _ = 1, count do
    local _
    _, at = read(raw, at)
  end
  return at
end

readers[byte '$'] = read_bulk
readers[byte ':'] = function(_, line, at) return tonumber(line), at end
readers[byte '+'] = function(_, line, at) return {ok = line}, at end
readers[byte '-'] = function(_, line, at) return read_error(line), at end
readers[byte '!'] = function(raw, line, at)
  local text
  text, at = read_bulk(raw, line, at)
  return read_error(text), at
end
readers[byte '*'] = read_array
readers[byte '>'] = read_array
readers[byte '_'] = function(_, _, at) return nil, at end
readers[byte '#'] = function(_, line, at) return line == 't', at end
readers[byte ','] = function(_, line, at) return {double = tonumber(line)}, at end
readers[byte '('] = function(_, line, at) return {big_number = line}, at end
readers[byte '='] = function(raw, line, at)
  local text
  text, at = read_bulk(raw, line, at)
  return {verbatim_string = {format = sub(text, 1, 3), string = sub(text, 5)}}, at
end
readers[byte '%'] = function(raw, line, at)
  local map = {}
  for _ = 1, tonumber(line) do
    local key
    key, at = read(raw, at)
    map[key], at = read(raw, at)
  end
  return {map = map}, at
end
readers[byte '~'] = function(raw, line, at)
  local set = {}
  for _ = 1, tonumber(line) do
    local member
    member, at = read(raw, at)
    set[member] = true
  end
  return {set = set}, at
end
readers[byte '|'] = function(raw, line, at)  -- attributes are not shown to scripts
  return read(raw, skip(raw, 2 * tonumber(line), at))
end

---- Lua -> RESP

local script_resp, client_resp = 2, 2
local null = '$-1\r\n'
local out, size = {}, 0  -- the pieces of the reply

local function put(piece)
  size = size + 1
  out[size] = piece
end

-- Up to the first zero byte, as C sees it, and on one line.
local function one_line(text)
  return (gsub(match(text, '^[^%z]*'), '[\r\n]', ' '))
end

-- An error as a reply.
function box.error_reply(text)
  text = gsub(match(text, '^[^%z]*'), '[\r\n]+$', '')
  return '-' .. gsub(text, '[\r\n]', ' ') .. '\r\n'
end

local heads = {}  -- of short bulk strings, by their length
for length = 0, 255 do
  heads[length] = '$' .. length .. '\r\n'
end

local function bulk(text)
  return (heads[#text] or '$' .. #text .. '\r\n') .. text .. '\r\n'
end

local function boolean(value)
  if script_resp == 2 then
    return value and ':1\r\n' or null
  elseif client_resp == 3 then
    return value and '#t\r\n' or '#f\r\n'
  end
  return value and ':1\r\n' or ':0\r\n'
end

local function verbatim(value)
  local text, kind = rawget(value, 'string'), rawget(value, 'format')
  if type(text) ~= 'string' or type(kind) ~= 'string' then
    return nil
  elseif client_resp == 2 then
    return bulk(text)
  end
  kind = sub(match(kind, '^[^%z]*') .. '   ', 1, 3)
  return format('=%d\r\n%s:', #text + 4, kind) .. text .. '\r\n'
end

local write

-- An aggregate's head is known when its elements have been counted.
local function write_map(map, used)
  local head, count = size + 1, 0
  put('')
  for key, value in next, map do
    write(key, used + 4)
    write(value, used + 3)
    count = count + 1
  end
  out[head] = client_resp == 3 and format('%%%d\r\n', count) or format('*%d\r\n', 2 * count)
end

local function write_set(set, used)
  local head, count = size + 1, 0
  put('')
  for member in next, set do
    write(member, used + 3)
    count = count + 1
  end
  out[head] = format('%s%d\r\n', client_resp == 3 and '~' or '*', count)
end

local function write_array(array, used)
  local head, count, plain = size + 1, 0, not getmetatable(array)
  put('')
  while true do
    local value
    if plain then
      value = array[count + 1]
    else
      value = rawget(array, count + 1)
    end
    if value == nil then
      break
    elseif type(value) == 'string' and used + 1 < STACK_MAX then
      put(bulk(value))
    else
      write(value, used + 1)
    end
    count = count + 1
  end
  out[head] = '*' .. count .. '\r\n'
end

-- Of a table that is no array: its reply, when that is one piece.
local function single(value)
  local field = rawget(value, 'err')
  if type(field) == 'string' then
    return box.error_reply(field)
  end
  field = rawget(value, 'ok')
  if type(field) == 'string' then
    return '+' .. one_line(field) .. '\r\n'
  end
  field = rawget(value, 'double')
  if type(field) == 'number' then
    local text = double_text(field)
    if field == 0 and 1 / field < 0 then
      text = '-0'
    end
    return client_resp == 3 and ',' .. text .. '\r\n' or bulk(text)
  end
  field = rawget(value, 'big_number')
  if type(field) == 'string' then
    return client_resp == 3 and '(' .. one_line(field) .. '\r\n' or bulk(one_line(field))
  end
  field = rawget(value, 'verbatim_string')
  if type(field) == 'table' then
    return verbatim(field)
  end
end

-- Writes `value`; `used` is how many slots of the stack Redis would use by then.
function write(value, used)
  local kind = type(value)
  if used >= STACK_MAX then
    put(STACK_LIMIT)
  elseif kind == 'string' then
    put(bulk(value))
  elseif kind == 'number' then
    put(format(':%d\r\n', value))
  elseif kind == 'boolean' then
    put(boolean(value))
  elseif kind ~= 'table' then
    put(null)
  else
    local piece = single(value)
    local map, set = rawget(value, 'map'), rawget(value, 'set')
    if piece then
      put(piece)
    elseif type(map) == 'table' then
      write_map(map, used)
    elseif type(set) == 'table' then
      write_set(set, used)
    else
      write_array(value, used)
    end
  end
end

box.when_failed(function() out = nil end)

-- The reply that `value` is, of a script that has set `resp` to a client that speaks `client`.
local function encode(value, resp, client)
  local kind = type(value)
  if kind == 'string' then
    return bulk(value)
  elseif kind == 'number' then
    return format(':%d\r\n', value)
  end
  script_resp, client_resp = resp, client
  null = client == 3 and '_\r\n' or '$-1\r\n'
  out, size = {}, 0
  write(value, 0)
  local reply = concat(out)
  out = nil
  return reply
end

box.read, box.encode = read, encode
