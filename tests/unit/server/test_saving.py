"""SAVE, BGSAVE, LASTSAVE and what INFO says of snapshots."""

from pathlib import Path

import pytest
from attrs import evolve

from tests.unit.server.answers_subject import Client, Subject, decoded, make_subject
from tests.unit.server.test_tools import facts
from trio_dynomite.config.rocksdb import RocksDB
from trio_dynomite.config.settings import Storage
from trio_dynomite.storage.snapshotter import Snapshotter


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    subject = make_subject(hosts=("127.0.0.1",), racks=("r1",))
    store = subject.engine.keyspace.store
    subject.server.snapshots = Snapshotter(
        store=store,
        folder=tmp_path,
        node="n1",
        partitioner="slots",
        turn=lambda act: act(),
        log=lambda event, **_: None,
    )
    return subject


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


def snapshots(subject: Subject) -> Snapshotter:
    assert subject.server.snapshots is not None
    return subject.server.snapshots


async def test_save_is_answered_when_the_file_is_there(subject: Subject, client: Client) -> None:
    client("SET", "key", "value")
    assert client.raw("SAVE") == b""
    assert client.raw("GET", "key") == b"", "this client waits"
    await snapshots(subject).take()
    subject.server.end()
    assert b"".join(client.wire.sent) == b"+OK\r\n$5\r\nvalue\r\n"
    assert client("LASTSAVE") == snapshots(subject).saved_ms // 1000
    told = facts(client, "persistence")
    assert (told["rdb_saves"], told["rdb_last_bgsave_status"], told["rdb_bgsave_in_progress"]) == (
        "1",
        "ok",
        "0",
    )


def test_bgsave_is_answered_at_once(subject: Subject, client: Client) -> None:
    assert client("BGSAVE") == b"Background saving started"
    assert snapshots(subject)._wanted.is_set()
    snapshots(subject).is_running = True
    assert client.error("BGSAVE") == client.error("SAVE") == "ERR Background save already in progress"
    assert client("BGSAVE", "SCHEDULE") == b"Background saving scheduled"
    assert client.error("BGSAVE", "SOON") == "ERR syntax error"
    assert facts(client, "persistence")["rdb_bgsave_in_progress"] == "1"


async def test_a_failure_is_the_answer(subject: Subject, client: Client, tmp_path: Path) -> None:
    snapshots(subject).folder = tmp_path / "file"
    (tmp_path / "file").write_bytes(b"in the way")
    client.raw("SAVE")
    await snapshots(subject).take()
    subject.server.end()
    assert "File exists" in str(decoded(b"".join(client.wire.sent)))
    assert facts(client, "persistence")["rdb_last_bgsave_status"] == "err"


def test_durability_is_told_by_redis_names_and_cannot_change(subject: Subject, client: Client) -> None:
    assert client("CONFIG", "GET", "appendonly") == [b"appendonly", b"no"]
    rocksdb = RocksDB(durability="none")
    subject.server.settings = evolve(
        subject.server.settings, storage=Storage(engine="rocksdb"), rocksdb=rocksdb
    )
    assert client("CONFIG", "GET", "appendfsync") == [b"appendfsync", b"no"]
    assert client("CONFIG", "GET", "appendonly") == [b"appendonly", b"yes"]
    assert "immutable" in client.error("CONFIG", "SET", "appendfsync", "always")
    assert client("CONFIG", "SET", "appendfsync", "no") == b"OK"


def test_what_is_on_disk_already_needs_no_snapshot(subject: Subject, client: Client) -> None:
    subject.server.snapshots = None
    subject.server.settings = evolve(subject.server.settings, storage=Storage(engine="rocksdb"))
    assert client.error("SAVE").endswith("with storage.engine 'rocksdb' everything is on disk already")


def test_what_is_on_a_server_is_not_saved_here(subject: Subject, client: Client) -> None:
    subject.server.snapshots = None
    subject.server.settings = evolve(subject.server.settings, storage=Storage(engine="memcached"))
    assert client.error("BGSAVE").endswith("with storage.engine 'memcached' everything is on a server")
