"""Peer frames: what nodes say to each other.

    4 bytes length (of what follows) | 1 byte kind | MessagePack body

One connection carries the requests and effects of the node that opened it, and the answers of the other;
every kind below says who sends it. Bodies are MessagePack arrays; unknown trailing fields are ignored, so a
newer node can add some. The first frame of the opener is HELLO and nothing is taken before it.
"""

import enum
from typing import Any

import msgspec
from attrs import define, field

from trio_dynomite.errors import ProtocolError

PROTOCOL = 2
FRAME_MAX = 1 << 30
"""Longest frame that is believed: two values of 512 MB, the longest that Redis knows."""
HELLO_MAX = 1 << 16
"""The same before the sender has said who it is."""
_HEAD = 4
_TOKEN = 4


class Kind(enum.IntEnum):
    """What a frame says."""

    HELLO = 1  # opener: [protocol, cluster, partitioner, name, datacenter, rack, report…, member]
    WELCOME = 2  # answer: [name, report…]
    REFUSE = 3  # answer: [reason], then the connection ends
    PING = 4  # opener: report: [state, now_ms, view number, ring, is warm]
    PONG = 5  # answer: report
    EFFECTS = 6  # opener: token, then [origin, [effect fields…]]; join them
    RELAY = 7  # the same to the gateway of another datacenter: join, and pass on to its racks
    ACK = 8  # answer: [frames joined since the connection began, [doubted frame…]]
    GAP = 9  # answer: [[key…]], send me these records, I could not join what built on them
    RUN = 10  # opener: [[id, read level, write level, protocol, scope, args]…]; serve these commands
    RESULTS = 11  # answer: [[id, reply or nil, clock]…]; nil: nothing done here; clock of its effects or 0
    DIGEST = 12  # opener: [[key or [key…]]…]
    DIGESTS = 13  # answer: [digest…], in the order asked
    FETCH = 14  # opener: [id, [key…]]; tell me all you know
    RECORDS = 15  # answer: [id, [effect fields…]]
    SYNC = 16  # opener: [id, [slot…], [digest…]]; what do you know that differs
    SLOTS = (
        17  # answer: [id, slots looked at, [[slot, floor]…], [effect fields…], view number, [leader…], …
        # ring]
    )
    GOODBYE = 18  # either: [reason]; an orderly end
    REPORT = 19  # answer: report; the ring has changed, and what is answered after this is by the new one
    MEMBERS = 20  # instead of HELLO: [protocol, cluster, partitioner, [member…]], who are you all?
    # answer: [name, [member…]], then the connection ends


_EFFECTS, _RELAY = int(Kind.EFFECTS), int(Kind.RELAY)
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()
encode_body = _encoder.encode


def frame(kind: int, body: bytes) -> bytes:
    """A frame around an encoded body."""
    return b"%b%c%b" % ((len(body) + 1).to_bytes(_HEAD, "big"), kind, body)


def effects_head(kind: int, token: int, size: int) -> bytes:
    """An EFFECTS or RELAY frame up to its body of `size` bytes, which all replicas get alike.

    The token is the number of the receiver's view of who leads, as it told when we last synced, and 0 for
    effects that need no primary's authority. A receiver in whose view somebody else has led since joins them
    all the same, and says in its ACK that it doubts the frame: it does not count towards a level.
    """
    return b"%b%c%b" % ((size + 1 + _TOKEN).to_bytes(_HEAD, "big"), kind, token.to_bytes(_TOKEN, "big"))


def encode(kind: int, *fields: Any) -> bytes:
    """A whole frame."""
    return frame(kind, _encoder.encode(fields))


@define
class FrameReader:
    """Bytes → frames, for one connection."""

    frame_max: int = FRAME_MAX
    """Longest frame that is believed."""
    _rest: list[bytes] = field(factory=list)
    """An unfinished frame, in pieces."""
    _held: int = 0
    """Bytes in `_rest`."""
    _wanted: int = 0
    """Bytes of `_rest` below which the frame cannot be whole; spares joining a long one again and again."""

    def feed(self, data: bytes) -> list[tuple[int, list[Any]]]:
        """The (kind, fields) of every frame that `data` completes. Raises ProtocolError."""
        if self._rest:
            self._rest.append(data)
            self._held += len(data)
            if self._held < self._wanted:
                return []
            data = b"".join(self._rest)
            self._rest.clear()
        frames: list[tuple[int, list[Any]]] = []
        start, size = 0, len(data)
        view = memoryview(data)
        while size - start > _HEAD:
            length = int.from_bytes(data[start : start + _HEAD], "big")
            if not 1 <= length <= self.frame_max:
                raise ProtocolError(f"peer frame of {length} bytes; at most {self.frame_max} are believed")
            end = start + _HEAD + length
            if end > size:
                self._wanted = end - start
                break
            frames.append(_read(view[start + _HEAD : end]))
            start = end
        if start < size:
            self._rest.append(data[start:])
            self._held = size - start
            self._wanted = max(self._wanted, _HEAD + 1) if size - start > _HEAD else _HEAD + 1
        return frames


def _read(data: memoryview) -> tuple[int, list[Any]]:
    """(kind, fields) of one frame; a token comes after the fields of the body."""
    kind = data[0]
    if kind != _EFFECTS and kind != _RELAY:
        return kind, _decode(data[1:])
    fields = _decode(data[1 + _TOKEN :])
    fields.append(int.from_bytes(data[1 : 1 + _TOKEN], "big"))
    return kind, fields


def _decode(body: memoryview) -> list[Any]:
    try:
        fields = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolError(f"peer frame is not MessagePack: {error}") from None
    if not isinstance(fields, list):
        raise ProtocolError(f"peer frame holds a {type(fields).__name__}, not an array")
    return fields
