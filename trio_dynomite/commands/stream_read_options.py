"""What XREAD and XREADGROUP are asked: their options, their keys, how long they wait.

XREAD [COUNT n] [BLOCK ms] STREAMS key … id …
XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key … id …
"""

from attrs import define, field

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.timeouts import milliseconds
from trio_dynomite.errors import CommandError

_VALUES = {b"COUNT": 1, b"BLOCK": 1, b"GROUP": 2, b"NOACK": 0}
"""The words before STREAMS, and how many arguments belong to each."""


@define
class Reading:
    """A request to read from streams."""

    name: str
    """The command's: `xread` or `xreadgroup`."""
    count: int | None = None
    """Entries at most of each stream; None: no limit."""
    block_ms: int | None = None
    """How long to wait for something to read; 0: for ever; None: not at all."""
    group: bytes | None = None
    consumer: bytes = b""
    noack: bool = False
    keys: list[bytes] = field(factory=list)
    ids: list[bytes] = field(factory=list)
    """What to read after, one for each key, unread."""


def parse(args: list[bytes]) -> Reading:
    """The request in `args`. Raises CommandError, in Redis's order of checks."""
    reading = Reading(args[0].decode("ascii", "replace").lower())
    position = 1
    while position < len(args) and not reading.keys:
        word, more = args[position].upper(), len(args) - 1 - position
        if word == b"STREAMS" and more:
            _take_streams(reading, args[position + 1 :])
        elif word not in _VALUES or more < _VALUES[word]:
            raise CommandError(SYNTAX)
        else:
            _take(reading, word, args[position + 1 : position + 3])
            position += 1 + _VALUES[word]
    if not reading.keys:
        raise CommandError(SYNTAX)
    if reading.name == "xreadgroup" and reading.group is None:
        raise CommandError("ERR Missing GROUP option for XREADGROUP")
    return reading


def _take(reading: Reading, word: bytes, values: list[bytes]) -> None:
    if word == b"COUNT":
        reading.count = max(integer_argument(values[0]), 0) or None
    elif word == b"BLOCK":
        reading.block_ms = milliseconds(values[0])
    elif reading.name == "xread":
        option = word.decode()
        raise CommandError(
            f"ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
        )
    elif word == b"GROUP":
        reading.group, reading.consumer = values
    else:
        reading.noack = True


def _take_streams(reading: Reading, rest: list[bytes]) -> None:
    half = len(rest) // 2
    if len(rest) % 2:
        symbol = "$" if reading.name == "xread" else ">"
        raise CommandError(
            f"ERR Unbalanced '{reading.name}' list of streams: for each stream key an ID or '{symbol}' must"
            " be specified."
        )
    reading.keys, reading.ids = rest[:half], rest[half:]


def keys_of(args: list[bytes]) -> list[bytes]:
    """The keys of XREAD or XREADGROUP: the first half of what follows STREAMS."""
    position = 1
    while position < len(args):
        word = args[position].upper()
        if word == b"STREAMS":
            rest = args[position + 1 :]
            return rest[: len(rest) // 2]
        if word not in _VALUES:
            break
        position += 1 + _VALUES[word]
    return []


def blocking(args: list[bytes]) -> float:
    """How many seconds the request may wait; 0: for ever; -1: it does not wait. Raises CommandError."""
    block_ms = parse(args).block_ms
    return -1 if block_ms is None else block_ms / 1000
