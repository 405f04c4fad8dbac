"""What a request does to each of its keys. The answers are a real Valkey 9.1's; the oracle compares more."""

import pytest

from trio_dynomite.commands.introspection import get_keys_and_flags
from trio_dynomite.errors import CommandError


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SET k v", "k:OW,update"),
        ("SET k v get", "k:RW,access,update"),
        ("BITFIELD k GET u8 0 OVERFLOW WRAP", "k:RO,access"),
        ("BITFIELD k GET u8 0 SET u8 0 1", "k:RW,access,update"),
        ("BITFIELD k GET u8", "k:RW,access,update"),
        ("RENAME a a", "a:RW,access,delete a:OW,update"),
        ("MSET a 1 b 2", "a:OW,update b:OW,update"),
        ("MSETEX 2 a 1 b 2 NX", "a:OW,update b:OW,update"),
        ("LMPOP 2 a b LEFT", "a:RW,access,delete b:RW,access,delete"),
        ("BLPOP a b 0", "a:RW,access,delete b:RW,access,delete"),
        ("SORT a STORE b BY c", "a:RO,access b:OW,update"),
        ("SORT a STORE a", "a:RO,access a:OW,update"),
        ("SORT_RO a STORE b", "a:RO,access"),
        ("ZUNIONSTORE d 2 a b", "d:OW,update a:RO,access b:RO,access"),
        ("XREAD COUNT 1 streams a b 0 0", "a:RO,access b:RO,access"),
        ("GEORADIUS k 1 1 1 m STORE d STOREDIST e", "k:RO,access e:OW,update"),
    ],
)
def test_each_key_has_its_flags(line: str, expected: str) -> None:
    found = get_keys_and_flags([word.encode() for word in line.split()])
    assert " ".join([f"{key.decode()}:{','.join(flags)}" for key, flags in found]) == expected


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("LMPOP 3 a LEFT", "ERR Invalid arguments specified for command"),
        ("SPUBLISH channel text", "ERR The command has no key arguments"),
        ("LMPOP 1", "ERR Invalid number of arguments specified for command"),
        ("NOSUCH a", "ERR Invalid command specified"),
    ],
)
def test_a_request_without_keys_is_refused(line: str, refusal: str) -> None:
    with pytest.raises(CommandError, match=refusal):
        get_keys_and_flags([word.encode() for word in line.split()])
