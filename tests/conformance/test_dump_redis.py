"""DUMP and RESTORE between us and Redis, which is older than the Valkey of the other oracles."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.oracle import Connection
from tests.conformance.subjects import fake_subject
from tests.conformance.test_dump_oracle import READ, Request, look, payload

VALUES: dict[str, list[Request]] = {
    "string": [(b"SET", b"key", b"value")],
    "integer": [(b"SET", b"key", b"-70000")],
    "list": [(b"RPUSH", b"key", b"a", b"1", b"x" * 100_000, b"")],
    "set": [(b"SADD", b"key", *[b"%d" % n for n in range(1000)])],
    "small set": [(b"SADD", b"key", b"a", b"b")],
    "sorted set": [(b"ZADD", b"key", b"1.5", b"a", b"-inf", b"b", b"-0.25", b"c", b"-0", b"d")],
    "hash": [(b"HSET", b"key", b"f", b"v", b"1", b"2")],
    "large hash": [(b"HSET", b"key", *[b"%d" % n for n in range(2000)])],
    "stream": [
        *[(b"XADD", b"key", b"%d-1" % n, b"field", b"%d" % n, b"other", b"") for n in range(100, 350)],
        *READ[:8],
    ],
}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("there is no redis-server")
    path = Path(tmp_path_factory.mktemp("redis")) / "socket"
    options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(path.parent)]
    with subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL) as server:
        with socket.socket(socket.AF_UNIX) as wire:
            for _ in range(500):
                if wire.connect_ex(str(path)) == 0:
                    break
                time.sleep(0.01)
            yield Connection(wire)
        server.terminate()


@pytest.mark.parametrize("name", VALUES)
def test_values_go_to_redis_and_back(redis: Connection, name: str) -> None:
    redis(b"DEL", b"key")
    here, back = fake_subject(2), fake_subject(2)
    for request in VALUES[name]:
        here(*request)
    assert redis(b"RESTORE", b"key", b"0", payload(here(b"DUMP", b"key"))) == b"+OK\r\n"
    assert look(redis) == look(here)
    assert back(b"RESTORE", b"key", b"0", payload(redis(b"DUMP", b"key"))) == b"+OK\r\n"
    assert look(back) == look(here)
