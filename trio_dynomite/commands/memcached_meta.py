"""memcached's meta commands mg, ms, md, ma and me, as 1.6.18 has them.

The flags of a request are worked through from left to right, those that change something and those that ask
for something alike, as memcached does it. Two answers are for our own server only: QUIET where the client
wants to hear nothing (q), and AGAIN where a read found out that it must write, and is to be run as
`mg_writing`.
"""

from attrs import define

from trio_dynomite.commands.memcached_items import NOT_A_NUMBER
from trio_dynomite.commands.memcached_store import (
    ABSENT,
    EXISTS,
    FLAGS,
    MISMATCH,
    NON_NUMERIC,
    NOT_FOUND,
    NOT_STORED,
    OTHER_TYPE,
    SENT,
    STALE,
    STORED,
    Storing,
    add,
    deadline_ms,
    delete,
    expire,
    item_at,
    put,
    store,
    weight,
)
from trio_dynomite.commands.record import Item
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.memcached_words import shown_key

QUIET = b"\0"
AGAIN = b"\1"
WRITING = frozenset(b"NTR")
"""Flags with which mg may change something."""
_CODES = {STORED: b"HD", NOT_STORED: b"NS", EXISTS: b"EX", NOT_FOUND: b"NF"}


def number(flags: list[bytes], letter: int, default: int = 0) -> int:
    """The number behind a flag, or `default` where it is not there."""
    return next((int(flag[1:]) for flag in flags if flag[0] == letter), default)


def _mode(flags: list[bytes], default: int) -> int:
    return next((flag[1] for flag in flags if flag[0] == ord("M")), default)


def _echoed(key: bytes, flags: list[bytes], reply: bytes) -> bytes:
    """`reply` with the opaque and the key, where they are wanted."""
    for flag in flags:
        if flag[0] == ord("O"):
            reply += b" " + flag
        elif flag == b"k":
            reply += b" k" + shown_key(key, flags)
    return reply


