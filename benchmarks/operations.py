"""The operations: what each sends, and what it must find. Two tables, and how a row becomes a load.

A collection under test has a steady size. Where the command itself keeps it (fields that are written again, a
stream that is trimmed) it is filled once; where the command changes it, it is made anew before every run.
"""

import enum
from collections.abc import Callable

from attrs import frozen

from benchmarks.conversation import Conversation
from benchmarks.fanout import FanOut
from benchmarks.fill import ELEMENT, Fill, value_of
from benchmarks.load import RANDOM, RANDOM_KEYS, Load, Words, Work

KEY = "{key}"
"""In a word: what the keys of a scenario begin with."""
VALUE = "{value}"
"""In a word: a value of the scenario's size."""
_STRING = f"{KEY}:{RANDOM}"
_SCRIPT = "local old = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], ARGV[1]) return old"


class Before(enum.Enum):
    """When the keys of an operation are filled."""

    NEVER = "nothing needs to be there"
    ONCE = "once for a server; all fills of the same key are the same"
    EVERY_RUN = "before every run, for the operation adds to the collection"
    EVERY_RUN_MORE = "before every run, and as many elements more as the run will take"


def _with(words: Words, values: dict[str, str]) -> Words:
    for placeholder, value in values.items():
        words = tuple(word.replace(placeholder, value) for word in words)
    return words


def _benchmark(commands: tuple[Words, ...], in_flight: int, random_keys: int) -> Work:
    (words,) = commands
    return Load(words=words, in_flight=in_flight, random_keys=random_keys)


def _conversation(commands: tuple[Words, ...], in_flight: int, random_keys: int) -> Work:
    return Conversation(commands=commands, in_flight=in_flight, random_keys=random_keys)


def _fan_out(commands: tuple[Words, ...], in_flight: int, random_keys: int) -> Work:
    (words,) = commands
    return FanOut(words=words, in_flight=in_flight)


@frozen(kw_only=True)
class Operation:
    """One kind of command: what it sends, and the command that writes an element of what it must find."""

    name: str
    commands: tuple[Words, ...]
    fill: Words = ()
    """Empty for the (only) command itself."""
    size: int = RANDOM_KEYS
    """Elements that are there before a run."""
    before: Before = Before.ONCE
    random_keys: int = RANDOM_KEYS
    """`RANDOM` in `commands` is a number below this."""
    load: Callable[[tuple[Words, ...], int, int], Work] = _benchmark
    """Who sends it."""

    @property
    def fills_every_run(self) -> bool:
        """Whether the collection is made anew before each run."""
        return self.before in (Before.EVERY_RUN, Before.EVERY_RUN_MORE)

    def work(self, key: str, value_bytes: int, in_flight: int) -> Work:
        """The load on keys that begin with `key`."""
        value = "x" * value_bytes
        commands = tuple(_with(words, {KEY: key, VALUE: value}) for words in self.commands)
        return self.load(commands, in_flight, self.random_keys)

    def fill_for(self, key: str, value_bytes: int, operations: int) -> Fill:
        """What must be there before a run of so many `operations`: random numbers are counted through."""
        places = {KEY: key, VALUE: value_of(value_bytes), RANDOM: ELEMENT}
        words = _with(self.fill or self.commands[0], places)
        more = operations if self.before is Before.EVERY_RUN_MORE else 0
        return Fill(words=words, elements=self.size + more)


_PUT = ("SET", _STRING, VALUE)
SET = Operation(name="SET", commands=(_PUT,))
GET = Operation(name="GET", commands=(("GET", _STRING),), fill=_PUT)
STRINGS = (SET, GET)
"""Measured on every cluster, with every choice of keys, and judged."""

_HASH, _SET, _SORTED, _STACK, _QUEUE, _LIST, _STREAM = (
    f"{KEY}:{name}" for name in ("hash", "set", "sorted", "stack", "queue", "list", "stream")
)
COMMANDS = (
    Operation(
        name="HSET",
        commands=(("HSET", _HASH, f"field:{RANDOM}", VALUE),),
    ),
    Operation(
        name="SADD",
        commands=(("SADD", _SET, f"member:{RANDOM}"),),
        before=Before.EVERY_RUN,
        random_keys=100 * RANDOM_KEYS,
    ),
    Operation(
        name="ZADD",
        commands=(("ZADD", _SORTED, RANDOM, f"member:{RANDOM}"),),
    ),
    Operation(
        name="LPUSH",
        commands=(("LPUSH", _STACK, VALUE),),
        before=Before.EVERY_RUN,
    ),
    Operation(
        name="RPOP",
        commands=(("RPOP", _QUEUE),),
        fill=("LPUSH", _QUEUE, VALUE),
        before=Before.EVERY_RUN_MORE,
    ),
    Operation(
        name="LRANGE_100",
        commands=(("LRANGE", _LIST, "0", "99"),),
        fill=("RPUSH", _LIST, VALUE),
        size=1000,
    ),
    Operation(
        name="XADD",
        commands=(("XADD", _STREAM, "MAXLEN", "~", "10000", "*", "field", VALUE),),
        fill=("XADD", _STREAM, "*", "field", VALUE),
        size=10_000,
    ),
    Operation(name="EVAL", commands=(("EVAL", _SCRIPT, "1", _STRING, VALUE),), fill=_PUT),
    Operation(
        name="MULTI",
        commands=(
            ("MULTI",),
            ("GET", _STRING),
            _PUT,
            ("EXPIRE", _STRING, "86400"),
            ("EXEC",),
        ),
        fill=_PUT,
        load=_conversation,
    ),
    Operation(
        name="PUBLISH",
        commands=(("PUBLISH", f"{KEY}:channel", VALUE),),
        before=Before.NEVER,
        load=_fan_out,
    ),
)
"""Every other kind of command, on one node and on three racks at a quorum."""
