"""BITOP: logic on whole strings (https://valkey.io/commands/bitop), with the operations that Redis 8.2 added.

Strings are read as little-endian integers, which lengthens a shorter one with zeros at no cost.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import and_, or_, xor

from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import ZERO, integer

_TWO_SOURCES = frozenset([b"DIFF", b"DIFF1", b"ANDOR"])


def bitop(ks: Keyspace, args: list[bytes]) -> bytes:
    """BITOP AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE destkey key [key ...]; the result's length."""
    name, target = args[1].upper(), args[2]
    operation = _OPERATIONS.get(name)
    _check(name, len(args) - 3)
    values = [ks.get(key) or b"" for key in args[3:]]
    size = max(map(len, values))
    if size == 0:
        if ks.delete(target) and ks.wants_events:
            ks.event("del", target)
        return ZERO
    numbers = [int.from_bytes(value, "little") for value in values]
    result = operation(numbers) if operation else numbers[0] ^ (1 << 8 * size) - 1
    ks.put(target, result.to_bytes(size, "little"))
    if ks.wants_events:
        ks.event("set", target)
    return integer(size)


def _check(name: bytes, sources: int) -> None:
    if name not in _OPERATIONS and name != b"NOT":
        raise CommandError(SYNTAX)
    if name == b"NOT" and sources != 1:
        raise CommandError("ERR BITOP NOT must be called with a single source key.")
    if name in _TWO_SOURCES and sources < 2:
        raise CommandError(f"ERR BITOP {name.decode()} must be called with at least two source keys.")


def _in_just_one(numbers: list[int]) -> int:
    once = more = 0
    for number in numbers:
        more |= once & number
        once |= number
    return once & ~more


def _others(numbers: list[int]) -> int:
    return reduce(or_, numbers[1:])


_OPERATIONS: Mapping[bytes, Callable[[list[int]], int]] = {
    b"AND": lambda numbers: reduce(and_, numbers),
    b"OR": lambda numbers: reduce(or_, numbers),
    b"XOR": lambda numbers: reduce(xor, numbers),
    b"DIFF": lambda numbers: numbers[0] & ~_others(numbers),
    b"DIFF1": lambda numbers: _others(numbers) & ~numbers[0],
    b"ANDOR": lambda numbers: numbers[0] & _others(numbers),
    b"ONE": _in_just_one,
}
"""What becomes of the sources; NOT, which needs the length too, is not among them."""
