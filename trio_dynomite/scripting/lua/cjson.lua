-- The cjson module: encode, decode and what sets how they work.

local box = ...

local format = string.format
local error, pairs, select, tonumber, tostring, type = error, pairs, select, tonumber, tostring, type

local INT_MAX = 2 ^ 31 - 1

local function defaults()
  return {
    sparse_convert = false, sparse_ratio = 2, sparse_safe = 10,
    encode_max_depth = 1000, decode_max_depth = 1000,
    encode_invalid_numbers = false, decode_invalid_numbers = true,
    encode_keep_buffer = true, precision = 14, number_format = '%.14g',
  }
end

local function bad_argument(at, problem)
  error(format("bad argument #%d to '?' (%s)", at, problem), 0)
end

local function check_count(most, ...)
  if select('#', ...) > most then
    bad_argument(most + 1, 'found too many arguments')
  end
end

local function integer_option(config, name, value, at, least, most)
  if value ~= nil then
    local n = (type(value) == 'number' or type(value) == 'string') and tonumber(value)
    if not n then
      bad_argument(at, format('number expected, got %s', type(value)))
    end
    n = box.int(n)
    if n < least or n > most then
      bad_argument(1, format('expected integer between %d and %d', least, most))
    end
    config[name] = n
  end
  return config[name]
end

-- Sets a switch: true, false or one of the words; tells what it is now.
local function switch_option(config, name, value, at, words)
  if value ~= nil then
    local chosen = words[value]
    if type(value) == 'boolean' then
      chosen = value
    elseif type(value) ~= 'string' and type(value) ~= 'number' then
      bad_argument(at, format('string expected, got %s', type(value)))
    elseif chosen == nil then
      bad_argument(at, format("invalid option '%s'", tostring(value)))
    end
    config[name] = chosen
  end
  return config[name]
end

local ON_OFF = {on = true, off = false}
local ON_OFF_NULL = {on = true, off = false, null = 'null'}

local function module_functions(config)
  local functions = {}

  function functions.encode(...)
    if select('#', ...) ~= 1 then
      bad_argument(1, 'expected 1 argument')
    end
    return box.json_encode((...), config)
  end

  function functions.decode(...)
    local text = ...
    if select('#', ...) ~= 1 then
      bad_argument(1, 'expected 1 argument')
    elseif type(text) ~= 'string' and type(text) ~= 'number' then
      bad_argument(1, format('string expected, got %s', type(text)))
    end
    return box.json_decode(tostring(text), config)
  end

  function functions.encode_sparse_array(convert, ratio, safe, ...)
    check_count(0, ...)
    return switch_option(config, 'sparse_convert', convert, 1, ON_OFF),
      integer_option(config, 'sparse_ratio', ratio, 2, 0, INT_MAX),
      integer_option(config, 'sparse_safe', safe, 3, 0, INT_MAX)
  end

  function functions.encode_max_depth(...)
    check_count(1, ...)
    return integer_option(config, 'encode_max_depth', (...), 1, 1, INT_MAX)
  end

  function functions.decode_max_depth(...)
    check_count(1, ...)
    return integer_option(config, 'decode_max_depth', (...), 1, 1, INT_MAX)
  end

  function functions.encode_number_precision(...)
    check_count(1, ...)
    local precision = integer_option(config, 'precision', (...), 1, 1, 14)
    config.number_format = '%.' .. precision .. 'g'
    return precision
  end

  function functions.encode_keep_buffer(...)
    check_count(1, ...)
    return switch_option(config, 'encode_keep_buffer', (...), 1, ON_OFF)
  end

  function functions.encode_invalid_numbers(...)
    check_count(1, ...)
    return switch_option(config, 'encode_invalid_numbers', (...), 1, ON_OFF_NULL)
  end

  function functions.decode_invalid_numbers(...)
    check_count(1, ...)
    return switch_option(config, 'decode_invalid_numbers', (...), 1, ON_OFF)
  end

  return functions
end

local new

-- A cjson with settings of its own.
function new()
  local module = {null = box.null, _NAME = 'cjson', _VERSION = '2.1.0', new = new}
  for name, f in pairs(module_functions(defaults())) do
    module[name] = box.native(name, f)
  end
  return module
end

box.cjson = new()
