"""Scripts whose replies must be Valkey's, byte by byte: one a line, or one a text.

They follow what `tests/unit/scripting.tcl` of Redis asks for, and what the C sources decide.
"""

CONVERSIONS = r"""
return 'text'
return ''
return 7
return 3.99
return -3.99
return 2^53
return 2^62
return 1e300
return 0/0
return -1/0
return true
return false
return nil
return
return 1, 2
return {}
return {1, 2, nil, 4}
return {1, {2, {3}}, 'x', false, true}
return {[1]='a', [3]='c', x='y'}
return {ok='fine'}
return {ok=''}
return {ok=5}
return {ok='a\r\nb'}
return {ok='a\r\n'}
return {ok='a\0b'}
return {err='MY error'}
return {err='short'}
return {err=''}
return {err=5}
return {err='-X y'}
return {err='a\r\nb'}
return {err='a\r\nb\r\n'}
return {err='a\r\n \r\n'}
return {err='\r\n'}
return {err='a\0b'}
return {err='a b', ok='c'}
return {ok='c', double=1}
return {double=3.14}
return {double=0.1+0.2}
return {double=1e300}
return {double=1e15}
return {double=5e18}
return {double=1e22/3}
return {double=1e5/3}
return {double=1.5e-7}
return {double=4.9e-324}
return {double=-0.0}
return {double=1/0}
return {double=0/0}
return {double='1'}
return {big_number='123456789012345678901234567890'}
return {big_number='12\r\n3'}
return {big_number='a\0b'}
return {big_number=1}
return {verbatim_string={string='abc', format='txt'}}
return {verbatim_string={string='a\0c', format='tx'}}
return {verbatim_string={string='abc', format='txtt'}}
return {verbatim_string={string='abc', format='t\0t'}}
return {verbatim_string={string='abc', format=''}}
return {verbatim_string={string='abc'}}
return {verbatim_string={string=5, format='txt'}}
return {verbatim_string='x', map={}}
return {map={a=1}}
return {map={a={map={b={set={c=true}}}}}}
return {map={1, 2}}
return {map={}}
return {map='x', 1}
return {set={a=true}}
return {set={}}
return {set={1, 2}}
return {{ok='a'}, {err='b'}, {double=1}, {map={x={1, 2}}}}
return setmetatable({}, {__index=function() return 5 end})
return setmetatable({}, {__index=function() error('no') end})
return type
return coroutine.create(function() end)
return cjson.null
return _G
redis.setresp(3) return true
redis.setresp(3) return false
redis.setresp(3) return nil
redis.setresp(3) return {true, false}
redis.setresp(3) return {map={a=false}}
redis.setresp(3) return {double=2.5}
local a = {}; local b = {a}; a[1] = b; return a
local a = {}; local b = {a, 1}; a[1] = b; a[2] = {}; return b
local a = {}; a.set = {[a]=true}; return a
local a = {}; a.map = {x=a}; return a
local a = {}; a.map = {x={a}}; return a
"""

