"""MSETEX (https://valkey.io/commands/msetex/): several strings, with one condition and one lifetime."""

from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.options import SET_WORDS, Options, parse_options
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import ONE, ZERO

_WORDS = SET_WORDS - {b"GET", b"IFEQ"}
_PAIRS_MAX = 2**31 - 1
_BAD_COUNT = "ERR invalid numkeys value or out of range"


def msetex(ks: Keyspace, args: list[bytes]) -> bytes:
    """MSETEX numkeys key value [key value ...] [NX | XX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL].

    All of them are set, or none: when (NX) one of the keys is there, or (XX) is not."""
    end = 2 + 2 * _count(args[1])
    if end > len(args):
        raise CommandError(SYNTAX)
    options = parse_options(args, end, _WORDS)
    deadline = options.deadline_ms(ks.now_ms, "msetex")
    if not _condition_holds(ks, args[2:end:2], options):
        return ZERO
    for position in range(2, end, 2):
        _set(ks, args[position], args[position + 1], options, deadline)
    return ONE


def _count(text: bytes) -> int:
    number = parse_int64(text)
    if number is None or not 0 < number <= _PAIRS_MAX:
        raise CommandError(_BAD_COUNT)
    return number


def _condition_holds(ks: Keyspace, keys: list[bytes], options: Options) -> bool:
    if not options.condition:
        return True
    return all((ks.kind(key) is None) == (options.condition == b"NX") for key in keys)


def _set(ks: Keyspace, key: bytes, value: bytes, options: Options, deadline: int) -> None:
    ks.put(key, value, ks.deadline(key) if options.lifetime == b"KEEPTTL" else deadline)
    if ks.wants_events:
        ks.event("set", key)
        if deadline:
            ks.event("expire", key)
