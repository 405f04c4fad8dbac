"""Each source of seeds against a real little server on this machine, and what goes wrong with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import h11
import pytest
import trio

from trio_dynomite.membership.seeds import DnsSeeds, FileSeeds, HttpSeeds, ListedSeeds, Seed
from trio_dynomite.seeds import sources
from trio_dynomite.seeds.sources import SeedsError, source_of

HOST = "127.0.0.1"


async def test_a_list_is_what_it_is() -> None:
    listed = (Seed("::1", 8101), Seed("db1", 8101))

    assert await source_of(ListedSeeds(listed)).read() == list(listed)


async def test_a_file_is_read_again_whenever_it_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "seeds.txt"
    source = source_of(FileSeeds(str(path)))

    with pytest.raises(SeedsError, match=r"seeds\.txt cannot be read: No such file"):
        await source.read()
    path.write_text("10.0.0.1:8101\n")
    assert await source.read() == [Seed("10.0.0.1", 8101)]
    path.write_text("10.0.0.1:8101:rack1:dc1:0|[::1]:8101:rack2:dc1:0\n")
    assert [seed.address for seed in await source.read()] == [("10.0.0.1", 8101), ("::1", 8101)]
    path.write_text("")
    assert await source.read() == []
    path.write_text("garbage in it\n")
    with pytest.raises(SeedsError, match="garbage"):
        await source.read()
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SeedsError, match="not UTF-8"):
        await source.read()


# DNS

RECORDS = {
    "A": ["10.0.0.1", "10.0.0.2"],
    "AAAA": ["fd00::1", "fd00::2"],
    "SRV": ["0 0 8101 db1.example.com.", "0 0 8201 db2.example.com."],
    "TXT": ['"10.0.0.1:8101:rack1:dc1:0|" "[fd00::1]:8101:rack2:dc1:0"'],
}


def answer_of(data: bytes) -> bytes:
    """What our name server says: the records of cluster.example.com, and nothing else."""
    question = dns.message.from_wire(data)
    answer = dns.message.make_response(question)
    answer.flags |= dns.flags.RA
    (asked,) = question.question
    if asked.name.to_text() != "cluster.example.com.":
        answer.set_rcode(dns.rcode.NXDOMAIN)
    else:
        kind = asked.rdtype.name
        answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *RECORDS[kind]))
    return answer.to_wire()


@asynccontextmanager
async def name_server(answer: Callable[[bytes], bytes | None] = answer_of) -> AsyncIterator[Seed]:
    """A DNS server over UDP; its address."""
    with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as sock:
        await sock.bind((HOST, 0))

        async def serve() -> None:
            while True:
                data, address = await sock.recvfrom(4096)
                said = answer(data)
                if said is not None:
                    await sock.sendto(said, address)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            yield Seed(HOST, sock.getsockname()[1])
            nursery.cancel_scope.cancel()


def named(server: Seed, kind: str, name: str = "cluster.example.com") -> DnsSeeds:
    return DnsSeeds(name=name, type=kind, port=8301, servers=(server,))


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("A", [("10.0.0.1", 8301), ("10.0.0.2", 8301)]),
        ("AAAA", [("fd00::1", 8301), ("fd00::2", 8301)]),
        ("SRV", [("db1.example.com", 8101), ("db2.example.com", 8201)]),
        ("TXT", [("10.0.0.1", 8101), ("fd00::1", 8101)]),
    ],
)
async def test_records_of_each_type_are_seeds(kind: str, found: list[tuple[str, int]]) -> None:
    async with name_server() as server:
        seeds = await source_of(named(server, kind)).read()

    assert sorted(seed.address for seed in seeds) == found


async def test_a_name_that_is_not_there_is_told() -> None:
    async with name_server() as server:
        with pytest.raises(SeedsError, match=r"A of nobody\.example\.com: .*does not exist"):
            await source_of(named(server, "A", "nobody.example.com")).read()


@pytest.mark.parametrize("answer", [lambda data: None, lambda data: b"garbage"], ids=["none", "garbage"])
async def test_a_name_server_that_does_not_answer_is_told(
    answer: Callable[[bytes], bytes | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "DNS_TIMEOUT_S", 0.3)
    async with name_server(answer) as server:
        with pytest.raises(SeedsError, match=r"DNS, A of cluster\.example\.com"):
            await source_of(named(server, "A")).read()


async def test_text_records_without_seeds_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECORDS, "TXT", ['"v=spf1 -all"'])
    async with name_server() as server:
        with pytest.raises(SeedsError, match=r"TXT of cluster\.example\.com: .*v=spf1"):
            await source_of(named(server, "TXT")).read()


# HTTP


@asynccontextmanager
async def web_server(body: bytes, status: int = 200) -> AsyncIterator[str]:
    """A server of one page; its address."""

    async def serve(stream: trio.SocketStream) -> None:
        connection = h11.Connection(h11.SERVER)
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(4096))
        headers = [("Content-Length", str(len(body))), ("Connection", "close")]
        parts = [h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()]
        try:
            await stream.send_all(b"".join(filter(None, map(connection.send, parts))))
        except trio.BrokenResourceError:
            pass  # the client has read enough

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host=HOST)
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        port = listeners[0].socket.getsockname()[1]
        yield f"http://{HOST}:{port}/REST/v1/admin/get_seeds"
        nursery.cancel_scope.cancel()


async def test_a_page_in_the_form_of_florida() -> None:
    async with web_server(b"10.0.0.1:8101:rack1:dc1:0|10.0.0.2:8101:rack2:dc1:0") as url:
        seeds = await source_of(HttpSeeds(url)).read()

    assert seeds == [
        Seed("10.0.0.1", 8101, "rack1", "dc1", (0,)),
        Seed("10.0.0.2", 8101, "rack2", "dc1", (0,)),
    ]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"<html>not found</html>", 404, "answered 404"),
        (b"<html>welcome</html>", 200, "must be"),
        (b"\xff\xfe\x00", 200, "must be"),
        (b"x" * (2 << 20), 200, "longer than"),
    ],
    ids=["404", "html", "bytes", "long"],
)
async def test_a_page_that_is_something_else_is_told(body: bytes, status: int, reason: str) -> None:
    async with web_server(body, status) as url:
        with pytest.raises(SeedsError, match=reason):
            await source_of(HttpSeeds(url)).read()


async def test_an_empty_page_is_no_seeds() -> None:
    async with web_server(b"\n") as url:
        assert await source_of(HttpSeeds(url)).read() == []


async def test_a_server_that_is_not_there_is_told() -> None:
    async with web_server(b"") as url:
        pass
    with pytest.raises(SeedsError, match=url):
        await source_of(HttpSeeds(url)).read()
