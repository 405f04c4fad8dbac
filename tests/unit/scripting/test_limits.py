"""Whatever a script does, it ends, within its time and its memory, and the node goes on."""

import random
from collections.abc import Callable

import pytest

from .conftest import Clock, Node

SLOW = b"Script ran for too long and was stopped."

ENDLESS = [
    "while true do end",
    "local function f() return f() end f()",
    "while true do pcall(function() while true do end end) end",
    "while true do pcall(pcall, pcall, error) end",
    "local function f() pcall(f) f() end f()",
    "local function f() pcall(f) return f() end f()",
    "local function f() xpcall(f, f) return f() end f()",
    "xpcall(function() while true do end end, function() while true do end end)",
    "while true do coroutine.wrap(function() while true do end end)() end",
    "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
    "local c = coroutine.create(function() while true do pcall(function() while true do end end) end end)"
    " while true do coroutine.resume(c) end",
    "local function f() coroutine.resume(coroutine.create(f)) while true do end end f()",
    "load(function() return ' ' end)",
    "load(function() while true do end end)",
    "string.gsub(('x'):rep(1000), 'x', function() while true do end end)",
    "table.sort({1, 2, 3}, function() while true do end end)",
    "return setmetatable({}, {__index=function() while true do end end}).x",
    "return setmetatable({}, {__concat=function() while true do end end}) .. 'x'",
    "tostring(setmetatable({}, {__tostring=function() while true do end end}))",
    "pcall(error, setmetatable({}, {__index=function() while true do end end}))",
    "while true do redis.pcall('get', 'k') end",
    "while true do collectgarbage() end",
    "table.insert({}, -2147483648, 1)",
    "while true do cjson.encode({1, 2, 3}) end",
    "string.find(('a'):rep(5000), '.-.-.-.-b')",
    "string.match(('a'):rep(5000), '(.*)(.*)(.*)%1%2b')",
    "string.gsub(('a'):rep(5000), '(.-).-.-.-b', '')",
    "for _ in string.gmatch(('a'):rep(5000), '.*.*.*.*b') do end",
    "string.find(('a'):rep(60), ('a?'):rep(60) .. ('a'):rep(61))",
    "string.find(('('):rep(500000), '%b()')",
    "string.find(('a'):rep(2000000), ('a'):rep(1000000) .. 'b', 1, true)",
]


@pytest.mark.parametrize("script", ENDLESS)
def test_an_endless_script_is_stopped(make_node: Callable[..., Node], clock: Clock, script: str) -> None:
    clock.step_s = 0.1
    node = make_node(time_max_s=2.0)
    assert SLOW in node.eval(script)
    assert node.eval("return 1") == b":1\r\n"


@pytest.mark.parametrize("script", ["error(setmetatable({}, {__index=function() while true do end end}))"])
def test_telling_its_error_is_stopped_too(make_node: Callable[..., Node], clock: Clock, script: str) -> None:
    clock.step_s = 0.1
    node = make_node(time_max_s=2.0)
    assert node.eval(script) == b"-ERR unknown error\r\n"
    assert node.eval("return 1") == b":1\r\n"


def test_each_run_has_its_own_time(make_node: Callable[..., Node], clock: Clock) -> None:
    clock.step_s = 0.1
    node = make_node(time_max_s=2.0)
    for _ in range(10):
        assert node.eval("for i = 1, 5000 do end return 'done'") == b"$4\r\ndone\r\n"


def test_what_it_wrote_before_it_was_stopped_stays(make_node: Callable[..., Node], clock: Clock) -> None:
    clock.step_s = 0.1
    node = make_node(time_max_s=2.0)
    node.eval("redis.call('set', 'k', 'v') while true do end")
    assert node.ks.get(b"k") == b"v"


def test_loading_a_library_has_a_time(node: Node, clock: Clock) -> None:
    clock.step_s = 0.1
    with pytest.raises(Exception, match="FUNCTION LOAD timeout"):
        node.host.libraries.check(b"#!lua name=l\nwhile true do end", replace=False)


