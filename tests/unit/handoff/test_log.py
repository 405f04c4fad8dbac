"""The log of hints: what one life wrote the next one owes, whatever was cut off, flipped, or told twice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.handoff.log_subject import FullFolder, Life
from tests.unit.handoff.test_hints import flush
from trio_dynomite.handoff import log as log_module
from trio_dynomite.testing.folder import SimFolder


def keys(first: int, count: int = 1) -> list[bytes]:
    return [b"key:%d" % number for number in range(first, first + count)]


def test_the_next_life_owes_what_this_one_did() -> None:
    folder = SimFolder()
    life = Life(folder)
    life.miss(*keys(0, 10))
    life.queue.append(7, flush(5, 16128, 16383))
    life.miss(*keys(5, 10))
    assert life.deliver(4) == keys(0, 4)
    life.later(60_000)

    again = Life(folder)
    assert again.pending() == life.pending() == keys(4, 11)
    assert again.queue.take_flushes() == [(7, flush(5, 16128, 16383))]
    assert again.events == ["hints.restored"]
    assert not again.queue.is_incomplete
    assert again.queue.away_ms == 1_000_000
    assert again.log.is_whole


def test_what_was_taken_and_not_acknowledged_is_owed() -> None:
    folder = SimFolder()
    life = Life(folder)
    life.miss(*keys(0, 10))
    life.queue.take(5)
    life.keeper.commit()
    assert Life(folder).pending() == keys(0, 10)


def test_when_all_is_delivered_there_is_no_file() -> None:
    folder = SimFolder()
    life = Life(folder)
    life.miss(*keys(0, 10))
    assert life.work()
    assert not life.work(), "synced once"
    life.deliver(10)
    assert (folder.files, life.log.size) == ({}, 0)
    life.miss(*keys(3))
    assert Life(folder).pending() == keys(3)


def test_a_target_that_left_for_good_leaves_no_file() -> None:
    folder = SimFolder()
    life = Life(folder)
    life.miss(*keys(0, 10))
    life.keeper.match({})
    assert (folder.files, life.queue.budget.used, len(life.keeper.logs)) == ({}, 0, 0)


def test_segments_go_when_the_target_has_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "_SEGMENT_BYTES", 300)
    folder = SimFolder()
    life = Life(folder)
    for number in range(0, 200, 5):
        life.miss(*keys(number, 5))
    count = len(folder.files)
    assert count > 5
    sizes = [life.log.size]
    while life.deliver(20):
        assert life.log.size == sum(map(len, folder.files.values()))
        sizes.append(life.log.size)
        assert Life(SimFolder(dict(folder.files))).pending() == life.pending()
    assert sizes[-1] == 0
    assert max(sizes) < sizes[0] + 300
    assert sizes[len(sizes) // 2] < 0.7 * sizes[0]


@pytest.mark.parametrize("is_cut", [True, False])
def test_damage_at_every_byte_loses_the_rest_of_a_segment_and_nothing_else(is_cut: bool) -> None:
    folder = SimFolder()
    life = Life(folder)
    for number in range(0, 20, 4):
        life.miss(*keys(number, 4))
    life.deliver(3)
    (name,) = folder.files
    data = folder.files[name]
    for at in range(len(data)):
        damaged = data[:at] if is_cut else data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        other = SimFolder({name: damaged})
        again = Life(other)
        found = again.pending()
        assert found in (keys(0, len(found)), keys(3, len(found))), at
        if at < len(data) and not is_cut:
            assert again.queue.is_incomplete
            assert set(again.events) & {"hints.torn", "hints.damaged"}
        once_more = Life(other)
        assert once_more.pending() == found
        assert once_more.events in ([], ["hints.restored"]), "what told nothing is gone"


def test_a_log_that_is_told_twice_does_no_harm() -> None:
    folder = SimFolder()
    life = Life(folder)
    life.miss(*keys(0, 10))
    (name,) = folder.files
    old = folder.files[name]
    again = Life(folder)
    assert name not in folder.files
    folder.files[name] = old
    assert Life(folder).pending() == again.pending() == keys(0, 10)


def test_a_full_disk_stops_the_log_and_it_heals() -> None:
    folder = FullFolder()
    life = Life(folder)
    life.miss(*keys(0, 10))
    folder.room = 120
    for number in range(10, 30):
        life.miss(*keys(number))
    assert life.log.write_errors == 1
    assert life.events == ["hints.log_failed"]
    assert "No space" in life.told[0][1]["reason"]
    assert len(life.queue) == 30
    found = Life(SimFolder(dict(folder.files))).pending()
    assert keys(0, 10) == found[:10], "what was written before can be read"
    for _ in range(40):
        life.later(1000)
        life.work()
    assert life.events == ["hints.log_failed"], "told once"
    assert 3 < life.log.write_errors < 12, "tried now and then, less and less"
    folder.room = 100_000
    life.later(10_000)
    life.work()
    assert life.events[-1] == "hints.log_healed"
    life.miss(*keys(30))
    assert life.log.size == sum(map(len, folder.files.values()))
    assert Life(folder).pending() == life.pending() == keys(0, 31)


def test_what_is_missed_while_the_log_is_written_anew_is_in_it() -> None:
    folder = FullFolder(room=0)
    life = Life(folder)
    life.miss(*keys(0, 10))
    folder.room = 100_000
    life.later(1000)
    job = life.log.job()
    assert job is not None
    assert life.log.job() is None
    life.miss(*keys(10, 5))
    life.deliver(3)
    job()
    life.log.worked(None)
    life.miss(*keys(15))
    assert Life(folder).pending() == life.pending() == keys(3, 13)


def test_all_may_be_delivered_while_the_log_is_written_anew() -> None:
    folder = FullFolder(room=0)
    life = Life(folder)
    life.miss(*keys(0, 10))
    folder.room = 100_000
    life.later(1000)
    job = life.log.job()
    assert job is not None
    life.deliver(10)
    job()
    life.log.worked(None)
    assert folder.files == {}


def test_the_files_never_grow_beyond_the_limit() -> None:
    folder = SimFolder()
    life = Life(folder, bytes_max=5000)
    for clock in range(1000):
        life.queue.append(1, flush(clock, 0, 16383))
        life.miss(*keys(clock))
        assert sum(map(len, folder.files.values())) <= 5000
        if clock % 10 == 0:
            life.later(1000)
            life.work()
    assert life.queue.refused > 900
    assert life.log.is_whole or life.work()
    assert Life(folder, bytes_max=5000).pending() == life.pending()


def test_a_limit_that_was_lowered_holds_for_what_is_restored() -> None:
    folder = SimFolder()
    Life(folder).miss(*keys(0, 100))
    again = Life(folder, bytes_max=2000)
    assert 0 < len(again.queue) < 20
    assert again.queue.is_incomplete


def test_a_folder_that_cannot_be_read_stops_nothing() -> None:
    class Broken(SimFolder):
        def read(self, name: str) -> bytes:
            raise OSError(5, "Input/output error")

    life = Life(Broken({"000000000001.hints": b"something"}))
    assert life.queue.is_incomplete
    assert life.events == ["hints.log_failed"]
    life.miss(*keys(0, 3))
    life.later(1000)
    life.work()
    assert life.log.is_whole


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("miss"), st.lists(st.integers(0, 30), min_size=1, max_size=5)),
        st.tuples(st.sampled_from(["deliver", "take"]), st.integers(0, 8)),
        st.tuples(st.sampled_from(["back", "work", "die", "clear"]), st.just(0)),
        st.tuples(st.just("room"), st.integers(0, 600)),
    ),
    max_size=40,
)


@given(EVENTS)
@settings(max_examples=300, deadline=None)
def test_a_life_that_ends_anywhere_owes_no_less_than_what_was_written(
    events: list[tuple[str, object]],
) -> None:
    folder = FullFolder()
    life = Life(folder)
    for what, value in events:
        life.later(700)
        if what == "miss":
            assert isinstance(value, list)
            life.miss(*[b"%d" % number for number in value])
        elif what == "deliver":
            assert isinstance(value, int)
            life.deliver(value)
        elif what == "take":
            assert isinstance(value, int)
            life.queue.take(value)
        elif what == "back":
            life.queue.give_back()
        elif what == "work":
            life.work()
        elif what == "clear":
            life.queue.clear()
            life.keeper.commit()
        elif what == "room":
            assert isinstance(value, int)
            folder.room = value
        else:
            owed, was_whole = set(life.pending()), life.log.is_whole
            life = Life(folder)
            if was_whole:
                assert set(life.pending()) == owed
        if life.log.is_whole:
            assert set(Life(SimFolder(dict(folder.files))).pending()) == set(life.pending())
