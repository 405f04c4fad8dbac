"""The driver for memcached: envelopes, versions, how long what is dead is kept, and what cannot be."""

from collections.abc import Callable

import pytest

from trio_dynomite.data.cells import HASH, Cells
from trio_dynomite.data.record import Record
from trio_dynomite.errors import CommandError, ProtocolError
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.memcached.driver import MemcachedDriver
from trio_dynomite.storage.remote.cache import Entry
from trio_dynomite.storage.remote.unlisted import UnlistedStore
from trio_dynomite.topology.partitioner import redis_slot

NOW_MS = 1_700_000_000_000
STAMP = NOW_MS << 48 | 7
DRIVER = MemcachedDriver(item_max=1 << 20, grace_s=600.0)
VALUE: Record = (STAMP, b"value\r\n", 0, 0, None)


@pytest.mark.parametrize(
    "record",
    [
        VALUE,
        (STAMP, b"", 0, 0, None),
        (STAMP, None, 0, 0, None),
        (STAMP, b"5", STAMP, NOW_MS + 1000, ((STAMP, 3, -4),)),
    ],
)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    request = DRIVER.write(b"key", Entry(record), NOW_MS)
    line, _, rest = request.partition(b"\r\n")
    reply = b"VA %d c77\r\n" % (len(rest) - 2) + rest
    found = DRIVER.found(b"key", reply)
    assert (found.record, found.token) == (record, b"77")
    assert line.split()[:2] == [b"ms", b"key"]


def test_nothing_and_what_others_wrote() -> None:
    assert DRIVER.found(b"key", b"EN\r\n").record is None
    foreign = DRIVER.found(b"key", b"VA 3 c5\r\nabc\r\n").record
    assert foreign is not None
    assert foreign[1] == b"abc"
    assert foreign[0] < STAMP


def test_a_write_names_the_version_that_was_read() -> None:
    assert b" ME\r\n" in DRIVER.write(b"key", Entry(VALUE), NOW_MS)
    assert b" C77\r\n" in DRIVER.write(b"key", Entry(VALUE, b"77"), NOW_MS)
    assert DRIVER.write(b"key", Entry(None, b"77"), NOW_MS) == b"md key C77\r\n"


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (VALUE, b" T0 "),
        ((STAMP, None, 0, 0, None), b" T601 "),
        ((STAMP, b"v", STAMP, NOW_MS + 10_000, None), b" T611 "),
        ((STAMP, b"v", STAMP, NOW_MS + 3_000_000_000, None), b" T1703000601 "),
    ],
)
def test_the_dead_are_kept_for_a_grace(record: Record, told: bytes) -> None:
    assert told in DRIVER.write(b"key", Entry(record), NOW_MS)


def test_replies_to_writes() -> None:
    entry = Entry(VALUE, b"1")
    assert DRIVER.wrote(entry, b"HD c2\r\n")
    assert entry.token == b"2"
    for other in (b"EX c0\r\n", b"NF c0\r\n", b"NS c0\r\n"):
        assert not DRIVER.wrote(entry, other)
    with pytest.raises(ProtocolError, match="bad data chunk"):
        DRIVER.wrote(entry, b"CLIENT_ERROR bad data chunk\r\n")
    assert DRIVER.wrote(entry, b"SERVER_ERROR out of memory storing object\r\n")
    assert (entry.record, entry.token) == (None, b""), "it is gone as it came"


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        (b"k", True),
        (b"k" * 250, True),
        (b"k" * 251, False),
        (b"", False),
        (b" " * 186, True),
        (b" " * 187, False),
    ],
)
def test_which_keys_there_can_be(key: bytes, fits: bool) -> None:
    assert (DRIVER.refusal(key) is None) is fits


def test_a_key_that_cannot_stand_in_a_line_goes_in_base_64() -> None:
    assert DRIVER.read(b"a b") == b"mg YSBi b v c\r\n"
    assert DRIVER.write(b"a b", Entry(VALUE), NOW_MS).startswith(b"ms YSBi ")


def test_what_it_does_not_keep() -> None:
    with pytest.raises(CommandError, match="strings only"):
        DRIVER.check(b"key", (0, HASH, 0, 0, Cells(HASH)))
    with pytest.raises(CommandError, match="item_size"):
        DRIVER.check(b"key", (STAMP, b"x" * (1 << 20), 0, 0, None))
    DRIVER.check(b"key", VALUE)


class Server:
    """Takes everything down, and says that all went well."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []

    def send(self, data: bytes, on_reply: Callable[[bytes], None]) -> None:
        self.requests.append(data)
        on_reply(b"EN\r\n" if data[:2] == b"mg" else b"OK\r\n" if data[:1] == b"f" else b"HD c1\r\n")

    def close(self, reason: str = "") -> None:
        raise AssertionError(reason)


def test_what_is_newer_than_a_flush_of_everything_is_written_again() -> None:
    server = Server()
    store = UnlistedStore(redis_slot, driver=DRIVER, cache_bytes=1 << 20, now_ms=lambda: NOW_MS)
    store.connection = server
    store.fetch([b"new", b"old"], lambda: None)
    store.put(redis_slot(b"new"), b"new", STAMP + (9 << 32), b"kept", 0)
    store.put(redis_slot(b"old"), b"old", STAMP, b"gone", 0)
    store.commit()
    store.flush(0, SLOTS - 1, STAMP + (1 << 32))
    store.commit()
    flushed = server.requests.index(b"flush_all\r\n")
    after = b"".join(server.requests[flushed:])
    assert b"kept" in after
    assert b"gone" not in after
    assert store.get(redis_slot(b"old"), b"old")[1] is None
