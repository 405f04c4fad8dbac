"""Errors name the line that called, though it returned the call's result; recursion stays deep."""

import pytest

from .conftest import Node

ON_LINE_3 = b"-ERR Unknown command called from script script: on @user_script:3.\r\n"


@pytest.mark.parametrize(
    "script",
    [
        "\n\nreturn redis.call('nope')",
        "\n\nreturn server.call('nope')",
        "local call = redis.call\n\nreturn call('nope')",
        "local api = redis\n\nlocal v = api.call('nope')",
        "local function f()\n\nreturn redis.call('nope') end\nreturn f()",
        "\n\nreturn redis.call(redis.pcall('nope').err and 'nope')",
        "\n\nlocal t = {redis.call('nope')} return t",
    ],
)
def test_the_line_of_a_call_that_is_returned(node: Node, script: str) -> None:
    assert node.eval(script) == ON_LINE_3


def test_results_of_a_call_that_is_returned_all_arrive(node: Node) -> None:
    assert node.eval("local f = function() return select(2, 'a', 'b', 'c') end return {f()}") == (
        b"*2\r\n$1\r\nb\r\n$1\r\nc\r\n"
    )


@pytest.mark.parametrize(
    "script",
    [
        "local function f(n) if n == 0 then return 'ok' end return f(n - 1) end return f(300000)",
        "local f, g function f(n) if n == 0 then return 'ok' end return g(n - 1) end"
        " function g(n) return f(n) end return f(100000)",
    ],
)
def test_recursion_at_the_end_of_a_function_takes_no_stack(node: Node, script: str) -> None:
    assert node.eval(script) == b"$2\r\nok\r\n"


def test_constants_upvalues_and_nested_functions_survive(node: Node) -> None:
    script = """
        local a, b, c, d = nil, true, 1.5, 'text\\0more'
        local function outer(...)
          local function inner(x) return tostring(a) .. tostring(b) .. c .. #d .. x end
          return inner(select('#', ...))
        end
        return outer(1, nil, 3)
    """
    assert node.eval(script) == b"$12\r\nniltrue1.593\r\n"
