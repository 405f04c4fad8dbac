"""Rows of modules' commands: what a server's COMMAND tells, and what becomes of it in the table."""

from collections.abc import Iterator
from typing import Any

import pytest

from trio_dynomite.access.rules import CATEGORIES
from trio_dynomite.commands import introspection
from trio_dynomite.commands.module_rows import knows_its_keys, rows_of
from trio_dynomite.commands.reference import key_specs
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import ROWS, TABLE, find, learn
from trio_dynomite.errors import CommandError

RANGE = [b"type", b"range", b"spec", [b"lastkey", 0, b"keystep", 1, b"limit", 0]]
AT_ONE = [b"type", b"index", b"spec", [b"index", 1]]
NUMBER = [b"type", b"keynum", b"spec", [b"keynumidx", 0, b"firstkey", 1, b"keystep", 1]]
UNKNOWN = [b"type", b"unknown", b"spec", []]


def spec(*, begin: Any = AT_ONE, find: Any = RANGE) -> list[Any]:
    flags = [b"RW", b"access", b"update"]
    return [b"flags", flags, b"begin_search", begin, b"find_keys", find]


def entry(
    name: bytes, flags: bytes, *places: int, specs: Any = (), children: Any = (), arity: int = -2
) -> list[Any]:
    return [name, arity, flags.split(), *(places or (0, 0, 0)), [], [], list(specs), list(children)]


@pytest.fixture(autouse=True)
def _afterwards() -> Iterator[None]:
    yield
    learn([])


def row_of(*told: list[Any]) -> Row:
    (row,) = rows_of(told)
    return row


def test_only_commands_of_modules_are_taken() -> None:
    assert rows_of([entry(b"get", b"readonly fast", 1, 1, 1)]) == []
    row = row_of(entry(b"JSON.GET", b"readonly module", 1, 1, 1, specs=[spec()]))
    assert (row.name, row.arity, row.first, row.last, row.step) == ("json.get", -2, 1, 1, 1)
    assert row.is_module
    assert not row.write
    assert not row.is_plain
    assert {"noscript", "no_multi", "module"} <= row.flags
    assert row.keys([b"JSON.GET", b"k", b"$"]) == [b"k"]
    with pytest.raises(CommandError, match="has no such module"):
        row.handler(None, [b"JSON.GET", b"k"])  # type: ignore[misc, arg-type]


def test_the_table_learns_and_forgets() -> None:
    get = ROWS[b"get"]
    first, second = entry(b"X.ONE", b"write module", 1, 1, 1), entry(b"X.TWO", b"write module", 1, 1, 1)
    known = learn(rows_of([first, entry(b"GET", b"readonly module", 1, 1, 1)]))
    assert [row.name for row in known] == ["x.one"]
    assert ROWS[b"get"] is get
    assert ROWS[b"get"].keys([b"get", b"k"]) == [b"k"]
    assert key_specs("get")[0]["begin_search"]["spec"] == {"index": 1}
    assert find([b"x.One", b"k"]) is known[0]
    assert b"x.one" not in TABLE
    learn(rows_of([second]))
    assert find([b"x.one", b"k"]) is None
    assert find([b"x.two", b"k"]) is not None
    learn([])
    assert find([b"x.two", b"k"]) is None


def test_subcommands() -> None:
    child = entry(b"x.set|number", b"write module", 2, 2, 1, specs=[])
    learn(rows_of([entry(b"x.set", b"module", children=[child])]))
    row = find([b"X.SET", b"Number", b"k", b"1"])
    assert row is not None
    assert row.keys([b"X.SET", b"Number", b"k", b"1"]) == [b"k"]
    assert find([b"X.SET", b"none"]) is None


def test_keys_behind_a_number_are_found_and_others_are_not() -> None:
    at_two = [b"type", b"index", b"spec", [b"index", 2]]
    row = row_of(
        entry(
            b"CMS.MERGE",
            b"write module movablekeys",
            1,
            1,
            1,
            specs=[spec(), spec(begin=at_two, find=NUMBER)],
        )
    )
    assert knows_its_keys(row)
    assert row.keys([b"CMS.MERGE", b"to", b"2", b"a", b"b", b"WEIGHTS", b"1", b"2"]) == [b"to", b"a", b"b"]
    lost = row_of(entry(b"X.Y", b"write module movablekeys", 1, 1, 1, specs=[spec(find=UNKNOWN)]))
    assert not knows_its_keys(lost)
    assert lost.keys([b"X.Y", b"k"]) == []


def test_an_index_of_search_is_no_key() -> None:
    told = [spec()]
    create = row_of(entry(b"FT.CREATE", b"write module", 1, 1, 1, specs=told))
    assert create.keys([b"FT.CREATE", b"index", b"SCHEMA"]) == []
    suggest = row_of(entry(b"FT.SUGADD", b"write module", 1, 1, 1, specs=told))
    assert suggest.keys([b"FT.SUGADD", b"k", b"word", b"1"]) == [b"k"]


def test_what_only_reads_needs_no_more_than_that() -> None:
    learn(rows_of([entry(b"X.R", b"readonly module", 1, 1, 1, specs=[spec()])]))
    assert introspection.get_keys_and_flags([b"x.r", b"k"]) == [(b"k", ["RO", "access"])]
    told = introspection.command_info(ROWS[b"x.r"], 2)
    assert b"x.r" in told
    assert set(ROWS[b"x.r"].categories) <= set(CATEGORIES)