CALLS = r"""
return redis.call('set', 'foo', 'bar')
return redis.call('set', 'foo', 'bar')['ok']
return redis.call('get', 'foo')
return redis.call('get', 'none')
return redis.call('incr', 'counter') + 1
return redis.call('mget', 'foo', 'none', 'foo')
return redis.call('mget', unpack({'foo', 'none'}))
return redis.call('GET', 'none') == false
redis.call('set', 'bin', 'a\0b\r\n\255') return redis.call('get', 'bin')
return redis.call('del', 'foo', 'bin', 'counter')
return redis.call('nope')
return redis.call('get')
return redis.call('get', 'a', 'b')
return redis.call('multi')
return redis.call('eval', 'return 1', 0)
return redis.call('subscribe', 'a')
return redis.call('auth', 'x')
return redis.call('config', 'get', 'maxmemory')
return redis.call('config', 'nope')
return redis.call('config')
return redis.call('client', 'id')
return redis.call('object')
return redis.call('script', 'kill')
return redis.call()
return redis.call({})
return redis.call(1)
return redis.call('set', 'foo', true)
return redis.call('set', 'foo', nil)
return redis.call('set', nil, 'foo')
return redis.call('set', 'foo', function() end)
return redis.pcall('nope')
return redis.pcall('get')
return redis.pcall('multi')
return redis.pcall()
return redis.pcall({})
return redis.pcall('incrby', 'foo', 'x')
redis.call('set', 'n', 1.5) return redis.call('get', 'n')
redis.call('set', 'n', 0.1) return redis.call('get', 'n')
redis.call('set', 'n', 1e15) return redis.call('get', 'n')
redis.call('set', 'n', 4e18) return redis.call('get', 'n')
redis.call('set', 'n', 5e18) return redis.call('get', 'n')
redis.call('set', 'n', -5e18) return redis.call('get', 'n')
redis.call('set', 'n', 1e300) return redis.call('get', 'n')
redis.call('set', 'n', 1.234e-7) return redis.call('get', 'n')
redis.call('set', 'n', 1e5/3) return redis.call('get', 'n')
redis.call('set', 'n', 1/0) return redis.call('get', 'n')
redis.call('set', 'n', 0/0) return redis.call('get', 'n')
redis.call('set', 'n', -0.0) return redis.call('get', 'n')
redis.call('set', 'n', 9007199254740991) return redis.call('get', 'n')
redis.call('set', 'n', '12039611435714932082') return redis.call('get', 'n')
redis.call('set', 's', 'x') return redis.call('incr', 's')
redis.call('set', 's', 'x') return redis.pcall('incr', 's')
local t = redis.pcall('incr', 's') return {t.err, tostring(t.ignore_error_stats_update), tostring(t.source)}
local ok, t = pcall(redis.call, 'incr', 's') return {tostring(ok), type(t), t}
local ok, t = pcall(redis.call) return {tostring(ok), type(t), t}
local ok, t = xpcall(function() return redis.call('nope') end, function(e) return e end) return t.err
local x = redis.call('exists', 's') return x == 1
return {redis.call('set', 'a', '1'), redis.call('get', 'a'), redis.call('strlen', 'a')}
redis.setresp(3) return redis.call('get', 'none')
redis.setresp(3) return redis.call('mget', 'a', 'none', 'a')
redis.setresp(3) return tostring(redis.call('get', 'none'))
redis.setresp(2) return redis.call('get', 'none')
local t = {'mget'} for i = 1, 500 do t[#t + 1] = 'k' .. i end return #redis.call(unpack(t))
local t = {} for i = 1, 300 do t[i] = 'k' .. i end return redis.call('exists', unpack(t))
local call = redis.call return call('nope')
local call = redis.call local function f() return call('get', 'a') end return f()
return server.call('get', 'a')
for i = 1, 100 do redis.call('incr', 'loop') end return redis.call('getdel', 'loop')
"""

API = r"""
return redis.error_reply('My Err')
return redis.error_reply('MyErr')
return redis.error_reply('-MyErr x')
return redis.error_reply('--MyErr x')
return redis.error_reply('')
return redis.error_reply('A \r\nb\r\n')
return redis.error_reply('A\r\nb')
return redis.error_reply('A b\0c')
return redis.error_reply()
return redis.error_reply(5)
return redis.error_reply('a', 'b')
error(redis.error_reply('X\r\n+INJECTED'))
return redis.status_reply('x')
return redis.status_reply('X\r\n+INJECTED')
return redis.status_reply(5)
return redis.status_reply()
return redis.sha1hex('')
return redis.sha1hex('Pizza & Mandolino')
return redis.sha1hex(5)
return redis.sha1hex()
return redis.sha1hex('a', 'b')
return redis.setresp()
return redis.setresp(4)
return redis.setresp('3')
return redis.setresp('x')
return redis.setresp({})
return redis.setresp(2.9)
return redis.set_repl()
return redis.set_repl(10)
return redis.set_repl(-1)
return redis.set_repl(redis.REPL_NONE)
return redis.set_repl('x')
return redis.log(1)
return redis.log('a', 'b')
return redis.log(10, 'b')
return redis.log(-1, 'b')
return redis.log(redis.LOG_DEBUG, 'b', 5, {}, 'x')
return redis.log('1', {})
return redis.replicate_commands()
return redis.breakpoint()
return redis.debug('a')
return redis.acl_check_cmd('set', 'a', 'b')
return redis.acl_check_cmd('nope')
return redis.acl_check_cmd()
return redis.acl_check_cmd({})
return {redis.LOG_DEBUG, redis.LOG_VERBOSE, redis.LOG_NOTICE, redis.LOG_WARNING}
return {redis.REPL_NONE, redis.REPL_AOF, redis.REPL_SLAVE, redis.REPL_REPLICA, redis.REPL_ALL}
return {redis.REDIS_VERSION, redis.REDIS_VERSION_NUM}
return redis.NOPE
return redis.NOPE.x
return redis.nope()
return redis == server
return __redis__err__handler('x')
return __redis__err__handler({})
return __redis__err__handler == __server__err__handler
"""

