"""Libraries: what is refused changes nothing, and what was learnt is called."""

import pytest

from trio_dynomite.errors import CommandError
from trio_dynomite.scripting.function_commands import function_command

from .conftest import Node


def library(name: str, *functions: str) -> bytes:
    registered = [f"redis.register_function('{f}', function() return '{name}.{f}' end)" for f in functions]
    return f"#!lua name={name}\n{' '.join(registered)}".encode()


def load(node: Node, code: bytes, stamp: int, *options: bytes) -> bytes:
    reply, change = function_command(node.host, [b"FUNCTION", b"LOAD", *options, code], 2)
    node.host.learn(change, stamp)
    return reply


def test_a_library_that_is_refused_leaves_the_old_one(node: Node) -> None:
    load(node, library("one", "f"), 1)
    load(node, library("two", "g"), 2)
    for wrong in (
        library("one", "g"),
        library("one", "f", "f"),
        library("one"),
        b"#!lua name=one\nerror('no')",
    ):
        with pytest.raises(CommandError):
            load(node, wrong, 3, b"REPLACE")
    assert node.ask("FCALL", "f", "0") == b"$5\r\none.f\r\n"


def test_a_library_that_is_replaced_takes_its_functions_along(node: Node) -> None:
    load(node, library("one", "f", "g"), 1)
    load(node, library("one", "h"), 2, b"REPLACE")
    assert node.ask("FCALL", "f", "0") == b"-ERR Function not found\r\n"
    assert node.ask("FCALL", "h", "0") == b"$5\r\none.h\r\n"
    load(node, library("two", "f"), 3)
    assert node.ask("FCALL", "F", "0") == b"$5\r\ntwo.f\r\n"


def test_a_library_that_fails_on_another_node_stays_without_functions(node: Node) -> None:
    node.host.learn([(b"library:one", b"#!lua name=one\nsyntax error")], 1)
    assert node.ask("FCALL", "f", "0") == b"-ERR Function not found\r\n"
    reply, _ = function_command(node.host, [b"FUNCTION", b"LIST", b"WITHCODE"], 2)
    assert b"syntax error" in reply
    load(node, library("one", "f"), 2, b"REPLACE")
    assert node.ask("FCALL", "f", "0") == b"$5\r\none.f\r\n"


def test_what_a_library_remembers_lasts_between_calls(node: Node) -> None:
    counting = b"#!lua name=c\nlocal n = 0 redis.register_function('c', function() n = n + 1 return n end)"
    load(node, counting, 1)
    assert [node.ask("FCALL", "c", "0") for _ in range(3)] == [b":1\r\n", b":2\r\n", b":3\r\n"]


def test_the_api_of_loading_is_of_no_use_later(node: Node) -> None:
    code = b"""#!lua name=l
        local loading = redis
        redis.register_function('again', function() loading.register_function('x', function() end) end)
        redis.register_function('write', function() loading.call = redis.call end)
    """
    load(node, code, 1)
    assert b"can only be called on FUNCTION LOAD command" in node.ask("FCALL", "again", "0")
    assert b"Attempt to modify a readonly table" in node.ask("FCALL", "write", "0")
