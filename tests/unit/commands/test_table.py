import pytest

from trio_dynomite.commands.introspection import command, get_keys, get_keys_and_flags
from trio_dynomite.commands.row import Spread
from trio_dynomite.commands.table import ROWS, SUBCOMMANDS, TABLE, find, lookup, named
from trio_dynomite.errors import CommandError

EVERY_ROW = [*ROWS.values(), *(row for rows in SUBCOMMANDS.values() for row in rows.values())]


def words(line: str) -> list[bytes]:
    return line.encode().split()


@pytest.mark.parametrize("name", ["get", "GET", "gEt"])
def test_a_command_is_found_in_any_case(name: str) -> None:
    row = find(words(f"{name} key"))
    assert row is not None
    assert row.name == "get"


ABOUT_KEYS = {"watch", "move", "migrate", "ssubscribe", "sunsubscribe", "spublish"}
"""Commands that name keys, or what is placed like keys, and are answered by the session."""


@pytest.mark.parametrize("row", EVERY_ROW, ids=lambda row: row.name)
def test_who_answers_a_row_follows_from_how_it_spreads(row) -> None:  # type: ignore[no-untyped-def]
    answered_elsewhere = row.spread in (Spread.SESSION, Spread.KEYSPACE)
    assert (
        answered_elsewhere == (row.handler is None) or row.name == "pfselftest" or row.name.endswith("|help")
    )
    has_keys = row.first > 0 or row.keys_of is not None
    assert has_keys == (not answered_elsewhere or row.name in ABOUT_KEYS)


def test_the_hot_table_leaves_containers_to_find() -> None:
    assert TABLE.get(b"OBJECT") is None
    assert TABLE[b"set"] is TABLE[b"SET"] is ROWS[b"set"]
    row = find(words("Object Encoding key"))
    assert row is not None
    assert row.name == "object|encoding"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("nosuch a b", "ERR unknown command 'nosuch', with args beginning with: 'a' 'b' "),
        ("object|encoding key", "ERR unknown command 'object|encoding', with args beginning with: 'key' "),
        ("Config nosuch", "ERR unknown subcommand 'nosuch'. Try CONFIG HELP."),
        ("GET", "ERR wrong number of arguments for 'get' command"),
        ("object encoding", "ERR wrong number of arguments for 'object|encoding' command"),
        ("object", "ERR wrong number of arguments for 'object' command"),
    ],
)
def test_lookup_refuses_in_the_words_of_redis(line: str, text: str) -> None:
    with pytest.raises(CommandError) as caught:
        lookup(words(line))
    assert str(caught.value) == text


def test_an_unknown_command_shows_only_the_beginning_of_its_arguments() -> None:
    with pytest.raises(CommandError) as caught:
        lookup([b"x" * 500, b"y" * 500, b"z"])
    assert str(caught.value) == f"ERR unknown command '{'x' * 128}', with args beginning with: '{'y' * 128}' "


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("GET k", "k"),
        ("MSET a 1 b 2", "a b"),
        ("DEL a b c", "a b c"),
        ("RENAME a b", "a b"),
        ("LCS a b LEN", "a b"),
    ],
)
def test_get_keys(line: str, keys: str) -> None:
    assert get_keys(words(line)) == words(keys)


def test_flags_of_set_depend_on_its_options() -> None:
    assert get_keys_and_flags(words("SET k v EX 5")) == [(b"k", ["OW", "update"])]
    assert get_keys_and_flags(words("SET k v get")) == [(b"k", ["RW", "access", "update"])]


def test_dynomites_own_command_is_listed() -> None:
    row = named(b"DYNO_CONFIG:CONN_CONSISTENCY")
    assert row is not None
    assert row.takes(2)
    assert b"consistency level" in command(words("COMMAND DOCS dyno_config:conn_consistency"), 2)


def test_lists_and_counts_agree() -> None:
    assert command(words("COMMAND COUNT"), 2) == b":%d\r\n" % len(ROWS)
    assert command(words("COMMAND LIST"), 2).startswith(b"*%d\r\n" % len(EVERY_ROW))
    assert command(words("COMMAND"), 2).startswith(b"*%d\r\n" % len(ROWS))
    assert command(words("COMMAND INFO"), 3) == command(words("COMMAND"), 3)
    assert command(words("COMMAND LIST FILTERBY PATTERN GETR*"), 2) == b"*1\r\n$8\r\ngetrange\r\n"
    assert b"$6\r\nappend\r\n" in command(words("COMMAND LIST FILTERBY ACLCAT String"), 2)
