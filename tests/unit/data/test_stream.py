"""The body of a stream: operations that are refused, copies, and what they cost."""

import pytest

from trio_dynomite.data.entry_id import ID_MAX, decode, encode
from trio_dynomite.data.shelf import MEMORY
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.errors import ProtocolError


def body_with_group() -> StreamBody:
    body = StreamBody()
    for number in (1, 2, 3):
        body.apply([b"add", encode(number), [b"f", b"%d" % number], None])
    body.apply([b"group", b"g", encode(0), 0])
    body.apply([b"read", b"g", b"c", [encode(1), encode(2)], 100, 2])
    return body


@pytest.mark.parametrize(
    "operation",
    [
        [],
        [b"nope"],
        [b"add", encode(4)],
        [b"delete", [encode(9)]],
        [b"drop", b"absent"],
        [b"read", b"absent", b"c", [encode(3)], 0, None],
        [b"claim", b"g", b"c", [encode(1)], 0, []],
    ],
)
def test_an_operation_that_does_not_fit_is_refused(operation: list[object]) -> None:
    with pytest.raises(ProtocolError):
        body_with_group().apply(operation)


def test_ids_sort_as_their_bytes_do() -> None:
    ids = [0, 1, 255, 256, 1 << 64, (1 << 64) + 5, ID_MAX]
    assert sorted(map(encode, reversed(ids))) == [encode(number) for number in ids]
    assert [decode(encode(number)) for number in ids] == ids


def test_a_copy_lives_on_its_own() -> None:
    body = body_with_group()
    copy = body.on(MEMORY)
    assert copy == body
    copy.apply([b"ack", b"g", [encode(1)]])
    copy.apply([b"trim", encode(2)])
    assert len(body) == 3
    assert list(body.groups[b"g"].pending) == [1, 2]
    assert copy != body


def test_an_addition_and_its_trimming_are_one_operation() -> None:
    body = body_with_group()
    assert body.apply([b"add", encode(4), [b"f", b"4"], encode(2)]) == 2
    assert list(body.entries) == [3, 4]
    assert (body.added, body.last_id, body.max_deleted_id) == (4, 4, 0)


def test_a_claim_takes_an_entry_from_who_had_it() -> None:
    body = body_with_group()
    body.apply([b"see", b"g", b"d", 200, 200])
    body.apply([b"claim", b"g", b"d", [encode(1)], 150, [5]])
    group = body.groups[b"g"]
    assert group.pending[1] == (b"d", 150, 5)
    assert list(group.consumers[b"c"].pending) == [2]
    assert list(group.consumers[b"d"].pending) == [1]
    assert body.apply([b"forget", b"g", b"d"]) == 1
    assert list(group.pending) == [2]
