"""The blocks of a hint log: what a crash or a bad disk leaves is read as far as it is whole."""

from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.handoff.block import MARK, Block, encode, read

BLOCKS = [
    Block(1000, 0, [b"a", b"b" * 300, b""], [], 0),
    Block(1050, 3, [], [(2**32 - 1, 0, 16383, 2**64 - 1)], 2),
    Block(1100, 3, [b"c"], [], 3),
]
DATA = MARK + b"".join(map(encode, BLOCKS))
ENDS = [len(MARK + b"".join(map(encode, BLOCKS[:count]))) for count in range(len(BLOCKS) + 1)]


def test_what_was_written_is_read() -> None:
    segment = read(DATA)
    assert (segment.blocks, segment.unread) == (BLOCKS, 0)


def test_a_file_that_ends_anywhere_tells_its_whole_blocks() -> None:
    for length in range(len(DATA) + 1):
        segment = read(DATA[:length])
        whole = sum([end <= length for end in ENDS[1:]])
        assert segment.blocks == BLOCKS[:whole]
        assert segment.unread == (length - ENDS[whole] if length >= len(MARK) else length)
        assert not segment.is_damaged


def test_a_byte_that_changed_ends_the_segment_before_its_block() -> None:
    for at in range(len(DATA)):
        segment = read(DATA[:at] + bytes([DATA[at] ^ 0x10]) + DATA[at + 1 :])
        whole = max(sum([end <= at for end in ENDS]) - 1, 0)
        assert segment.blocks == BLOCKS[:whole]
        assert segment.unread == (len(DATA) - ENDS[whole] if at >= len(MARK) else len(DATA))


@given(st.binary(max_size=200))
def test_anything_can_be_read(data: bytes) -> None:
    assert read(data).unread <= len(data)
    assert read(MARK + data).unread <= len(data)


def test_long_ones_are_cut() -> None:
    whole = Block(5, 10, [b"%d" % at for at in range(25)], [(1, 2, 3, 4)], 9)
    parts = whole.parts(10)
    assert [(part.first, len(part.keys), len(part.flushes)) for part in parts] == [
        (10, 10, 1),
        (20, 10, 0),
        (30, 5, 0),
    ]
    assert [key for part in parts for key in part.keys] == whole.keys