GREEDY = [
    "return string.rep('x', 1e9)",
    "local s = 'x' while true do s = s .. s end",
    "local t = {} while true do t[#t + 1] = 1 end",
    "local t = {} while true do t[#t + 1] = {} end",
    "local t = {} while true do t[#t + 1] = 'x' .. #t end",
    "local t = {} for i = 1, 60 do t = {t, t} end return t",
    "local t = {} for i = 1, 60 do t = {t, t} end return cjson.encode(t)",
    "local t = {} for i = 1, 14 do t = {t, t, t, t} end return cmsgpack.pack(t)",
    "return ('x'):rep(1e6):gsub('x', 'yyyyyyyyyyyyyyyyyy')",
    "collectgarbage('stop') while true do local t = {} end",
    "local t = {} while true do t[#t + 1] = redis.call('get', 'big') .. #t end",
    "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
    "return loadstring('return \"' .. ('x'):rep(1e7) .. '\"')",
]


@pytest.mark.parametrize("script", GREEDY)
def test_a_greedy_script_gets_no_memory(make_node: Callable[..., Node], script: str) -> None:
    node = make_node(memory_max=4 << 20)
    node.ks.put(b"big", b"x" * 100_000)
    assert b"not enough memory" in node.eval(script)
    assert node.eval("return ('x'):rep(1e6):sub(1, 3)") == b"$3\r\nxxx\r\n"


def test_arguments_that_need_more_than_there_is_are_refused(make_node: Callable[..., Node]) -> None:
    node = make_node(memory_max=2 << 20)
    assert b"not enough memory" in node.ask("EVAL", "return ARGV[1] .. 'x'", "0", b"x" * (3 << 20))
    assert b"not enough memory" in node.ask("EVAL", "return " + "1," * (1 << 20), "0")
    assert node.eval("return 1") == b":1\r\n"


def test_a_reply_that_is_larger_than_the_memory_ends_the_script_only(make_node: Callable[..., Node]) -> None:
    node = make_node(memory_max=2 << 20)
    node.ks.put(b"big", b"x" * (3 << 20))
    assert b"not enough memory" in node.eval("local v = redis.call('get', 'big') return v .. v")
    assert node.eval("return 1") == b":1\r\n"


FILLS = ["t[#t + 1] = {}", "t[#t + 1] = ('x'):rep(10) .. #t", "t[#t + 1] = ('x'):rep(10000) .. #t", "t = {t}"]
CROSSINGS = [
    "redis.call('get', 'k')",
    "redis.call('lrange', 'l', '0', '-1')",
    "redis.call({}, {}, {})",
    "redis.call('nope')",
    "redis.call('del', unpack(keys))",
    "redis.sha1hex('x')",
    "redis.log(1, 'text')",
    "redis.acl_check_cmd('get', 'k')",
    "redis.setresp(3)",
    "coroutine.wrap(function() return redis.call('get', 'k') end)()",
    "loadstring('return 1')()",
    "os.clock()",
    "cjson.decode('[1, 2, {}]')",
    "error({err='x'})",
]


@pytest.mark.parametrize("seed", range(40))
def test_nothing_that_crosses_to_python_fails_for_want_of_memory(
    make_node: Callable[..., Node], seed: int
) -> None:
    """A refusal there would end the process: the filled memory is put to everything that crosses."""
    rng = random.Random(seed)
    node = make_node(memory_max=1 << 20)
    node.ks.list_at(b"l").push([b"x" * 50] * 100, left=False)
    node.ks.put(b"k", b"v" * rng.randrange(1, 3000))
    fill = "".join(
        f"pcall(function() while true do {rng.choice(FILLS)} end end) " for _ in range(rng.randrange(1, 4))
    )
    crossings = "".join(
        f"pcall(function() local x = {rng.choice(CROSSINGS)} end) " for _ in range(rng.randrange(1, 30))
    )
    node.eval(
        "local keys, t = {}, {} for i = 1, 60 do keys[i] = 'k' .. i end " + fill + crossings + "return t"
    )
    assert node.eval("return 1") == b":1\r\n"


def test_memory_comes_back(make_node: Callable[..., Node]) -> None:
    node = make_node(memory_max=16 << 20)
    node.eval("return 1")
    machine = node.host.scripts.machine
    for size in range(200):
        node.eval(f"local t = {{}} for i = 1, 1000 do t[i] = ('x'):rep({size}) .. i end return #t")
    node.eval("collectgarbage() return 1")
    assert machine.memory_used < 2 << 20
