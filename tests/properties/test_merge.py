"""The laws of the one merge: any order, any number of times, the same record and the same digest."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_dynomite.data import effect
from trio_dynomite.data.record import (
    ABSENT,
    MARKS_ORIGIN,
    Record,
    digest,
    join,
    marked,
    marks,
    newest,
    shell,
)
from trio_dynomite.data.stamp import HybridClock, pack

NOW = 1_000_000
SENT = 1 << 33
"""A mark that is added to others under the same stamp, and always in the same way."""
stamps = st.builds(lambda ms, node: (ms << 48) | node, st.integers(1, 8), st.integers(1, 3))
deadlines = st.sampled_from([0, 0, NOW - 5, NOW + 5])


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A reachable record. What a stamp stands for is a function of the stamp, as it is in a cluster."""
    stamp = draw(stamps)
    choice = random.Random(stamp)
    value = choice.choice([None, b"1", b"22"])
    record: Record = effect.put(stamp, value, choice.choice([0, NOW - 5, NOW + 5]) if value else 0)
    if value is not None:
        record = (*record[:4], marked(choice.choice([0, 7])))
        if draw(st.booleans()):
            record = effect.counted(record, MARKS_ORIGIN, 1 + len(record[4] or ()), marks(record) | SENT)
    for origin in draw(st.sets(stamps, max_size=2)):
        sequence = draw(st.integers(1, 3))
        record = effect.counted(record, origin, sequence, sequence * 10)
    expiry = draw(st.one_of(st.none(), stamps))
    if expiry is not None and expiry > stamp:
        moved = effect.apply(
            record, effect.EXPIRE, expiry, None, random.Random(expiry).choice([0, NOW + 9]), 0
        )
        assert moved is not None
        record = moved
    return record


@given(records(), records())
def test_join_commutes(a: Record, b: Record) -> None:
    assert join(a, b) == join(b, a)


@given(records(), records(), records())
def test_join_associates(a: Record, b: Record, c: Record) -> None:
    assert join(join(a, b), c) == join(a, join(b, c))


@given(records())
def test_join_is_idempotent_and_absent_is_its_zero(a: Record) -> None:
    assert join(a, a) == a == join(a, ABSENT)


@given(records(), records())
def test_a_stamp_is_never_lost(a: Record, b: Record) -> None:
    assert newest(join(a, b)) == max(newest(a), newest(b))


@given(records(), records())
def test_equal_digests_mean_equal_records(a: Record, b: Record) -> None:
    assert (digest(a) == digest(b)) == (a == b)


@given(records())
def test_a_shell_has_the_digest_of_what_it_was_and_joins_back(a: Record) -> None:
    assert digest(shell(a)) == digest(a)
    assert join(shell(a), a) == a


@given(records())
def test_a_record_travels_unchanged(a: Record) -> None:
    kind, _, _, _, payload, _ = effect.record_effect(0, b"k", a)
    assert effect.apply(ABSENT, kind, 1, payload, 0, NOW) == a


def history(seed: int) -> tuple[Record, list[list[object]]]:
    """A primary's effects for one key, and the record it ends with."""
    choice = random.Random(seed)
    clock, record, effects = HybridClock(7), ABSENT, []
    for step in range(choice.randrange(1, 12)):
        clock.advance(NOW + step)
        stamp = clock.next()
        kinds = ["put", "put marked", "delete", "count"] + (["patch"] if record[1] and not record[4] else [])
        kinds += ["expire"] if record[1] is not None else []
        kinds += ["mark"] if record[1] is not None and not marks(record) & SENT else []
        kind = choice.choice(kinds)
        if kind == "put":
            entry = [effect.PUT, stamp, b"%d" % step, choice.choice([0, NOW + 999])]
        elif kind == "put marked":
            marked_record = (stamp, b"%d" % step, 0, 0, marked(choice.choice([7, SENT])))
            entry = [effect.RECORD, stamp, effect.pack_record(marked_record), 0]
        elif kind == "mark":
            sequence = 1 + sum(c[1] for c in record[4] or () if c[0] == MARKS_ORIGIN)
            told = [pack(record[0]), pack(MARKS_ORIGIN), sequence, marks(record) | SENT]
            entry = [effect.COUNT, stamp, told, 0]
        elif kind == "delete":
            entry = [effect.PUT, stamp, None, 0]
        elif kind == "expire":
            entry = [effect.EXPIRE, stamp, None, choice.choice([0, NOW + 500])]
        elif kind == "count":
            held = [c for c in record[4] or () if c[0] == 99]
            sequence, total = (held[0][1] + 1, held[0][2] + step) if held else (1, step)
            entry = [effect.COUNT, stamp, [pack(record[0]), pack(99), sequence, total], 0]
        else:
            entry = [effect.PATCH, stamp, [pack(record[0]), b"append", b"x"], record[3]]
        changed = effect.apply(record, *entry)  # type: ignore[arg-type]
        assert changed is not None
        record = changed
        effects.append(entry)
    return record, effects


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_effects_in_any_order_and_doubled_lead_to_the_same_record(seed: int, order: random.Random) -> None:
    """A gap is answered with the sender's whole record, as peers do."""
    final, effects = history(seed)
    told = effects * 2
    order.shuffle(told)
    replica = ABSENT
    for entry in told:
        changed = effect.apply(replica, *entry)  # type: ignore[arg-type]
        replica = join(replica, final) if changed is None else changed

    assert replica == final


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2**40)), max_size=30))
def test_a_clock_never_goes_back(events: list[tuple[bool, int]]) -> None:
    clock, last = HybridClock(5), 0
    for is_wall, value in events:
        if is_wall:
            clock.advance(value)
        else:
            clock.observe((value << 48) | 9)
        stamp = clock.next()
        assert stamp > last
        assert is_wall or stamp > (value << 48) | 9
        assert stamp & 0xFFFFFFFF == 5
        last = stamp
