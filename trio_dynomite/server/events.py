"""Key-space notifications: what happened to a key, published to whoever in the cluster subscribed to it.

The node on which a key was changed names the event. If its class is wanted here, its subscribers get it at
once, and the peers hear of all events of a turn together. Source: https://valkey.io/topics/notifications
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.server.pubsub import PubSub

EVENTS = b"events"
NOTIFY = b"notify"
"""What peers are told: events, and which classes CONFIG SET wants."""

_CLASSES = "g$lshzxetdn"
_ALL = frozenset("g$lshzxetd")
_KNOWN = frozenset(_CLASSES + "KEmA")
_BY_NAME = {
    **dict.fromkeys(("del", "expire", "persist", "restore"), "g"),
    **dict.fromkeys(("rename_from", "rename_to", "copy_to", "move_from", "move_to"), "g"),
    **dict.fromkeys(("set", "setrange", "setbit", "append", "incrby", "incrbyfloat", "pfadd"), "$"),
    **dict.fromkeys(("rpush", "rpop", "sortstore"), "l"),
    **dict.fromkeys(("georadiusstore", "geosearchstore"), "z"),
    "expired": "x",
    "evicted": "e",
    "keymiss": "m",
    "new": "n",
}
_BY_FIRST_LETTER = {"l": "l", "s": "s", "h": "h", "z": "z", "x": "t"}
"""Of the others: LPUSH, SADD, HSET, ZADD, XADD and all their kind."""


def class_of(event: str) -> str:
    """The letter of an event's class; "d", a module's, when nobody knows it."""
    return _BY_NAME.get(event) or _BY_FIRST_LETTER.get(event[:1], "d")


def parse_classes(text: bytes) -> frozenset[str]:
    """The letters of `notify-keyspace-events`, with A taken apart. Raises ValueError."""
    letters = frozenset(text.decode("latin-1"))
    if not letters <= _KNOWN:
        raise ValueError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
    return letters - {"A"} | (_ALL if "A" in letters else frozenset())


def format_classes(letters: frozenset[str]) -> bytes:
    """The letters as CONFIG GET writes them."""
    classes = "A" if letters >= _ALL else "".join([letter for letter in _CLASSES if letter in letters])
    return (classes + "".join([letter for letter in "KEm" if letter in letters])).encode()


@define(eq=False)
class Notifications:
    """The notifications of one node."""

    engine: Engine
    pubsub: PubSub
    letters: frozenset[str] = frozenset()
    """The classes that are wanted, and K and E: under the key's name, under the event's name."""
    _untold: list[bytes] = field(factory=list)
    """Event, key, event, key… that the peers have yet to hear of."""

    def listen(self) -> None:
        """Take what peers tell."""
        self.engine.broadcasts.listeners[EVENTS] = self._heard
        self.engine.broadcasts.listeners[NOTIFY] = lambda values: self.want(parse_classes(values[0]))

    def want(self, letters: frozenset[str]) -> None:
        """From now on these are wanted of this node."""
        self.letters = letters
        keyspace = self.engine.keyspace
        keyspace.wants_events = bool(letters & {"K", "E"} and letters - {"K", "E"})
        keyspace.on_event = self._happened if keyspace.wants_events else None
        keyspace.store.on_new = self._is_new if keyspace.wants_events and "n" in letters else None

    def want_everywhere(self, letters: frozenset[str]) -> None:
        """Likewise, and of all nodes that are up: keys change where their primaries are."""
        self.want(letters)
        # Every letter, as CONFIG GET does not write them: it has no "n" beside an A.
        self.engine.broadcasts.tell_all(NOTIFY, ["".join(sorted(letters)).encode()], lambda answers: None)

    def _happened(self, name: str, key: bytes) -> None:
        if class_of(name) not in self.letters:
            return
        if not self._untold:
            self.engine.soon(self._tell)
        word = name.encode()
        self._untold += (word, key)
        self._publish(word, key, self.letters)

    def _is_new(self, key: bytes) -> None:
        """A key is there that was not: its primary tells of it."""
        if self.engine.table.of_key(key).leads:
            self._happened("new", key)

    def _publish(self, name: bytes, key: bytes, letters: frozenset[str]) -> None:
        if "K" in letters:
            self.pubsub.publish(b"__keyspace@0__:" + key, name)
        if "E" in letters:
            self.pubsub.publish(b"__keyevent@0__:" + name, key)

    def _tell(self) -> None:
        untold, self._untold = self._untold, []
        ways = b"".join([letter.encode() for letter in "KE" if letter in self.letters])
        self.engine.broadcasts.tell_all(EVENTS, [ways, *untold], lambda answers: None)

    def _heard(self, values: list[Any]) -> None:
        letters = frozenset(values[0].decode())
        for name, key in zip(values[1::2], values[2::2], strict=True):
            self._publish(name, key, letters)
