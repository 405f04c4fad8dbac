"""The commands that look for an element in a list: LINSERT, LREM and LPOS. All walk along it, as in Redis."""

from collections.abc import Iterator
from itertools import islice

from attrs import define

from trio_dynomite.commands.events import removed
from trio_dynomite.commands.numeric import parse_int64, signed_argument
from trio_dynomite.commands.record import List
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import MINUS_ONE, NULL, ZERO, array, integer

_RANK_ZERO = (
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative"
    " to start from the end of the list"
)


def linsert(ks: Keyspace, args: list[bytes]) -> bytes:
    """LINSERT key BEFORE | AFTER pivot element; the new length, -1 without a pivot, 0 without a list."""
    key, place = args[1], args[2].upper()
    if place not in (b"BEFORE", b"AFTER"):
        raise CommandError(SYNTAX)
    elements = ks.list_at(key)
    if not len(elements):
        return ZERO
    index = next(_places(elements, args[3], backwards=False), None)
    if index is None:
        return MINUS_ONE
    elements.insert(index + (place == b"AFTER"), args[4])
    if ks.wants_events:
        ks.event("linsert", key)
    return integer(len(elements))


def lrem(ks: Keyspace, args: list[bytes]) -> bytes:
    """LREM key count element: remove so many from the left, or (negative) the right; 0: all. How many."""
    count = signed_argument(args[2])
    key = args[1]
    elements = ks.list_at(key)
    places = sorted(islice(_places(elements, args[3], backwards=count < 0), abs(count) or None))
    if not places:
        return ZERO
    elements.remove(places)
    if ks.wants_events:
        removed(ks, "lrem", key)
    return integer(len(places))


def lpos(ks: Keyspace, args: list[bytes]) -> bytes:
    """LPOS key element [RANK rank] [COUNT matches] [MAXLEN len]."""
    wanted = _wanted(args)
    elements = ks.list_at(args[1])
    places = _places(elements, args[2], backwards=wanted.rank < 0, within=wanted.within or None)
    places = islice(places, abs(wanted.rank) - 1, None)
    if wanted.count is None:
        place = next(places, None)
        return NULL[ks.resp] if place is None else integer(place)
    return array([integer(place) for place in islice(places, wanted.count or None)])


@define
class _Wanted:
    """What LPOS is to answer."""

    rank: int = 1
    """1: from the first match on, 2: from the second; negative: the same from the right."""
    count: int | None = None
    """How many matches, 0 for all; None: one, and not in an array."""
    within: int = 0
    """How many elements to look at; 0: all."""


def _wanted(args: list[bytes]) -> _Wanted:
    wanted = _Wanted()
    rest = iter(args[3:])
    for word in rest:
        number = next(rest, None)
        match word.upper():
            case b"RANK" if number is not None:
                wanted.rank = signed_argument(number)
                if wanted.rank == 0:
                    raise CommandError(_RANK_ZERO)
            case b"COUNT" if number is not None:
                wanted.count = _not_negative(number, "COUNT")
            case b"MAXLEN" if number is not None:
                wanted.within = _not_negative(number, "MAXLEN")
            case _:
                raise CommandError(SYNTAX)
    return wanted


def _places(elements: List, element: bytes, *, backwards: bool, within: int | None = None) -> Iterator[int]:
    """The indexes at which `element` stands among the first, or last, `within`; lazily."""
    if backwards:
        last = len(elements) - 1
        return (last - at for at, one in enumerate(islice(reversed(elements), within)) if one == element)
    return (at for at, one in enumerate(islice(elements, within)) if one == element)


def _not_negative(text: bytes, name: str) -> int:
    number = parse_int64(text)
    if number is None or number < 0:
        raise CommandError(f"ERR {name} can't be negative")
    return number
