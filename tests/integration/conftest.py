"""Fixtures: clusters of real processes. Those that a test wounds are made for it alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

import pytest

from trio_dynomite.testing.local import LocalCluster, Sections


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Three racks in one datacenter, for the tests of one module that leave it whole."""
    with LocalCluster() as cluster:
        yield cluster


MakeCluster = Callable[..., LocalCluster]


@pytest.fixture
def make_cluster() -> Iterator[MakeCluster]:
    """Makes clusters that end with the test."""
    with ExitStack() as stack:

        def make(
            layout: Mapping[str, Sequence[int]] | None = None,
            sections: Sections | None = None,
            *,
            start: bool = True,
        ) -> LocalCluster:
            cluster = LocalCluster(layout, sections)
            if start:
                return stack.enter_context(cluster)
            stack.callback(cluster.end)
            return cluster

        yield make
