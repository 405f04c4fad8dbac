"""memcached's classic commands (https://github.com/memcached/memcached/blob/1.6.18/doc/protocol.txt).

Each answers in memcached's words, complete with the end of the line. The arguments are those of the rows in
`memcached_rows.py`, made by our own server and not by clients: they are as they should be.
"""

from collections.abc import Callable

from trio_dynomite.commands.memcached_store import (
    ABSENT,
    EXISTS,
    FLAGS,
    NON_NUMERIC,
    NOT_FOUND,
    NOT_STORED,
    OTHER_TYPE,
    STORED,
    Storing,
    add,
    deadline_ms,
    delete,
    expire,
    item_at,
    put,
    store,
)
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError

_STORED = b"STORED\r\n"
_NOT_FOUND = b"NOT_FOUND\r\n"
_REPLIES = {
    STORED: _STORED,
    NOT_STORED: b"NOT_STORED\r\n",
    EXISTS: b"EXISTS\r\n",
    NOT_FOUND: _NOT_FOUND,
}
NOT_A_NUMBER = b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"


def get(ks: Keyspace, args: list[bytes]) -> bytes:
    """get: key, and what follows the item (the end, if it is the only one)."""
    item = item_at(ks, args[1])
    if item is None:
        ks.fetched(args[1], 0)
        return args[2]
    ks.fetched(args[1], item[2])
    value, marks = item[0], item[1]
    return b"VALUE %b %d %d\r\n%b\r\n%b" % (args[1], marks & FLAGS, len(value), value, args[2])


def gets(ks: Keyspace, args: list[bytes]) -> bytes:
    """gets: likewise."""
    item = item_at(ks, args[1])
    if item is None:
        ks.fetched(args[1], 0)
        return args[2]
    value, marks, version, _, _ = item
    ks.fetched(args[1], version)
    head = b"VALUE %b %d %d %d\r\n" % (args[1], marks & FLAGS, len(value), version)
    return b"%b%b\r\n%b" % (head, value, args[2])


def gat(ks: Keyspace, args: list[bytes]) -> bytes:
    """gat: key, what follows the item, exptime."""
    return _touched(ks, args, get(ks, args))


def gats(ks: Keyspace, args: list[bytes]) -> bytes:
    """gats: likewise."""
    return _touched(ks, args, gets(ks, args))


def _touched(ks: Keyspace, args: list[bytes], reply: bytes) -> bytes:
    if reply != args[2]:
        expire(ks, args[1], deadline_ms(int(args[3]), ks.now_ms))
    return reply


def set_(ks: Keyspace, args: list[bytes]) -> bytes:
    """set: key, value, flags, exptime."""
    _, key, value, flags, exptime = args
    put(ks, key, value, deadline_ms(int(exptime), ks.now_ms), int(flags))
    return _STORED


def storing(mode: bytes) -> Callable[[Keyspace, list[bytes]], bytes]:
    """add, replace, append, prepend, cas: key, value, flags, exptime, bytes that an item may have, and of cas
    the version that is wanted."""

    def run(ks: Keyspace, args: list[bytes]) -> bytes:
        _, key, value, flags, exptime, item_max, *unique = args
        how = Storing(
            mode[0],
            int(flags),
            deadline_ms(int(exptime), ks.now_ms),
            int(unique[0]) if unique else 0,
            item_max=int(item_max),
        )
        try:
            return _REPLIES[store(ks, key, value, how)]
        except CommandError:
            return OTHER_TYPE

    return run


def counting(*, up: bool) -> Callable[[Keyspace, list[bytes]], bytes]:
    """incr and decr: key, delta."""

    def run(ks: Keyspace, args: list[bytes]) -> bytes:
        number = add(ks, args[1], int(args[2]), up=up)
        if number == ABSENT:
            return _NOT_FOUND
        return NOT_A_NUMBER if number == NON_NUMERIC else b"%d\r\n" % number

    return run


def touch(ks: Keyspace, args: list[bytes]) -> bytes:
    """touch: key, exptime."""
    if ks.kind(args[1]) is None:
        return _NOT_FOUND
    expire(ks, args[1], deadline_ms(int(args[2]), ks.now_ms))
    return b"TOUCHED\r\n"


def delete_(ks: Keyspace, args: list[bytes]) -> bytes:
    """delete: key."""
    return b"DELETED\r\n" if delete(ks, args[1]) else _NOT_FOUND
