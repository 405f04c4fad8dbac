"""Fixtures for all tests: what holds of a store holds of each engine's."""

import pytest

from tests.engines import MAKERS, MakeStore


@pytest.fixture(params=MAKERS.values(), ids=MAKERS, scope="session")
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    """Makes stores of one engine."""
    maker: MakeStore = request.param
    return maker
