#!lua name=trio_dynomite_3

-- What a node of trio-dynomite asks of its server that has to happen at once.
-- KEYS: a client's key, the heads of its slot, and where they matter its cells and its groups.
-- Commands stand in ARGV one after the other: how many arguments, a name, the number of its key, arguments.

-- What only a module knows: where the server does not, or not in this version, its bytes stand beside the key.
local function put_opaque(keys, base, payload)
  local reply = redis.pcall('RESTORE', keys[base + 1], 0, payload, 'REPLACE')
  if type(reply) == 'table' and reply.err then
    if not (string.find(reply.err, 'Bad data format', 1, true) or string.find(reply.err, 'version', 1, true)) then
      return reply
    end
    redis.call('SET', keys[base + 4], payload)
  end
end

local function run(keys, base, args, at, final)
  while at <= final do
    local last = at + 2 + tonumber(args[at])
    local name = args[at + 1]
    local reply
    if name == 'OPAQUE' then
      reply = put_opaque(keys, base, args[at + 3])
    else
      reply = redis.pcall(name, keys[base + tonumber(args[at + 2])], unpack(args, at + 3, last))
    end
    -- The counters of a stream stand in its head; that the native ones agree is a courtesy.
    if type(reply) == 'table' and reply.err and name ~= 'XSETID' then
      return reply
    end
    at = last + 1
  end
end

local function set_head(keys, head)
  if head == '' then
    redis.call('HDEL', keys[2], keys[1])
  else
    redis.call('HSET', keys[2], keys[1], head)
  end
end

-- Everything of a key anew, whatever was there: head, commands.
local function replace(keys, args)
  redis.call('UNLINK', keys[1], keys[3], keys[4])
  local mistake = run(keys, 0, args, 2, #args)
  if mistake then
    redis.call('HDEL', keys[2], keys[1])
    return mistake
  end
  set_head(keys, args[1])
  return 1
end

local function change(keys, base, args, at, last)
  local key, heads = keys[base + 1], keys[base + 2]
  if redis.call('HGET', heads, key) ~= args[at + 1] then
    return 0
  end
  if args[at + 2] == '1' and redis.call('EXISTS', key) == 0 then
    return 0
  end
  if run(keys, base, args, at + 4, last) then
    return 0
  end
  redis.call('HSET', heads, key, args[at + 3])
  return 1
end

-- Some of each of several keys. KEYS: four of each. Each: how many arguments its commands are, the head that
-- is there, must the key be there, the head that is to be, commands. Of each 0: all is not as it was.
local function changes(keys, args)
  local told, at = {}, 1
  for base = 0, #keys - 4, 4 do
    local last = at + 3 + tonumber(args[at])
    told[#told + 1] = change(keys, base, args, at, last)
    at = last + 1
  end
  return told
end

local function native(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' then
    return kind, redis.call('HGETALL', key)
  elseif kind == 'set' then
    return kind, redis.call('SMEMBERS', key)
  elseif kind == 'zset' then
    return kind, redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'list' then
    return kind, redis.call('LRANGE', key, 0, -1)
  elseif kind == 'stream' then
    return kind, redis.call('XRANGE', key, '-', '+')
  end
  local value = redis.pcall('DUMP', key)
  return kind, type(value) == 'string' and value
end

-- All of a key: head, type, what is there; of what may have them cells and groups.
local function read(keys)
  local head = redis.call('HGET', keys[2], keys[1])
  local text = redis.pcall('GET', keys[1])
  if type(text) == 'string' then
    return {head, 'string', text}
  end
  local kind, value = native(keys[1])
  if head and #head ~= 12 and #head ~= 13 then
    return {head, kind, value, redis.call('HGETALL', keys[3]), redis.call('GET', keys[4])}
  end
  return {head, kind, value}
end

-- What is at a key: type, deadline, payload; and a short text that differs when any of them does.
local function state(key)
  local kind, date = redis.call('TYPE', key).ok, redis.call('PEXPIRETIME', key)
  local payload = redis.pcall('DUMP', key)
  payload = type(payload) == 'string' and payload or ''
  return kind, date, payload, kind .. ':' .. string.format('%.0f', date) .. ':' .. redis.sha1hex(payload)
end

-- A module's value that stands beside its key is put where it belongs, if the server has learned to read it.
local function wake(keys)
  local payload = redis.call('EXISTS', keys[1]) == 0 and redis.call('GET', keys[4])
  if payload then
    local date = redis.call('PEXPIRETIME', keys[4])
    local reply = redis.pcall('RESTORE', keys[1], math.max(date, 0), payload, 'ABSTTL')
    if not reply.err then
      redis.call('UNLINK', keys[4])
    end
  end
end

-- Before a module's command: the head that should be there, should the key be. 0: it is not so.
local function before(keys, args)
  local good = (redis.call('HGET', keys[2], keys[1]) or '') == args[1]
  if args[2] == '1' then
    wake(keys)
    good = good and redis.call('EXISTS', keys[1]) == 1
  else
    redis.call('UNLINK', keys[1], keys[4])
  end
  local _, _, _, text = state(keys[1])
  redis.call('SET', '\1d:' .. keys[1], text)
  return good and 1 or 0
end

local OWN = {none = true, string = true, hash = true, set = true, zset = true, list = true, stream = true}

-- After it: the stamp under which it ran. Nothing, or what the key has become: type, deadline, payload, head.
-- What is of a type of the node's own is written anew by the node; until then nobody is thought to have written it.
-- It runs, however full the server is: what was done must not stand under the head of what was there before.
local function after(keys, args)
  local kind, date, payload, text = state(keys[1])
  local noted = redis.call('GETDEL', '\1d:' .. keys[1])
  if noted == text then
    return {}
  end
  local head = ''
  redis.call('UNLINK', keys[3], keys[4])
  if not OWN[kind] and payload ~= '' then
    head = 'm' .. args[1] .. string.format('%.0f', math.max(date, 0)) .. ':' .. kind
  end
  set_head(keys, head)
  return {kind, string.format('%.0f', date), payload, head}
end

-- Is there something of a module that stands beside its key?
local function beside(keys)
  local head = redis.call('HGET', keys[2], keys[1])
  if not head or #head == 12 or #head == 13 or redis.call('EXISTS', keys[1]) == 1 then
    return 0
  end
  return redis.call('EXISTS', keys[4])
end

-- Nothing is known of the keys of a slot any more. KEYS: its heads.
local function wipe(keys)
  for _, key in ipairs(redis.call('HKEYS', keys[1])) do
    redis.call('UNLINK', key, '\1c:' .. key, '\1g:' .. key)
  end
  redis.call('UNLINK', keys[1])
  return 1
end

redis.register_function('trio_dynomite_3_replace', replace)
redis.register_function('trio_dynomite_3_changes', changes)
redis.register_function('trio_dynomite_3_wipe', wipe)
redis.register_function('trio_dynomite_3_before', before)
redis.register_function{function_name='trio_dynomite_3_after', callback=after, flags={'allow-oom'}}
redis.register_function{function_name='trio_dynomite_3_read', callback=read, flags={'no-writes'}}
redis.register_function{function_name='trio_dynomite_3_beside', callback=beside, flags={'no-writes'}}
