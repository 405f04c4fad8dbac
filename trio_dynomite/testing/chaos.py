"""Chaos: keys of one slot that everybody makes something else of, from every datacenter at once.

Nobody can say what they hold in the end, only that all replicas agree on it. Types change, elements go and
come, deadlines pass and are taken back, keys are renamed and copied over each other, and (where nothing else
is kept) everything is flushed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from attrs import define

from trio_dynomite.model import Level
from trio_dynomite.testing.asking import DURABLE, Request
from trio_dynomite.testing.shared import Shared

_ELEMENTS = [b"a", b"b", b"c"]
_KEYS = 3
_WHY = (b"no such key", b"hash value is not an", b"value is not a")
_REFUSALS = (b"-WRONGTYPE", b"-BUSYGROUP", b"-NOGROUP", *(b"-ERR " + why for why in _WHY))


@define(eq=False)
class Chaos(Shared):
    """Three keys."""

    flushes: bool = False
    number: int = 0

    @property
    def keys(self) -> list[bytes]:
        """All of them, of one slot."""
        return [b"{%b}%d" % (self.key, number) for number in range(_KEYS)]

    def act(self, name: str) -> None:
        """Anything."""
        rng = self.workload.rng
        self.number += 1
        request: Request = self._any(rng)
        if self.flushes and rng.random() < 0.02:
            request = [b"FLUSHALL"]
        elif rng.random() < 0.1:
            request = [self._any(rng), self._any(rng)]
        level = rng.choice((Level.DC_ONE, *DURABLE))
        self.workload.ask(name, level, request, lambda reply: None, refusals=_REFUSALS)

    def _any(self, rng: random.Random) -> list[bytes]:
        key, other = rng.sample(self.keys, 2)
        element, value = rng.choice(_ELEMENTS), b"%d" % self.number
        pick = rng.choice(_COMMANDS)
        return pick(rng, key, other, element, value)

    def verdict(self, held: Any) -> str | None:
        """Anything goes, as long as all agree."""
        return None


def _soon(rng: random.Random) -> bytes:
    return b"%d" % rng.choice((1, 300, 900, 2000, 60_000))


_Maker = Callable[[random.Random, bytes, bytes, bytes, bytes], list[bytes]]
_COMMANDS: list[_Maker] = [
    lambda rng, key, other, element, value: [b"SET", key, value],
    lambda rng, key, other, element, value: [b"SET", key, value, b"PX", _soon(rng)],
    lambda rng, key, other, element, value: [b"APPEND", key, element],
    lambda rng, key, other, element, value: [b"SETRANGE", key, b"2", value],
    lambda rng, key, other, element, value: [b"PFADD", key, element, value],
    lambda rng, key, other, element, value: [b"INCR", key],
    lambda rng, key, other, element, value: [b"INCRBYFLOAT", key, b"0.5"],
    lambda rng, key, other, element, value: [b"HSET", key, element, value],
    lambda rng, key, other, element, value: [b"HSET", key, element, value, b"d", value],
    lambda rng, key, other, element, value: [b"HINCRBY", key, element, b"1"],
    lambda rng, key, other, element, value: [b"HDEL", key, element],
    lambda rng, key, other, element, value: [b"HPEXPIRE", key, _soon(rng), b"FIELDS", b"2", element, b"d"],
    lambda rng, key, other, element, value: [b"HPERSIST", key, b"FIELDS", b"2", element, b"d"],
    lambda rng, key, other, element, value: [
        b"HSETEX",
        key,
        b"PX",
        _soon(rng),
        b"FIELDS",
        b"1",
        element,
        value,
    ],
    lambda rng, key, other, element, value: [b"HGETDEL", key, b"FIELDS", b"2", element, b"d"],
    lambda rng, key, other, element, value: [b"SADD", key, element, value],
    lambda rng, key, other, element, value: [b"SREM", key, element],
    lambda rng, key, other, element, value: [b"SPOP", key],
    lambda rng, key, other, element, value: [b"ZADD", key, value, element],
    lambda rng, key, other, element, value: [b"ZINCRBY", key, rng.choice((b"1", b"0.5")), element],
    lambda rng, key, other, element, value: [b"ZREM", key, element],
    lambda rng, key, other, element, value: [b"ZREMRANGEBYRANK", key, b"1", b"2"],
    lambda rng, key, other, element, value: [b"GEOADD", key, b"13.4", b"52.5", element],
    lambda rng, key, other, element, value: [b"RPUSH", key, value, element],
    lambda rng, key, other, element, value: [b"LPOP", key],
    lambda rng, key, other, element, value: [b"LREM", key, b"0", element],
    lambda rng, key, other, element, value: [b"LSET", key, b"-1", value],
    lambda rng, key, other, element, value: [b"LINSERT", key, b"AFTER", element, value],
    lambda rng, key, other, element, value: [b"LTRIM", key, b"1", b"-1"],
    lambda rng, key, other, element, value: [b"XADD", key, b"*", element, value],
    lambda rng, key, other, element, value: [b"XGROUP", b"CREATE", key, element, b"0", b"MKSTREAM"],
    lambda rng, key, other, element, value: [b"XREADGROUP", b"GROUP", element, b"c", b"STREAMS", key, b">"],
    lambda rng, key, other, element, value: [b"XAUTOCLAIM", key, element, value, b"0", b"0"],
    lambda rng, key, other, element, value: [b"XTRIM", key, b"MAXLEN", b"1"],
    lambda rng, key, other, element, value: [b"DEL", key],
    lambda rng, key, other, element, value: [b"PEXPIRE", key, _soon(rng)],
    lambda rng, key, other, element, value: [b"PEXPIRE", key, _soon(rng)],
    lambda rng, key, other, element, value: [b"PERSIST", key],
    lambda rng, key, other, element, value: [b"RENAME", key, other],
    lambda rng, key, other, element, value: [b"COPY", key, other, b"REPLACE"],
    lambda rng, key, other, element, value: [b"SUNIONSTORE", other, other, key],
    lambda rng, key, other, element, value: [b"ZUNIONSTORE", other, b"2", other, key],
    lambda rng, key, other, element, value: [b"SORT", key, b"ALPHA", b"STORE", other],
    lambda rng, key, other, element, value: [b"LMOVE", key, other, b"LEFT", b"RIGHT"],
    lambda rng, key, other, element, value: [b"SMOVE", key, other, element],
]
