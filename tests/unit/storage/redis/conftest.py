"""Fixtures: a connection to each kind of server, with the functions loaded and nothing else there."""

from collections.abc import Iterator

import pytest

from tests.servers import KINDS, connected, started
from tests.unit.storage.redis.sync_connection import SyncConnection
from trio_dynomite.storage.redis.library import load_step


@pytest.fixture(scope="session", params=KINDS)
def socket_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    kind: str = request.param
    with started(kind, tmp_path_factory.mktemp(kind)) as path:
        yield path


@pytest.fixture
def wire(socket_path: str) -> Iterator[SyncConnection]:
    with connected(socket_path) as opened:
        connection = SyncConnection(opened)
        connection.ask("FLUSHALL")
        step, answers = load_step(), list[bytes]()
        connection.send(step.request, answers.append)
        connection.pump()
        assert step.mistake_in(answers[0]) == ""
        yield connection