def _ttl(deadline: int, now_ms: int) -> int:
    return -(-(deadline - now_ms) // 1000) if deadline else -1


@define
class _Reading:
    """One mg under way."""

    ks: Keyspace
    key: bytes
    flags: list[bytes]
    item: Item
    is_new: bool = False
    deadline: int = 0
    wins: bool = False
    """The client is to bring a new value."""

    def told(self) -> bytes:
        """What the flags ask for, one after the other."""
        return b"".join([self._one(flag) for flag in self.flags]) + self._lease()

    def _one(self, flag: bytes) -> bytes:
        value, marks, version, _, _ = self.item
        match chr(flag[0]):
            case "T" | "N" | "R":
                self._change(flag)
            case "s":
                return b" s%d" % len(value)
            case "t":
                return b" t%d" % _ttl(self.deadline, self.ks.now_ms)
            case "c":
                return b" c%d" % version
            case "f":
                return b" f%d" % (marks & FLAGS)
            case "l":
                return b" l%d" % self.ks.idle_s(self.key)
            case "h":
                return b" h1" if self.ks.was_fetched(self.key, version) else b" h0"
            case "O":
                return b" " + flag
            case "k":
                return b" k" + shown_key(self.key, self.flags)
        return b""

    def _change(self, flag: bytes) -> None:
        when = deadline_ms(int(flag[1:]), self.ks.now_ms)
        if flag[0] == ord("T"):
            self.deadline = when
        elif flag[0] == ord("N"):
            if self.is_new:
                self.deadline, self.wins = when, True
        elif not self.item[1] & SENT and not self.is_new and 0 < self.deadline < when:
            self.wins = True

    def _lease(self) -> bytes:
        """Who should bring a new value, and has somebody been told to?"""
        marks = self.item[1]
        reply = b" Z" if marks & SENT else b""
        if marks & STALE:
            reply += b" X"
            self.wins = self.wins or not marks & SENT
        return reply + b" W" if self.wins else reply

    def write(self) -> None:
        """Keep what it has changed."""
        ks, key = self.ks, self.key
        if self.wins and not self.is_new:
            ks.mark(key, self.item[1] | SENT)
        if self.deadline != self.item[3]:
            expire(ks, key, self.deadline)


def mg(ks: Keyspace, args: list[bytes]) -> bytes:
    """mg without flags that change something: key, flags."""
    key, flags = args[1], args[2:]
    item = item_at(ks, key)
    if item is not None and item[1] & STALE and not item[1] & SENT:
        return AGAIN
    return _got(ks, key, flags, item)


def mg_writing(ks: Keyspace, args: list[bytes]) -> bytes:
    """mg that may change something: likewise."""
    key, flags = args[1], args[2:]
    item = item_at(ks, key)
    if item is None and any(flag[0] == ord("N") for flag in flags):
        if ks.kind(key) is not None:
            return OTHER_TYPE
        put(ks, key, b"", 0, SENT)
        made = ks.item(key)
        assert made is not None
        return _told(ks, _Reading(ks, key, flags, (b"", 0, *made[2:]), is_new=True), is_writing=True)
    return _got(ks, key, flags, item, is_writing=True)


def _got(
    ks: Keyspace, key: bytes, flags: list[bytes], item: Item | None, *, is_writing: bool = False
) -> bytes:
    if item is None:
        ks.fetched(key, 0)
        return QUIET if b"q" in flags else _echoed(key, flags, b"EN") + b"\r\n"
    return _told(ks, _Reading(ks, key, flags, item, deadline=item[3]), is_writing=is_writing)


def _told(ks: Keyspace, reading: _Reading, *, is_writing: bool) -> bytes:
    told = reading.told()
    value, flags = reading.item[0], reading.flags
    if is_writing:
        reading.write()
    if b"u" not in flags:
        ks.fetched(reading.key, reading.item[2])
    if b"v" in flags:
        return b"VA %d%b\r\n%b\r\n" % (len(value), told, value)
    return b"HD%b\r\n" % told


def ms(ks: Keyspace, args: list[bytes]) -> bytes:
    """ms: key, value, bytes that an item may have, flags."""
    key, value, item_max, flags = args[1], args[2], args[3], args[4:]
    if not flags:
        put(ks, key, value, 0, 0)
        return b"HD\r\n"
    mode = _mode(flags, ord("S"))
    if mode in b"SR" and any(flag[0] == ord("C") for flag in flags):
        mode = ord("C")
    how = Storing(
        mode,
        number(flags, ord("F")),
        deadline_ms(number(flags, ord("T")), ks.now_ms),
        number(flags, ord("C")),
        marks_stale=b"I" in flags,
        item_max=int(item_max),
    )
    try:
        result = store(ks, key, value, how)
    except CommandError:
        return OTHER_TYPE
    if result == STORED and b"q" in flags:
        return QUIET
    return _CODES[result] + _stored(ks, key, flags, result) + b"\r\n"


def _stored(ks: Keyspace, key: bytes, flags: list[bytes], result: int) -> bytes:
    reply = b""
    for flag in flags:
        if flag == b"c":
            item = ks.item(key)
            version = 1 if item is None else item[2]  # it has expired already: nothing has that version
            reply += b" c%d" % (version if result == STORED else 0)
        elif flag == b"k":
            reply += b" k" + shown_key(key, flags)
        elif flag[0] == ord("O"):
            reply += b" " + flag
    return reply


def md(ks: Keyspace, args: list[bytes]) -> bytes:
    """md: key, flags."""
    key, flags = args[1], args[2:]
    item = item_at(ks, key)
    if item is None and (b"I" in flags or ks.kind(key) is None):
        return _echoed(key, flags, b"NF") + b"\r\n"
    version = 0 if item is None else item[2]
    if number(flags, ord("C"), version) != version:
        return _echoed(key, flags, b"EX") + b"\r\n"
    if item is not None and b"I" in flags:
        deadline = deadline_ms(number(flags, ord("T")), ks.now_ms) if _has(flags, "T") else item[3]
        put(ks, key, item[0], deadline, item[1] & FLAGS | STALE)
    else:
        delete(ks, key)
    return QUIET if b"q" in flags else _echoed(key, flags, b"HD") + b"\r\n"


def _has(flags: list[bytes], letter: str) -> bool:
    return any(flag[0] == ord(letter) for flag in flags)


def ma(ks: Keyspace, args: list[bytes]) -> bytes:
    """ma: key, flags."""
    key, flags = args[1], args[2:]
    up = _mode(flags, ord("I")) in b"I+"
    result = add(ks, key, number(flags, ord("D"), 1), up=up, unique=number(flags, ord("C")))
    if result == NON_NUMERIC:
        return NOT_A_NUMBER
    is_new = result == ABSENT and _has(flags, "N")
    if is_new:
        result = number(flags, ord("J"))
        put(ks, key, b"%d" % result, 0, 0)
    elif result < 0:
        return _echoed(key, flags, b"EX" if result == MISMATCH else b"NF") + b"\r\n"
    told = _counted(ks, key, flags, is_new=is_new)
    if b"q" in flags and not is_new:
        return QUIET
    value = b"%d" % result
    return b"VA %d%b\r\n%b\r\n" % (len(value), told, value) if b"v" in flags else b"HD%b\r\n" % told


def _counted(ks: Keyspace, key: bytes, flags: list[bytes], *, is_new: bool) -> bytes:
    """What the flags of ma ask for, and what they change beside the number."""
    item = ks.item(key)
    assert item is not None
    deadline, reply = item[3], b""
    for flag in flags:
        match chr(flag[0]):
            case "c":
                reply += b" c%d" % item[2]
            case "t":
                reply += b" t%d" % _ttl(deadline, ks.now_ms)
            case "T":
                deadline = deadline_ms(int(flag[1:]), ks.now_ms)
            case "N" if is_new:
                deadline = deadline_ms(int(flag[1:]), ks.now_ms)
            case "O":
                reply += b" " + flag
            case "k":
                reply += b" k" + shown_key(key, flags)
    if deadline != item[3]:
        expire(ks, key, deadline)
    return reply


def me(ks: Keyspace, args: list[bytes]) -> bytes:
    """me: key, and b if it came in base64."""
    key, flags = args[1], args[2:]
    item = item_at(ks, key)
    if item is None:
        return b"EN\r\n"
    value, marks, version, deadline, _ = item
    return b"ME %b exp=%d la=%d cas=%d fetch=%b cls=1 size=%d\r\n" % (
        shown_key(key, flags).removesuffix(b" b"),
        -_ttl(deadline, ks.now_ms) if deadline else -1,
        ks.idle_s(key),
        version,
        b"yes" if ks.was_fetched(key, version) else b"no",
        weight(key, value, marks & FLAGS),
    )
