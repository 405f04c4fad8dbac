"""The host between scripts and the node: what it asks, what it refuses, what it leaves as it was."""

from collections.abc import Callable
from typing import Any

import pytest

from trio_dynomite.commands.row import Row
from trio_dynomite.errors import CommandError

from .conftest import Node


def test_the_keyspace_is_left_as_it_was(node: Node) -> None:
    node.ks.resp, node.ks.may_block = 3, True
    for script in ("redis.setresp(2) return redis.call('get', 'k')", "error('x')", "redis.call('nope')"):
        node.eval(script)
        assert (node.ks.resp, node.ks.may_block) == (3, True)


def test_commands_answer_in_the_protocol_of_the_script(node: Node) -> None:
    node.ks.resp = 3
    assert node.eval("return type(redis.call('get', 'none'))") == b"$7\r\nboolean\r\n"
    assert node.eval("redis.setresp(3) return type(redis.call('get', 'none'))") == b"$3\r\nnil\r\n"
    assert node.eval("return type(redis.call('get', 'none'))") == b"$7\r\nboolean\r\n"


def test_a_blocking_command_does_not_wait(node: Node) -> None:
    assert node.eval("return redis.call('blpop', 'none', 0)") == b"$-1\r\n"


def test_everything_is_written_in_the_order_of_the_script(node: Node) -> None:
    node.ask(
        "EVAL",
        "redis.call('set', KEYS[1], '1') redis.call('incr', KEYS[1]) redis.call('del', KEYS[1])",
        "1",
        "k",
    )
    assert [name for name, _ in node.ks.events if name in ("set", "incrby", "del")] == [
        "set",
        "incrby",
        "del",
    ]


def test_what_a_failing_script_wrote_stays(node: Node) -> None:
    assert node.eval("redis.call('set', 'k', 'v') error('x')").startswith(b"-ERR user_script:1: x")
    assert node.ks.get(b"k") == b"v"


def test_keys_of_elsewhere_are_refused(make_node: Callable[..., Node]) -> None:
    def may_touch(row: Row, args: list[bytes]) -> str | None:
        return "ERR not here" if b"far" in row.keys(args) else None

    node = make_node(calls={"may_touch": may_touch})
    assert (
        node.eval("return redis.call('set', 'far', '1')") == b"-ERR not here script: on @user_script:1.\r\n"
    )
    assert node.eval("return redis.pcall('mget', 'near', 'far')") == b"-ERR not here\r\n"
    assert node.eval("return redis.call('set', 'near', '1')") == b"+OK\r\n"


def test_what_the_user_may_not_is_refused(make_node: Callable[..., Node]) -> None:
    def may_run(args: list[bytes]) -> str | None:
        return "NOPERM User x has no permissions" if args[0].lower() == b"set" else None

    node = make_node(calls={"may_run": may_run})
    assert node.eval("return redis.pcall('set', 'k', '1')") == (
        b"-ERR ACL failure in script: User x has no permissions\r\n"
    )
    assert node.eval("return {redis.acl_check_cmd('set', 'k', '1'), redis.acl_check_cmd('get', 'k')}") == (
        b"*2\r\n$-1\r\n:1\r\n"
    )


def test_commands_about_the_node_are_asked_elsewhere(make_node: Callable[..., Node]) -> None:
    def beyond(row: Row, args: list[bytes]) -> bytes:
        if row.name != "time":
            raise CommandError("ERR not that")
        return b"*2\r\n$1\r\n7\r\n$1\r\n8\r\n"

    node = make_node(calls={"beyond": beyond})
    assert node.eval("return redis.call('time')[1]") == b"$1\r\n7\r\n"
    assert node.eval("return redis.pcall('dbsize')") == b"-ERR not that\r\n"


def test_without_anybody_to_ask_they_are_not_allowed(node: Node) -> None:
    assert (
        node.eval("return redis.pcall('time')") == b"-ERR This Valkey command is not allowed from script\r\n"
    )


@pytest.mark.parametrize(
    "command", ["'set', 'k', '1'", "'publish', 'c', 'm'", "'pfcount', 'k'", "'del', 'k'"]
)
def test_a_read_only_script_writes_nothing(node: Node, command: str) -> None:
    refusal = b"-ERR Write commands are not allowed from read-only scripts.\r\n"
    script = f"return redis.pcall({command})"
    assert node.ask("EVAL_RO", script, "0") == refusal
    assert node.eval(f"#!lua flags=no-writes\n{script}") == refusal
    assert node.ask("EVAL_RO", f"#!lua\n{script}", "0").startswith(
        b"-ERR Can not execute a script with write flag"
    )


def test_a_script_for_one_server_is_refused_in_a_cluster(make_node: Callable[..., Node]) -> None:
    script = "#!lua flags=no-cluster\nreturn 1"
    assert make_node().eval(script) == b"-ERR Can not run script on cluster, 'no-cluster' flag is set.\r\n"
    assert make_node(in_cluster=False).eval(script) == b":1\r\n"


def test_a_mistake_of_ours_comes_out_as_one(make_node: Callable[..., Node]) -> None:
    def beyond(row: Row, args: list[bytes]) -> bytes:
        raise ZeroDivisionError

    node = make_node(calls={"beyond": beyond})
    with pytest.raises(ZeroDivisionError):
        node.eval("while true do pcall(redis.call, 'time') end")
    assert node.eval("return 1") == b":1\r\n"


def test_the_log_is_told(make_node: Callable[..., Node]) -> None:
    told: list[tuple[int, bytes]] = []
    node = make_node(log=lambda level, text: told.append((level, text)))
    node.eval("redis.log(redis.LOG_WARNING, 'a', 5, {}, 'b\\255')")
    assert told == [(3, b"a 5 b\xff")]


@pytest.mark.parametrize("count", [0, 3, 40, 41, 500])
def test_any_number_of_arguments_arrives_in_and_out(node: Node, count: int) -> None:
    args: list[Any] = [b"%d\0\r\n" % number for number in range(count)]
    expected = b"".join([b"$%d\r\n%b\r\n" % (len(arg), arg) for arg in args])
    assert node.ask("EVAL", "return ARGV", "0", *args) == b"*%d\r\n%b" % (count, expected)
    assert node.ask("EVAL", "return KEYS", str(count), *args) == b"*%d\r\n%b" % (count, expected)
    node.ask("EVAL", "redis.call('rpush', 'l', '', unpack(ARGV))", "0", *args)
    assert list(node.ks.list_at(b"l")) == [b"", *args]
    assert node.eval("return redis.call('lrange', 'l', 1, -1)") == b"*%d\r\n%b" % (count, expected)
