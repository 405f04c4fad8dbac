-- What scripts find in _G: Redis's list and no more. No files, no network, nothing that loads byte code,
-- nothing of Python.

local box = ...

local error, getinfo, ipairs, pairs, pcall, select, setfenv, setmetatable, tostring, type, xpcall =
  error, debug.getinfo, ipairs, pairs, pcall, select, setfenv, setmetatable, tostring, type, xpcall
local lua = _G
local concat, gsub, match, sub = table.concat, string.gsub, string.match, string.sub
local base, locked, passed = box.base, box.locked, box.passed

---- code from text

local BYTE_CODE = '\27'

-- A source that begins like byte code is read as text: the blank before it makes Lua do so.
local function as_text(source)
  return sub(source, 1, 1) == BYTE_CODE and ' ' .. source or source
end

box.as_text = as_text

local function in_globals(f, ...)
  if f then
    setfenv(f, box.environment)
  end
  return f, ...
end

local loadstring = loadstring

-- The parser holds on to a chunk's name only if somebody else does (CVE-2025-49844): so it ends before any zero
-- byte, where C would end it, and is kept here.
local function compiled(source, name)
  name = match(name, '^[^%z]*')
  return in_globals(loadstring(as_text(source), name))
end

function base.loadstring(...)
  local source, name = ...
  if type(source) ~= 'string' and type(source) ~= 'number' or (name ~= nil and type(name) ~= 'string') then
    return in_globals(passed('loadstring', pcall(loadstring, ...)))
  end
  return compiled(tostring(source), name or tostring(source))
end

local function all_of(reader)
  local pieces = {}
  while true do
    local piece = reader()
    if piece == nil or piece == '' then
      return concat(pieces)
    elseif type(piece) ~= 'string' and type(piece) ~= 'number' then
      error('reader function must return a string', 0)
    end
    pieces[#pieces + 1] = piece
  end
end

local load = load

function base.load(...)
  local reader, name = ...
  if type(reader) ~= 'function' or (name ~= nil and type(name) ~= 'string') then
    return passed('load', pcall(load, ...))
  end
  local ok, source = xpcall(function() return all_of(reader) end, box.error_handler)
  if not ok then
    return nil, source
  end
  return compiled(source, name or '=(load)')
end

---- memory

local collectgarbage = collectgarbage

-- What a script sets of the collector holds until it ends.
function base.collectgarbage(...)
  if ... ~= nil and ... ~= 'count' and ... ~= 'collect' and ... ~= 'step' then
    box.collector_was_set = true
  end
  return passed('collectgarbage', pcall(collectgarbage, ...))
end

function box.reset_collector()
  box.collector_was_set = false
  collectgarbage('restart')
  collectgarbage('setpause', 200)
  collectgarbage('setstepmul', 200)
end

---- coroutines: a hook holds for one thread only, so each new one gets its own

local create, resume = coroutine.create, coroutine.resume

local threads = {}
for name, value in pairs(coroutine) do
  threads[name] = value
end

function threads.create(...)
  local thread = passed('create', pcall(create, ...))
  box.watch(thread)
  return thread
end

local function resumed(ok, ...)
  if ok then
    return ...
  end
  error((...), 3)
end

function threads.wrap(...)
  local thread = passed('wrap', pcall(create, ...))
  box.watch(thread)
  return function(...)
    return resumed(resume(thread, ...))
  end
end

---- errors

local function is_ours(info)
  return info.what == 'C' or info.what == 'tail' or info.source == box.SOURCE
end

-- Turns what was raised into the table that tells where in the script: `{err =, source =, line =}`.
local function error_handler(problem)
  local level = 2
  local info = getinfo(level, 'Sl')
  while info and is_ours(info) do
    level = level + 1
    info = getinfo(level, 'Sl')
  end
  if type(problem) ~= 'table' then
    problem = tostring(problem)
    if info then  -- what Lua's sort finds wrong, which we called for the script
      problem = gsub(problem, '^sandbox:%d+:', info.short_src .. ':' .. info.currentline .. ':')
    end
    problem = {err = 'ERR ' .. problem}
  end
  if info then
    problem.source = info.source
    problem.line = info.currentline
  end
  return problem
end

box.error_handler = error_handler

local function caught(ok, ...)
  if not ok then
    box.check_time()
  end
  return ok, ...
end

-- The handler of a script that is being stopped is not asked: no hook would end it.
function base.xpcall(...)
  local f, handler = ...
  if select('#', ...) < 2 then
    return passed('xpcall', pcall(xpcall, ...))
  end
  return caught(xpcall(f, function(problem)
    if box.is_stopped() then
      return problem
    end
    return handler(problem)
  end))
end

---- the table

local function nonexistent(...)
  local _, name = ...
  if select('#', ...) ~= 2 then
    error('Wrong number of arguments to luaProtectedTableError', 2)
  elseif type(name) ~= 'string' and type(name) ~= 'number' then
    error('Second argument to luaProtectedTableError must be a string or number', 2)
  end
  error("Script attempted to access nonexistent global variable '" .. name .. "'", 2)
end

-- The globals of scripts, or of functions, and the read-only stand-in that they run in.
local function make_globals(is_eval)
  local globals = {}
  for _, name in ipairs {
    'assert', 'error', 'gcinfo', 'ipairs', 'rawequal', 'select', 'tonumber', 'tostring', 'type', '_VERSION',
  } do
    globals[name] = lua[name]
  end
  for name, f in pairs(base) do
    globals[name] = f
  end
  globals.string, globals.table, globals.math = locked(box.string), locked(box.table), locked(box.math)
  globals.coroutine, globals.os = locked(threads), locked {clock = function() return box.clock() end}
  globals.bit, globals.cjson, globals.struct = locked(box.bit), locked(box.cjson), locked(box.struct)
  globals.cmsgpack = locked(box.cmsgpack)
  if is_eval then
    box.api.breakpoint = function() return false end
    box.api.debug = function() end
    box.api.replicate_commands = function() return true end
    globals.__redis__err__handler, globals.__server__err__handler = error_handler, error_handler
  end
  for name, value in pairs(box.versions) do
    box.api[name] = value
  end
  globals.redis = locked(box.api)
  globals.server = globals.redis
  setmetatable(globals, {__index = nonexistent})
  local environment = locked(globals, locked {__index = nonexistent})
  globals._G = environment
  box.string_metatable = locked {__index = globals.string}
  box.globals, box.environment = globals, environment
end

make_globals(box.is_eval)
