"""Malformed frames: a node says and does, byte for byte, what redis-server does.

Both get the same bytes in the same pieces. A good command before the mistake is answered, the mistake gets
Redis's own words, then the connection ends.
"""

import socket
import subprocess
from collections.abc import Iterator
from shutil import which

import pytest

from tests.integration.cluster import client
from trio_dynomite.testing.local import HOST, LocalCluster, free_ports, wait_until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(which("redis-server") is None, reason="redis-server is not installed"),
]

PATIENCE_S = 2.0
MARK = b"*2\r\n$4\r\nECHO\r\n$8\r\n<marker>\r\n"
MARKED = b"$8\r\n<marker>\r\n"
"""Comes back when the connection has lived through what was sent before."""

FATAL = {
    "a negative bulk length": b"*1\r\n$-1\r\n",
    "a bulk length with letters": b"*1\r\n$abc\r\n",
    "an empty bulk length": b"*1\r\n$\r\n",
    "a huge bulk length": b"*1\r\n$1000000000\r\n",
    "a bulk length over 64 bits": b"*1\r\n$99999999999999999999\r\n",
    "an array length over 64 bits": b"*99999999999999999999\r\n",
    "an array length with letters": b"*x\r\n",
    "an array length with a plus": b"*+1\r\n$4\r\nPING\r\n",
    "an array length with a leading zero": b"*01\r\n$4\r\nPING\r\n",
    "an array length with a space": b"* 1\r\n$4\r\nPING\r\n",
    "an integer in the place of a bulk": b"*1\r\n:1\r\n",
    "a simple string in the place of a bulk": b"*1\r\n+PING\r\n",
    "text in the place of a bulk": b"*2\r\n$3\r\nGET\r\nkey\r\n",
    "a verbatim string in the place of a bulk": b"*1\r\n=8\r\ntxt:PING\r\n",
    "a big number in the place of a bulk": b"*2\r\n$4\r\nECHO\r\n(123\r\n",
    "nested arrays": b"*1\r\n*1\r\n$4\r\nPING\r\n",
    "deeply nested arrays": b"*1\r\n" * 1000,
    "an unbalanced quote inline": b'SET key "value\r\n',
    "text after a closing quote inline": b'SET key "value"x\r\n',
    "an endless inline line": b"x" * 70_000,
    "an endless array length": b"*" + b"1" * 70_000,
    "an endless bulk length": b"*1\r\n$" + b"1" * 70_000,
}
HARMLESS = {
    "an empty array": b"*0\r\n",
    "a null array": b"*-1\r\n",
    "an array of negative length": b"*-10\r\n",
    "an empty line": b"\r\n",
    "many empty lines": b"\r\n\n\r\n" * 50,
    "inline with a bare line feed": b"PING\n",
    "inline with many blanks": b"  PING   hello \r\n",
    "inline with quotes": b"ECHO \"a\\x41\\n\" \r\nECHO 'it\\'s'\r\n",
    "an unknown command": b"*3\r\n$6\r\nNOSUCH\r\n$1\r\na\r\n$2\r\n\r\n\r\n",
    "an empty command": b"*1\r\n$0\r\n\r\n",
    "a command with zero bytes": b"*2\r\n$4\r\nEC\0O\r\n$1\r\n\0\r\n",
    "wrong arity": b"*1\r\n$3\r\nGET\r\n",
    "an unchecked line end after a bulk": b"*1\r\n$4\r\nPINGxy",
    **{f"a frame of RESP3 type {mark}": f"{mark}1\r\nPING\r\n".encode() for mark in "~>%|=(,#_!+-:$"},
    "lower case": b"*1\r\n$4\r\nping\r\n",
}
PIPELINE = (
    b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\nb\0\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING inline\r\n*0\r\n\r\n"
    b"*4\r\n$6\r\nNOSUCH\r\n$1\r\n1\r\n$0\r\n\r\n$2\r\n\r\n\r\n*1\r\n$4\r\nINCR\r\n*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n"
    b"*2\r\n$6\r\nSTRLEN\r\n$1\r\nk\r\n*1\r\n$-5\r\n"
)


@pytest.fixture(scope="module")
def redis_port() -> Iterator[int]:
    (port,) = free_ports(1)
    with subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", HOST, "--save", "", "--proto-max-bulk-len", "512mb"],
        stdout=subprocess.DEVNULL,
    ) as server:
        try:
            wait_until(lambda: is_open(port), "redis-server listens")
            yield port
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def node_port() -> Iterator[int]:
    with LocalCluster({"dc1": [1]}) as cluster:
        yield cluster["node1"].port


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def talk(port: int, *pieces: bytes) -> bytes:
    """Everything the server says until it closes, or until it has echoed the mark at the end of `pieces`."""
    said = b""
    with socket.create_connection((HOST, port), PATIENCE_S) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                wire.sendall(piece)
            while not said.endswith(MARKED):
                data = wire.recv(1 << 16)
                if not data:
                    return said + b"<closed>"
                said += data
        except (ConnectionResetError, BrokenPipeError):
            return said + b"<closed>"
    return said


@pytest.mark.parametrize("name", FATAL)
def test_a_fatal_frame_gets_rediss_words_and_the_end(redis_port: int, node_port: int, name: str) -> None:
    frame = b"*1\r\n$4\r\nPING\r\n" + FATAL[name]
    theirs = talk(redis_port, frame)
    assert theirs.endswith(b"<closed>"), "this frame does not end a connection; it belongs to HARMLESS"
    assert talk(node_port, frame) == theirs


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_frame_is_answered_as_redis_does(redis_port: int, node_port: int, name: str) -> None:
    theirs = talk(redis_port, HARMLESS[name] + MARK)
    assert theirs.endswith(MARKED), "this frame ends a connection; it belongs to FATAL"
    assert talk(node_port, HARMLESS[name] + MARK) == theirs


def test_a_pipeline_split_anywhere_gets_the_same_bytes(redis_port: int, node_port: int) -> None:
    theirs = talk(redis_port, PIPELINE)
    assert theirs.count(b"\r\n") > 8
    assert theirs.endswith(b"<closed>")
    for at in range(1, len(PIPELINE)):
        assert talk(node_port, PIPELINE[:at], PIPELINE[at:]) == theirs, at


def test_a_pipeline_byte_by_byte_gets_the_same_bytes(redis_port: int, node_port: int) -> None:
    assert talk(node_port, *(PIPELINE[at : at + 1] for at in range(len(PIPELINE)))) == talk(
        redis_port, PIPELINE
    )


def test_what_redis_would_wait_for_for_ever_is_refused(node_port: int) -> None:
    assert talk(node_port, b"*1000000000\r\n") == b"-ERR Protocol error: invalid multibulk length\r\n<closed>"
    said = talk(node_port, b"*1\r\n\0\r\n")
    assert said.startswith(b"-ERR Protocol error: expected '$', got")
    assert said.endswith(b"<closed>")


def test_other_clients_notice_nothing(node_port: int) -> None:
    class Node:
        host, port = HOST, node_port

    with client(Node) as connected:  # type: ignore[arg-type]
        for name, frame in FATAL.items():
            assert b"Protocol error" in talk(node_port, frame), name
            assert connected.ping()
        assert connected.info("stats")["protocol_errors"] >= len(FATAL)
