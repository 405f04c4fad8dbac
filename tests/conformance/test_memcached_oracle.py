"""Memcached's clients get the bytes that memcached 1.6.18 gives, but for what `docs/memcached.md` tells.

Numbers that identify a value (cas) are compared by what they do. Seconds that are left may differ by one.
Two mistakes of memcached are left out: T with ma, which goes to the old item when the number gets longer; and
a get of too long a key in a pipeline, which takes earlier replies away.
"""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from attrs import define, field
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.memcached_requests import CLASSIC, MESS, META, ODD, conversations
from tests.unit.server.memcached_subject import Alone
from trio_dynomite.testing.local import HOST, free_ports

pytestmark = pytest.mark.skipif(shutil.which("memcached") is None, reason="needs Debian's memcached")
MARK, MARKED = b"mg mark:of:the:end k O77\r\n", b"EN kmark:of:the:end O77\r\n"
quickly = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=120,
)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    (port,) = free_ports(1)
    command = ["memcached", "-u", "root", "-l", HOST, "-p", str(port), "-U", "0"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(500):
                with socket.socket() as probe:
                    if probe.connect_ex((HOST, port)) == 0:
                        break
                time.sleep(0.01)
            yield port
        finally:
            server.terminate()


@define
class Side:
    """One of both servers, in a conversation."""

    unique: bytes = field(default=b"1", init=False)
    """The newest that was told."""

    def send(self, data: bytes) -> bytes:
        raise NotImplementedError

    def ask(self, line: bytes) -> bytes:
        """One line, and what is answered."""
        reply = self.send(line.replace(b"<unique>", self.unique) + b"\r\n")
        found = re.findall(
            rb"^VALUE \S+ \d+ \d+ (\d+)\r$|^(?:VA \d+|HD|ME .*)[^\r]* c(?:as=)?([1-9]\d*)", reply, re.M
        )
        self.unique = next((one for one in found[-1] if one), self.unique) if found else self.unique
        return reply


@define
class Ours(Side):
    alone: Alone = field(factory=Alone, init=False)

    def send(self, data: bytes) -> bytes:
        return self.alone.say(data)


@define
class Theirs(Side):
    wire: socket.socket

    def send(self, data: bytes) -> bytes:
        self.wire.sendall(data + MARK)
        said = b""
        while not said.endswith(MARKED):
            chunk = self.wire.recv(1 << 16)
            assert chunk, "memcached hung up"
            said += chunk
        return said.removesuffix(MARKED)


def alike(reply: bytes) -> bytes:
    """A reply without what two servers may tell differently."""
    reply = re.sub(rb"^(VALUE \S+ \d+ \d+) \d+\r", rb"\1 #\r", reply, flags=re.M)
    reply = re.sub(rb"(?<= c)[1-9]\d*", b"#", reply)
    reply = re.sub(rb"(?<= t)\d+", lambda found: b"%d" % ((int(found[0]) + 5) // 10), reply)
    reply = re.sub(rb"exp=(-?\d+) la=\d+ cas=\d+", b"exp", reply)
    return unpadded(reply)


def unpadded(reply: bytes) -> bytes:
    """A number that was longer is padded with spaces; of how long it was we remember the beginning only."""
    reply = re.sub(rb"^(VALUE \S+ \d+) \d+((?: #)?\r\n\d+) *\r", rb"\1\2\r", reply, flags=re.M)
    if re.search(rb"^VA \d+[^\r]*\r\n\d* *\r", reply, re.M):
        reply = re.sub(rb"^VA \d+", b"VA", reply)
        reply = re.sub(rb" s\d+|(?<=\d) +(?=\r)", b"", reply)
    return re.sub(rb"^(HD.*) s\d+", rb"\1", re.sub(rb"cls=\d+ size=\d+", b"size", reply))


def compare(port: int, lines: list[bytes]) -> None:
    with socket.create_connection((HOST, port)) as wire:
        theirs, ours = Theirs(wire), Ours()
        theirs.send(b"flush_all\r\n")
        for line in lines:
            said, wanted = ours.ask(line), theirs.ask(line)
            assert alike(said) == alike(wanted), (line, said, wanted)


@quickly
@given(lines=conversations(CLASSIC))
@example(lines=[b"set n1 7 0 3\r\n100", b"decr n1 1", b"get n1", b"incr n1 18446744073709551615", b"gets n1"])
def test_classic_conversations(port: int, lines: list[bytes]) -> None:
    compare(port, lines)


@quickly
@given(lines=conversations(META))
@example(
    lines=[
        b"ms a 1 F5\r\nx",
        b"mg a c",
        b"md a I",
        b"mg a v c",
        b"mg a v c",
        b"ms a 1 C<unique> c\r\ny",
        b"mg a v",
    ]
)
@example(lines=[b"mg a N500 c v t", b"mg a v N500 t", b"ms a 1 C<unique> T0\r\nx", b"mg a v t", b"mg a R5 t"])
@example(lines=[b"ms a 1 T500\r\nx", b"mg a c", b"md a I T600", b"ms a 1 I C<unique>\r\ny", b"mg a v t f"])
def test_meta_conversations(port: int, lines: list[bytes]) -> None:
    compare(port, lines)


@quickly
@given(lines=conversations([*CLASSIC, *META]))
def test_both_together(port: int, lines: list[bytes]) -> None:
    compare(port, lines)


@quickly
@given(lines=st.lists(ODD, min_size=1, max_size=8))
def test_what_is_wrong_with_a_line(port: int, lines: list[bytes]) -> None:
    compare(port, lines)


def raw(port: int, data: bytes) -> bytes:
    """All that memcached answers to these bytes and the end of them."""
    with socket.create_connection((HOST, port)) as wire:
        wire.sendall(b"flush_all noreply\r\n" + data)
        wire.shutdown(socket.SHUT_WR)
        said = b""
        while chunk := wire.recv(1 << 16):
            said += chunk
    return said


@quickly
@given(data=MESS)
@example(data=b"set a 0 0 1\r\nabc\r\nget a\r\n")
@example(data=b"set a 0 0 3\nabc\nget a\n")
@example(data=b"\r\n\n\r\r\nget a\r\n")
@example(data=b"set " + b"k" * 251 + b" 0 0 2\r\nhi\r\nget a\r\n")
@example(data=b"ms " + b"k" * 251 + b" 2\r\nhi\r\nms a 2 v v\r\nhi\r\nms a 2 MX q\r\nhi\r\nmg a v\r\n")
@example(data=b"set a 0 0 2000000\r\n" + b"x" * 2000000 + b"\r\nget a\r\n")
@example(data=b"set a 0 0 2\r\nhi\r\nset a 0 0 2000000 noreply\r\n" + b"x" * 2000000 + b"\r\nget a\r\n")
@example(data=b"set a 0 0 2\r\nhi\r\nms a 2000000 q\r\n" + b"x" * 2000000 + b"\r\nget a\r\n")
@example(data=b"GET / HTTP/1.1\r\nget a\r\n")
@example(data=b"set a 0 0 1\0 0 0 2\r\nget\0 a\r\n")
@example(data=b"x" * 3000)
@example(data=b"get " + b"a " * 3000 + b"\r\nversion\r\n")
@example(data=b"quit\r\nversion\r\n")
def test_mess_and_broken_frames(port: int, data: bytes) -> None:
    data += b"\r\n" * 4 + b"mn\r\n"  # so that nothing is unfinished: memcached would forget its last replies
    assert Ours().send(data) == raw(port, data)


@pytest.mark.parametrize("spare", [0, 1])
@pytest.mark.parametrize("flags", [0, 5])
def test_how_large_an_item_may_be(port: int, flags: int, spare: int) -> None:
    size = (1 << 20) - 48 - 8 - 1 - 2 - len(b"key") - (4 if flags else 0) + spare
    data = b"set key %d 0 %d\r\n%b\r\nmg key s\r\n" % (flags, size, b"x" * size)

    assert Ours().send(data) == raw(port, data)
