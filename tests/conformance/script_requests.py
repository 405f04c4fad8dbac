"""Random scripts for the oracle: values of Lua through every converter and codec, good input and bad."""

from typing import Any

from hypothesis import strategies as st


def listed(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


NUMBERS = listed(
    "0 1 -1 7 127 128 255 256 -32 -33 -128 -129 32767 65535 65536 2^31-1 2^31 2^32-1 2^32 2^53 -2^31 -2^31-1"
    " 2^62 2^63 -2^63 2^64 1e15 0.5 -0.5 1.5 2.5 0.1 1/3 -1/3 1e100 1e-7 1e-310 1.5e300 123456.789 3.0000001"
    " 16777216.5 1/0 -1/0 0/0 -0.0 99999999999999 100000000000000"
)
TEXTS = [
    *("''", "'a'", "'key'", "'hello world'", r"'\0'", r"'a\0b'", r"'\r\n\t'", r"'\"\\/'", r"'\127\128\255'"),
    *("'1'", "'12'", "'1.5'", "'0x10'", "('x'):rep(31)", "('x'):rep(32)", "('y'):rep(256)"),
    "('z'):rep(65536)",
]
SCALARS = st.sampled_from([*NUMBERS, *TEXTS, "true", "false", "nil", "cjson.null", "function() end"])
KEYS = st.sampled_from(["a", "b", "err", "ok", "map", "set", "double", "big_number", "format", "string"])


def _table(values: list[str]) -> str:
    return "{" + ", ".join(values) + "}"


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Tables of the values: at most one name or odd index in each, for the order of more is Lua's secret."""
    places = st.one_of(
        KEYS.map(lambda name: f"'{name}'"),
        st.sampled_from(["1", "2", "3", "1.5", "0", "-1", "30", "'1'", "true"]),
    )
    pair = st.tuples(places, inner).map(lambda pair: f"[{pair[0]}]={pair[1]}")
    values = st.lists(inner, max_size=4)
    mixed = st.tuples(values, pair).map(lambda drawn: _table([*drawn[0], drawn[1]]))
    return st.one_of(values.map(_table), mixed)


LITERALS = st.recursive(SCALARS, _nested, max_leaves=8)
"""Values as Lua writes them."""

SHOW = """
local function show(v, depth)
  local kind = type(v)
  if kind == 'table' then
    local parts = {}
    for k, x in pairs(v) do parts[#parts + 1] = show(k, 1) .. '=' .. show(x, 1) end
    table.sort(parts)
    return '{' .. table.concat(parts, ',') .. '}'
  elseif kind == 'number' then return string.format('%.17g', v)
  elseif kind == 'string' then return string.format('%q', v)
  elseif v == cjson.null then return 'null' end
  return kind == 'function' and kind or tostring(v)
end
local function all(...)
  local parts = {}
  for i = 1, select('#', ...) do parts[i] = show((select(i, ...))) end
  return table.concat(parts, ';')
end
"""
"""Lua that turns any values into text with nothing lost."""


def shown(call: str) -> str:
    """A script that shows what a call gives, or its error."""
    return f"{SHOW}\nlocal t = {{pcall(function() return all({call}) end)}} return t[2]"


JSON_WORDS = [
    *listed(
        "null true false 0 -1 12 1.5 -0.5e3 1E+2 0x1F 01 +1 .5 1. inf -Infinity nan NaN nope tru } ] , :"
    ),
    *listed("1e - 0x 0x1p4 1e400 -nan(1) 123456789012345678901234567890 [1,] 'a' é"),
    *('""', '"a"', r'"\u00e9\n\/"', r'"\ud83d\ude00"', r'"\ud83d"', r'"\x"', r'"\u12"', '"open', "", "\0"),
    *('"\0"', '"\x7f\xff"', "1 2"),
]
JSON = st.recursive(
    st.sampled_from(JSON_WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + " , ".join(items) + "]"),
        st.lists(st.tuples(st.sampled_from(['"a"', '"b"', "1", '""']), inner), max_size=3).map(
            lambda pairs: "{" + ",".join(f"{key}:{value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=5,
)
BYTES = st.one_of(
    st.binary(max_size=12),
    st.builds(
        lambda head, rest: bytes([head]) + rest,
        st.sampled_from([*range(0x80, 0x84), *range(0x90, 0x94), *range(0xA0, 0xA4), *range(0xC0, 0x100)]),
        st.binary(max_size=12),
    ),
)
FORMATS = st.lists(
    st.sampled_from(
        [*listed("b B h H i I l L T f d s x c0 c1 c3 i1 i3 I8 i16 I32 i33 i0 < > ! !2 !4 !3 !0 z"), " "]
    ),
    max_size=5,
).map("".join)
QUOTED_FORMATS = FORMATS.map(lambda text: f"'{text}'")


def lua_bytes(data: bytes) -> str:
    """A string as Lua writes it."""
    return "'" + "".join(f"\\{byte:03d}" for byte in data) + "'"


def call(name: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Scripts that show what `name` gives for drawn arguments."""
    return st.tuples(*parts).map(lambda drawn: shown(f"{name}({', '.join(drawn)})"))


NUMBER = st.sampled_from([*NUMBERS, "'3'", "'x'", "nil", "{}"])
_SHORT = st.one_of(NUMBER, st.sampled_from(TEXTS[:8]))
_JSON = st.one_of(JSON, JSON.map(lambda text: f" {text} ")).map(lambda text: lua_bytes(text.encode("latin1")))
_PACKED = BYTES.map(lua_bytes)
_FEW = st.sampled_from(["0", "1", "-1", "2", "50"])
_SHIFTS = ("lshift", "rshift", "arshift", "rol", "ror", "tohex")


def _folded(name: str) -> st.SearchStrategy[str]:
    numbers = st.lists(NUMBER, min_size=1, max_size=3)
    return numbers.map(lambda drawn: shown(f"bit.{name}({', '.join(drawn)})"))


SCRIPTS: list[st.SearchStrategy[Any]] = [
    LITERALS.map(lambda value: f"return {value}"),
    LITERALS.map(lambda value: f"redis.setresp(3) return {value}"),
    LITERALS.map(lambda value: f"error({value})"),
    LITERALS.map(lambda value: f"return {{pcall(error, {value})}}"),
    LITERALS.map(lambda value: f"return redis.call('set', 'k', {value}) and redis.call('get', 'k')"),
    LITERALS.map(lambda value: shown(f"cmsgpack.unpack(cmsgpack.pack({value}))")),
    LITERALS.map(lambda value: shown(f"cjson.decode(cjson.encode({value}))")),
    call("cjson.encode", LITERALS),
    call("cjson.decode", _JSON),
    call("cmsgpack.pack", LITERALS, LITERALS),
    call("cmsgpack.unpack", _PACKED),
    call("cmsgpack.unpack_one", _PACKED, _FEW),
    call("cmsgpack.unpack_limit", _PACKED, _FEW, _FEW),
    call("struct.pack", QUOTED_FORMATS, _SHORT, _SHORT, _SHORT, _SHORT, _SHORT),
    call("struct.unpack", QUOTED_FORMATS, st.binary(max_size=40).map(lua_bytes)),
    call("struct.unpack", QUOTED_FORMATS, st.binary(min_size=9).map(lua_bytes), NUMBER),
    call("struct.size", QUOTED_FORMATS),
    *[call(f"bit.{name}", NUMBER) for name in ("tobit", "bnot", "bswap", "tohex")],
    *[call(f"bit.{name}", NUMBER, NUMBER) for name in _SHIFTS],
    *map(_folded, ("band", "bor", "bxor")),
]
"""Scripts that take no keys."""
