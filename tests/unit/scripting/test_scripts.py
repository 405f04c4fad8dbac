"""What a node remembers of scripts: those of SCRIPT LOAD for good, of EVAL the latest."""

from collections.abc import Callable
from hashlib import sha1

from trio_dynomite.scripting.script_commands import script_command
from trio_dynomite.scripting.scripts import RECENT_MAX

from .conftest import Node


def sha(source: str) -> str:
    return sha1(source.encode()).hexdigest()


def load(node: Node, source: str, stamp: int) -> None:
    _, change = script_command(node.host, [b"SCRIPT", b"LOAD", source.encode()])
    node.host.learn(change, stamp)


def test_the_oldest_scripts_of_eval_are_forgotten(node: Node) -> None:
    for number in range(RECENT_MAX + 1):
        node.eval(f"return {number}")
    assert node.ask("EVALSHA", sha("return 0"), "0").startswith(b"-NOSCRIPT")
    assert node.ask("EVALSHA", sha("return 1"), "0") == b":1\r\n"
    assert len(node.host.scripts.sources) == RECENT_MAX


def test_a_script_that_is_used_again_is_not_old(node: Node) -> None:
    for number in range(RECENT_MAX):
        node.eval(f"return {number}")
    node.eval("return 0")
    node.ask("EVALSHA", sha("return 1"), "0")
    node.eval("return 'a'")
    node.eval("return 'b'")
    assert [node.ask("EVALSHA", sha(f"return {number}"), "0")[:1] for number in range(4)] == [
        *(b":", b":", b"-", b"-")
    ]


def test_a_loaded_script_stays(node: Node) -> None:
    node.eval("return 'both'")
    load(node, "return 'both'", 1)
    load(node, "return 'loaded'", 2)
    for number in range(RECENT_MAX + 1):
        node.eval(f"return {number}")
    assert node.ask("EVALSHA", sha("return 'both'"), "0") == b"$4\r\nboth\r\n"
    assert node.ask("EVALSHA", sha("return 'loaded'"), "0") == b"$6\r\nloaded\r\n"


def test_others_are_told_of_a_new_script_once(make_node: Callable[..., Node]) -> None:
    told: list[tuple[bytes, bytes | None]] = []
    here = make_node(on_new_script=told.extend)
    for _ in range(2):
        here.eval("return 'new'")
    assert len(told) == 1
    there = make_node()
    there.host.learn(told, 1)
    assert there.ask("EVALSHA", sha("return 'new'"), "0") == b"$3\r\nnew\r\n"
    assert not there.host.shared.entries


def test_a_script_that_was_run_before_a_flush_is_not_learnt_after_it(make_node: Callable[..., Node]) -> None:
    told: list[tuple[bytes, bytes | None]] = []
    make_node(on_new_script=told.extend).eval("return 'old'")
    node = make_node()
    node.host.learn([(b"flush:script:", None)], 5)
    node.host.learn(told, 4)
    assert node.ask("EVALSHA", sha("return 'old'"), "0").startswith(b"-NOSCRIPT")


def test_a_flush_begins_anew(node: Node) -> None:
    node.eval("cjson.encode_max_depth(1) return 1")
    load(node, "return 'loaded'", 1)
    node.host.learn([(b"flush:script:", None)], 2)
    assert node.ask("EVALSHA", sha("return 'loaded'"), "0").startswith(b"-NOSCRIPT")
    assert node.eval("return cjson.encode_max_depth()") == b":1000\r\n"


def test_a_script_that_does_not_compile_is_not_remembered(node: Node) -> None:
    assert node.eval("syntax error").startswith(b"-ERR Error compiling script (new function): user_script:1:")
    assert not node.host.scripts.sources
