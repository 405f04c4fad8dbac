"""MEMORY USAGE: the bytes that a key and its value take (https://valkey.io/commands/memory-usage)."""

from typing import Any

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, integer


def memory_usage(ks: Any, args: list[bytes]) -> bytes:
    """MEMORY USAGE key [SAMPLES count]: the storage counts everything, however many samples are asked for."""
    rest = args[3:]
    if rest and (len(rest) != 2 or rest[0].upper() != b"SAMPLES" or integer_argument(rest[1]) < 0):
        raise CommandError(SYNTAX)
    size = ks.size_of(args[2])
    return NULL[ks.resp] if size is None else integer(size)
