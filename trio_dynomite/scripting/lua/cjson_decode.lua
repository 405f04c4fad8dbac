-- cjson.decode: JSON to Lua values, as lua-cjson 2.1.0 reads it: arrays count from 1, null is cjson.null, and
-- what C's strtod takes is a number (hexadecimal, inf, nan) unless decode_invalid_numbers is off.

local box = ...

local byte, char, find, format, lower, match, sub =
  string.byte, string.char, string.find, string.format, string.lower, string.match, string.sub
local concat, floor = table.concat, math.floor
local error, tonumber = error, tonumber

local json, at, depth, config  -- what is read, where, and how deep

-- What a token is: its kind, its value, and where it began.
local SINGLE = {
  ['{'] = 'T_OBJ_BEGIN', ['}'] = 'T_OBJ_END', ['['] = 'T_ARR_BEGIN', [']'] = 'T_ARR_END',
  [','] = 'T_COMMA', [':'] = 'T_COLON', [''] = 'T_END', ['\0'] = 'T_END',
}
local STARTS = '^[fiInNt"+%-%d]'
local ESCAPES = {['"'] = '"', ['\\'] = '\\', ['/'] = '/', b = '\b', t = '\t', n = '\n', f = '\f', r = '\r'}

local began

local function expected(what, kind, value)
  error(format('Expected %s but found %s at character %d', what, kind == 'T_ERROR' and value or kind, began), 0)
end

local function bad(problem)
  began = at
  return 'T_ERROR', problem
end

local function utf8(code)
  if code < 0x80 then
    return char(code)
  elseif code < 0x800 then
    return char(0xC0 + floor(code / 64), 0x80 + code % 64)
  elseif code < 0x10000 then
    return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, 0x80 + floor(code / 64) % 64,
              0x80 + code % 64)
end

-- The character of the escape \uXXXX at `at`, which moves behind it; nil when it is wrong.
local function unicode()
  local hex = match(json, '^\\u(%x%x%x%x)', at)
  local code = hex and tonumber(hex, 16)
  if not code or (code >= 0xDC00 and code < 0xE000) then
    return nil
  elseif code < 0xD800 or code >= 0xE000 then
    at = at + 6
    return utf8(code)
  end
  hex = match(json, '^\\u(%x%x%x%x)', at + 6)
  local low = hex and tonumber(hex, 16)
  if not low or low < 0xDC00 or low >= 0xE000 then
    return nil
  end
  at = at + 12
  return utf8((code - 0xD800) * 1024 + low - 0xDC00 + 0x10000)
end

