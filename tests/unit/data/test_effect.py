"""Effects: what each kind does to each record it may meet."""

import msgspec
import pytest

from trio_dynomite.data import effect
from trio_dynomite.data.effect import COUNT, EXPIRE, PATCH, PUT, RECORD, apply, patched
from trio_dynomite.data.record import ABSENT, Record, text
from trio_dynomite.data.stamp import pack

NOW = 10_000
S1, S2, S3 = (n << 48 | 1 for n in (5, 6, 7))
LIVE: Record = (S2, b"ab", 0, 0, None)
DELETED: Record = (S2, None, 0, 0, None)
EXPIRED: Record = (S2, b"ab", S2, NOW, None)
SHELL: Record = (S2, None, S2, NOW, None)


@pytest.mark.parametrize("record", [ABSENT, LIVE, DELETED, EXPIRED, SHELL])
def test_a_newer_put_replaces_everything(record: Record) -> None:
    assert apply(record, PUT, S3, b"new", 0) == (S3, b"new", 0, 0, None)
    assert apply(record, PUT, S3, b"new", 99) == (S3, b"new", S3, 99, None)
    assert apply(record, PUT, S3, None, 0) == (S3, None, 0, 0, None)


@pytest.mark.parametrize("record", [LIVE, DELETED, EXPIRED, SHELL])
@pytest.mark.parametrize(("kind", "payload"), [(PUT, b"old"), (PUT, None), (EXPIRE, None)])
def test_what_is_older_changes_nothing(record: Record, kind: int, payload: bytes | None) -> None:
    assert apply(record, kind, S1, payload, 0) is record


def test_a_deadline_moves_and_goes() -> None:
    moved = apply(LIVE, EXPIRE, S3, None, NOW + 7)

    assert moved == (S2, b"ab", S3, NOW + 7, None)
    assert apply(moved, EXPIRE, S3 + 1, None, 0) == (S2, b"ab", S3 + 1, 0, None)


def test_what_builds_on_a_value_that_has_expired_here_is_a_gap() -> None:
    assert apply(SHELL, EXPIRE, S3, None, NOW + 7) is None
    assert apply(SHELL, COUNT, S3, [pack(S2), pack(77), 1, 5], 0) is None


def test_a_patch_is_done_at_its_parent_only() -> None:
    append = [pack(S2), b"append", b"c"]

    assert apply(LIVE, PATCH, S3, append, 0) == (S3, b"abc", 0, 0, None)
    assert apply((S3, b"abc", 0, 0, None), PATCH, S3, append, 0) == (S3, b"abc", 0, 0, None)
    assert apply((S1, b"a", 0, 0, None), PATCH, S3, append, 0) is None
    assert apply(ABSENT, PATCH, S3, append, 0) is None
    assert apply(SHELL, PATCH, S3, append, 0) is None


def test_a_patch_keeps_the_deadline_that_the_primary_told() -> None:
    record: Record = (S1, b"a", S2, NOW + 7, None)

    assert apply(record, PATCH, S3, [pack(S1), b"append", b"b"], NOW + 7) == (
        S3,
        b"ab",
        S3,
        NOW + 7,
        None,
    )


def test_a_deadline_of_another_datacenter_outlives_a_patch_that_is_older() -> None:
    dated: Record = (S1, b"a", S3, NOW + 7, None)

    assert apply(dated, PATCH, S2, [pack(S1), b"append", b"b"], 0) == (S2, b"ab", S3, NOW + 7, None)


@pytest.mark.parametrize(
    ("value", "operation", "result"),
    [
        (b"", [b"append", b"x"], b"x"),
        (b"hello", [b"setrange", 1, b"AB"], b"hABlo"),
        (b"hello", [b"setrange", 4, b"AB"], b"hellAB"),
        (b"ab", [b"setrange", 4, b"c"], b"ab\0\0c"),
        (b"", [b"setrange", 0, b"c"], b"c"),
    ],
)
def test_patches_do_what_append_and_setrange_do(value: bytes, operation: list[object], result: bytes) -> None:
    assert patched(value, operation) == result


def test_counts_build_on_their_base() -> None:
    number: Record = (S2, b"10", 0, 0, None)
    payload = [pack(S2), pack(77), 1, 5]
    counted = apply(number, COUNT, S3, payload, 0)

    assert counted is not None
    assert text(counted) == b"15"
    assert apply(counted, COUNT, S3, payload, 0) is counted, "twice is once"
    assert apply((S3, b"0", 0, 0, None), COUNT, S3, payload, 0) == (S3, b"0", 0, 0, None), "overwritten"
    assert apply((S1, b"0", 0, 0, None), COUNT, S3, payload, 0) is None, "the base is not here yet"


def test_a_count_on_nothing_counts_from_zero() -> None:
    counted = apply(ABSENT, COUNT, S3, [pack(0), pack(77), 1, -5], 0)

    assert counted is not None
    assert text(counted) == b"-5"


@pytest.mark.parametrize(
    "record",
    [
        ABSENT,
        LIVE,
        DELETED,
        EXPIRED,
        SHELL,
        (S1, b"\0\xff", S2, NOW, ((S1, 3, -(2**63)), (S2, 1, 2**63))),
        (2**96 - 1, b"v", 2**96 - 1, 2**63, None),
    ],
)
def test_a_record_travels_in_a_frame(record: Record) -> None:
    told = effect.record_effect(16383, b"key", record)
    kind, slot, key, _, payload, _ = msgspec.msgpack.decode(msgspec.msgpack.encode(told))

    assert (kind, slot, key) == (RECORD, 16383, b"key")
    assert apply(ABSENT, kind, 0, payload, 0) == record
