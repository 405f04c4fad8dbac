"""CONFIG SET against a real Valkey 9: what has no effect here refuses values of another kind in its words."""

import pytest

from tests.conformance.oracle import Connection
from trio_dynomite.server.answers.inert_parameters import INERT, check

KINDS = ("must be 'yes' or 'no'", "into an integer", "a memory value", "percent")
"""What Valkey says of a value of another kind; it has limits, choices and what cannot change besides."""


def refusal(name: str, value: bytes) -> str:
    """What is said of a value that is not taken."""
    try:
        check(name, value)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", INERT)
def test_a_value_of_another_kind_is_refused(valkey: Connection, resp: int, name: str) -> None:
    for value in (b"junk", b"200%", b"5%", b"1kb", b"-2", b"2", b"1e3", b"no"):
        reply = valkey(b"CONFIG", b"SET", name.encode(), value)
        theirs = reply.decode().rstrip().rpartition("') - ")[2]
        if any(kind in theirs for kind in KINDS) and name != "oom-score-adj":
            assert refusal(name, value) == theirs, value
        elif reply == b"+OK\r\n":
            assert not refusal(name, value), value
    valkey(b"CONFIG", b"SET", name.encode(), INERT[name].encode())
