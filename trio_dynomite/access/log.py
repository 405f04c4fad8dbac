"""The log of refusals, which ACL LOG tells: newest first; what is refused again within a minute is counted.

Source: `addACLLogEntry` in Valkey's `acl.c`.
"""

from collections import Counter

from attrs import define, field

from trio_dynomite.access.denial import Reason

LENGTH_MAX = 128
"""Valkey's default `acllog-max-len`."""
_TOGETHER_MS = 60_000
_LOOKED_AT = 10


@define
class Entry:
    """Something that was refused, once or several times."""

    number: int
    reason: Reason
    context: str
    """Where the command came from: toplevel, multi or script."""
    object: bytes
    user: bytes
    created_ms: int
    """Wall-clock time of the first one."""
    updated_ms: int
    """And of the last one."""
    client: str
    """The client of the last one, as CLIENT LIST tells it."""
    count: int = 1

    def is_like(self, other: "Entry") -> bool:
        """Shall `other` be counted here?"""
        return abs(other.updated_ms - self.updated_ms) <= _TOGETHER_MS and (
            self.reason,
            self.context,
            self.object,
            self.user,
        ) == (other.reason, other.context, other.object, other.user)


@define
class AccessLog:
    """The refusals of one node."""

    entries: list[Entry] = field(factory=list)
    """Newest first."""
    counts: Counter[Reason] = field(factory=Counter)
    """Refusals since the node started, for INFO."""
    _next: int = 0

    def note(self, reason: Reason, context: str, what: bytes, user: bytes, client: str, now_ms: int) -> None:
        """Something was refused."""
        self.counts[reason] += 1
        entry = Entry(self._next, reason, context, what, user, now_ms, now_ms, client)
        for known in self.entries[:_LOOKED_AT]:
            if known.is_like(entry):
                known.count += 1
                known.updated_ms, known.client = now_ms, client
                self.entries.remove(known)
                entry = known
                break
        else:
            self._next += 1
        self.entries.insert(0, entry)
        del self.entries[LENGTH_MAX:]

    def reset(self) -> None:
        """Forget the entries."""
        self.entries.clear()
