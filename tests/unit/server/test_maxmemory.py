"""maxmemory as clients see it: parameters, what INFO tells, who is refused when nothing can be evicted."""

from typing import Any

import pytest

from tests.unit.server.answers_subject import Client, Subject, make_subject
from trio_dynomite.coordinator.eviction import OOM
from trio_dynomite.model import ENGINES
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.memory import MemoryStore

SET = "redis.call('SET', KEYS[1], 'x') return 1"


@pytest.fixture
def subject() -> Subject:
    return make_subject(hosts=("127.0.0.1",))


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


def told(client: Client, section: str) -> dict[str, str]:
    lines = [line for line in client.text("INFO", section).splitlines() if ":" in line]
    return dict(line.split(":", 1) for line in lines)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("maxmemory", "-1", "argument must be a memory value"),
        ("maxmemory", "much", "argument must be a memory value"),
        ("maxmemory-samples", "0", "argument must be between 1 and 64 inclusive"),
        ("lfu-log-factor", "-1", "argument must be between 0 and 2147483647 inclusive"),
        ("lfu-decay-time", "x", "argument couldn't be parsed into an integer"),
    ],
)
def test_values_that_do_not_fit_are_refused(client: Client, name: str, value: str, why: str) -> None:
    assert client.error("CONFIG", "SET", name, value).endswith(f") - {why}")


def test_parameters_are_told_as_they_are_set(client: Client) -> None:
    wanted = {"maxmemory": "1073741824", "maxmemory-policy": "allkeys-lfu", "maxmemory-samples": "10"}
    wanted |= {"lfu-log-factor": "3", "lfu-decay-time": "7"}
    words = [word for pair in wanted.items() for word in pair]
    assert (
        client(
            "CONFIG",
            "SET",
            *words,
        )
        == b"OK"
    )
    for name, value in wanted.items():
        assert client("CONFIG", "GET", name) == [name.encode(), value.encode()]
    accesses: Any = client.session.server.engine.keyspace.accesses
    assert (accesses.log_factor, accesses.decay_minutes, accesses.by_frequency) == (3, 7, True)


def test_a_store_on_disk_takes_no_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryStore, "capabilities", ENGINES["rocksdb"])
    assert "has no meaning" in client.error("CONFIG", "SET", "maxmemory", "1gb")
    assert client("CONFIG", "SET", "maxmemory", "0") == b"OK"
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    assert client.session.server.engine.keyspace.store.usage is None


def test_info_tells_what_keys_take_and_how_many_were_evicted(client: Client) -> None:
    key = "key"
    client.raw("SET", key, "v" * 1000)
    assert told(client, "memory")["used_memory_keys"] == "0"
    client("CONFIG", "SET", "maxmemory", "1mb")
    assert 1000 < int(told(client, "memory")["used_memory_keys"]) < 2000
    client("CONFIG", "SET", "maxmemory", "1000", "maxmemory-policy", "allkeys-lru")
    client.raw("SET", "other", "v")
    memory = told(client, "memory")
    assert (memory["maxmemory"], memory["maxmemory_policy"]) == ("1000", "allkeys-lru")
    assert int(memory["used_memory_keys"]) < 1000
    assert told(client, "stats")["evicted_keys"] == "1"
    client("CONFIG", "RESETSTAT")
    assert told(client, "stats")["evicted_keys"] == "0"


def test_expired_keys_are_counted(subject: Subject, client: Client) -> None:
    client.raw("SET", "key", "v", "PX", "10")
    store = subject.engine.keyspace.store
    expire(store, subject.engine.now_ms + 1000, 9)
    assert told(client, "stats")["expired_keys"] == "1"
    client("CONFIG", "RESETSTAT")
    assert told(client, "stats")["expired_keys"] == "0"


def test_who_needs_memory_is_refused_and_nobody_else(client: Client) -> None:
    key = "key"
    client.raw("SET", key, "v")
    client("CONFIG", "SET", "maxmemory", "1")
    assert client.error("SET", key, "w") == OOM
    assert client.error("RPUSH", key + "{" + key + "}", "w") == OOM
    assert client("GET", key) == b"v"
    assert client("EXPIRE", key, "100") == 1
    assert client.error("EVAL", SET, "1", key).startswith(OOM.removesuffix("."))
    assert client("EVAL", "return redis.call('GET', KEYS[1])", "1", key) == b"v"
    assert client("EVAL", "#!lua flags=allow-oom\n" + SET, "1", key) == 1
    assert client.error("EVAL", "#!lua\n" + SET, "1", key).startswith("OOM allow-oom flag is not set")
    assert client("DEL", key) == 1
    assert client.raw("SET", key, "w") == b"+OK\r\n"
