"""The table of operations."""

import pytest

from benchmarks.conversation import Conversation
from benchmarks.elements import LAYOUTS, SMALL
from benchmarks.fanout import FanOut
from benchmarks.load import Load
from benchmarks.operations import COMMANDS, STRINGS, Before, Operation
from tests.unit.benchmarks.commands import sent

EVERY = (*STRINGS, *COMMANDS)


def operation(name: str) -> Operation:
    (found,) = (each for each in EVERY if each.name == name)
    return found


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.name)
def test_every_placeholder_is_replaced(each: Operation) -> None:
    work = each.work("{t5}", 8, 1)
    commands = work.commands if isinstance(work, Conversation) else (work.words,)  # type: ignore[attr-defined]
    words = [word for command in (*commands, each.fill_for("{t5}", 8, 0).words) for word in command]
    assert not [word for word in words if "{key}" in word or "{value}" in word]
    assert [word for word in words if word.startswith("{t5}:")]


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.name)
def test_a_fill_is_of_steady_width_and_writes_what_the_command_uses(each: Operation) -> None:
    ((buffer, _), *_) = each.fill_for("{t5}", 8, 0).buffers(3)
    commands = sent(buffer)
    assert len(commands) == 3
    assert {len(command) for command in commands} == {len(each.fill or each.commands[0])}


def test_a_command_that_writes_is_its_own_filling_with_numbers_counted_through() -> None:
    fill = operation("ZADD").fill_for("{t5}", 32, 1000)
    ((buffer, _),) = [next(fill.buffers(2))]
    assert sent(buffer)[1] == [b"ZADD", b"{t5}:sorted", b"0" * 11 + b"1", b"member:000000000001"]
    assert fill.total == 100_000


def test_what_is_popped_is_there_before_each_run_and_what_is_pushed_is_not() -> None:
    assert operation("RPOP").fill_for("{t5}", 32, 5000).total == 105_000
    assert operation("LPUSH").fill_for("{t5}", 32, 5000).total == 100_000
    assert {each.name for each in EVERY if each.fills_every_run} == {"SADD", "LPUSH", "RPOP"}
    assert operation("PUBLISH").before is Before.NEVER


def test_each_operation_has_the_loader_that_can_send_it() -> None:
    by_loader = {
        kind: {each.name for each in EVERY if isinstance(each.work("k", 8, 1), kind)}
        for kind in (Load, Conversation, FanOut)
    }
    assert by_loader[Conversation] == {"MULTI"}
    assert by_loader[FanOut] == {"PUBLISH"}
    assert len(by_loader[Load]) == len(EVERY) - 2


def test_layouts_are_a_million_elements_each_and_each_key_has_its_number() -> None:
    for layout in LAYOUTS:
        assert layout.fill.total == 1_000_000
        ((buffer, _),) = [next(layout.fill.buffers(SMALL + 1))]
        keys = {command[1] for command in sent(buffer)}
        assert len(keys) == (2 if layout.fill.keys > 1 else SMALL + 1 if layout.element == "string" else 1)
