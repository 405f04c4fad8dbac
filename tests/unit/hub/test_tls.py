"""TLS over real sockets between two ends of a hub: all arrives in order, in secret, or the reason is told."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from attrs import define, field

from trio_dynomite.hub.channel import Channel
from trio_dynomite.hub.hub import Hub
from trio_dynomite.hub.tls import TlsPipe, client_context


@define(eq=False)
class Handler:
    """Keeps what it is told."""

    got: bytearray = field(factory=bytearray)
    chunks: int = 0
    ends: list[str] = field(factory=list)

    def received(self, data: bytes) -> None:
        assert not self.ends, "bytes after the end"
        self.got += data
        self.chunks += 1

    def drained(self) -> None:
        pass

    def closed(self, reason: str) -> None:
        self.ends.append(reason)


@define(eq=False)
class Line:
    """Two ends, in one hub, and what each heard."""

    hub: Hub
    near: TlsPipe
    far: TlsPipe
    here: Handler
    there: Handler

    def turn(self, times: int = 10) -> None:
        for _ in range(times):
            self.hub.turn(lambda: None)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    authority, path = trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return authority, path


@pytest.fixture
def server(ca: tuple[trustme.CA, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca[0].issue_cert("db.example").configure_cert(context)
    return context


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub(lambda: None, lambda: None)
    yield hub
    hub.close()


def connect(hub: Hub, client: ssl.SSLContext, server: ssl.SSLContext, name: str = "db.example") -> Line:
    one, other = socket.socketpair()
    near = TlsPipe(hub, Channel(hub, one), client, name)
    far = TlsPipe(hub, Channel(hub, other), server, is_server=True)
    line = Line(hub, near, far, Handler(), Handler())
    far.open(line.there)
    near.open(line.here)
    return line


@pytest.fixture
def line(hub: Hub, ca: tuple[trustme.CA, Path], server: ssl.SSLContext) -> Line:
    return connect(hub, client_context(str(ca[1]), None, None), server)


def test_bytes_go_both_ways(line: Line) -> None:
    line.near.write(b"before both ")
    line.near.write(b"agreed")
    line.turn()
    line.far.write(b"answer")
    line.turn()

    assert line.there.got == b"before both agreed"
    assert line.here.got == b"answer"
    assert line.near.unsent == line.far.unsent == 0


def test_what_a_turn_writes_leaves_in_one_record(line: Line) -> None:
    line.turn()
    line.hub.turn(lambda: [line.near.write(b"x") for _ in range(100)] and None)
    line.turn()

    assert line.there.got == b"x" * 100
    assert line.there.chunks == 1


def test_much_arrives_in_order(line: Line) -> None:
    data = b"".join([b"%07d\n" % number for number in range(500_000)])
    line.near.write(data)
    line.turn(1)
    assert line.near.unsent > 0
    line.turn(500)

    assert line.there.got == data
    assert line.near.room_made > 0


def test_nobody_reads_along(ca: tuple[trustme.CA, Path], server: ssl.SSLContext, hub: Hub) -> None:
    one, other = socket.socketpair()
    near = TlsPipe(hub, Channel(hub, one), client_context(str(ca[1]), None, None), "db.example")
    near.open(Handler())
    near.write(b"a secret")
    hub.turn(lambda: None)

    assert b"a secret" not in other.recv(1 << 16)
    assert near.unsent == len(b"a secret"), "it waits until the other side is known"
    other.close()


def test_a_held_end_is_not_read(line: Line) -> None:
    line.turn()
    line.far.hold(True)
    line.near.write(b"hello")
    line.turn()
    assert line.there.got == b""
    line.far.hold(False)
    line.turn()

    assert line.there.got == b"hello"


def test_close_when_sent_sends_everything_first(line: Line) -> None:
    line.near.write(b"y" * (4 << 20))
    line.near.close_when_sent()
    line.turn(500)

    assert len(line.there.got) == 4 << 20
    assert line.here.ends == ["closed here"]
    assert line.there.ends == ["closed by the other side"]


def test_closing_tells_both_ends_once(line: Line) -> None:
    line.turn()
    line.near.close("enough")
    line.near.close("again")
    line.near.write(b"late")
    line.turn()

    assert line.here.ends == ["enough"]
    assert line.there.ends == ["closed by the other side"]
    assert line.there.got == b""


def test_a_stranger_is_not_trusted(hub: Hub, server: ssl.SSLContext) -> None:
    line = connect(hub, client_context(None, None, None), server)
    line.near.write(b"a secret")
    line.turn()

    assert line.here.ends == ["TLS: the certificate is not trusted: unable to get local issuer certificate"]
    assert line.there.got == b""
    assert "unknown ca" in line.there.ends[0]


def test_a_certificate_is_for_its_host(hub: Hub, ca: tuple[trustme.CA, Path], server: ssl.SSLContext) -> None:
    line = connect(hub, client_context(str(ca[1]), None, None), server, "other.example")
    line.turn()

    assert "Hostname mismatch" in line.here.ends[0]
    assert line.there.ends


def test_trust_can_be_waived(hub: Hub, server: ssl.SSLContext) -> None:
    line = connect(hub, client_context(None, None, None, verify=False), server, "other.example")
    line.near.write(b"hello")
    line.turn()

    assert line.there.got == b"hello"


def test_a_server_may_want_a_certificate_too(
    hub: Hub, ca: tuple[trustme.CA, Path], server: ssl.SSLContext, tmp_path: Path
) -> None:
    ca[0].configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    without = connect(hub, client_context(str(ca[1]), None, None), server)
    without.turn()
    assert without.here.ends
    issued = ca[0].issue_cert("node1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    shown = client_context(str(ca[1]), str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    line = connect(hub, shown, server)
    line.near.write(b"hello")
    line.turn()

    assert line.there.got == b"hello"


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 100])
def test_who_speaks_no_tls_is_left(hub: Hub, said: bytes) -> None:
    one, other = socket.socketpair()
    handler = Handler()
    TlsPipe(hub, Channel(hub, one), client_context(None, None, None), "db.example").open(handler)
    hub.turn(lambda: None)
    other.send(said)
    hub.turn(lambda: None)
    hub.turn(lambda: None)

    assert len(handler.ends) == 1
    assert handler.ends[0].startswith("TLS: ")
    other.close()
