"""What a row of the command table is, and what a command may do to the keys it names.

The table is data: a row tells the name, the arity, the flags, where the keys stand among the
arguments and how the command spreads over the cluster. A command itself is a plain function
`(keyspace, args) -> encoded reply`; it runs on ONE node and sees only the keys of its arguments.
"""

import enum
from collections.abc import Callable
from typing import Any, Protocol

from attrs import define, field

from trio_dynomite.commands.record import Chance, Hash, Item, List, Set, SortedSet, Stream


class Spread(enum.Enum):
    """How a command reaches the nodes that hold what it asks for."""

    KEY = "key"  # all keys in one slot; one node runs it
    SUM = "sum"  # split by owner, integer replies added: DEL EXISTS UNLINK TOUCH
    GATHER = "gather"  # split by owner, array elements put back in request order: MGET
    SCATTER = "scatter"  # split by owner, every part must say OK: MSET
    KEYSPACE = "keyspace"  # walks every slot of the cluster: KEYS SCAN DBSIZE RANDOMKEY FLUSHALL
    SESSION = "session"  # about the connection or the node that got it; needs no keys


class Gather(enum.Enum):
    """Which keys of a KEY command may live elsewhere: those it only reads are brought to where it runs."""

    NO = "no"  # all keys live where the command runs, or it is refused with CROSSSLOT
    READS = "reads"  # it writes none: SINTER, PFCOUNT
    ALL_BUT_FIRST = "all but first"  # it writes the first of its keys: SINTERSTORE, BITOP
    ALL_BUT_LAST = "all but last"  # it writes the last of its keys: SORT … STORE


BLOCKED = b""
"""What the handler of a blocking command answers when there is nothing to take and `may_block`."""


class Keyspace(Protocol):
    """The keys of one node, as commands see them. Expired keys are absent everywhere.

    Every change is stamped, applied here and recorded as an effect for the other replicas,
    in the order in which it was made. Methods that read a value raise
    `CommandError("WRONGTYPE …")` when the key holds another type.
    """

    @property
    def now_ms(self) -> int:
        """Wall-clock milliseconds; the same during a whole command."""

    resp: int
    """The protocol of the client that asked: 2 or 3."""

    rng: Chance
    """Where random choices come from."""

    may_block: bool
    """May a blocking command answer BLOCKED? Inside transactions and scripts it answers its null instead."""

    scripts: Any
    """The node's script host."""

    wants_events: bool
    """Does anybody listen to key-space notifications? Ask before `event`, which costs a call."""

    def event(self, name: str, key: bytes) -> None:
        """Tell the listeners that `name` ("hset", "del"…; Redis's words) happened to `key`."""

    def hash_at(self, key: bytes) -> Hash:
        """The hash at `key`; of an absent key an empty one, which the first write makes."""

    def set_at(self, key: bytes) -> Set:
        """The set at `key`, likewise."""

    def sorted_set_at(self, key: bytes) -> SortedSet:
        """The sorted set at `key`, likewise."""

    def list_at(self, key: bytes) -> List:
        """The list at `key`, likewise."""

    def stream_at(self, key: bytes) -> Stream:
        """The stream at `key`, likewise."""

    def get(self, key: bytes) -> bytes | None:
        """The string at `key`, or None when there is none."""

    def kind(self, key: bytes) -> str | None:
        """The type of `key` ("string", …) as TYPE names it, or None when it is absent."""

    def deadline(self, key: bytes) -> int:
        """When `key` expires, in Unix milliseconds; 0 when it never does or is absent."""

    def idle_s(self, key: bytes) -> int:
        """Seconds since `key` was last written, touched, or (while that is tracked) read; 0 when absent."""

    def frequency(self, key: bytes) -> int | None:
        """How often the existing `key` is used, as Redis counts it; None when that is not tracked."""

    def put(self, key: bytes, value: bytes, deadline_ms: int = 0) -> None:
        """Make `key` the string `value`, whatever it was, expiring at `deadline_ms` (0: never).

        A deadline that has passed makes the key absent at once."""

    def item(self, key: bytes) -> Item | None:
        """The string at `key` with what stands beside it, or None when there is none."""

    def fetched(self, key: bytes, number: int) -> None:
        """The item at `key` was read in the version `number`, or was absent (0); only this node knows."""

    def was_fetched(self, key: bytes, number: int) -> bool:
        """Was it read in that version before?"""

    def put_item(self, key: bytes, value: bytes, deadline_ms: int, number: int) -> None:
        """As `put`, with marks: bits that stand beside the value until `key` is put again."""

    def mark(self, key: bytes, number: int) -> None:
        """Change the marks of the existing string at `key`. All that change those of one value must change
        them alike."""

    def opaque(self, key: bytes) -> bytes | None:
        """The payload at `key` if it is of a type that only a module of a storage server knows, or None."""

    def put_opaque(self, key: bytes, type_: str, payload: bytes, deadline_ms: int) -> None:
        """Make `key` a value of such a type, whatever it was."""

    def patch(self, key: bytes, value: bytes, *op: bytes | int) -> None:
        """The existing string at `key` becomes `value`; its deadline and marks stay.

        `op` is the deterministic, cheap-to-send description of the change, one of
        `(b"append", suffix)` or `(b"setrange", offset, piece)`; replicas repeat it."""

    def count(self, key: bytes, delta: int) -> int:
        """Add `delta` to the integer at `key` (absent: 0), keeping deadline and marks; the new value.

        Raises CommandError when the string is no 64-bit integer or the sum would overflow."""

    def expire(self, key: bytes, deadline_ms: int) -> None:
        """The existing `key` expires at `deadline_ms`; 0: never. A passed deadline deletes it."""

    def delete(self, key: bytes) -> bool:
        """Delete `key`; was it there?"""

    def touch(self, key: bytes) -> bool:
        """Make `key` fresh for `idle_s`; is it there?"""

    def copy(self, source: bytes, target: bytes) -> None:
        """`target` becomes what the existing `source` is, deadline included, whatever its type."""


