-- Loading a library of functions: its code runs once, with an API that only registers functions.

local box = ...

local error, ipairs, loadstring, lower, next, select, setfenv, tostring, type =
  error, ipairs, loadstring, string.lower, next, select, setfenv, tostring, type
local concat = table.concat
local problem = box.problem

local FLAGS = {}
for _, name in ipairs {'no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'} do
  FLAGS[name] = true
end

local registered  -- the functions of the library that is being loaded; nil at other times

local function is_text(value)
  return type(value) == 'string' or type(value) == 'number'
end

local function refuse(text)
  error(problem(text))
end

local function read_flags(list)
  local flags = {}
  local i = 1
  while list[i] ~= nil do
    local flag = is_text(list[i]) and lower(tostring(list[i]))
    if not FLAGS[flag] then
      refuse('unknown flag given')
    end
    flags[i], i = flag, i + 1
  end
  return concat(flags, ' ')
end

local readers = {}

function readers.function_name(entry, value)
  if not is_text(value) then
    refuse('function_name argument given to server.register_function must be a string')
  end
  entry.name = tostring(value)
end

function readers.description(entry, value)
  if not is_text(value) then
    refuse('description argument given to server.register_function must be a string')
  end
  entry.description = tostring(value)
end

function readers.callback(entry, value)
  if type(value) ~= 'function' then
    refuse('callback argument given to server.register_function must be a function')
  end
  entry.callback = value
end

function readers.flags(entry, value)
  if type(value) ~= 'table' then
    refuse('flags argument to server.register_function must be a table representing function flags')
  end
  entry.flags = read_flags(value)
end

local function read_named(arguments)
  if type(arguments) ~= 'table' then
    refuse('calling server.register_function with a single argument is only applicable to Lua table'
      .. ' (representing named arguments).')
  end
  local entry = {flags = ''}
  for key, value in next, arguments do
    if not is_text(key) then
      refuse('named argument key given to server.register_function is not a string')
    end
    local reader = readers[lower(tostring(key))]
    if not reader then
      refuse('unknown argument given to server.register_function')
    end
    reader(entry, value)
  end
  if not entry.name then
    refuse('server.register_function must get a function name argument')
  elseif not entry.callback then
    refuse('server.register_function must get a callback argument')
  end
  return entry
end

local function read_positional(name, callback)
  if not is_text(name) then
    refuse('first argument to server.register_function must be a string')
  elseif type(callback) ~= 'function' then
    refuse('second argument to server.register_function must be a function')
  end
  return {name = tostring(name), callback = callback, flags = ''}
end

local function register_function(...)
  if not registered then
    refuse('server.register_function can only be called on FUNCTION LOAD command')
  end
  local count = select('#', ...)
  if count < 1 or count > 2 then
    refuse('wrong number of arguments to server.register_function')
  end
  registered[#registered + 1] = count == 1 and read_named(...) or read_positional(...)
end

-- While a library is loaded its globals are these alone; its functions run in the ordinary ones.
local api = {register_function = register_function, log = box.api.log}
for name, value in next, box.api do
  if type(value) ~= 'function' then
    api[name] = value
  end
end
local missing = debug.getmetatable(box.globals)
setmetatable(api, missing)
local redis = box.locked(api, box.locked(missing))
local at_load = setmetatable({redis = redis, server = redis}, missing)

local environment = debug.getmetatable(box.environment)

local function problem_only(raised)
  return raised
end

-- Runs the code of a library. Gives the number of its functions, which wait in `loaded`; or nil and an error.
function box.load_library(code, place, seconds)
  box.limit()
  registered = {}
  environment.__index = at_load
  local f = setfenv(loadstring(code, place), box.environment)
  local ok, value = box.watched(f, problem_only, seconds, 'ERR FUNCTION LOAD timeout')
  environment.__index = box.globals
  box.loaded, registered = registered, nil
  if ok then
    return #box.loaded
  end
  if type(value) ~= 'table' then
    return nil, 'ERR ' .. tostring(value)
  end
  local text = box.error_fields(value, seconds)
  return nil, is_text(text) and tostring(text) or 'ERR unknown error'
end

-- Function `i` of the library that was loaded last: its name, description and flags.
function box.describe(i)
  local entry = box.loaded[i]
  return entry.name, entry.flags, entry.description
end

-- Keeps function `i` under a name.
function box.keep_function(i, name)
  box.compiled[name] = box.loaded[i].callback
end
