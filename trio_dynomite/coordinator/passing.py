"""Passing: a read of a key that is not here goes to the server as it is, and its reply to the client too.

Only what has the same reply in both protocols, but for a null, and only of a client that wants no quorum. The
key is not kept here afterwards: what is asked for again soon is kept by the clients and the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define

from trio_dynomite.coordinator.batch import Waiter
from trio_dynomite.protocol.replies import error
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.servers.pipe import LOST

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller, Engine

_STRINGS = ("get", "strlen", "getrange")
_COLLECTIONS = ("llen", "lindex", "lrange", "scard", "sismember", "smismember", "zcard", "zrank", "zrevrank")
PASSABLE = frozenset((*_STRINGS, *_COLLECTIONS))
"""Commands of one key whose replies are bulk strings, integers, arrays of those, or null."""
_NULL, _NULL_OF_3 = b"$-1\r\n", b"_\r\n"


@define(eq=False)
class Passed:
    """A command that the server is to answer."""

    engine: Engine
    waiter: Waiter
    resp: int
    is_over: bool = False

    def replied(self, reply: Any) -> None:
        """The server has answered, or is lost, and this life of the node with it."""
        if self.is_over or reply is LOST:
            return
        self.is_over = True
        self.engine.in_flight -= 1
        self.waiter.done(_NULL_OF_3 if reply == _NULL and self.resp > 2 else reply)

    def expire(self) -> None:
        """The deadline has passed."""
        if not self.is_over:
            self.is_over = True
            self.engine.in_flight -= 1
            self.waiter.done(error("TIMEOUT the storage server did not answer in time"))


def pass_on(engine: Engine, store: ListedStore, args: list[bytes], caller: Caller) -> None:
    """Have the server answer."""
    passed = Passed(engine, caller.wait(), caller.resp)
    engine.in_flight += 1
    engine.watch(passed)
    store.pass_on(args, passed.replied)
