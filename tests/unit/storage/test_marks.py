"""Marks: bits beside a string that only its own kind of client sees, and what leaves them as they are."""

import pytest

from tests.engines import MakeStore
from tests.unit.storage.test_keyspace import NOW, SLOT, at, make_keyspace, stamp_of, told
from trio_dynomite.data.effect import COUNT, PUT, RECORD, pack_record, record_effect, unpack_record
from trio_dynomite.data.record import version
from trio_dynomite.data.stamp import pack
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.keyspace import StoreKeyspace

SENT = 1 << 33


@pytest.fixture
def ks(make_store: MakeStore) -> StoreKeyspace:
    return make_keyspace(make_store)


def test_a_string_with_marks_is_a_string(ks: StoreKeyspace) -> None:
    ks.put_item(b"k", b"v", 0, 5)

    assert (ks.get(b"k"), ks.kind(b"k")) == (b"v", "string")
    assert ks.item(b"k") == (b"v", 5, version(ks.store.get(SLOT, b"k")), 0, 0)


def test_marks_are_told_with_the_value_in_one_record(ks: StoreKeyspace) -> None:
    ks.put_item(b"k", b"v", NOW + 5, 5)
    record = (stamp_of(ks), b"v", stamp_of(ks), NOW + 5, ((0, 1, 5),))

    assert ks.store.get(SLOT, b"k") == record
    assert told(ks) == [(RECORD, SLOT, b"k", pack_record(record), 0)]


def test_without_marks_it_is_a_put(ks: StoreKeyspace) -> None:
    ks.put_item(b"k", b"v", 0, 0)

    assert told(ks) == [(PUT, SLOT, b"k", b"v", 0)]


def test_a_deadline_that_has_passed_leaves_nothing(ks: StoreKeyspace) -> None:
    ks.put_item(b"k", b"v", 0, 5)
    ks.put_item(b"k", b"w", NOW - 1, 5)

    assert ks.item(b"k") is None


def test_a_mark_that_is_added_changes_neither_value_nor_version(ks: StoreKeyspace) -> None:
    ks.put_item(b"k", b"v", 0, 5)
    before = ks.item(b"k")
    told(ks)
    ks.mark(b"k", 5 | SENT)

    assert before is not None
    assert ks.item(b"k") == (b"v", 5 | SENT, *before[2:])
    assert told(ks) == [(COUNT, SLOT, b"k", [pack(stamp_of(ks)), pack(0), 2, 5 | SENT], 0)]


def test_a_plain_put_takes_marks_away_and_a_patch_does_not(ks: StoreKeyspace) -> None:
    ks.put_item(b"k", b"v", NOW + 9, 5)
    ks.patch(b"k", b"vw", b"append", b"w")
    patched = ks.item(b"k")
    ks.put(b"k", b"v")
    put = ks.item(b"k")

    assert patched is not None
    assert (patched[0], patched[1], patched[3]) == (b"vw", 5, NOW + 9)
    assert put is not None
    assert put[1] == 0


def test_who_counts_keeps_the_marks(ks: StoreKeyspace) -> None:
    ks.put_item(b"k", b"10", 0, 5)
    ks.count(b"k", -1)

    item = ks.item(b"k")
    assert item is not None
    assert (ks.get(b"k"), item[0], item[1], item[4]) == (b"9", b"9", 5, 2)


def test_a_number_too_large_to_be_counted_on_keeps_them_too(ks: StoreKeyspace) -> None:
    ks.put_item(b"k", b"-9223372036854775808", 0, 5)
    ks.count(b"k", 2**63 - 1)
    ks.count(b"k", 2**63 - 1)

    item = ks.item(b"k")
    assert item is not None
    assert (item[0], item[1]) == (b"9223372036854775806", 5)


@pytest.mark.parametrize("value", [b"", b"v"])
def test_what_is_no_number_is_none_for_its_marks(ks: StoreKeyspace, value: bytes) -> None:
    ks.put_item(b"k", value, 0, 5)

    with pytest.raises(CommandError, match="not an integer"):
        ks.count(b"k", 1)


def test_a_copy_has_the_marks(ks: StoreKeyspace) -> None:
    ks.put_item(b"k", b"v", 0, 5)
    ks.copy(b"k", b"other")

    item = ks.item(b"other")
    assert item is not None
    assert item[:2] == (b"v", 5)


def test_an_expired_item_is_absent_and_what_is_counted_then_has_no_marks(ks: StoreKeyspace) -> None:
    ks.put_item(b"k", b"7", NOW + 5, 5)
    at(ks, 5)

    assert ks.item(b"k") is None
    assert ks.count(b"k", 1) == 1
    item = ks.item(b"k")
    assert item is not None
    assert item[:2] == (b"1", 0)


def test_another_type_has_no_item(ks: StoreKeyspace) -> None:
    ks.set_at(b"k").add([b"a"])

    with pytest.raises(CommandError, match="WRONGTYPE"):
        ks.item(b"k")


def test_marks_of_a_value_that_is_unknown_are_a_gap(make_store: MakeStore) -> None:
    ks, other = make_keyspace(make_store), make_keyspace(make_store)
    ks.put_item(b"k", b"v", 0, 5)
    told(ks)
    ks.mark(b"k", 5 | SENT)
    effects = ks.effects
    assert effects is not None

    assert other.store.apply(9, effects) == [b"k"]
    *_, payload, _ = record_effect(SLOT, b"k", ks.store.get(SLOT, b"k"))
    other.store.join(SLOT, b"k", unpack_record(payload))
    assert other.item(b"k") == ks.item(b"k")
    assert other.store.apply(9, effects) == []
    assert other.item(b"k") == ks.item(b"k")