-- The rest of a string in which there is an escape, a zero byte, or no end.
local function escaped_string()
  local pieces = {}
  while true do
    local stop = find(json, '[%z"\\]', at)
    if not stop or byte(json, stop) == 0 then
      at = stop or #json + 1
      return bad('unexpected end of string')
    end
    pieces[#pieces + 1] = sub(json, at, stop - 1)
    at = stop
    if byte(json, stop) == 34 then
      at = stop + 1
      return 'T_STRING', concat(pieces)
    end
    local kind = sub(json, at + 1, at + 1)
    local character = ESCAPES[kind]
    if character then
      at = at + 2
    elseif kind == 'u' then
      character = unicode()
    end
    if not character then
      return bad(kind == 'u' and 'invalid unicode escape code' or 'invalid escape code')
    end
    pieces[#pieces + 1] = character
  end
end

local function string_token()
  at = at + 1
  local stop = find(json, '[%z"\\]', at)
  if stop and byte(json, stop) == 34 then
    local value = sub(json, at, stop - 1)
    at = stop + 1
    return 'T_STRING', value
  end
  return escaped_string()
end

-- Is what stands at `at` a number only to strtod?
local function is_invalid_number()
  if find(json, '^%+', at) or find(json, '^%-?0[xX%d]', at) then
    return true
  end
  local letters = match(json, '^%-?(%a%a%a)', at)
  letters = letters and lower(letters)
  return letters == 'inf' or letters == 'nan'
end

-- The longest start of the text at `at` that strtod reads.
local function number_text()
  local _, stop = find(json, '^[+-]?0[xX]%x*%.?%x*', at)
  if stop then
    local digits = match(json, '^[+-]?0[xX](%x*%.?%x*)', at)
    if not find(digits, '%x') then
      return match(json, '^[+-]?0', at)
    end
    return match(json, '^[+-]?0[xX]%x*%.?%x*[pP][+-]?%d+', at) or sub(json, at, stop)
  end
  local mantissa = match(json, '^[+-]?%d+%.?%d*', at) or match(json, '^[+-]?%.%d+', at)
  if mantissa then
    return match(json, '^[+-]?[%d.]+[eE][+-]?%d+', at) == nil and mantissa
      or mantissa .. (match(json, '^[eE][+-]?%d+', at + #mantissa) or '')
  end
  local sign, word = match(json, '^([+-]?)(%a+)', at)
  word = word and lower(word)
  if word and sub(word, 1, 8) == 'infinity' then
    return sub(json, at, at + #sign + 7)
  elseif word and sub(word, 1, 3) == 'inf' then
    return sub(json, at, at + #sign + 2)
  elseif word and sub(word, 1, 3) == 'nan' then
    return match(json, '^[+-]?%a%a%a%([%w_]*%)', at) or sub(json, at, at + #sign + 2)
  end
end

local function number_token()
  local literal = number_text()
  if not literal then
    return bad('invalid number')
  end
  at = at + #literal
  local value = tonumber(literal)
  if value == nil then  -- nan(...), which tonumber does not take
    value = sub(literal, 1, 1) == '-' and 0 / 0 or -(0 / 0)
  end
  return 'T_NUMBER', value
end

local function word_token()
  if sub(json, at, at + 3) == 'true' then
    at = at + 4
    return 'T_BOOLEAN', true
  elseif sub(json, at, at + 4) == 'false' then
    at = at + 5
    return 'T_BOOLEAN', false
  elseif sub(json, at, at + 3) == 'null' then
    at = at + 4
    return 'T_NULL', box.null
  elseif config.decode_invalid_numbers and is_invalid_number() then
    return number_token()
  end
  return bad('invalid token')
end

-- The kind and value of the token that comes next.
local function token()
  at = find(json, '[^ \t\n\r]', at) or #json + 1
  began = at
  local first = sub(json, at, at)
  if first == '"' then
    return string_token()
  end
  local kind = SINGLE[first]
  if kind then
    if kind ~= 'T_END' then
      at = at + 1
    end
    return kind
  elseif find(first, '[%-%d]') then
    -- The common integer needs no closer look.
    local digits = match(json, '^[1-9]%d*()[^%d.eE]', at)
    if digits then
      local value = tonumber(sub(json, at, digits - 1))
      at = digits
      return 'T_NUMBER', value
    elseif not config.decode_invalid_numbers and is_invalid_number() then
      return bad('invalid number')
    end
    return number_token()
  elseif find(first, STARTS) then
    return word_token()
  end
  return bad('invalid token')
end

local function descend()
  depth = depth + 1
  if depth > config.decode_max_depth then
    error(format('Found too many nested data structures (%d) at character %d', depth, at - 1), 0)
  end
end

local value_of

local function object()
  descend()
  local result = {}
  local kind, key = token()
  if kind == 'T_OBJ_END' then
    depth = depth - 1
    return result
  end
  while true do
    if kind ~= 'T_STRING' then
      expected('object key string', kind, key)
    end
    local colon, problem = token()
    if colon ~= 'T_COLON' then
      expected('colon', colon, problem)
    end
    result[key] = value_of(token())
    kind, key = token()
    if kind == 'T_OBJ_END' then
      depth = depth - 1
      return result
    elseif kind ~= 'T_COMMA' then
      expected('comma or object end', kind, key)
    end
    kind, key = token()
  end
end

local function array()
  descend()
  local result, count = {}, 0
  local kind, value = token()
  if kind == 'T_ARR_END' then
    depth = depth - 1
    return result
  end
  while true do
    count = count + 1
    result[count] = value_of(kind, value)
    kind, value = token()
    if kind == 'T_ARR_END' then
      depth = depth - 1
      return result
    elseif kind ~= 'T_COMMA' then
      expected('comma or array end', kind, value)
    end
    kind, value = token()
  end
end

function value_of(kind, value)
  if kind == 'T_STRING' or kind == 'T_NUMBER' or kind == 'T_BOOLEAN' or kind == 'T_NULL' then
    return value
  elseif kind == 'T_OBJ_BEGIN' then
    return object()
  elseif kind == 'T_ARR_BEGIN' then
    return array()
  end
  expected('value', kind, value)
end

box.when_failed(function() json = nil end)

-- The value of the JSON `text` by the settings in `chosen`; raises texts without a place.
function box.json_decode(text, chosen)
  if #text >= 2 and (byte(text, 1) == 0 or byte(text, 2) == 0) then
    error('JSON parser does not support UTF-16 or UTF-32', 0)
  end
  json, at, depth, config = text, 1, 0, chosen
  local value = value_of(token())
  local kind, problem = token()
  if kind ~= 'T_END' then
    expected('the end', kind, problem)
  end
  json = nil
  return value
end
