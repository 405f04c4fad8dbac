"""The driver for memcached: meta commands, one envelope a key, and compare-and-swap.

    0xD7, 1, then the record as `codec.py` writes it

A value that has no such head was written by somebody else, before this node had the server: it counts as
older than anything a node writes. An envelope outlives its deadline, and a tombstone its deletion, by the
`grace`, so that an older write that comes late finds it. A write names the version that was read; where
memcached has another by now, or none, it refuses, and the store looks again.

Source: memcached's doc/protocol.txt, "Meta Commands".
"""

from base64 import b64encode
from math import ceil

from attrs import frozen

from trio_dynomite.data.record import COUNTS, DEADLINE, VALUE, Record, has_body
from trio_dynomite.data.stamp import TICK
from trio_dynomite.errors import CommandError, ProtocolError
from trio_dynomite.storage.remote.cache import Entry
from trio_dynomite.storage.remote.driver import Reply
from trio_dynomite.storage.rocksdb.codec import decode_record, encode_record

KEY_MAX, ENCODED_MAX = 250, 186
"""Bytes of a key; of one that has to be sent in base 64, before that."""
_HEAD = b"\xd7\x01"
_NOT_KEPT = (b"SERVER_ERROR out of memory storing object", b"SERVER_ERROR object too large for cache")
"""It has no room for an item, and forgets what it had of the key: as if it were evicted at once."""
_OVERHEAD = 1024
"""What memcached needs of an item beside the value, key included."""
_FOREIGN = TICK | 1
"""The stamp of what no node has written."""
_RELATIVE_MAX_S = 30 * 24 * 3600
"""A longer time to live is taken for a date."""


@frozen
class MemcachedDriver:
    """`remote.driver.Driver` for memcached."""

    item_max: int
    """The longest item that the server takes."""
    grace_s: float

    def refusal(self, key: bytes) -> str | None:
        """memcached has no empty keys, and none of over 250 bytes."""
        longest = KEY_MAX if _is_plain(key) else ENCODED_MAX
        if 0 < len(key) <= longest:
            return None
        return f"ERR memcached storage takes keys like this of 1 to {longest} bytes, not of {len(key)}"

    def check(self, key: bytes, record: Record) -> None:
        """Strings that fit into an item."""
        if has_body(record) or type(record[COUNTS]) is int:
            raise CommandError("ERR memcached storage keeps strings only")
        if record[VALUE] is not None and len(record[VALUE]) > self.item_max - _OVERHEAD:
            raise CommandError(
                f"ERR memcached storage takes values of up to {self.item_max - _OVERHEAD} bytes"
                f" ([memcached] item_size), not of {len(record[VALUE])}"
            )

    def read(self, key: bytes) -> bytes:
        """Its value and version."""
        return b"mg %s v c\r\n" % _named(key)

    def found(self, key: bytes, reply: Reply) -> Entry:
        """The record in an envelope, or nothing."""
        if reply[:2] == b"EN":
            return Entry(None)
        if reply[:3] != b"VA ":
            raise ProtocolError(f"memcached cannot read a key: {_shown(reply)}")
        head, _, rest = reply.partition(b"\r\n")
        data = rest[:-2]
        token = next(flag[1:] for flag in head.split()[2:] if flag[:1] == b"c")
        if data[:2] == _HEAD:
            return Entry(decode_record(data[2:]), token)
        return Entry((_FOREIGN, data, 0, 0, None), token)

    def write(self, key: bytes, entry: Entry, now_ms: int) -> bytes:
        """The envelope, over the version that was read."""
        if entry.record is None:
            return b"md %s%s\r\n" % (_named(key), b" C" + entry.token if entry.token else b"")
        data = _HEAD + encode_record(entry.record)
        over = b"C" + entry.token if entry.token else b"ME"
        ttl = self._ttl(entry.record, now_ms)
        name, flag = (key, b"") if _is_plain(key) else (b64encode(key), b" b")
        return b"ms %s %d%s T%d c %s\r\n%s\r\n" % (name, len(data), flag, ttl, over, data)

    def _ttl(self, record: Record, now_ms: int) -> int:
        """When the server may forget it: seconds from now, or a date; 0: never."""
        if record[VALUE] is not None and not record[DEADLINE]:
            return 0
        left_s = ceil(max(record[DEADLINE] - now_ms, 0) / 1000 + self.grace_s) + 1
        return left_s if left_s <= _RELATIVE_MAX_S else now_ms // 1000 + left_s

    def wrote(self, entry: Entry, reply: Reply) -> bool:
        """HD: it was; EX, NF, NS: there is another version, or none.

        One for which there is no room was, too, and is gone again."""
        answer = reply[:2]
        if answer == b"HD":
            token = reply.find(b" c")
            entry.token = b"" if token < 0 else reply[token + 2 :].split()[0]
            return True
        if entry.record is None and answer == b"NF":
            entry.token = b""
            return True
        if answer in (b"EX", b"NF", b"NS"):
            return False
        if reply.startswith(_NOT_KEPT):
            entry.token = b""
            if not entry.is_dirty and not entry.commits:
                entry.record = None
            return True
        raise ProtocolError(f"memcached cannot write a key: {_shown(reply)}")

    def flush(self) -> bytes:
        """Everything."""
        return b"flush_all\r\n"

    def done(self, reply: Reply) -> None:
        """Anything but an error."""
        if b"ERROR" in reply[:12]:
            raise ProtocolError(f"memcached cannot carry this out: {_shown(reply)}")


def _is_plain(key: bytes) -> bool:
    """May it stand in a request as it is?"""
    return key.isalnum() or all([32 < letter < 127 for letter in key])


def _named(key: bytes) -> bytes:
    """A key in a request of one line, with its flag if it is in base 64."""
    return key if _is_plain(key) else b64encode(key) + b" b"


def _shown(reply: bytes) -> str:
    return reply[:100].decode("latin-1").strip()
