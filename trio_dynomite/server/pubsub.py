"""Publish and subscribe: who on this node listens to which channel, and how a message gets to them.

A message reaches the subscribers of every node: the node that is asked to PUBLISH gives it to its own and
tells the peers. It is encoded once per protocol and once per channel or pattern, and costs each subscriber
one call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.commands.patterns import compile_glob
from trio_dynomite.protocol.replies import bulk
from trio_dynomite.server.modes import SUBSCRIBED
from trio_dynomite.server.names import weight

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.server.session import Session

PUBLISH = b"publish"
SPUBLISH = b"spublish"
PUBSUB = b"pubsub"
"""What peers tell and ask each other."""

Listeners = dict["Session", None]


@define(eq=False)
class Subscriptions:
    """What one session listens to, in the order in which it asked."""

    channels: dict[bytes, None] = field(factory=dict)
    patterns: dict[bytes, None] = field(factory=dict)
    shards: dict[bytes, None] = field(factory=dict)
    """Channels of SSUBSCRIBE."""
    weight: int = 0
    """About the bytes of all these names."""

    @property
    def count(self) -> int:
        """Channels and patterns, as SUBSCRIBE and its kind count them."""
        return len(self.channels) + len(self.patterns)

    def __bool__(self) -> bool:
        return bool(self.channels or self.patterns or self.shards)


NONE = Subscriptions()
"""Of a session that never subscribed; never changed."""


@define(eq=False)
class PubSub:
    """The subscriptions of one node's sessions."""

    channels: dict[bytes, Listeners] = field(factory=dict)
    patterns: dict[bytes, Listeners] = field(factory=dict)
    shards: dict[bytes, Listeners] = field(factory=dict)
    _globs: dict[bytes, re.Pattern[bytes]] = field(factory=dict)
    """Of every pattern, what it matches."""

    def listen(self, engine: Engine) -> None:
        """Answer what peers tell and ask."""
        engine.broadcasts.listeners[PUBLISH] = lambda values: self.publish(*values)
        engine.broadcasts.listeners[SPUBLISH] = lambda values: self.publish_to_shard(*values)
        engine.broadcasts.listeners[PUBSUB] = lambda values: self.ask(*values)

    # Subscribing

    def subscribe(self, session: Session, channel: bytes) -> int:
        """`session` listens to `channel`; the number of its subscriptions now."""
        own = _subscriptions(session)
        _enter(self.channels, channel, session, own.channels)
        return own.count

    def subscribe_pattern(self, session: Session, pattern: bytes) -> int:
        """`session` listens to the channels that the glob `pattern` matches."""
        own = _subscriptions(session)
        _enter(self.patterns, pattern, session, own.patterns)
        self._globs[pattern] = compile_glob(pattern)
        return own.count

    def subscribe_shard(self, session: Session, channel: bytes) -> int:
        """`session` listens to the shard channel `channel`."""
        own = _subscriptions(session)
        _enter(self.shards, channel, session, own.shards)
        return len(own.shards)

    def unsubscribe(self, session: Session, channel: bytes) -> int:
        """`session` does not listen to `channel` any more; the number of its subscriptions now."""
        own = session.subscriptions
        _leave(self.channels, channel, session, own.channels)
        return own.count

    def unsubscribe_pattern(self, session: Session, pattern: bytes) -> int:
        """Likewise for a pattern."""
        own = session.subscriptions
        if _leave(self.patterns, pattern, session, own.patterns):
            del self._globs[pattern]
        return own.count

    def unsubscribe_shard(self, session: Session, channel: bytes) -> int:
        """Likewise for a shard channel."""
        own = session.subscriptions
        _leave(self.shards, channel, session, own.shards)
        return len(own.shards)

    def forget(self, session: Session) -> None:
        """`session` has ended, or RESET: it listens to nothing."""
        own = session.subscriptions
        for channel in list(own.channels):
            self.unsubscribe(session, channel)
        for pattern in list(own.patterns):
            self.unsubscribe_pattern(session, pattern)
        for channel in list(own.shards):
            self.unsubscribe_shard(session, channel)

    # Publishing

    def publish(self, channel: bytes, message: bytes) -> int:
        """Give a message to this node's subscribers of `channel`; how many there were."""
        receivers = 0
        if (listeners := self.channels.get(channel)) is not None:
            receivers = _send(listeners, (b"message", channel, message))
        for pattern, glob in self._globs.items():
            if glob.fullmatch(channel) is not None:
                receivers += _send(self.patterns[pattern], (b"pmessage", pattern, channel, message))
        return receivers

    def publish_to_shard(self, channel: bytes, message: bytes) -> int:
        """Give a message to this node's subscribers of a shard channel."""
        listeners = self.shards.get(channel)
        return 0 if listeners is None else _send(listeners, (b"smessage", channel, message))

    # Asking

    def ask(self, what: bytes, *names: bytes) -> list[Any]:
        """This node's part of what PUBSUB asks: names of channels or patterns, or counts by `names`."""
        match what:
            case b"channels":
                return _matching(self.channels, *names)
            case b"shardchannels":
                return _matching(self.shards, *names)
            case b"numsub":
                return [len(self.channels.get(name, ())) for name in names]
            case b"shardnumsub":
                return [len(self.shards.get(name, ())) for name in names]
        return list(self.patterns)


def push_message(parts: Iterable[bytes | int | None], resp: int) -> bytes:
    """A message to a subscriber: a push in RESP3, an array in RESP2."""
    encoded = [_encoded(part, resp) for part in parts]
    return b"%b%d\r\n%b" % (b">" if resp == 3 else b"*", len(encoded), b"".join(encoded))


def _encoded(part: bytes | int | None, resp: int) -> bytes:
    if part is None:
        return b"_\r\n" if resp == 3 else b"$-1\r\n"
    return bulk(part) if isinstance(part, bytes) else b":%d\r\n" % part


def _send(listeners: Listeners, parts: tuple[bytes, ...]) -> int:
    encoded: dict[int, bytes] = {}
    receivers = len(listeners)
    # A copy: one who reads too slowly is closed meanwhile, and leaves the list.
    for session in list(listeners):
        resp = session.resp
        data = encoded.get(resp)
        if data is None:
            data = encoded[resp] = push_message(parts, resp)
        session.push(data)
    return receivers


def _matching(names: Iterable[bytes], pattern: bytes = b"*") -> list[bytes]:
    glob = compile_glob(pattern)
    return [name for name in names if glob.fullmatch(name) is not None]


def _subscriptions(session: Session) -> Subscriptions:
    if session.subscriptions is NONE:
        session.subscriptions = Subscriptions()
    session.modes |= SUBSCRIBED
    return session.subscriptions


def _enter(table: dict[bytes, Listeners], name: bytes, session: Session, own: dict[bytes, None]) -> None:
    if name not in own:
        session.subscriptions.weight += weight([name])
    own[name] = None
    table.setdefault(name, {})[session] = None


def _leave(table: dict[bytes, Listeners], name: bytes, session: Session, own: dict[bytes, None]) -> bool:
    """Take `session` off; was it the last one there?"""
    if name not in own:
        return False
    del own[name]
    session.subscriptions.weight -= weight([name])
    if not session.subscriptions:
        session.modes &= ~SUBSCRIBED
    listeners = table[name]
    del listeners[session]
    if listeners:
        return False
    del table[name]
    return True
