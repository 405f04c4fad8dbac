"""A simulated folder for a log of hints: files in memory, which outlive a node's process."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field


@define(eq=False)
class SimFolder:
    """`handoff.log.Folder` without a disk."""

    files: dict[str, bytes] = field(factory=dict)
    deleted: dict[str, bytes] = field(factory=dict)
    """What was in files when they were deleted."""

    def names(self) -> list[str]:
        """All there are."""
        return list(self.files)

    def read(self, name: str) -> bytes:
        """What is in one."""
        return self.files[name]

    def append(self, name: str, data: bytes) -> None:
        """Write at the end of one."""
        self.files[name] = self.files.get(name, b"") + data

    def write(self, name: str, parts: Iterable[bytes]) -> int:
        """Make a file of these parts; its size."""
        self.files[name] = data = b"".join(parts)
        return len(data)

    def sync(self, name: str) -> None:
        """Nothing is lost here that was written."""

    def delete(self, name: str) -> None:
        """Delete one that may be there."""
        data = self.files.pop(name, None)
        if data is not None:
            self.deleted[name] = data

    def release(self) -> None:
        """Nothing is held open."""
