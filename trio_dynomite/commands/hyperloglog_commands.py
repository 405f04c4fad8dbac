"""PFADD, PFCOUNT, PFMERGE and their tools: counting what is different (https://valkey.io/commands/#hyperloglog).

The strings are Redis's own, byte by byte, with one exception: PFCOUNT does not write the cardinality that it
computed into the string. Redis does, though it calls PFCOUNT a command that only reads; here any replica
may answer it, and a read must not be a write that the others have to repeat.
"""

import math
from collections.abc import Sequence

from trio_dynomite.commands.hyperloglog import (
    DENSE,
    REGISTERS,
    cached,
    estimate,
    is_hyperloglog,
    merge,
    pack,
    place,
    raise_register,
    stale,
    unpack,
)
from trio_dynomite.commands.hyperloglog_sparse import EMPTY, decoded, parse
from trio_dynomite.commands.hyperloglog_sparse import registers as registers_of_sparse
from trio_dynomite.commands.refusals import quoted
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, ONE, ZERO, array, bulk, integer, simple

_NOT_ONE = "WRONGTYPE Key is not a valid HyperLogLog string value."
_NOTHING = bytes(REGISTERS)
_STANDARD_ERROR = 1.04 / math.sqrt(REGISTERS)
_SELF_TEST_SIZES = (1, 10, 100, 1000)
"""Fewer than Redis tries, so as not to keep others waiting."""

Place = tuple[int, int]
"""A register and the rank that it shall have at least."""


def pfadd(ks: Keyspace, args: list[bytes]) -> bytes:
    """PFADD key [element ...]: may the number of different elements have changed?"""
    key = args[1]
    old = _value(ks, key)
    value, changed = _raised(old or EMPTY, [place(element) for element in args[2:]])
    if old is not None and not changed:
        return ZERO
    _store(ks, key, old, stale(value))
    return ONE


def pfcount(ks: Keyspace, args: list[bytes]) -> bytes:
    """PFCOUNT key [key ...]: about how many different elements there are in all of them."""
    if len(args) == 2:
        value = _value(ks, args[1])
        if value is None:
            return ZERO
        known = cached(value)
        return integer(estimate(_registers(value)) if known is None else known)
    _, registers = _merged(ks, args[1:])
    return integer(estimate(registers))


def pfmerge(ks: Keyspace, args: list[bytes]) -> bytes:
    """PFMERGE destkey [sourcekey ...]: the destination also counts what is in the sources."""
    values, registers = _merged(ks, args[1:])
    target = values[0] or EMPTY
    if any(value is not None and value[4] == DENSE for value in values):
        value = pack(target, registers)
    else:
        ranks = zip(registers, registers_of_sparse(target), strict=True)
        value, _ = _raised(target, [(index, new) for index, (new, old) in enumerate(ranks) if new > old])
    _store(ks, args[1], values[0], stale(value))
    return OK


def pfdebug(ks: Keyspace, args: list[bytes]) -> bytes:
    """PFDEBUG GETREG | DECODE | ENCODING | TODENSE key, and SIMD ON | OFF, of which there is none here."""
    name, key = args[1].upper(), args[2]
    if name == b"SIMD":
        if key.upper() not in (b"ON", b"OFF"):
            raise CommandError("ERR Argument must be ON or OFF")
        return simple("disabled")
    value = _value(ks, key)
    if value is None:
        raise CommandError("ERR The specified key does not exist")
    is_dense = value[4] == DENSE
    match name:
        case b"GETREG":
            return array([integer(rank) for rank in _to_dense(ks, key, value)])
        case b"DECODE" if is_dense:
            raise CommandError("ERR HLL encoding is not sparse")
        case b"DECODE":
            return bulk(decoded(value))
        case b"ENCODING":
            return simple("dense" if is_dense else "sparse")
        case b"TODENSE":
            _to_dense(ks, key, value)
            return ZERO if is_dense else ONE
    raise CommandError(f"ERR Unknown PFDEBUG subcommand '{quoted(args[1])}'")


def pfselftest(ks: Keyspace, args: list[bytes]) -> bytes:
    """PFSELFTEST: do both encodings count alike, and about as well as theory has it?"""
    seed = ks.rng.randrange(1 << 62)
    for size in _SELF_TEST_SIZES:
        places = [place((seed ^ number).to_bytes(8, "little")) for number in range(size)]
        in_runs, _ = _raised(EMPTY, places)
        in_bits, _ = _raised_dense(pack(EMPTY, _NOTHING), places)
        count = estimate(_registers(in_bits))
        if estimate(_registers(in_runs)) != count:
            raise CommandError("ERR TESTFAILED dense/sparse disagree")
        if abs(count - size) > math.ceil(_STANDARD_ERROR * 6 * size):
            raise CommandError(f"ERR TESTFAILED Too big error. card:{size} abserr:{abs(count - size)}")
    return OK


def _to_dense(ks: Keyspace, key: bytes, value: bytes) -> bytes:
    """Make the HyperLogLog at `key` dense if it is not; its registers."""
    registers = _registers(value)
    if value[4] != DENSE:
        ks.put(key, pack(value, registers), ks.deadline(key))
    return registers


def _value(ks: Keyspace, key: bytes) -> bytes | None:
    value = ks.get(key)
    if value is not None and not is_hyperloglog(value):
        raise CommandError(_NOT_ONE)
    return value


def _registers(value: bytes) -> bytes:
    return unpack(value) if value[4] == DENSE else registers_of_sparse(value)


def _merged(ks: Keyspace, keys: list[bytes]) -> tuple[list[bytes | None], bytes]:
    """The HyperLogLogs at `keys`, and the registers of all of them."""
    values, registers = [], _NOTHING
    for key in keys:
        value = _value(ks, key)
        values.append(value)
        if value is not None:
            registers = merge(registers, _registers(value))
    return values, registers


def _raised(value: bytes, places: Sequence[Place]) -> tuple[bytes, bool]:
    """`value` with registers raised, made dense when it must be; was any lower?"""
    if value[4] == DENSE:
        return _raised_dense(value, places)
    editor, changed = parse(value), False
    for done, (index, rank) in enumerate(places):
        raised = editor.raise_register(index, rank)
        if raised is None:
            so_far = editor.joined()
            return _raised_dense(pack(so_far, registers_of_sparse(so_far)), places[done:])
        changed |= raised
    return (editor.joined(), True) if changed else (value, False)


def _raised_dense(value: bytes, places: Sequence[Place]) -> tuple[bytes, bool]:
    dense, changed = bytearray(value), False
    for index, rank in places:
        changed |= raise_register(dense, index, rank)
    return (bytes(dense), True) if changed else (value, False)


def _store(ks: Keyspace, key: bytes, old: bytes | None, new: bytes) -> None:
    """The string becomes `new`; of one as long as before only what differs is told to the replicas."""
    if old is None or len(old) != len(new):
        ks.put(key, new, 0 if old is None else ks.deadline(key))
    elif old != new:
        changes = int.from_bytes(old, "little") ^ int.from_bytes(new, "little")
        start = (changes & -changes).bit_length() - 1 >> 3
        ks.patch(key, new, b"setrange", start, new[start : changes.bit_length() + 7 >> 3])
    if ks.wants_events:
        ks.event("pfadd", key)
