"""LCS: the longest common subsequence of two strings (https://valkey.io/commands/lcs).

Redis fills a table of lengths L(i, j), one cell a step. Here a whole row is one integer: bit j-1 of row i
tells whether L(i, j) > L(i, j-1), and a row follows from the one above with a few operations on long
integers (Crochemore, Iliopoulos, Pinzon, Reid, "A fast and practical bit-vector algorithm for the longest
common subsequence problem", 2001). The way back through the table takes Redis's turns, so that of
several longest subsequences both name the same one: from unequal characters it goes up where
L(i-1, j) > L(i, j-1), which is just where the bit is set.
"""

from attrs import define, frozen

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import PROTO_MAX_BULK_LEN, SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import array, bulk, integer, mapping

_NOT_STRINGS = "ERR The specified keys must contain string values"
_LEN_AND_IDX = "ERR If you want both the length and indexes, please just use IDX."
_TOO_LARGE = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
_CELL_BYTES = 4


@define
class _Options:
    length: bool = False
    indexes: bool = False
    with_match_length: bool = False
    match_length_min: int = 0


@frozen
class Run:
    """Equal bytes that the subsequence takes one after the other."""

    left: int
    """Where they start in the first string."""
    right: int
    """Where they start in the second string."""
    length: int


def lcs(ks: Keyspace, args: list[bytes]) -> bytes:
    """LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]."""
    left, right = _strings(ks, args)
    options = _parse_options(args[3:])
    if (len(left) + 1) * (len(right) + 1) * _CELL_BYTES > PROTO_MAX_BULK_LEN:
        raise CommandError(_TOO_LARGE)
    if options.length:
        return integer(lcs_length(left, right))
    runs = lcs_runs(left, right)
    if options.indexes:
        return _index_reply(runs, options, ks.resp)
    return bulk(b"".join([left[run.left : run.left + run.length] for run in reversed(runs)]))


def lcs_length(left: bytes, right: bytes) -> int:
    """The length of the longest common subsequence."""
    longer, shorter = (left, right) if len(left) >= len(right) else (right, left)
    rows = _rows(shorter, longer)
    return rows[-1].bit_count() if rows else 0


def lcs_runs(left: bytes, right: bytes) -> list[Run]:
    """The longest common subsequence as runs of equal bytes, the last run first."""
    rows = _rows(left, right)
    runs = []
    i, j = len(left), len(right)
    while i and j:
        if left[i - 1] == right[j - 1]:
            length = _common_suffix(left, right, i, j)
            i, j = i - length, j - length
            runs.append(Run(i, j, length))
        else:
            i, j = _step_back(rows, left, right, i, j)
    return runs


def _rows(left: bytes, right: bytes) -> list[int]:
    """One integer for each byte of `left`: where in `right` the length grows."""
    everywhere = (1 << len(right)) - 1
    places = {byte: _places(right, byte) for byte in set(left)}
    rows, flat = [], everywhere
    for byte in left:
        grown = flat & places[byte]
        flat = ((flat + grown) | (flat - grown)) & everywhere
        rows.append(flat ^ everywhere)
    return rows


def _places(text: bytes, byte: int) -> int:
    """The integer whose bit n tells whether `text[n]` is `byte`."""
    table = bytes(49 if value == byte else 48 for value in range(256))
    return int(text[::-1].translate(table) or b"0", 2)


def _common_suffix(left: bytes, right: bytes, i: int, j: int) -> int:
    length = 0
    while length < i and length < j and left[i - length - 1] == right[j - length - 1]:
        length += 1
    return length


def _step_back(rows: list[int], left: bytes, right: bytes, i: int, j: int) -> tuple[int, int]:
    """From unequal characters to the left while the length stays, and one up when it does not."""
    bits = rows[i - 1].to_bytes(len(right) // 8 + 1, "little")
    while j and left[i - 1] != right[j - 1]:
        if bits[(j - 1) >> 3] >> ((j - 1) & 7) & 1:
            return i - 1, j
        j -= 1
    return i, j


def _strings(ks: Keyspace, args: list[bytes]) -> tuple[bytes, bytes]:
    for key in args[1:3]:
        if ks.kind(key) not in (None, "string"):
            raise CommandError(_NOT_STRINGS)
    return ks.get(args[1]) or b"", ks.get(args[2]) or b""


def _parse_options(words: list[bytes]) -> _Options:
    options = _Options()
    rest = iter(words)
    for word in rest:
        match word.upper():
            case b"LEN":
                options.length = True
            case b"IDX":
                options.indexes = True
            case b"WITHMATCHLEN":
                options.with_match_length = True
            case b"MINMATCHLEN" if (number := next(rest, None)) is not None:
                options.match_length_min = max(integer_argument(number), 0)
            case _:
                raise CommandError(SYNTAX)
    if options.length and options.indexes:
        raise CommandError(_LEN_AND_IDX)
    return options


def _index_reply(runs: list[Run], options: _Options, resp: int) -> bytes:
    matches = [
        _match_reply(run, with_length=options.with_match_length)
        for run in runs
        if run.length >= options.match_length_min
    ]
    total = sum([run.length for run in runs])
    return mapping([(bulk(b"matches"), array(matches)), (bulk(b"len"), integer(total))], resp)


def _match_reply(run: Run, *, with_length: bool) -> bytes:
    spans = [_span(run.left, run.length), _span(run.right, run.length)]
    return array([*spans, integer(run.length)] if with_length else spans)


def _span(start: int, length: int) -> bytes:
    return array([integer(start), integer(start + length - 1)])
