-- cjson.encode: Lua values to JSON, as lua-cjson 2.1.0 writes it
-- (https://www.kyne.com.au/~mark/software/lua-cjson-manual.html).

local box = ...

local floor, format, gsub, huge = math.floor, string.format, string.gsub, math.huge
local concat = table.concat
local error, next, rawget, type = error, next, rawget, type

local escapes = {['"'] = '\\"', ['\\'] = '\\\\', ['/'] = '\\/'}
for code = 0, 31 do
  escapes[string.char(code)] = format('\\u%04x', code)
end
escapes['\b'], escapes['\t'], escapes['\n'], escapes['\f'], escapes['\r'] = '\\b', '\\t', '\\n', '\\f', '\\r'
escapes['\127'] = '\\u007f'

local out, size, config

local function put(piece)
  size = size + 1
  out[size] = piece
end

local function refuse(value, reason)
  error(format('Cannot serialise %s: %s', type(value), reason), 0)
end

local function text(value)
  return '"' .. gsub(value, '[%z\1-\31\127"\\/]', escapes) .. '"'
end

local function number(n)
  if n ~= n or n == huge or n == -huge then
    if config.encode_invalid_numbers == 'null' then
      return 'null'
    elseif not config.encode_invalid_numbers then
      refuse(n, 'must not be NaN or Inf')
    elseif n ~= n then
      return 'nan'
    end
  end
  return format(config.number_format, n)
end

-- How long an array `t` is; nil when it is none.
local function array_length(t)
  local longest, count = 0, 0
  for key in next, t do
    if type(key) ~= 'number' or key < 1 or key ~= floor(key) then
      return nil
    end
    longest = key > longest and key or longest
    count = count + 1
  end
  local ratio = config.sparse_ratio
  if ratio > 0 and longest > count * ratio and longest > config.sparse_safe then
    if not config.sparse_convert then
      refuse(t, 'excessively sparse array')
    end
    return nil
  end
  return longest
end

local write

local function write_array(t, length, depth)
  put('[')
  for i = 1, length do
    if i > 1 then
      put(',')
    end
    write(rawget(t, i), depth)
  end
  put(']')
end

local function write_object(t, depth)
  local comma = '{'
  for key, value in next, t do
    put(comma)
    comma = ','
    if type(key) == 'string' then
      put(text(key))
    elseif type(key) == 'number' then
      put('"' .. number(key) .. '"')
    else
      refuse(key, 'table key must be a number or string')
    end
    put(':')
    write(value, depth)
  end
  put(comma == '{' and '{}' or '}')
end

function write(value, depth)
  local kind = type(value)
  if kind == 'string' then
    put(text(value))
  elseif kind == 'number' then
    put(number(value))
  elseif kind == 'boolean' then
    put(value and 'true' or 'false')
  elseif kind == 'table' then
    depth = depth + 1
    if depth > config.encode_max_depth then
      error(format('Cannot serialise, excessive nesting (%d)', depth), 0)
    end
    value = box.behind[value] or value
    local length = array_length(value)
    if length and length > 0 then
      write_array(value, length, depth)
    else
      write_object(value, depth)
    end
  elseif value == nil or value == box.null then
    put('null')
  else
    refuse(value, 'type not supported')
  end
end

box.when_failed(function() out = nil end)

-- `value` as JSON by the settings in `chosen`; raises texts without a place.
function box.json_encode(value, chosen)
  out, size, config = {}, 0, chosen
  write(value, 0)
  local json = concat(out)
  out = nil
  return json
end
