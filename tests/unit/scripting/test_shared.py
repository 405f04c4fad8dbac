"""Nodes that hear of the same changes, in whatever order and however often, know the same."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trio_dynomite.errors import CommandError
from trio_dynomite.scripting.function_commands import function_command
from trio_dynomite.scripting.script_commands import script_command
from trio_dynomite.scripting.shared import Change, Shared

from .conftest import Node


def code(name: str, function: str, value: int) -> bytes:
    return f"#!lua name={name}\nredis.register_function('{function}', function() return {value} end)".encode()


NAMES = st.sampled_from([b"library:one", b"library:two", b"script:aa", b"flush:library:", b"flush:script:"])
CHANGES = st.lists(st.tuples(NAMES, st.sampled_from([None, b"x", b"y"])), min_size=1, max_size=3)
HISTORY = st.lists(CHANGES, min_size=1, max_size=6)


def without_values_of_flushes(change: Change) -> Change:
    return [(name, None if name.startswith(b"flush:") else value) for name, value in change]


@given(history=HISTORY, data=st.data())
def test_the_order_of_hearing_does_not_matter(history: list[Change], data: st.DataObject) -> None:
    stamped = [(stamp, without_values_of_flushes(change)) for stamp, change in enumerate(history)]
    in_order, shuffled, merged = Shared(), Shared(), Shared()
    for stamp, change in stamped:
        in_order.learn(change, stamp)
    for stamp, change in data.draw(st.permutations(stamped + stamped[:2])):
        shuffled.learn(change, stamp)
        alone = Shared()
        alone.learn(change, stamp)
        merged.merge(alone.entries)
    assert in_order.entries == shuffled.entries == merged.entries


CODES = st.sampled_from(
    [code("one", "f", 1), code("one", "g", 2), code("two", "f", 3), code("two", "h", 4), None]
)
LIBRARIES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([b"library:one", b"library:two"]), CODES).map(lambda change: [change]),
        st.just([(b"flush:library:", None)]),
    ),
    min_size=1,
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(history=LIBRARIES, data=st.data())
def test_functions_answer_alike_on_all_nodes(
    make_node: Callable[..., Node], history: list[Change], data: st.DataObject
) -> None:
    stamped = list(enumerate(history, 1))
    here, there, late = make_node(), make_node(), make_node()
    for stamp, change in stamped:
        here.host.learn(change, stamp)
    for stamp, change in data.draw(st.permutations(stamped)):
        there.host.learn(change, stamp)
    late.host.merge(here.host.shared.entries)
    for function in "fgh":
        replies = {node.ask("FCALL", function, "0") for node in (here, there, late)}
        assert len(replies) == 1, (function, replies)


def test_of_two_libraries_with_one_function_the_newer_has_it_whatever_comes_first(
    make_node: Callable[..., Node],
) -> None:
    first, second = (
        [(b"library:" + name, code(name.decode(), "f", value))] for value, name in enumerate((b"b", b"a"))
    )
    in_order, reverse = make_node(), make_node()
    in_order.host.learn(first, 1)
    in_order.host.learn(second, 2)
    reverse.host.learn(second, 2)
    reverse.host.learn(first, 1)

    assert in_order.ask("FCALL", "f", "0") == reverse.ask("FCALL", "f", "0") == b":1\r\n"


def test_sources_above_the_limit_are_refused_and_a_flush_makes_room(make_node: Callable[..., Node]) -> None:
    host = make_node(sources_max=2_300).host
    load = [b"SCRIPT", b"LOAD", b"return 1"]
    host.learn(script_command(host, load)[1], 1)
    host.learn(function_command(host, [b"FUNCTION", b"LOAD", code("one", "f", 1)], 2)[1], 2)
    with pytest.raises(CommandError, match=r"limits\.scripts"):
        script_command(host, [*load[:2], b"return 2"])
    with pytest.raises(CommandError, match=r"limits\.scripts"):
        function_command(host, [b"FUNCTION", b"LOAD", code("two", "g", 1)], 2)
    assert script_command(host, load), "it is kept already"
    assert function_command(host, [b"FUNCTION", b"LOAD", b"REPLACE", code("one", "f", 2)], 2)
    host.learn(script_command(host, [b"SCRIPT", b"FLUSH"])[1], 3)
    assert script_command(host, [*load[:2], b"return 2"])


def test_what_other_nodes_tell_is_learnt_above_the_limit(make_node: Callable[..., Node]) -> None:
    host = make_node(sources_max=500).host
    host.learn([(b"library:one", code("one", "f", 1))], 1)
    assert host.libraries.function(b"f") is not None
