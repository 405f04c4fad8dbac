"""What fills write."""

from benchmarks.fill import ELEMENT, KEY, Fill, value_of
from tests.unit.benchmarks.commands import sent

HASHES = Fill(words=("HSET", f"hash:{KEY}", f"field:{ELEMENT}", value_of(32)), elements=3, keys=4)


def written(fill: Fill) -> list[list[bytes]]:
    return sent(b"".join(buffer for buffer, _ in fill.buffers()))


def test_every_element_of_every_key_is_written_once_with_a_value_of_its_own() -> None:
    commands = written(HASHES)
    places = [(key, field) for _, key, field, _ in commands]
    assert places == [(b"hash:%012d" % key, b"field:%012d" % field) for key in range(4) for field in range(3)]
    assert {len(value) for *_, value in commands} == {32}
    assert len({value for *_, value in commands}) == HASHES.total == 12


def test_buffers_are_full_but_the_last_and_say_how_many_commands_they_have() -> None:
    buffers = list(HASHES.buffers(commands=5))
    assert [count for _, count in buffers] == [5, 5, 2]
    assert [len(sent(buffer)) for buffer, _ in buffers] == [5, 5, 2]


def test_a_hash_tag_is_kept() -> None:
    assert written(Fill(words=("SET", f"{{t7}}:{ELEMENT}", value_of(8)), elements=1)) == [
        [b"SET", b"{t7}:000000000000", b"00000000"]
    ]