ERRORS = r"""
error('x')
error('x', 0)
error('x', 2)
error('x', 3)
error()
error(nil)
error(5)
error(true)
error({})
error({err='foo bar'})
error({err='foo'})
error({err=5})
error({err='a', source='s', line=9})
error('a\r\nb')
error({err='a\r\nb'})
error({err='a\0b'})
return assert(false, 'xx')
return assert(nil)
return assert(false, {err='e e'})
local x = nil + 1
local x = {} .. 'x'
local x = nil; x.y = 1
return ({}).x.y
return #5
return {} < {}
return 1 < 'x'
return nope
nope = 1
nope.bar = 1
return print('x')
return loadfile('x')
return dofile('x')
return require('x')
return newproxy(true)
return getfenv(1)
return setfenv(1, {})
return io
return package
return debug
return os.time()
return os.execute('x')
return python
return string.rep()
return string.rep(nil, 1)
return ('x'):rep({})
return ('x'):bad()
return string.format('%d', 'x')
return string.format('%y', 1)
table.insert(nil, 1)
table.insert({}, 1, 2, 3)
table.insert({}, 'x', 2)
table.insert({})
table.remove()
table.concat({{}})
table.setn({}, 1)
table.sort({}, 1)
table.sort(1)
table.sort({1, 'x'})
table.sort({3, 2, 1, 5, 4, 3, 2, 1}, function(a, b) return true end)
table.foreach(1)
table.foreach({})
pairs()
pairs(nil)
ipairs()
next()
next({}, 'nokey')
rawset()
rawset({}, nil, 1)
rawget(nil, 1)
setmetatable(1, {})
setmetatable({})
setmetatable({}, 1)
setmetatable(setmetatable({}, {__metatable=1}), {})
getmetatable()
unpack()
return {unpack({1, 2, 3}, -2, 2147483647)}
return {unpack({1, 2, 3}, -1, -2)}
tonumber()
tostring()
select()
select(-5)
loadstring()
loadstring({})
loadstring('error("x")')()
loadstring('return nope')()
return loadstring('return 1 + 1')()
return select(2, loadstring('x y'))
return select(2, loadstring('x y', '=name'))
return select(2, loadstring('x y', '@name'))
return select(2, loadstring(5))
return select(2, loadstring('\27Lua'))
return loadstring(string.dump(function() return 1 end))()
load()
load(1)
return load(function() return nil end)()
collectgarbage('x')
return collectgarbage('step')
return type(collectgarbage('count'))
return collectgarbage('collect')
coroutine.create(1)
coroutine.create(type)
coroutine.wrap(1)
coroutine.resume(1)
coroutine.yield(1)
coroutine.status(1)
string.dump(string.dump)
string.dump()
local a, b = pcall(error, {err='x y'}) return {tostring(a), type(b), b}
local a, b = pcall(error, {err=5}) return {tostring(a), type(b), b}
local a, b = pcall(error, {a=5}) return {tostring(a), type(b), b}
local a, b = pcall(error, 'x') return {tostring(a), type(b), b}
local a, b = pcall(nil) return b
return pcall()
return {pcall(function() return 1, 2 end)}
local a, b = pcall(function() return foo end) return b
local a, b = xpcall(function() error('x') end, function(e) return e .. '!' end) return b
local a, b = xpcall(function() error('x') end, function(e) error('y') end) return tostring(b)
local function f(n) return f(n + 1) + 1 end return f(1)
local function f(n) if n == 0 then return 'ok' end return f(n - 1) end return f(300000)
local function f() local a, b = pcall(f) return b end return f()
local s = ('('):rep(300) return select(2, loadstring('return ' .. s .. '1' .. s:gsub('%(', ')')))
"""

