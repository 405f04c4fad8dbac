"""SUBSCRIBE and its kind, PUBLISH, PUBSUB: over the whole cluster, whichever node is asked.

Source: https://valkey.io/topics/pubsub, `pubsub.c`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from trio_dynomite.commands.refusals import quoted
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import array, bulk, bulk_array, integer
from trio_dynomite.server.answers.answer import Answer, help_answer
from trio_dynomite.server.later import ask_everybody
from trio_dynomite.server.names import refuse_too_many
from trio_dynomite.server.pubsub import PUBLISH, PUBSUB, SPUBLISH, PubSub, push_message

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_HELP = (
    "CHANNELS [<pattern>]",
    "    Return the currently active channels matching a <pattern> (default: '*').",
    "NUMPAT",
    "    Return number of subscriptions to patterns.",
    "NUMSUB [<channel> ...]",
    "    Return the number of subscribers for the specified channels, excluding",
    "    pattern subscriptions(default: no channels).",
    "SHARDCHANNELS [<pattern>]",
    "    Return the currently active shard level channels matching a <pattern> (default: '*').",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Return the number of subscribers for the specified shard level channel(s)",
)

Change = Callable[[PubSub, "Session", bytes], int]
"""Subscribes or unsubscribes a session, and gives the number of its subscriptions."""


def _subscribing(word: bytes, change: Change, own: Callable[[Session], dict[bytes, None]]) -> Answer:
    def answer(session: Session, args: list[bytes]) -> bytes:
        refuse_too_many(session, dict.fromkeys(args[1:]).keys() - own(session).keys())
        return _changes(session, word, change, args[1:])

    return answer


def _own_channels(session: Session) -> dict[bytes, None]:
    return session.subscriptions.channels


def _own_patterns(session: Session) -> dict[bytes, None]:
    return session.subscriptions.patterns


def _own_shards(session: Session) -> dict[bytes, None]:
    return session.subscriptions.shards


def _unsubscribing(word: bytes, change: Change, own: Callable[[Session], dict[bytes, None]]) -> Answer:
    """Without names: from all, and at least one reply."""

    def answer(session: Session, args: list[bytes]) -> bytes:
        names = args[1:] or list(own(session))
        if names:
            return _changes(session, word, change, names)
        left = session.subscriptions.count if word != b"sunsubscribe" else 0
        return push_message((word, None, left), session.resp)

    return answer


def _changes(session: Session, word: bytes, change: Change, names: Iterable[bytes]) -> bytes:
    pubsub = session.server.pubsub
    told = [push_message((word, name, change(pubsub, session, name)), session.resp) for name in names]
    return b"".join(told)


def publish(session: Session, args: list[bytes]) -> bytes | None:
    """PUBLISH channel message: how many subscribers got it, on all nodes that are up."""
    receivers = session.server.pubsub.publish(args[1], args[2])
    return ask_everybody(session, PUBLISH, args[1:], lambda others: integer(receivers + sum(others)))


def spublish(session: Session, args: list[bytes]) -> bytes | None:
    """SPUBLISH shardchannel message, likewise."""
    receivers = session.server.pubsub.publish_to_shard(args[1], args[2])
    return ask_everybody(session, SPUBLISH, args[1:], lambda others: integer(receivers + sum(others)))


def _ask(session: Session, question: list[bytes], finish: Callable[[list[list[Any]]], bytes]) -> bytes | None:
    ours = session.server.pubsub.ask(*question)
    return ask_everybody(session, PUBSUB, question, lambda others: finish([ours, *others]))


def _names(session: Session, args: list[bytes]) -> bytes | None:
    """PUBSUB CHANNELS and SHARDCHANNELS [pattern]: every channel that somebody listens to."""
    if len(args) > 3:
        raise CommandError(
            f"ERR unknown subcommand or wrong number of arguments for '{quoted(args[1])}'. Try PUBSUB HELP."
        )
    return _ask(session, [args[1].lower(), *args[2:]], lambda lists: bulk_array(_union(lists)))


def _counts(session: Session, args: list[bytes]) -> bytes | None:
    """PUBSUB NUMSUB and SHARDNUMSUB [channel…]: each channel and its number of subscribers."""

    def finish(lists: list[list[int]]) -> bytes:
        totals = [integer(sum(counts)) for counts in zip(*lists, strict=True)]
        pairs = zip(map(bulk, args[2:]), totals, strict=True)
        return array([part for pair in pairs for part in pair])

    return _ask(session, [args[1].lower(), *args[2:]], finish)


def _patterns(session: Session, args: list[bytes]) -> bytes | None:
    """PUBSUB NUMPAT: how many different patterns somebody listens to."""
    return _ask(session, [b"patterns"], lambda lists: integer(len(_union(lists))))


def _union(lists: list[list[bytes]]) -> list[bytes]:
    return list(dict.fromkeys([name for names in lists for name in names]))


ANSWERS: Mapping[str, Answer] = {
    "subscribe": _subscribing(b"subscribe", PubSub.subscribe, _own_channels),
    "psubscribe": _subscribing(b"psubscribe", PubSub.subscribe_pattern, _own_patterns),
    "ssubscribe": _subscribing(b"ssubscribe", PubSub.subscribe_shard, _own_shards),
    "unsubscribe": _unsubscribing(b"unsubscribe", PubSub.unsubscribe, _own_channels),
    "punsubscribe": _unsubscribing(b"punsubscribe", PubSub.unsubscribe_pattern, _own_patterns),
    "sunsubscribe": _unsubscribing(b"sunsubscribe", PubSub.unsubscribe_shard, _own_shards),
    "publish": publish,
    "spublish": spublish,
    "pubsub|channels": _names,
    "pubsub|help": help_answer("PUBSUB", _HELP),
    "pubsub|numpat": _patterns,
    "pubsub|numsub": _counts,
    "pubsub|shardchannels": _names,
    "pubsub|shardnumsub": _counts,
}
