"""Rumours: what this node has to tell, one a member, the least-told first.

A rumour is told to a few and then dropped; those who heard it tell it on. What is newer of a member takes the
place of what was to be told of it, so there are never more rumours than members.
"""

from attrs import define, field, frozen

_FRAME_BYTES = 12
"""The lengths of the two lists of rumours in a datagram, and a little room."""
_LOOK_AT_MAX = 64
"""Rumours that are tried for one datagram before it is full enough."""


@frozen
class Rumour:
    """One piece of news, encoded."""

    data: bytes
    is_member: bool
    """A whole member, or else only its status."""


@define
class Rumours:
    """What is still to be told."""

    ordinary_max: int
    """Bytes of the longest rumour that has to share a datagram; one that is longer makes it longer, alone."""
    _levels: list[dict[str, Rumour]] = field(factory=list)
    """By how often it was told: member → rumour, the oldest first."""
    _level: dict[str, int] = field(factory=dict)

    def __len__(self) -> int:
        return len(self._level)

    def __contains__(self, name: str) -> bool:
        return name in self._level

    def put(self, name: str, rumour: Rumour) -> None:
        """There is news of member `name`."""
        self.drop(name)
        self._place(name, rumour, 0)

    def drop(self, name: str) -> None:
        """Nothing of it is worth telling any more."""
        level = self._level.pop(name, None)
        if level is not None:
            del self._levels[level][name]

    def take(self, room: int, tells_max: int, to: str = "") -> list[Rumour]:
        """Rumours for a datagram to `to` with `room` bytes left; each that is told often enough is dropped.

        Nobody needs to hear what it says of itself."""
        room -= _FRAME_BYTES
        taken = self._choose(room, to)
        for name, _ in taken:
            level = self._level.pop(name)
            rumour = self._levels[level].pop(name)
            if level + 1 < tells_max:
                self._place(name, rumour, level + 1)
        return [rumour for _, rumour in taken]

    def _choose(self, room: int, to: str) -> list[tuple[str, Rumour]]:
        taken: list[tuple[str, Rumour]] = []
        looked_at = 0
        for level in self._levels:
            for name, rumour in level.items():
                looked_at += 1
                size = len(rumour.data)
                if name != to and (size <= room or (size > self.ordinary_max and not taken)):
                    room -= size
                    taken.append((name, rumour))
                if looked_at >= _LOOK_AT_MAX:
                    return taken
        return taken

    def _place(self, name: str, rumour: Rumour, level: int) -> None:
        while len(self._levels) <= level:
            self._levels.append({})
        self._levels[level][name] = rumour
        self._level[name] = level
