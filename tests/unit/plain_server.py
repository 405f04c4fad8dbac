"""A server below a node without stamps: a few commands on strings and sets, answered late and in order."""

from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis
from attrs import define, field

from trio_dynomite.protocol.replies import bulk, bulk_array, error, integer
from trio_dynomite.storage.plain import FUNCTION, PlainStore
from trio_dynomite.topology.partitioner import Partitioner

Later = Callable[[Callable[[], None]], None]


@define(eq=False)
class TinyServer:
    """One node's server, and the connection to it of the node's present life."""

    later: Later
    """Does something after a while; what was given first comes first."""
    held: dict[bytes, Any] = field(factory=dict)
    heard: list[list[bytes]] = field(factory=list)
    """All that it ran."""
    refuses: set[bytes] = field(factory=set)
    """Keys that it takes no writes of."""
    why_closed: str = ""
    has_library: bool = False
    turn: Callable[[Callable[[], None]], None] = lambda act: act()
    now_ms: Callable[[], int] = lambda: 0
    _life: int = 0

    def open_store(self, partitioner: Partitioner) -> PlainStore:
        """A life begins, with nothing."""
        self._life += 1
        self.held.clear()
        store = PlainStore(partitioner.slot)
        store.connection = self
        return store

    def send(self, data: bytes, on_reply: Callable[[Any], None]) -> None:
        """One request."""
        self.send_all(data, 1, lambda replies: on_reply(replies[0]))

    def send_all(self, data: bytes, count: int, on_replies: Callable[[Any], None]) -> None:
        """Several."""
        reader, life = hiredis.Reader(), self._life
        reader.feed(data)
        requests = [reader.gets() for _ in range(count)]
        assert not reader.has_data(), "more was sent than was said"

        def run() -> None:
            if life == self._life:
                replies = [self._answer(request) for request in requests]
                self.later(lambda: self.turn(lambda: on_replies(replies)) if life == self._life else None)

        self.later(run)

    def close(self, reason: str = "") -> None:
        """It is given up."""
        self.why_closed = reason

    def _answer(self, args: list[bytes]) -> bytes:
        self.heard.append(args)
        name, words = args[0].upper(), args[1:]
        if words and words[0] in self.refuses and name not in (b"UNLINK", b"GET"):
            return error("OOM command not allowed")
        if name == b"SET":
            self.held[words[0]] = words[1]
        elif name == b"GET":
            return bulk(self.held[words[0]]) if words[0] in self.held else b"$-1\r\n"
        elif name == b"MGET":
            return bulk_array([self.held[word] for word in words])
        elif name in (b"DEL", b"UNLINK"):
            return integer(sum(self.held.pop(word, None) is not None for word in words))
        elif name == b"INCR":
            self.held[words[0]] = b"%d" % (int(self.held.get(words[0], b"0")) + 1)
            return integer(int(self.held[words[0]]))
        elif name == b"EXISTS":
            return integer(int(words[0] in self.held))
        elif name == b"FCALL":
            return self._call(words)
        elif name == b"DBSIZE":
            return integer(len(self.held))
        elif name == b"FUNCTION":
            found, self.has_library = self.has_library, self.has_library or words[0] == b"LOAD"
            return b"+OK\r\n" if words[0] == b"LOAD" else (b"*1\r\n*0\r\n" if found else b"*0\r\n")
        elif name == b"FLUSHDB":
            self.held.clear()
        else:
            assert name == b"HELLO", f"this server knows no {name!r}"
        return b"+OK\r\n"

    def _call(self, words: list[bytes]) -> bytes:
        """What the function does; `tests/integration/test_plain.py` has the real one."""
        assert words[0] == FUNCTION
        keys, there, run = words[2 : 2 + int(words[1])], words[2 + int(words[1])], words[3 + int(words[1]) :]
        for key, was_there in zip(keys, there, strict=True):
            if was_there == ord("0"):
                self.held.pop(key, None)
        if any(was == ord("1") and key not in self.held for key, was in zip(keys, there, strict=True)):
            for key in keys:
                self.held.pop(key, None)
            return b"+COLD\r\n"
        return self._answer(run)


@define
class Queue:
    """A `later` for one node: by hand."""

    acts: deque[Callable[[], None]] = field(factory=deque)

    def __call__(self, act: Callable[[], None]) -> None:
        self.acts.append(act)

    def run(self) -> None:
        """All that waits, and what comes of it."""
        while self.acts:
            self.acts.popleft()()
