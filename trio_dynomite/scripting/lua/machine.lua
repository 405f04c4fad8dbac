-- How scripts are compiled, run, watched and stopped. Python calls the functions in `box` that stand here and
-- in library.lua.

local box = ...

local error, getinfo, getmetatable, loadstring, pcall, select, setfenv, sethook, tostring, type, xpcall =
  error, debug.getinfo, getmetatable, loadstring, pcall, select, setfenv, debug.sethook, tostring, type, xpcall
local dump, format, huge, match, sub = string.dump, string.format, math.huge, string.match, string.sub
local encode, error_handler, error_reply = box.encode, box.error_handler, box.error_reply
local globals = box.globals

local WATCH_EVERY = 2000  -- instructions
local NO_MEMORY = '-ERR Error running script, not enough memory\r\n'

---- watching

local started          -- when the watch first looked at this run; nil before
local time_max = huge  -- seconds that it may take
local too_slow         -- the error when it takes longer
local stopped          -- the error that ends it, once it has been stopped
local watched          -- the function whose own instructions are never interrupted

-- Raises at every instruction of a stopped script, so that no pcall of its own keeps it alive.
local function end_it()
  if getinfo(2, 'f').func ~= watched then
    error(stopped, 0)
  end
end

local function stop(text)
  stopped = stopped or {err = text}
  sethook(end_it, '', 1)
end

local function is_late()
  local now = box.clock()
  started = started or now
  return stopped or now - started > time_max
end

local function look()
  if is_late() and getinfo(2, 'f').func ~= watched then
    stop(too_slow)
    error(stopped, 0)
  end
end

-- Looks at the clock now.
function box.check_time()
  if is_late() then
    stop(too_slow)
    error(stopped, 0)
  end
end

function box.is_stopped()
  return stopped ~= nil
end

-- Ends the run with the error `text`.
function box.stop(text)
  stop(text)
  error(stopped, 0)
end

-- Keeps an eye on a coroutine, too: a hook is one thread's.
function box.watch(thread)
  sethook(thread, look, '', WATCH_EVERY)
end

sethook(look, '', WATCH_EVERY)

-- xpcall for so many seconds.
function watched(f, handler, seconds, text)
  started, time_max, too_slow = nil, seconds, text
  local ok, value = xpcall(f, handler)
  if stopped then
    sethook(look, '', WATCH_EVERY)
    stopped = nil
  end
  time_max = huge
  if box.collector_was_set then
    box.reset_collector()
  end
  return ok, value
end

---- running

local function as_it_is(problem)
  return problem
end

-- The fields of an error table. A metatable of the script's may run its code, so this is watched, too.
function box.error_fields(problem, seconds)
  if not getmetatable(problem) then
    return problem.err, problem.source, problem.line
  end
  local ok, fields = watched(function()
    return {problem.err, problem.source, problem.line}
  end, as_it_is, seconds, box.TOO_SLOW)
  if ok then
    return fields[1], fields[2], fields[3]
  end
end

-- The reply that tells of an error.
local function told(problem, seconds)
  if problem == 'not enough memory' then
    return NO_MEMORY
  elseif type(problem) ~= 'table' then
    return error_reply('ERR Error running script, ' .. sub(tostring(problem), 1, 100))
  end
  local text, source, line = box.error_fields(problem, seconds)
  if type(text) ~= 'string' and type(text) ~= 'number' then
    text = 'ERR unknown error'
  end
  text = match(text, '^[^%z]*')
  if source and line then
    text = format('%s script: on %s:%s.', text, source, line)
  end
  return error_reply(text)
end

local compiled = {}  -- name -> function
local callee, callee_keys, callee_arguments

-- A tail call, which leaves the callee without a caller that an error could name.
local function call()
  return callee(callee_keys, callee_arguments)
end

-- Runs the script or function `name` for a client that speaks RESP `client`, and gives its reply.
local function run(name, client, seconds, keys, arguments)
  box.resp = 2
  callee, callee_keys, callee_arguments = compiled[name], keys, arguments
  if box.is_eval then
    globals.KEYS, globals.ARGV = keys, arguments
  end
  local ok, value = watched(call, error_handler, seconds, box.TOO_SLOW)
  callee_keys, callee_arguments = nil, nil
  if ok then
    ok, value = pcall(encode, value, box.resp, client)
  end
  if ok then
    return value
  end
  box.clean()
  return told(value, seconds)
end

-- Splits one list into the keys, which come first, and the other arguments.
local function split(count, all, total)
  local keys, arguments = {}, {}
  for i = 1, count do
    keys[i] = all[i]
  end
  for i = count + 1, total do
    arguments[i - count] = all[i]
  end
  return keys, arguments
end

-- Few keys and arguments, one by one.
function box.run_few(name, client, seconds, count, ...)
  if count == 0 then
    return run(name, client, seconds, {}, {...})
  end
  return run(name, client, seconds, split(count, {...}, select('#', ...)))
end

-- Many of them, in a table; the limit of memory is off.
function box.run_many(name, client, seconds, count, all)
  box.limit()
  return run(name, client, seconds, split(count, all, #all))
end

---- compiling

-- The byte code of a source, or nil and what is wrong with it. The limit of memory is off.
function box.compile(source, place)
  box.limit()
  local f, problem = loadstring(box.as_text(source), place)
  if not f then
    return nil, problem
  end
  return dump(f)
end

-- Keeps byte code that `compile` made under a name.
function box.keep(name, code, place)
  compiled[name] = setfenv(loadstring(code, place), box.environment)
end

function box.forget(name)
  compiled[name] = nil
end

box.compiled, box.watched = compiled, watched
