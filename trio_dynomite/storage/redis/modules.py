"""What is said to a server about modules: which commands it has, and how one of them is run.

A command that writes runs between two functions of the library, in one MULTI: the first sees that the server
has what it is thought to have, and notes what that is; the second tells what became of it. The reply of the
command itself stays as the bytes that came, in the protocol of the client that asked: the connection speaks
that for as long as it takes (HELLO).
"""

from collections.abc import Callable, Sequence
from typing import Any

import hiredis
from attrs import frozen

from trio_dynomite.commands.module_rows import rows_of
from trio_dynomite.commands.row import Row
from trio_dynomite.data.record import COUNTS, Record
from trio_dynomite.data.stamp import STAMP_BYTES
from trio_dynomite.errors import ProtocolError
from trio_dynomite.protocol.resp_replies import ReplyScanner
from trio_dynomite.storage.redis.layout import cells_at, groups_at, heads_at
from trio_dynomite.storage.redis.library import NAME
from trio_dynomite.storage.redis.shelf import adopt
from trio_dynomite.storage.redis.writes import Held
from trio_dynomite.storage.remote.cache import Entry
from trio_dynomite.storage.servers.handshake import Step, failed, packed

_BEFORE, _AFTER, _BESIDE = NAME + b"_before", NAME + b"_after", NAME + b"_beside"
_SO = b":1\r\n"
_MULTI, _EXEC = packed("MULTI"), packed("EXEC")
OTHER_PROTOCOL = (packed("HELLO", "3"), packed("HELLO", "2"))
"""Speak RESP3, and RESP2 again."""


def commands_step(on_known: Callable[[list[Row]], None]) -> Step:
    """Ask which commands of modules there are. A server that does not say so has none."""

    def told(reply: bytes) -> str:
        on_known([] if failed(reply) else rows_of(value_in(reply)))
        return ""

    return Step(packed("COMMAND"), told)


@frozen
class Place:
    """A key of a command, and what the server is thought to have there."""

    key: bytes
    slot: int
    head: bytes
    is_live: bool

    @property
    def keys(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Those of the functions."""
        return self.key, heads_at(self.slot), cells_at(self.key), groups_at(self.key)


@frozen
class Became:
    """What a command has left at a key."""

    type: str
    """"none" where nothing is."""
    deadline_ms: int
    payload: bytes
    """What DUMP gives of it; nothing where it gives nothing."""
    head: bytes
    """As the server has it now; of a type of the cluster's own there is none."""


@frozen
class Outcome:
    """What the server answered to one command that was run between the two functions."""

    reply: bytes
    was_as_thought: bool = True
    """Had the server what it was thought to have? If not, the reply is worth nothing."""
    became: Sequence[Became | None] = ()
    """Of each key, None where nothing has changed."""


def requests(args: list[bytes], places: Sequence[Place], stamp: int) -> list[bytes]:
    """The requests that run a command; the last one's reply is for `outcome_in`."""
    told = stamp.to_bytes(STAMP_BYTES)
    before = [packed("FCALL", _BEFORE, 4, *at.keys, at.head, int(at.is_live)) for at in places]
    after = [packed("FCALL", _AFTER, 4, *at.keys, told) for at in places]
    return [_MULTI, *before, packed(*args), *after, _EXEC]


def undisturbed(args: list[bytes]) -> list[bytes]:
    """The requests that run a command which could otherwise make the whole connection wait for it."""
    return [_MULTI, packed(*args), _EXEC]


def beside(place: Place) -> bytes:
    """Ask whether what is there stands beside the key, where the module does not see it."""
    return packed("FCALL_RO", _BESIDE, 4, *place.keys)


def outcome_in(reply: bytes, errors: Sequence[bytes], count: int) -> Outcome:
    """What EXEC replied to a command with so many keys; `errors`: what was refused before.

    Raises ProtocolError when nobody knows what has become of them."""
    if failed(reply):
        return Outcome(errors[0] if errors else reply)
    replies = replies_in(reply)
    was_as_thought = all(one == _SO for one in replies[:count])
    return Outcome(replies[count], was_as_thought, [_became(one) for one in replies[count + 1 :]])


def told(key: bytes, entry: Entry, record: Record | None, head: bytes) -> None:
    """The server has this record of `key`, whose body the entry's has too; None: what it has is to be
    replaced, whatever it is."""
    entry.token, entry.held = head, None
    if record is not None:
        adopt(key, record[COUNTS])
        entry.held = Held(record, head, True)


def replies_in(reply: bytes) -> list[bytes]:
    """The elements of an array, as bytes."""
    return ReplyScanner().feed(reply[reply.index(b"\n") + 1 :])


def _became(reply: bytes) -> Became | None:
    if error := failed(reply):
        raise ProtocolError(f"the server cannot tell what a module has done: {error}")
    told = value_in(reply)
    if not told:
        return None
    type_, deadline, payload, head = told
    return Became(type_.decode(), max(0, int(deadline)), payload, head)


def value_in(reply: bytes) -> Any:
    """The value in a reply."""
    reader = hiredis.Reader()
    reader.feed(reply)
    return reader.gets()
