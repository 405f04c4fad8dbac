"""COMMAND GETKEYS and GETKEYSANDFLAGS of every command that has keys, over words at random.

Known differences, kept out on purpose, of requests that make no sense: numbers of keys that are none, like
`2x`, Valkey reads with `atoi`; and where STREAMS stands twice, it looks a second time in another way.
"""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.conformance.oracle import OURS_ALONE, Connection
from trio_dynomite.commands.introspection import command
from trio_dynomite.commands.reference import key_specs
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import ROWS, SUBCOMMANDS
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import error

EVERYTHING = [*ROWS.values(), *(row for rows in SUBCOMMANDS.values() for row in rows.values())]
WITH_KEYS = [row for row in EVERYTHING if key_specs(row.name) and row.name not in OURS_ALONE]
PLAIN = [b"a", b"b", b"c", b"0", b"1", b"2", b"3"]
WORDS = [b"STORE", b"storedist", b"STREAMS", b"streams", b"GET", b"BY", b"LIMIT", b"COUNT", b"GROUP", b"SET"]
WORDS += [b"KEYS", b"COPY", b"AUTH", b"auth2", b""]
MAXIMUM = 5


def requests(row: Row) -> st.SearchStrategy[list[bytes]]:
    """Requests of `row` with as many arguments as it takes, and up to a few more."""
    least, most = (row.arity, row.arity) if row.arity > 0 else (-row.arity, -row.arity + MAXIMUM)
    name = row.name.encode().split(b"|")
    words = st.one_of(st.sampled_from(PLAIN), st.sampled_from(PLAIN), st.sampled_from(WORDS))
    return st.lists(words, min_size=least - len(name), max_size=most - len(name)).map(
        lambda arguments: [*name, *arguments]
    )


@pytest.mark.parametrize("row", WITH_KEYS, ids=lambda row: row.name)
def test_the_same_keys_are_found(valkey: Connection, resp: int, row: Row) -> None:
    @settings(
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
        max_examples=8 if row.keys_of is None else 60,
    )
    @given(request=requests(row))
    def compare(request: list[bytes]) -> None:
        assume([word.upper() for word in request].count(b"STREAMS") < 2)
        for subcommand in (b"GETKEYS", b"GETKEYSANDFLAGS"):
            args = [b"COMMAND", subcommand, *request]
            try:
                ours = command(args, resp)
            except CommandError as refusal:
                ours = error(str(refusal))
            assert ours == valkey(*args)

    compare()
