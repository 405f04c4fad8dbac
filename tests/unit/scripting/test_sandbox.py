"""Nothing that a script does reaches beyond it: not Python, not files, not the next script."""

import pytest

from .conftest import Node

PROBE = """
local names = {}
for name in pairs(_G) do names[#names + 1] = name end
for name, value in pairs(string) do names[#names + 1] = name .. type(value) end
table.sort(names)
return {table.concat(names, ','), ('x'):upper(), #redis, #table, tostring(rawget(_G, 'leak')),
  cjson.encode({1}), type(redis.call), tostring(getmetatable({})), tostring(getmetatable(redis)),
  tostring(next({})), math.floor(1.5)}
"""

TAMPERING = [
    "getmetatable('').__index = nil",
    "getmetatable('').__index.upper = nil",
    "getmetatable('').__metatable = 1",
    "rawset(getmetatable(''), '__index', nil)",
    "setmetatable(getmetatable(''), {})",
    "rawset(string, 'upper', nil)",
    "rawset(getmetatable('').__index, 'upper', nil)",
    "table.insert(redis, 'leak')",
    "table.insert(redis, 1, 'leak')",
    "table.insert(_G, 'leak')",
    "table.sort(redis, function() return true end)",
    "table.remove(redis, 1)",
    "rawset(_G, 'leak', 1)",
    "rawset(getmetatable(_G), '__index', nil)",
    "setmetatable(_G, nil)",
    "for _, t in pairs(_G) do if type(t) == 'table' then rawset(t, 'leak', 1) end end",
    "for k in pairs(table) do table[k] = nil end",
    "for k, v in next, string do rawset(string, k, nil) end",
    "table.foreach(_G, function(k, v) _G[k] = nil end)",
    "select(2, pairs(redis)).leak = 1",
    "rawset(select(2, pairs(redis)), 1, 'leak')",
    "local t = select(2, ipairs(redis)) rawset(t, 1, 'leak')",
    "loadstring('leak = 1')()",
    "loadstring('rawset(_G, \"leak\", 1)')()",
    "load(function() return nil end)() leak = 1",
    "coroutine.wrap(function() leak = 1 end)()",
    "coroutine.create = nil",
    "xpcall(function() leak = 1 end, function(e) leak = 2 end)",
    "cjson.null.leak = 1",
    "getmetatable(cjson.null).__index = {}",
    "setmetatable(cjson.null, {})",
    "cjson.new().encode = 1 cjson.encode = 1",
    "redis.call = nil",
    "KEYS.leak = 1 ARGV.leak = 1 _G.KEYS = nil",
    "error(redis)",
    "error(getmetatable(''))",
    "collectgarbage('stop')",
    "collectgarbage('setpause', 1e9)",
    "__redis__err__handler(redis)",
    "os.clock = nil",
]


@pytest.mark.parametrize("script", TAMPERING)
def test_the_next_script_finds_everything_as_it_was(node: Node, script: str) -> None:
    before = node.eval(PROBE)
    assert before.startswith(b"*11\r\n")
    node.eval(script)
    assert node.eval(PROBE) == before


def test_no_object_of_python_can_be_reached(node: Node) -> None:
    found = node.eval("""
        local seen, found = {}, {}
        local function walk(value, path)
          if seen[value] then return end
          if type(value) == 'userdata' then found[#found + 1] = path end
          if type(value) ~= 'table' then return end
          seen[value] = true
          for key, inner in pairs(value) do
            walk(key, path .. '!')
            walk(inner, path .. '.' .. tostring(key))
          end
          walk(getmetatable(value) or false, path .. '@')
        end
        walk(_G, '_G')
        walk(getmetatable(''), 'string@')
        table.sort(found)
        return found
    """)
    assert found == b"*1\r\n$13\r\n_G.cjson.null\r\n"


@pytest.mark.parametrize(
    "name",
    [
        "io",
        "package",
        "require",
        "dofile",
        "loadfile",
        "print",
        "debug",
        "newproxy",
        "getfenv",
        "setfenv",
        "module",
        "python",
        "arg",
    ],
)
def test_what_reaches_out_of_lua_is_not_there(node: Node, name: str) -> None:
    text = f"nonexistent global variable '{name}'".encode()
    assert text in node.eval(f"return {name}")
    assert text in node.eval(f"return loadstring('return {name}')()")
    assert text in node.eval(f"return coroutine.wrap(function() return {name} end)()")


@pytest.mark.parametrize("name", ["time", "getenv", "execute", "exit", "remove", "tmpname"])
def test_os_has_a_clock_only(node: Node, name: str) -> None:
    assert node.eval(f"return tostring(os.{name})") == b"$3\r\nnil\r\n"


DUMPED = "string.dump(loadstring('return 1'))"


@pytest.mark.parametrize(
    "script",
    [
        f"return tostring(loadstring({DUMPED}))",
        f"return tostring(loadstring({DUMPED}, '=x'))",
        f"local s = {DUMPED} return tostring(load(function() local p = s s = nil return p end))",
        f"local s, i = {DUMPED}, 0 "
        "return tostring(load(function() i = i + 1 return #s >= i and s:sub(i, i) or nil end))",
    ],
)
def test_byte_code_is_not_loaded(node: Node, script: str) -> None:
    assert node.eval(script) == b"$3\r\nnil\r\n"


def test_a_script_that_is_byte_code_is_refused(node: Node) -> None:
    reply = node.ask("EVAL", b"\x1bLua\x51\x00\x01\x04\x08\x04\x08\x00" + b"\0" * 40, "0")
    assert reply.startswith(b"-ERR Error compiling script (new function): user_script:1: unexpected symbol")


@pytest.mark.parametrize(
    "arguments",
    ["-2, 2147483647", "0, 2147483647", "-2147483648, -2", "-2147483648, 2147483647", "1, 1e9", "-1e9, 1"],
)
def test_unpack_stays_within_the_stack(node: Node, arguments: str) -> None:
    assert b"too many results to unpack" in node.eval(f"return {{unpack({{1, 2, 3}}, {arguments})}}")


def test_keys_and_arguments_are_of_one_run(node: Node) -> None:
    assert node.ask("EVAL", "return {#KEYS, #ARGV}", "1", "a", "b", "c") == b"*2\r\n:1\r\n:2\r\n"
    assert node.eval("return {#KEYS, #ARGV}") == b"*2\r\n:0\r\n:0\r\n"


def test_functions_find_no_keys_of_scripts(node: Node) -> None:
    body = "return {#keys, rawget(_G, 'KEYS') == nil}"
    code = f"#!lua name=l\nredis.register_function('f', function(keys) {body} end)".encode()
    node.ask("EVAL", "return 1", "1", "a")
    node.host.learn([(b"library:l", code)], 1)
    assert node.ask("FCALL", "f", "2", "a", "b") == b"*2\r\n:2\r\n:1\r\n"
