"""The driver: how records are read from one kind of server and written to it. Pure: bytes out, values in."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from attrs import frozen

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.record import COUNTS, DEADLINE, STAMP, VALUE, Record, digest, kind, newest
from trio_dynomite.errors import ProtocolError
from trio_dynomite.storage.remote.cache import Entry

Was = tuple[bytes, int, int, bool]
"""A key that was there, the newest stamp in its record, the record's digest, and whether it had no value."""
Reply = Any
"""A reply of the server as the connection gives it, or LOST."""


@frozen
class Head:
    """What is known of a key without its value: enough to compare replicas, to list keys, to begin a life."""

    digest: int
    """Of its record."""
    newest: int
    """The newest stamp in it."""
    kind: str | None
    """The type of its value; None: it has none."""
    deadline_ms: int = 0
    due_ms: int = 0
    """When the first of its fields expires."""
    has_dead: bool = False
    """There are tombstones among its elements."""
    reset: int = 0
    """What is as old of it is dead."""


def head_of(record: Record) -> Head:
    """The head of a record."""
    body = record[COUNTS]
    is_cells = isinstance(body, Cells)
    return Head(
        digest(record),
        newest(record),
        None if record[VALUE] is None else kind(record),
        record[DEADLINE],
        body.due_ms if is_cells else 0,
        is_cells and body.dead > 0,
        record[STAMP],
    )


class FullError(ProtocolError):
    """The server takes no writes at present, and answers otherwise."""

    was: Sequence[Was] = ()
    """What there was under the keys that nobody had looked at."""


class Connection(Protocol):
    """A connection that answers requests in their order."""

    def send(self, data: bytes, on_reply: Callable[[Reply], None]) -> None:
        """Send a request when the turn ends; `on_reply` is told the reply."""

    def send_all(self, data: bytes, count: int, on_replies: Callable[[Any], None]) -> None:
        """Send a request that has `count` replies, which are told together."""

    def close(self, reason: str = "") -> None:
        """End it; all that is under way is answered with LOST."""


class Driver(Protocol):
    """What a store on a server asks of the kind of server."""

    def refusal(self, key: bytes) -> str | None:
        """Why the server can have no such key."""

    def check(self, key: bytes, record: Record) -> None:
        """Raises CommandError when the server cannot keep this record."""

    def read(self, key: bytes) -> bytes:
        """The request for all that the server knows of `key`."""

    def found(self, key: bytes, reply: Reply) -> Entry:
        """What the reply tells. Raises ProtocolError when it tells nothing."""

    def flush(self) -> bytes:
        """The request that forgets everything, what `note` wrote too."""

    def done(self, reply: Reply) -> None:
        """Was a request carried out that is about no key? Raises ProtocolError if not."""


class UnlistingDriver(Driver, Protocol):
    """One for a kind of server that does not tell which keys it has; each is written by itself."""

    def write(self, key: bytes, entry: Entry, now_ms: int) -> bytes:
        """The request that makes the server's record of `key` what the entry has."""

    def wrote(self, entry: Entry, reply: Reply) -> bool:
        """Was it written? If not, the server has another record, which is to be read and joined.

        Raises ProtocolError when it could not be written at all."""


@frozen
class Outcome:
    """What came of a bundle."""

    was: list[Was]
    """What there was under the keys that nobody had looked at."""
    refused: list[bytes]
    """Keys of which the server has another version: they are to be read and joined."""
    leftovers: bytes | None = None
    """A request for what has to be tidied up behind it."""


class Room(Protocol):
    """How much a server can take yet."""

    shortage: str | None
    """Why nothing should be written that takes memory."""
    failure: str | None
    """Why nothing should be written at all."""

    def request(self, now_s: float) -> bytes | None:
        """What the server is to be asked now, if it is time."""

    def told(self, reply: Reply) -> None:
        """What it says."""

    def figures(self) -> dict[str, object]:
        """For INFO."""


class Bundle(Protocol):
    """What leaves in one request."""

    @property
    def grown(self) -> int:
        """By so many bytes have those grown that were known."""

    @property
    def is_full(self) -> bool:
        """Should what follows go with another?"""

    def add(self, key: bytes, entry: Entry) -> None:
        """Take a key along."""

    def request(self) -> tuple[bytes, int]:
        """The request that makes the server's records what the entries have, and how many replies it has."""

    def done(self, replies: Any) -> Outcome:
        """It was carried out. Raises ProtocolError when it could not be, FullError when it may be later."""


class ListingDriver(Driver, Protocol):
    """One for a kind of server that tells which keys it has."""

    def heads(self, slot: int) -> bytes:
        """The request for the heads of all keys of a slot."""

    def listed(self, reply: Reply) -> dict[bytes, Head]:
        """What the reply tells. Raises ProtocolError."""

    def bundle(self) -> "Bundle":
        """Room for keys that leave in one request."""

    def command(self, args: list[bytes]) -> bytes:
        """The request that a client made, as it is."""

    def wipe(self, slot: int) -> bytes:
        """The request that forgets all keys of a slot."""

    def note(self, name: bytes, value: bytes) -> bytes:
        """The request that keeps a value beside all keys, under a name: floors and cutoffs."""

    def notes(self) -> bytes:
        """The request for all that `note` kept."""

    def noted(self, reply: Reply) -> dict[bytes, bytes]:
        """What the reply tells. Raises ProtocolError."""
