"""CLUSTER REPAIR: have replicas compared at once, and see how far that is.

Anti-entropy does the same by itself, one peer every few seconds; this is for who wants to be sure now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import quoted
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import bulk, integer, mapping
from trio_dynomite.repair.anti_entropy import REPAIR, AntiEntropy
from trio_dynomite.server.later import ask_everybody
from trio_dynomite.topology.partitioner import SLOT_COUNT

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session


def repair(session: Session, args: list[bytes]) -> bytes | None:
    """CLUSTER REPAIR NOW [first-slot last-slot] | STATUS.

    NOW tells every node that can be reached, and replies with the number of pairs that will be compared."""
    what = args[2].upper()
    if what == b"STATUS" and len(args) == 3:
        return mapping([(bulk(name), value) for name, value in _status(session)], session.resp)
    if what != b"NOW" or len(args) not in (3, 5):
        shown = quoted(args[2])
        raise CommandError(
            f"ERR CLUSTER REPAIR NOW [first-slot last-slot], or STATUS, not {shown} with {len(args) - 3} more"
        )
    slots = [integer_argument(arg) for arg in args[3:]]
    if slots and not 0 <= slots[0] <= slots[1] < SLOT_COUNT:
        raise CommandError(f"ERR Invalid slots: 0 <= first <= last <= {SLOT_COUNT - 1}")
    own = session.server.engine.repair.repair(range(slots[0], slots[1] + 1) if slots else None)
    return ask_everybody(session, REPAIR, slots, lambda counts: integer(own + sum(counts)))


def _status(session: Session) -> list[tuple[bytes, bytes]]:
    """What this node is about."""
    whole: AntiEntropy = session.server.engine.repair
    now = whole.comparison
    return [
        (b"comparing-with", bulk(b"" if now is None else now.peer.name.encode())),
        (b"slots-left", integer(0 if now is None else now.slots_left)),
        (b"records-moved", integer(0 if now is None else now.records)),
        (b"peers-waiting", integer(len(whole.urgent))),
        (b"comparisons", integer(whole.compared)),
        (b"records-moved-in-all", integer(whole.repaired)),
        (b"digests-drifted", integer(whole.drifted)),
        (b"tombstone-rounds", integer(whole.collection.rounds)),
        (b"tombstones-collected", integer(whole.collection.collected)),
    ]
