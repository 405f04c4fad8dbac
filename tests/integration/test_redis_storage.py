"""One node with a Redis of its own, as its operator and its clients see it."""

from collections.abc import Iterator

import pytest
import redis

from tests.integration.storage_servers import program
from trio_dynomite.testing.local import LocalCluster, LocalNode

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(program("redis") is None, reason="redis-server is not installed"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    path = tmp_path_factory.mktemp("data")
    with LocalCluster({"dc1": [1]}, {"storage": {"engine": "redis", "path": str(path)}}) as cluster:
        yield cluster["node1"]


def test_a_command_on_all_keys_sees_what_was_asked_before_it(node: LocalNode) -> None:
    with redis.Redis(port=node.port) as client, client.pipeline(transaction=False) as pipeline:
        for number in range(50):
            pipeline.flushall()
            pipeline.incr(f"cold:{number}")
            pipeline.dbsize()
            pipeline.get(f"cold:{number}")
            pipeline.flushdb()
            pipeline.keys("*")
        assert pipeline.execute() == [True, 1, 1, b"1", True, []] * 50
