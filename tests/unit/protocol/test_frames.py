"""Peer frames: whole however they are cut, and nothing but a protocol error for what is not one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.errors import ProtocolError
from trio_dynomite.protocol import frames
from trio_dynomite.protocol.frames import FRAME_MAX, FrameReader, Kind, effects_head, encode, encode_body


def effects_frame(kind: Kind, token: int, body: bytes) -> bytes:
    return effects_head(kind, token, len(body)) + body


STREAM = (
    encode(Kind.PING, 4, 1_700_000_000_123, 7)
    + effects_frame(Kind.EFFECTS, 0xFFFF_FFFF, encode_body([2**32 - 1, [0, 5, b"k", 2**64 - 1, None, 0]]))
    + encode(Kind.ACK, 1, [])
    + effects_frame(Kind.RELAY, 0, encode_body([1, []]))
    + encode(Kind.GOODBYE, "because")
)
SAID = [
    (Kind.PING, [4, 1_700_000_000_123, 7]),
    (Kind.EFFECTS, [2**32 - 1, [0, 5, b"k", 2**64 - 1, None, 0], 0xFFFF_FFFF]),
    (Kind.ACK, [1, []]),
    (Kind.RELAY, [1, [], 0]),
    (Kind.GOODBYE, ["because"]),
]


def test_all_in_one_piece() -> None:
    assert FrameReader().feed(STREAM) == SAID


@pytest.mark.parametrize("at", range(1, len(STREAM)))
def test_it_does_not_matter_where_the_bytes_are_cut(at: int) -> None:
    reader = FrameReader()

    assert reader.feed(STREAM[:at]) + reader.feed(STREAM[at:]) == SAID


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7])
def test_in_small_pieces(step: int) -> None:
    reader, said = FrameReader(), []
    for at in range(0, len(STREAM), step):
        said += reader.feed(STREAM[at : at + step])

    assert said == SAID


def test_a_frame_is_given_with_its_last_byte() -> None:
    reader, frame = FrameReader(), encode(Kind.ACK, 1, [])

    assert [reader.feed(frame[at : at + 1]) for at in range(len(frame))][-2:] == [[], [(Kind.ACK, [1, []])]]


@pytest.mark.parametrize("length", [0, FRAME_MAX + 1, 0xFFFF_FFFF])
def test_a_length_that_cannot_be_is_refused_before_the_bytes_come(length: int) -> None:
    with pytest.raises(ProtocolError, match=f"peer frame of {length} bytes"):
        FrameReader().feed(length.to_bytes(4, "big") + b"\x01")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not MessagePack"),
        (b"\xc1", "not MessagePack"),
        (b"\x05", "holds a int"),
        (b"\x80", "holds a dict"),
    ],
)
def test_a_body_that_is_no_array_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        FrameReader().feed(frames.frame(Kind.PING, body))


@pytest.mark.parametrize("size", range(5))
def test_an_effects_frame_too_short_for_its_token_is_refused(size: int) -> None:
    with pytest.raises(ProtocolError):
        FrameReader().feed(frames.frame(Kind.EFFECTS, b"\x90"[:size] + b"\0" * (size - 1)))


def test_a_long_frame_is_joined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """20 MB in pieces of 64 KB: read as it ends, not with every piece."""
    reads: list[int] = []
    read = frames._read

    def counted(data: memoryview) -> tuple[int, list[object]]:
        reads.append(len(data))
        return read(data)

    monkeypatch.setattr(frames, "_read", counted)
    frame = encode(Kind.RESULTS, [[1, b"x" * 20_000_000]])
    reader, pieces_held = FrameReader(), 0
    for at in range(0, len(frame) - 1, 65536):
        assert reader.feed(frame[at : min(at + 65536, len(frame) - 1)]) == []
        pieces_held = max(pieces_held, len(reader._rest))

    assert reader.feed(frame[-1:])[0][1][0][0][0] == 1
    assert len(reads) == 1
    assert pieces_held > 300, "pieces are kept apart until the frame is whole"
    assert reader._rest == []


@given(st.integers(0, 255), st.lists(st.one_of(st.integers(-(2**63), 2**64 - 1), st.binary(), st.none())))
def test_what_is_said_is_what_is_heard(kind: int, fields: list[object]) -> None:
    if kind in (Kind.EFFECTS, Kind.RELAY):
        assert FrameReader().feed(effects_frame(kind, 9, encode_body(fields))) == [(kind, [*fields, 9])]
    else:
        assert FrameReader().feed(encode(kind, *fields)) == [(kind, fields)]
