"""How many of a stream's entries a group has read, and how many it has not: Redis's counters.

A group counts what it reads. Where it began in the middle, or where entries in between were deleted, the
count is not known, and is found again only at places where it follows from the stream's own counters.
"""

from collections.abc import Iterable

from trio_dynomite.data.stream import StreamBody
from trio_dynomite.data.stream_groups import Group


def _is_broken_after(body: StreamBody, entry_id: int) -> bool:
    """Was an entry deleted by its name at `entry_id` or later?"""
    return bool(body.max_deleted_id) and entry_id <= body.max_deleted_id and len(body) > 0


def position(body: StreamBody, entry_id: int) -> int | None:
    """How many entries were ever added up to `entry_id`, or None where that is not known."""
    if not body.added:
        return 0
    if not len(body) and entry_id <= body.last_id:
        return body.added
    if entry_id and entry_id < body.max_deleted_id:
        return None
    if entry_id == body.last_id:
        return body.added
    first_id = body.first_id
    if entry_id > min(body.last_id, first_id) or (body.max_deleted_id and body.max_deleted_id >= first_id):
        return None
    return body.added - len(body) + (entry_id == first_id)


def read_after(body: StreamBody, group: Group, ids: Iterable[int]) -> int | None:
    """The group's counter after it has read these entries, which follow one another."""
    count, last_id, first_id = group.entries_read, group.last_id, body.first_id
    for entry_id in ids:
        if count is not None and last_id >= first_id and not _is_broken_after(body, last_id):
            count += 1
        elif body.added:
            count = position(body, entry_id)
        last_id = entry_id
    return count


def lag(body: StreamBody, group: Group) -> int | None:
    """How many entries the group has still to read; None where that is not known."""
    if not body.added:
        return 0
    count = group.entries_read
    if count is None or _is_broken_after(body, group.last_id):
        count = position(body, group.last_id)
    return None if count is None else body.added - count
