"""A server in the test's hand: it keeps what is written, and answers when it is told to."""

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from attrs import define, field

from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.servers.pipe import LOST
from trio_dynomite.testing.network import Timeline
from trio_dynomite.testing.server import SimListingDriver, SimServer
from trio_dynomite.topology.partitioner import redis_slot

NOW_MS = 1_700_000_000_000


@define(eq=False)
class Server:
    """The connection too."""

    held: SimServer
    asked: deque[tuple[bytes, Callable[[Any], None]]] = field(factory=deque)
    closed: list[str] = field(factory=list)

    def send(self, data: bytes, on_reply: Callable[[Any], None]) -> None:
        self.asked.append((data, on_reply))

    def send_all(self, data: bytes, count: int, on_replies: Callable[[Any], None]) -> None:
        assert count == 1
        self.send(data, lambda reply: on_replies(reply if reply is LOST else [reply]))

    def close(self, reason: str = "") -> None:
        self.closed.append(reason)

    def answer(self, count: int = 1 << 30) -> int:
        """Answer what was asked, at most `count`; how many that were."""
        answered = 0
        while self.asked and answered < count:
            data, on_reply = self.asked.popleft()
            on_reply(self.held._answer(data))
            answered += 1
        return answered

    def lose(self) -> None:
        """The connection ends."""
        while self.asked:
            self.asked.popleft()[1](LOST)


def connected(server: SimServer | None = None, cache_bytes: int = 1 << 20) -> tuple[ListedStore, Server]:
    """A store that has begun, and its server."""
    held = server or SimServer(Timeline(random.Random(1)), random.Random(1))
    held.now_ms, held._slot_of = lambda: NOW_MS, redis_slot
    connection = Server(held)
    store = ListedStore(
        redis_slot, driver=SimListingDriver(redis_slot), cache_bytes=cache_bytes, now_ms=lambda: NOW_MS
    )
    store.connection = connection
    begun: list[bool] = []
    store.begin(lambda: begun.append(True))
    while connection.answer():
        pass
    assert begun == [True]
    return store, connection
