"""LZF decompression: the format in which Redis shortens strings inside DUMP payloads (liblzf, `lzf_d.c`).

A stream is a row of items. A first byte below 32 is followed by that many plus one literal bytes. Any
other starts a copy from what is already out: the top three bits are the length minus two (seven: a
further byte adds to it), the rest and one more byte are the distance minus one.
"""


def decompress(data: bytes, size: int) -> bytes | None:
    """The `size` bytes that `data` is short for, or None when it is damaged."""
    out = bytearray()
    position, end = 0, len(data)
    try:
        while position < end and len(out) <= size:
            control = data[position]
            position += 1
            if control < 32:
                out += data[position : position + control + 1]
                position += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += data[position]
                position += 1
            start = len(out) - ((control & 31) << 8) - data[position] - 1
            position += 1
            if start < 0:
                return None
            _copy(out, start, length + 2)
    except IndexError:
        return None
    return bytes(out) if len(out) == size and position == end else None


def _copy(out: bytearray, start: int, length: int) -> None:
    """Append `length` bytes from `start` on; they may run into what is being appended."""
    piece = out[start : start + length]
    if len(piece) < length:
        piece = (piece * (length // len(piece) + 1))[:length]
    out += piece
