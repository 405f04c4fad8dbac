"""Consistency levels while nodes run: of one connection, of one node's sessions, and of the configuration."""

import pytest
import redis

from tests.integration.cluster import EACH, ONE, QUORUM, SAFE, client, key_led_by, wait_missed
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster

pytestmark = pytest.mark.integration

LEVELS = (ONE, QUORUM, SAFE, EACH)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["node1", "node2", "node3"])
def test_every_level_works_on_every_node(cluster: LocalCluster, level: str, name: str) -> None:
    with client(cluster[name], level) as connected:
        for number in range(20):
            assert connected.set(f"{level}:{name}:{number}", number)
        assert connected.incr(f"{level}:{name}:count") == 1
        if level != ONE:
            for number in range(20):
                assert connected.get(f"{level}:{name}:{number}") == b"%d" % number


def test_a_connections_level_is_its_own(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    key = key_led_by(cluster, cluster["node1"])
    with client(cluster["node1"]) as plain, client(cluster["node1"], QUORUM) as strict:
        for name in ("node2", "node3"):
            cluster[name].kill()
        assert plain.set(key, "one")
        with pytest.raises(redis.ResponseError, match=r"NOREPLICAS|UNKNOWN"):
            strict.set(key, "two")
        strict.execute_command("RESET")
        assert strict.set(key, "three")
        wait_missed(cluster, cluster["node2"], cluster["node3"])
        strict.execute_command("dyno_config:conn_consistency", "dc_quorum")
        with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
            strict.get(key)


def test_an_unknown_level_is_refused_and_changes_nothing(cluster: LocalCluster) -> None:
    with client(cluster["node1"], QUORUM) as connected:
        with pytest.raises(redis.ResponseError, match="DC_ONE, DC_QUORUM"):
            connected.execute_command("DYNO_CONFIG:CONN_CONSISTENCY", "DC_TWO")
        assert connected.set("key", "value")


def test_config_set_changes_sessions_that_chose_no_level(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    node = cluster["node1"]
    key = key_led_by(cluster, node)
    with client(node) as follows, client(node, ONE) as chose, client(node) as operator:
        operator.config_set("read-consistency", QUORUM)
        operator.config_set("write-consistency", QUORUM)
        assert operator.config_get("*-consistency") == {
            "read-consistency": QUORUM,
            "write-consistency": QUORUM,
        }
        assert node.info("dynomite")["write_consistency"] == QUORUM
        for name in ("node2", "node3"):
            cluster[name].kill()
        assert chose.set(key, "one")
        for connected in (follows, operator):
            with pytest.raises(redis.ResponseError, match=r"NOREPLICAS|UNKNOWN"):
                connected.set(key, "two")
        operator.config_set("write-consistency", ONE)
        assert follows.set(key, "three")


def test_the_configuration_gives_the_levels(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(sections={"consistency": {"read": QUORUM, "write": SAFE}})
    with client(cluster["node3"]) as connected:
        levels = {"read-consistency": QUORUM, "write-consistency": SAFE}
        assert connected.config_get("*-consistency") == levels
        connected.set("key", "value")
    with client(cluster["node1"]) as connected:
        assert connected.get("key") == b"value"