Handler = Callable[[Keyspace, list[bytes]], bytes]
"""Runs a command: (keyspace, arguments with the name first) → encoded reply. May raise CommandError."""


@define(kw_only=True)
class Row:
    """One command of the table (https://redis.io/docs/latest/commands/command/)."""

    name: str
    """Lower case; of a subcommand `parent|child`."""
    arity: int
    """Number of arguments with the name; -n: n or more."""
    flags: frozenset[str] = field(converter=frozenset)
    """Redis's flags: write, readonly, denyoom, fast, admin, loading, stale, noscript…"""
    first: int = 0
    """Index of the first key among the arguments; 0: no keys."""
    last: int = 0
    """Index of the last key; negative counts from the end."""
    step: int = 1
    """Distance between keys."""
    spread: Spread = Spread.KEY
    handler: Handler | None = None
    """None for SESSION and KEYSPACE rows: the server and the coordinator answer those."""
    categories: tuple[str, ...] = ()
    """ACL categories without the @."""
    keys_of: Callable[[list[bytes]], list[bytes]] | None = None
    """Finds the keys where their places depend on the arguments (EVAL, XREAD, ZUNION…), in the order of
    COMMAND GETKEYS. It answers what there is, and raises nothing: the handler refuses bad arguments."""
    gather: Gather = Gather.NO
    leads_to: Callable[[Keyspace, list[bytes]], list[bytes]] | None = None
    """Finds further keys that are read, of which only the values at the others tell (SORT's weights), when
    these have been gathered. As `keys_of` it raises nothing."""
    blocking: Callable[[list[bytes]], float] | None = None
    """Of a blocking command: the timeout in its arguments, in seconds; 0: for ever. Raises CommandError."""
    write: bool = field(init=False)
    fixed_arity: int = field(init=False)
    """The arity when it is exact, else 0: comparisons instead of a call on the hot path."""
    least_arity: int = field(init=False)
    """The fewest arguments when there may be more, else out of reach."""
    is_module: bool = field(init=False)
    """It is a module's of the storage server, which runs it."""
    is_plain: bool = field(init=False)
    """One key in its place and no other: nothing to check before it is routed."""

    def __attrs_post_init__(self) -> None:
        self.write = "write" in self.flags
        self.is_module = "module" in self.flags
        self.fixed_arity = max(self.arity, 0)
        self.least_arity = -self.arity if self.arity < 0 else 1 << 30
        one_key = self.spread is Spread.KEY and self.first == self.last > 0
        self.is_plain = one_key and not (self.keys_of or self.blocking or self.leads_to or self.is_module)

    def takes(self, count: int) -> bool:
        """Is `count` arguments, name included, an acceptable number?"""
        return count == self.arity if self.arity > 0 else count >= -self.arity

    def keys(self, args: list[bytes]) -> list[bytes]:
        """The keys among `args`."""
        if self.keys_of is not None:
            return self.keys_of(args)
        if self.first == 0:
            return []
        stop = len(args) + self.last if self.last < 0 else self.last
        return args[self.first : stop + 1 : self.step]
