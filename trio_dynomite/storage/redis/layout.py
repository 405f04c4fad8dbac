"""The keys that a node has on its server beside those of its clients.

    1 "t:" slot   a hash: key → its head, all of the record but values and elements (`heads.py`)
    1 "c:" key    a hash: element → its cell without the value (`cells.py`), of a hash, a set or a sorted set
    1 "g:" key    a string: the consumer groups of a stream, as one blob; or what a module made that
                  the server has not got, as DUMP gave it
    1 "n"         a hash: what `ListingDriver.note` keeps, by name

A head is there for every key that is known, of dead ones too; the other two only beside what is live or has
tombstones among its elements.
"""

from functools import cache

OWN = b"\x01"
"""What the node's own keys begin with."""
NOTES = OWN + b"n"


def heads_at(slot: int) -> bytes:
    """The heads of a slot's keys."""
    return b"\x01t:%d" % slot


@cache
def head_told(slot: int) -> bytes:
    """The beginning of the request that sets one of them: all up to the key."""
    return b"*4\r\n$4\r\nHSET\r\n" + _argument(heads_at(slot))


@cache
def head_asked(slot: int) -> bytes:
    """The beginning of the request for one of them, likewise."""
    return b"*3\r\n$4\r\nHGET\r\n" + _argument(heads_at(slot))


def _argument(word: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(word), word)


def cells_at(key: bytes) -> bytes:
    """The cells of a key's elements."""
    return OWN + b"c:" + key


def groups_at(key: bytes) -> bytes:
    """The groups of a stream."""
    return OWN + b"g:" + key
