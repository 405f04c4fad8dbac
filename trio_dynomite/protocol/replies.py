"""RESP replies as bytes: what a command hands back is already encoded.

A reply is made once, in the protocol of the client that asked (2 or 3), and travels as untouched
bytes from the node that served it to the client. `NULL[resp]` and its kind are indexed by protocol.
Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from collections.abc import Iterable, Sequence

OK = b"+OK\r\n"
PONG = b"+PONG\r\n"
QUEUED = b"+QUEUED\r\n"
ZERO = b":0\r\n"
ONE = b":1\r\n"
MINUS_ONE = b":-1\r\n"
MINUS_TWO = b":-2\r\n"
EMPTY_BULK = b"$0\r\n\r\n"
EMPTY_ARRAY = b"*0\r\n"
NULL = (b"", b"", b"$-1\r\n", b"_\r\n")
NULL_ARRAY = (b"", b"", b"*-1\r\n", b"_\r\n")
TRUE = (b"", b"", b":1\r\n", b"#t\r\n")
FALSE = (b"", b"", b":0\r\n", b"#f\r\n")

_SMALL_BULK_HEADS = [b"$%d\r\n" % n for n in range(1024)]
_SMALL_INTEGERS = [b":%d\r\n" % n for n in range(1024)]


def bulk(value: bytes) -> bytes:
    """A bulk string."""
    size = len(value)
    if size < 1024:
        return _SMALL_BULK_HEADS[size] + value + b"\r\n"
    return b"$%d\r\n%b\r\n" % (size, value)


def integer(number: int) -> bytes:
    """A 64-bit integer."""
    if 0 <= number < 1024:
        return _SMALL_INTEGERS[number]
    return b":%d\r\n" % number


def simple(text: str) -> bytes:
    """A simple string; `text` holds no line break."""
    return b"+%b\r\n" % text.encode()


def error(text: str) -> bytes:
    """An error; the first word is its kind (ERR, WRONGTYPE…). Line breaks become spaces."""
    return b"-%b\r\n" % text.replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")


def array(items: Sequence[bytes]) -> bytes:
    """An array of encoded replies."""
    return b"*%d\r\n%b" % (len(items), b"".join(items))


def bulk_array(values: Iterable[bytes]) -> bytes:
    """An array of bulk strings."""
    values = list(values)
    sizes = list(map(len, values))
    count = len(sizes)
    if not count:
        return EMPTY_ARRAY
    if sizes.count(sizes[0]) == count:
        head = b"\r\n$%d\r\n" % sizes[0]
        return b"*%d%b%b\r\n" % (count, head, head.join(values))
    if max(sizes) >= len(_SMALL_BULK_HEADS):
        return array([bulk(value) for value in values])
    parts = [b"\r\n"] * (3 * count)
    parts[0::3] = [_SMALL_BULK_HEADS[size] for size in sizes]
    parts[1::3] = values
    return b"*%d\r\n%b" % (count, b"".join(parts))


def mapping(pairs: Sequence[tuple[bytes, bytes]], resp: int) -> bytes:
    """A map of encoded replies: a map in RESP3, a flat array in RESP2."""
    body = b"".join([key + value for key, value in pairs])
    return b"%%%d\r\n%b" % (len(pairs), body) if resp == 3 else b"*%d\r\n%b" % (len(pairs) * 2, body)


def set_of(items: Sequence[bytes], resp: int) -> bytes:
    """A set of encoded replies: a set in RESP3, an array in RESP2."""
    return b"%b%d\r\n%b" % (b"~" if resp == 3 else b"*", len(items), b"".join(items))


def verbatim(text: bytes, resp: int) -> bytes:
    """Text for people: a verbatim string in RESP3, a bulk string in RESP2."""
    return b"=%d\r\ntxt:%b\r\n" % (len(text) + 4, text) if resp == 3 else bulk(text)


def is_error(reply: bytes) -> bool:
    """Is this encoded reply an error?"""
    return reply[:1] == b"-" or reply[:1] == b"!"