PROTECTION = r"""
rawset(_G, 'x', 1)
rawset(redis, 'x', 1)
table.insert(redis, 1)
table.insert(_G, 1)
table.remove(redis)
table.sort(redis)
setmetatable(redis, {})
setmetatable(redis, 5)
setmetatable(_G, {})
getmetatable(_G).__index = {}
getmetatable(_G).__index()
getmetatable(_G).__index({}, {})
getmetatable('').__index = function() return 1 end
getmetatable('').__index.upper = function() return 1 end
getmetatable(nil).__index = function() return 1 end
getmetatable(123.222).__index = function() return 1 end
getmetatable(true).__index = function() return 1 end
getmetatable(function() return 1 end).__index = function() return 1 end
getmetatable(coroutine.create(function() return 1 end)).__index = function() return 1 end
redis = function() return 1 end
redis.call = function() return 1 end
cjson.encode = function() return 1 end
cmsgpack.pack = function() return 1 end
bit.lshift = function() return 1 end
string.upper = nil
math.random = 5
_G = {}
_G.x = 1
_G[5] = 1
_G.string = 1
KEYS = {}
ARGV = nil
KEYS[1] = 'x' return KEYS
return _G[5]
return _G[{}]
return rawget(_G, 'nope')
return type(rawget(_G, 'redis'))
return type(next(redis))
return #redis
return rawequal(redis, server)
return getmetatable(redis)
local n = 0 for k in pairs(getmetatable('')) do n = n + 1 end return n
return getmetatable('').__index == string
return tostring(cjson.null)
return cjson.null.x
return {#KEYS, #ARGV}
local r = {} for k in pairs(_G) do r[#r + 1] = k end table.sort(r) return r
local r = {} for k in pairs(string) do r[#r + 1] = k end table.sort(r) return r
local r = {} for k in pairs(table) do r[#r + 1] = k end table.sort(r) return r
local r = {} for k in pairs(math) do r[#r + 1] = k end table.sort(r) return r
local r = {} for k in pairs(os) do r[#r + 1] = k end table.sort(r) return r
local r = {} for k in pairs(coroutine) do r[#r + 1] = k end table.sort(r) return r
local r = {} for k in pairs(redis) do r[#r + 1] = k end table.sort(r) return r
local r = {} for k in pairs(cjson) do r[#r + 1] = k end table.sort(r) return r
local r = {} for k in pairs(cmsgpack) do r[#r + 1] = k end table.sort(r) return r
return {cmsgpack._VERSION, cmsgpack._COPYRIGHT, cmsgpack._DESCRIPTION, cjson._VERSION}
local r = {} for k in next, struct do r[#r + 1] = k end table.sort(r) return r
local r = {} table.foreach(bit, function(k) r[#r + 1] = k end) table.sort(r) return r
"""

