"""Ids of stream entries as clients write them: `1526919030474-55`, read exactly as Redis reads them.

An id is a number (`data/entry_id.py`). The sequence may be left out, and then is the lowest or the highest
one, as it suits the place. Ranges also know `-` and `+`, the least and the greatest id, and `(id` for a bound
that does not belong to the range.
"""

import re

from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.data.entry_id import ID_MAX, PART_MAX, SEQUENCE_BITS
from trio_dynomite.errors import CommandError

INVALID_ID = "ERR Invalid stream ID specified as stream command argument"
_LENGTH_MAX = 127
_AS_STRTOULL_READS = re.compile(rb"[ \t\n\v\f\r]*([+-]?)([0-9]+)")


def spelled(entry_id: int) -> bytes:
    """The id as clients read it."""
    return b"%d-%d" % (entry_id >> SEQUENCE_BITS, entry_id & PART_MAX)


def parse_id(text: bytes, sequence: int = 0) -> int | None:
    """The id that `text` spells, with `sequence` where it names none; None when it spells no id."""
    milliseconds, dash, rest = text.partition(b"-")
    if milliseconds.isdigit() and (rest.isdigit() or not dash) and len(text) <= _LENGTH_MAX:
        upper, lower = int(milliseconds), int(rest) if dash else sequence
        return upper << SEQUENCE_BITS | lower if upper <= PART_MAX and lower <= PART_MAX else None
    return _parse_odd(text, sequence)


def _parse_odd(text: bytes, sequence: int) -> int | None:
    """The spellings that Redis takes as well: what `strtoull` reads, up to a zero byte."""
    if len(text) > _LENGTH_MAX:
        return None
    milliseconds, dash, rest = text.partition(b"\0")[0].partition(b"-")
    upper, lower = _parse_part(milliseconds), _parse_part(rest) if dash else sequence
    return None if upper is None or lower is None else upper << SEQUENCE_BITS | lower


def _parse_part(text: bytes) -> int | None:
    read = _AS_STRTOULL_READS.fullmatch(text)
    if read is None or int(read[2]) > PART_MAX:
        return None
    if read[1] != b"-":
        return int(read[2])
    # A negative number in its right spelling is refused; in any other, strtoull wraps it round.
    return None if parse_int64(text) is not None else -int(read[2]) & PART_MAX


def id_argument(text: bytes) -> int:
    """The id that the argument `text` spells in full or without its sequence, which then is 0.

    Raises:
        CommandError: it spells none.
    """
    entry_id = parse_id(text)
    if entry_id is None:
        raise CommandError(INVALID_ID)
    return entry_id


def id_arguments(texts: list[bytes]) -> list[int]:
    """The ids that the arguments spell. Raises CommandError before anything is done with the first."""
    return [id_argument(text) for text in texts]


def any_id_argument(text: bytes, sequence: int = 0) -> int:
    """As `id_argument`, with `-` and `+` for the least and the greatest id."""
    if text == b"-":
        return 0
    if text == b"+":
        return ID_MAX
    entry_id = parse_id(text, sequence)
    if entry_id is None:
        raise CommandError(INVALID_ID)
    return entry_id


def start_argument(text: bytes) -> int:
    """The lowest id of the range that begins at the bound `text`. Raises CommandError when there is none."""
    if text[:1] != b"(" or len(text) == 1:
        return any_id_argument(text)
    bound = id_argument(text[1:])
    if bound == ID_MAX:
        raise CommandError("ERR invalid start ID for the interval")
    return bound + 1


def end_argument(text: bytes) -> int:
    """The greatest id of the range that ends at the bound `text`. Raises CommandError when there is none."""
    if text[:1] != b"(" or len(text) == 1:
        return any_id_argument(text, PART_MAX)
    bound = parse_id(text[1:], PART_MAX)
    if bound is None:
        raise CommandError(INVALID_ID)
    if bound == 0:
        raise CommandError("ERR invalid end ID for the interval")
    return bound - 1
