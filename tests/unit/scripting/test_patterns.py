"""Patterns that are matched in Lua give what Lua's own matcher gives, which may take for ever."""

from collections.abc import Callable

import lupa.lua51 as lupa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.scripting.sources import SOURCES

CALL = b"""
local string = ...
return function(name, text, pattern, last)
  local results
  if name == 'gmatch' then
    results = {pcall(function()
      local all = {}
      for a, b, c in string.gmatch(text, pattern) do
        all[#all + 1] = tostring(a) .. ',' .. tostring(b) .. ',' .. tostring(c)
      end
      return table.concat(all, ';')
    end)}
  else
    results = {pcall(string[name], text, pattern, last)}
  end
  for i = 1, 6 do
    results[i] = tostring(results[i])
  end
  return table.concat(results, ' ', 1, 6)
end"""
"""Calls one of the four functions: all that it gives, in one text."""

SINGLE = ["a", "b", ".", "%a", "[ab]", "[^a]", "x", "%-", "%%", "[a-c]", "%S", "[%-a]", "\0"]
OTHER = ["(", ")", "()", "$", "^", "%b()", "%f[a]", "%1", "-", "*", "+", "?", "-", "*", "+"]
PIECES = st.sampled_from(SINGLE + OTHER)
PATTERNS = st.lists(PIECES, min_size=1, max_size=8).map("".join).map(str.encode)
TEXTS = st.text("aab()x1- \0", max_size=10).map(str.encode)
REFUSALS = (b"malformed", b"unbalanced", b"missing")

Search = Callable[[bytes, bytes, bytes, object], bytes]


def slow_search() -> Search:
    lua = lupa.LuaRuntime(encoding=None)
    box = lua.table()
    box.check_time = lua.eval("function() end")
    for source in SOURCES[:3]:
        lua.compile(source)(box)
    search: Search = lua.compile(CALL)(box.slow)
    return search


def own_search() -> Search:
    lua = lupa.LuaRuntime(encoding=None)
    search: Search = lua.compile(CALL)(lua.globals().string)
    return search


SLOW, OWN = slow_search(), own_search()


def assert_alike(name: bytes, text: bytes, pattern: bytes, last: object) -> None:
    ours, theirs = SLOW(name, text, pattern, last), OWN(name, text, pattern, last)
    if ours.startswith(b"false"):
        # A pattern is read whole here, and there no further than it is matched.
        assert theirs.startswith(b"false") or any(word in ours for word in REFUSALS)
    else:
        assert ours == theirs


@given(st.sampled_from([b"find", b"match"]), TEXTS, PATTERNS, st.one_of(st.none(), st.integers(-12, 12)))
def test_find_and_match(name: bytes, text: bytes, pattern: bytes, start: int | None) -> None:
    assert_alike(name, text, pattern, start)


@given(
    st.sampled_from([b"gsub", b"gmatch"]), TEXTS, PATTERNS, st.sampled_from([b"", b"<%0>", b"%1%1", b"%%"])
)
def test_gsub_and_gmatch(name: bytes, text: bytes, pattern: bytes, by: bytes) -> None:
    assert_alike(name, text, pattern, by)


@pytest.mark.parametrize("pattern", [b"^(.-):(.-)=(.*)$", b"(%w+)=(%w+);", b"%b<>.-(%d+)", b"(.)%1.-%1"])
def test_long_texts(pattern: bytes) -> None:
    text = b"a:b=" + b"key=value;" * 300 + b"<x><yy>77aba;"
    for name in (b"find", b"match", b"gmatch"):
        assert_alike(name, text, pattern, None)
