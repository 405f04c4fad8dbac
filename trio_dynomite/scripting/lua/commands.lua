-- redis.* (and server.*, its other name): what a script may ask of the node
-- (https://valkey.io/topics/lua-api/).
--
-- `box.send` and its kind are the node's, written in Python. They get strings only and never raise. A reply
-- comes as the value itself when it is a plain one, else as nil and the reply in RESP, or nil and true when
-- the values of an array follow. A third value says that memory is short: the limit was lifted for the
-- crossing, and `box.limit` sets it again.

local box = ...

local error, select, tonumber, tostring, type, unpack = error, select, tonumber, tostring, type, unpack
local byte, match, sub = string.byte, string.match, string.sub
local concat = table.concat
local argument_text, int, read = box.number.argument, box.int, box.read
local send, send_many, sha1hex, log, acl_check, set_resp, limit =
  box.send, box.send_many, box.sha1hex, box.log, box.acl_check, box.set_resp, box.limit

local ERROR, STOP = byte '-', 0
local FEW = 40  -- so many arguments cross one by one; more of them in one string

local function problem(text)
  return {err = 'ERR ' .. text}
end

local NO_ARGUMENT = 'Please specify at least one argument for this call'
local BAD_ARGUMENT = 'Command arguments must be strings or integers'

-- The arguments of a command as strings, or nil and what is wrong with them.
local function texts(...)
  local count = select('#', ...)
  if count == 0 then
    return nil, NO_ARGUMENT
  end
  local arguments = {...}
  for i = 1, count do
    local argument = arguments[i]
    if type(argument) == 'number' then
      arguments[i] = argument_text(argument)
    elseif type(argument) ~= 'string' then
      return nil, BAD_ARGUMENT
    end
  end
  return arguments, count
end

-- The strings as one: how long each is, and all of them.
local function packed(arguments)
  local sizes = {}
  for i = 1, #arguments do
    sizes[i] = #arguments[i]
  end
  return concat(sizes, ' '), concat(arguments)
end

-- Lua's value of what the node answered, and whether it is an error.
local function answer(value, raw, low, ...)
  if low then
    limit()
  end
  if not raw then
    return value, false
  elseif raw == true then
    return {...}, false
  elseif byte(raw) == STOP then
    box.stop(sub(raw, 2))
  end
  return (read(raw, 1)), byte(raw) == ERROR
end

-- Sends a command: its value and whether that is an error.
local function command(...)
  local arguments, count = texts(...)
  if not arguments then
    return problem(count), true
  elseif count <= FEW then
    return answer(send(unpack(arguments, 1, count)))
  end
  return answer(send_many(packed(arguments)))
end

local api = {
  LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
  REPL_NONE = 0, REPL_AOF = 1, REPL_SLAVE = 2, REPL_REPLICA = 2, REPL_ALL = 3,
}

function api.call(...)
  local value, failed = command(...)
  if failed then
    error(value)
  end
  return value
end

function api.pcall(...)
  return (command(...))
end

function api.error_reply(...)
  local text = ...
  if select('#', ...) ~= 1 or type(text) ~= 'string' then
    return problem('wrong number or type of arguments')
  end
  text = match(text, '^-?([^%z]*)')
  local code, rest = match(text, '^([^ ]*) (.*)$')
  if not code then
    return {err = 'ERR ' .. text}
  end
  return {err = code .. ' ' .. match(rest, '^[\r\n]*(.-)[\r\n]*$')}
end

function api.status_reply(...)
  local text = ...
  if select('#', ...) ~= 1 or type(text) ~= 'string' then
    return problem('wrong number or type of arguments')
  end
  return {ok = text}
end

-- Calls a function of the node that gives text.
local function ask(f, ...)
  local value, _, low = f(...)
  if low then
    limit()
  end
  return value
end

function api.sha1hex(...)
  local text = ...
  if select('#', ...) ~= 1 then
    error(problem('wrong number of arguments'))
  end
  return ask(sha1hex, (type(text) == 'string' or type(text) == 'number') and tostring(text) or '')
end

local function is_number(value)
  return (type(value) == 'number' or type(value) == 'string') and tonumber(value) ~= nil
end

function api.setresp(...)
  if select('#', ...) ~= 1 then
    error(problem('server.setresp() requires one argument.'))
  end
  local resp = is_number(...) and int(tonumber((...))) or 0
  if resp ~= 2 and resp ~= 3 then
    error(problem('RESP version must be 2 or 3.'))
  end
  box.resp = resp
  set_resp(resp)
end

function api.set_repl(...)
  if select('#', ...) ~= 1 then
    error(problem('server.set_repl() requires one argument.'))
  end
  local flags = is_number(...) and int(tonumber((...))) or 0
  if flags < 0 or flags > 3 then
    error(problem('Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.'))
  end
end

function api.log(...)
  local count = select('#', ...)
  if count < 2 then
    error(problem('server.log() requires two arguments or more.'))
  elseif not is_number((...)) then
    error(problem('First argument must be a number (log level).'))
  end
  local level = int(tonumber((...)))
  if level < 0 or level > 3 then
    error(problem('Invalid log level.'))
  end
  local words = {}
  for i = 2, count do
    local word = select(i, ...)
    if type(word) == 'string' or type(word) == 'number' then
      words[#words + 1] = tostring(word)
    end
  end
  ask(log, level, concat(words, ' '))
end

function api.acl_check_cmd(...)
  local arguments, wrong = texts(...)
  if not arguments then
    error(problem(wrong))
  end
  local allowed = ask(acl_check, packed(arguments))
  if allowed == nil then
    error(problem('Invalid command passed to server.acl_check_cmd()'))
  end
  return allowed
end

box.api, box.problem = api, problem
