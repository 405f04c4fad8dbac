"""What the tests of scripts share: a host over a keyspace in a dictionary, and a clock of their own."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define

from tests.unit.commands.fake import FakeKeyspace
from trio_dynomite.commands.table import lookup
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import error
from trio_dynomite.scripting.calls import Calls
from trio_dynomite.scripting.host import ScriptHost


@define
class Clock:
    """Tells a time that goes on by `step_s` whenever it is asked."""

    now_s: float = 0.0
    step_s: float = 0.0

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


@define
class Node:
    """A host, its keyspace, and requests in one line."""

    host: ScriptHost
    ks: FakeKeyspace

    def ask(self, *args: bytes | str) -> bytes:
        """The reply of EVAL, FCALL and their kind."""
        request = [arg.encode() if isinstance(arg, str) else arg for arg in args]
        try:
            handler = lookup(request).handler
            assert handler is not None
            return handler(self.ks, request)
        except CommandError as refusal:
            return error(str(refusal))

    def eval(self, script: str, *keys_and_args: str) -> bytes:
        """The reply of a script without keys."""
        return self.ask("EVAL", script, "0", *keys_and_args)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_node(clock: Clock) -> Callable[..., Node]:
    def make_node(calls: dict[str, Any] | None = None, **more: Any) -> Node:
        host = ScriptHost(calls=Calls(lookup, **(calls or {})), clock=clock, **more)
        return Node(host, FakeKeyspace(scripts=host))

    return make_node


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    return make_node()
