"""What containers note is what another copy has to do."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.data.sequence import ListBody
from trio_dynomite.storage.redis.shelf import NotedEntries, adopt

values = st.sampled_from([b"a", b"b", b"\x01trio-dynomite", b"c"])


def replayed(items: list[bytes], notes: list[Any]) -> list[bytes]:
    """A native list after the commands that were noted."""
    for name, arguments in notes:
        if name == b"RPUSH":
            items += arguments
        elif name == b"LPUSH":
            items[:0] = reversed(arguments)
        elif name == b"LTRIM":
            items = items[int(arguments[0]) : len(items) + 1 + int(arguments[1])]
        elif name == b"LSET":
            items[int(arguments[0])] = arguments[1]
        elif name == b"LREM":
            assert arguments[0] == b"1"
            items.remove(arguments[1])
        else:
            assert (name, arguments[0]) == (b"LINSERT", b"BEFORE")
            items.insert(items.index(arguments[1]), arguments[2])
    return items


@given(st.data())
def test_lists(data: st.DataObject) -> None:
    body = ListBody()
    body.items.extend([b"%d" % number for number in range(20)])
    adopt(b"k", body)
    there = list(body.items)
    for _ in range(data.draw(st.integers(1, 12))):
        size = len(body)
        at = data.draw(st.integers(0, size - 1))
        end = data.draw(st.integers(0, 1))
        few = data.draw(st.lists(values, min_size=1, max_size=3))
        operation = data.draw(
            st.sampled_from(
                [
                    [b"push", end, few],
                    [b"pop", end, min(2, size - 1)],
                    [b"set", at, few[0]],
                    [b"set", -1, few[0]],
                    [b"insert", at, few[0]],
                    [b"insert", size, few[0]],
                    [b"remove", [at] if size > 1 else []],
                    [b"remove", sorted({at, size - 1}) if size > 2 else []],
                    [b"keep", min(at, 2), size - min(1, at)] if at > 3 else [b"push", 0, few],
                ]
            )
        )
        body.apply(operation)
        if data.draw(st.booleans()):
            notes = body.items.taken()
            there = list(body.items) if notes is None else replayed(there, notes)
            assert there == list(body.items)


def test_a_list_that_changed_more_than_it_has_is_written_whole() -> None:
    body = ListBody()
    adopt(b"k", body)
    body.items.extend([b"a", b"b"])
    for _ in range(40):
        body.items[0] = b"c"
    assert body.items.taken() is None
    assert body.items.taken() == []


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=20))
def test_entries(acts: list[tuple[bool, int]]) -> None:
    entries = NotedEntries({2: (b"f", b"2"), 5: (b"f", b"5")})
    there = dict(entries)
    for is_new, number in acts:
        if is_new:
            entries[number] = (b"f", b"%d" % number)
        elif number in entries:
            del entries[number]
    added, removed = entries.taken()
    for number in removed:
        there.pop(number, None)
    assert not there.keys() & set(added)
    there |= {number: entries[number] for number in added}
    assert there == dict(entries)
    assert entries.taken() == ([], [])
