"""For all tests: what holds of a store holds of each engine's; and several processes of tests do not meet."""

import gc
import os

import pytest

from tests.engines import MAKERS, MakeStore
from trio_dynomite.testing import local

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
_WORKERS = os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
local.PORTS = local.PORTS[int(_WORKER) :: int(_WORKERS)]


def pytest_collection_finish() -> None:
    """The collector need not look at all modules and tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=MAKERS.values(), ids=MAKERS, scope="session")
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    """Makes stores of one engine."""
    maker: MakeStore = request.param
    return maker