LUA = r"""
return {KEYS[1] or 'none', ARGV[1] or 'none'}
return string.format('%5.1f|%s|%q|%i', 3.14159, 'x', 'a"b\n', 5.7)
return tostring(1e15) .. ' ' .. tostring(2^53) .. ' ' .. tostring(0.1) .. ' ' .. 1/3
return {string.find('abc', '(b)(c)')}
return string.gfind('xyx', 'x')()
return ('a,b,c'):gsub(',', ';')
return table.getn({1, 2})
return table.maxn({1, 2, [9]=1})
return table.foreach({1, 2}, function(k, v) return v end)
return table.foreachi({1, 2}, function(k, v) if k == 2 then return v end end)
return table.concat({1, 2, 3}, ',')
local t = {3, 1, 2} table.sort(t) return t
local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return t
local t = {} table.insert(t, 'a') table.insert(t, 1, 'b') return {table.remove(t), table.remove(t, 1), #t}
return math.mod(5, 3)
return {math.floor(2.5), math.max(1, 9, 3), math.huge}
return tonumber('0x10') .. tonumber('10', 2) .. tonumber('inf') .. tostring(tonumber('x'))
local f = loadstring('return ...') return f(5)
local c = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) return {c(1), c(10)}
local c = coroutine.create(function() return redis.call('nope') end) local a, b = coroutine.resume(c) return b
local c = coroutine.wrap(function() return redis.call('set', 'co', '1') end) return c()
return coroutine.wrap(function() return redis.call('nope') end)()
local c = coroutine.create(function() error('x') end) local a, b = coroutine.resume(c) return b
return tostring(coroutine.running())
local i = 0 local f = load(function() i = i + 1 return ({'return', ' 7', nil})[i] end) return f()
math.randomseed(10) return {tostring(math.random()), math.random(100), math.random(5, 7), math.random(1.9)}
math.randomseed(-1) return {tostring(math.random()), math.random(2147483647)}
math.randomseed(123456789.9) return {tostring(math.random()), math.random(-5, 5)}
math.randomseed(1e12) return {tostring(math.random()), math.random('3')}
math.randomseed('7') return tostring(math.random())
math.random(0)
math.random(3, 2)
math.random(1, 2, 3)
math.random('x')
math.random(2147483648)
math.randomseed()
math.randomseed('x')
return #string.format('%99.99f', 1e308)
return type(os.clock())
local t = setmetatable({}, {__index = string}) return t.upper('x')
local t = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v .. '!') end}) t.x = 'y' return t.x
return rawequal('a', 'a')
return select('#', unpack({}, 1, 7990))
return select('#', unpack({}, 1, 8000))
"""

LINES = [
    "local c = coroutine.wrap(function() error('x') end)\n\nc()",
    "table.sort({3,2,1}, function(a,b)\n\nerror('x') end)",
    "local function f() error('x',2) end\n\nf()",
    "local function f() local function g() return redis.call('nope') end return g() end\n\nreturn f()",
    "\n\nreturn redis.call('nope')",
    "\n\nreturn redis.call('get',\n\n'a', 'b')",
    "\n\nreturn cjson.decode('x')",
    "\n\nreturn tonumber()",
    "\n\nlocal f = cmsgpack.unpack\nreturn f('\\193')",
    "local function g()\n  return bit.band({})\nend\nreturn g()",
    "-- comment\nreturn 1",
    "return 'hello' --trailing comment",
    "#!lua\nreturn 1",
    "#!lua \t\nerror('x')",
    "#!lua flags=no-writes\nreturn redis.call('set', 'a', '1')",
    "#!lua flags=no-writes,allow-oom\nreturn redis.call('get', 'a')",
    "#!lua flags=\nreturn redis.call('set', 'a', '1')",
    "#!lua flags=no-writes flags=allow-stale\nreturn 1",
    "#!lua flags=allow-cross-slot-keys\nreturn 1",
    "#!lua flags=no-cluster\nreturn 1",
    "#!lua name=x\nreturn 1",
    "#!lua flags=a\nreturn 1",
    "#!lua flags=no-writes,,allow-oom\nreturn 1",
    "#!lua",
    "#!LUA\nreturn 1",
    "#!lua2\nreturn 1",
    "#!\nreturn 1",
    "#!'lua\nreturn 1",
    '#!"lua"\nreturn 1',
    "#! lua\nreturn 1",
    "#!lua\n\n\nx",
    "syntax err",
    "return 'unfinished",
    "\x1bLua",
    "",
    "return\0 1",
    "return '\0'",
]
"""Scripts of several lines."""


def lines(text: str) -> list[str]:
    """The scripts of a text with one a line."""
    return [line for line in text.splitlines() if line]


CASES = {
    "conversions": lines(CONVERSIONS),
    "calls": lines(CALLS),
    "api": lines(API),
    "errors": lines(ERRORS),
    "protection": lines(PROTECTION),
    "lua": lines(LUA),
    "lines": LINES,
}
"""All of them by what they are about."""
