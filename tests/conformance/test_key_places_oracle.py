"""COMMAND GETKEYS and GETKEYSANDFLAGS against a real Valkey 9: keys whose places depend on the arguments."""

import pytest

from tests.conformance.oracle import Connection
from trio_dynomite.commands.introspection import command
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import error

REQUESTS = """
LMPOP 1 l left; LMPOP 0 l left; LMPOP x l left; LMPOP 5 l left; LMPOP 2 l left; BLMPOP 0 1 l left
BLMPOP 0 9 l left; BLPOP a b 0; BRPOPLPUSH a b 0; BLMOVE a b c d 0; LCS a b; COPY a b; RENAME a a; WATCH a b
SORT a; SORT a store b; SORT a store b store c; SORT a by store get store limit store; SORT a store a
SORT a limit 1 store b; SORT_RO a store b; SORT a by store store x; SORT a get x store
MSET a 1 b; MSETEX 1 a b; MSETEX 2 a b c d EX 1; MSETEX 3 a b c d EX 1; MSETEX x a b; MSETEX 0 a b
SET k v; SET k v GET; SET k v IFEQ x; SET k v IFEQ get; SET k v ifeq; STRLEN k; DELIFEQ k v
BITFIELD k; BITFIELD k GET u8 0; BITFIELD k SET u8 0 1; BITFIELD k OVERFLOW WRAP GET u8 0; BITFIELD k GET
BITFIELD k foo; BITFIELD k GET u8 0 GET u8; BITFIELD k OVERFLOW; BITFIELD_RO k GET u8 0; BITOP AND d a b
PFCOUNT a b; PFMERGE d a b; PFMERGE d; SINTERCARD 2 a b; SINTERSTORE d a; SINTERSTORE d; SDIFF STREAMS
ZUNIONSTORE d 2 a b; ZUNIONSTORE d 0 a b; ZUNION 3 a b; BZMPOP 0 1 a MIN; ZDIFFSTORE d 1 a; ZINTERCARD 0 a
BZPOPMIN a b 0; SMOVE a b c; ZMPOP 1 a MAX; ZRANGESTORE d s 0 1; GEOSEARCHSTORE d s; GEORADIUS k 1 1 1 m
GEORADIUS k 1 1 1 m STORE d STOREDIST e; GEORADIUSBYMEMBER k m 1 m STORE d; GEORADIUS k 1 1 1 m STORE
XREAD COUNT 1; XREAD STREAMS a b 0 0; XREAD STREAMS a b 0; XREAD COUNT 1 STREAMS a 0; XREAD STREAMS STREAMS 0
XREAD COUNT 1 COUNT 2; XREADGROUP GROUP STREAMS c STREAMS a 0; XINFO STREAM a; XGROUP CREATE s g 0
OBJECT ENCODING a; OBJECT HELP; PUBLISH a b; SPUBLISH a b; SSUBSCRIBE a b; CLIENT LIST; PING
"""
LINES = [line.strip() for row in REQUESTS.strip().splitlines() for line in row.split(";")]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("subcommand", [b"GETKEYS", b"GETKEYSANDFLAGS"])
def test_the_same_keys_are_found(valkey: Connection, resp: int, line: str, subcommand: bytes) -> None:
    args = [b"COMMAND", subcommand, *line.encode().split()]
    try:
        ours = command(args, resp)
    except CommandError as refusal:
        ours = error(str(refusal))
    assert ours == valkey(*args)
