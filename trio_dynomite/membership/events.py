"""What gossip reports to the rest of the node."""

import enum

from attrs import frozen

from trio_dynomite.membership.member import Member


class Happening(enum.Enum):
    """What became of a member."""

    JOINED = "joined"
    CHANGED = "changed"
    """It announces something else of itself: an address, its state."""
    SUSPECTED = "suspected"
    CLEARED = "cleared"
    """It contradicted a suspicion."""
    DIED = "died"
    LEFT = "left"
    RETURNED = "returned"
    """From the dead, or after it had left."""
    CONFLICT = "conflict"
    """Another node claims the name of one that lives, at `detail`, and is ignored."""
    REFUSED = "refused"
    """Of this node: a living one has its name, at `detail`, so this one gossips no more."""


@frozen
class Event:
    """One happening; `member` is what is known afterwards."""

    happening: Happening
    member: Member
    detail: str = ""
