"""The body of a stream: what it packs is all of it, and recorded operations make the same body anywhere."""

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st
from sortedcontainers import SortedDict

from tests.conformance.stream_requests import storm
from tests.unit.commands.fake import FakeKeyspace
from tests.unit.commands.fake_records import FakeStream
from trio_dynomite.commands.table import lookup
from trio_dynomite.data.entry_id import encode
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.errors import CommandError, ProtocolError

IDS = st.integers(1, 6).map(lambda number: encode(number << 64))
SOME_IDS = st.lists(IDS, max_size=3, unique=True)
NAMES = st.sampled_from([b"g", b"h"])
WHO = st.sampled_from([b"c", b"d"])
TIMES = st.integers(0, 9)
OPTIONAL = st.none() | TIMES
OPERATIONS = st.one_of(
    st.tuples(st.just(b"add"), IDS, st.lists(st.binary(max_size=2), min_size=2, max_size=2), st.none() | IDS),
    st.tuples(st.just(b"trim"), IDS),
    st.tuples(st.just(b"delete"), SOME_IDS),
    st.tuples(st.just(b"setid"), IDS, TIMES, IDS),
    st.tuples(st.just(b"group"), NAMES, IDS, OPTIONAL),
    st.tuples(st.just(b"drop"), NAMES),
    st.tuples(st.just(b"see"), NAMES, WHO, TIMES, OPTIONAL),
    st.tuples(st.just(b"forget"), NAMES, WHO),
    st.tuples(st.just(b"read"), NAMES, WHO, SOME_IDS.filter(bool), TIMES, OPTIONAL),
    st.tuples(st.just(b"claim"), NAMES, WHO, SOME_IDS, TIMES, st.lists(TIMES, max_size=3)),
    st.tuples(st.just(b"ack"), NAMES, SOME_IDS),
    st.tuples(st.sampled_from([b"nope", b"add", b"read"])),
).map(list)


@define
class Narrow:
    """A container of entries that can do what `StreamBody` asks for, and nothing else."""

    inner: SortedDict[int, Any] = field(factory=SortedDict)

    def __len__(self) -> int:
        return len(self.inner)

    def __contains__(self, entry_id: int) -> bool:
        return entry_id in self.inner

    def __setitem__(self, entry_id: int, fields: Any) -> None:
        self.inner[entry_id] = fields

    def __delitem__(self, entry_id: int) -> None:
        del self.inner[entry_id]

    def get(self, entry_id: int) -> Any:
        return self.inner.get(entry_id)

    def peekitem(self, index: int) -> Any:
        assert index in (0, -1)
        return self.inner.peekitem(index)

    def irange(
        self,
        minimum: int | None = None,
        maximum: int | None = None,
        inclusive: tuple[bool, bool] = (True, True),
        reverse: bool = False,
    ) -> Iterator[int]:
        return self.inner.irange(minimum, maximum, inclusive, reverse)


@define
class RecordedStream(FakeStream):
    """Notes every operation as it goes over the wire."""

    log: list[bytes] = field(factory=list)

    def change(self, *operation: Any) -> Any:
        self.log.append(msgspec.msgpack.encode(operation))
        return super().change(*operation)


@define
class RecordedKeyspace(FakeKeyspace):
    logs: dict[bytes, list[bytes]] = field(factory=dict)

    def stream_at(self, key: bytes) -> FakeStream:
        found = super().stream_at(key)
        if found.body is None:
            self.logs[key] = []
        return RecordedStream(self, key, found.body, self.logs[key])


def outcome(body: StreamBody, operation: list[Any]) -> Any:
    try:
        return body.apply(operation)
    except ProtocolError:
        return "refused"


def wired(value: Any) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value))


def check_owners(body: StreamBody) -> None:
    """Each consumer has the ids of what is pending for it."""
    for group in body.groups.values():
        for name, consumer in group.consumers.items():
            assert list(consumer.pending) == [i for i, state in group.pending.items() if state[0] == name]


@settings(max_examples=200, deadline=None)
@given(operations=st.lists(OPERATIONS, max_size=30))
def test_a_body_that_was_packed_and_unpacked_goes_on_like_the_other(operations: list[list[Any]]) -> None:
    body = StreamBody()
    for operation in operations:
        other = StreamBody.unpack(wired(body.pack()), Narrow())
        assert other == body
        assert outcome(body, operation) == outcome(other, wired(operation))
        assert other == body
        check_owners(body)


@pytest.mark.parametrize("seed", range(20))
def test_the_operations_of_commands_make_the_same_body_again(seed: int) -> None:
    ks = RecordedKeyspace()
    for request in storm(Random(seed), 300):
        ks.now_ms += 7
        try:
            handler = lookup(list(request)).handler
            assert handler is not None
            handler(ks, list(request))
        except CommandError:
            pass
    assert ks.entries
    for key, entry in ks.entries.items():
        replica = StreamBody(Narrow())
        for operation in ks.logs[key]:
            replica.apply(msgspec.msgpack.decode(operation))
        assert replica == entry.value
        assert replica.pack() == entry.value.pack()
        check_owners(replica)
