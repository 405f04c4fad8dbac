"""What the tests of commands share: a keyspace, and a way to say a request in one line."""

import shlex

import pytest

from trio_dynomite.commands.table import lookup
from trio_dynomite.errors import CommandError

from .fake import FakeKeyspace, Run


@pytest.fixture
def ks() -> FakeKeyspace:
    return FakeKeyspace()


@pytest.fixture
def run(ks: FakeKeyspace) -> Run:
    """Run a request: one line in shell quoting, then arguments as bytes. A refusal comes back as `-text`."""

    def run(line: str, *more: bytes) -> bytes:
        args = [word.encode() for word in shlex.split(line)] + list(more)
        try:
            handler = lookup(args).handler
            assert handler is not None
            return handler(ks, args)
        except CommandError as refusal:
            return b"-" + str(refusal).encode()

    return run
