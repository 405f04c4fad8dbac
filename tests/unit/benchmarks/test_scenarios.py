"""Which scenarios there are, and what judges them."""

import tomllib

from benchmarks.scenarios import ONE_NODE, RACKS_QUORUM, Keys, Limit, Scenario, Share, every, select
from benchmarks.servers import cluster_toml


def scenario(name: str) -> Scenario:
    (found,) = (each for each in every() if each.name == name)
    return found


def test_every_scenario_has_a_name_of_its_own() -> None:
    names = [each.name for each in every()]
    assert len(set(names)) == len(names)


def test_all_combinations_that_were_promised_are_measured() -> None:
    seen = {(each.shape.name, each.op, each.value_bytes, each.in_flight) for each in every()}
    assert len(seen) == 3 * 2 * 2 * 2
    for keys in Keys:
        assert any(each.keys is keys and each.shape is RACKS_QUORUM for each in every())


def test_each_cluster_is_started_once_for_each_choice_of_keys() -> None:
    groups = [(each.shape, each.keys) for each in every()]
    starts = [group for n, group in enumerate(groups) if n == 0 or groups[n - 1] != group]
    assert len(starts) == len(set(starts))


def test_only_token_aware_loads_are_judged() -> None:
    assert all(each.keys is Keys.PRIMARY for each in every() if each.limits)
    assert scenario("1-node/token-aware/GET/32/1").limits == (Limit(Share.SERVING, 1.5),)
    assert scenario("3-racks-one/token-aware/GET/32/16").limits == (Limit(Share.SERVING, 3.0),)
    quorum = scenario("3-racks-quorum/token-aware/SET/32/1")
    assert quorum.limits == (Limit(Share.SERVING, 2.3), Limit(Share.REPLICA, 0.5))
    assert scenario("3-racks-quorum/token-aware/SET/32/16").limits == (Limit(Share.ALL, 8.0),)


def test_a_selection_is_by_part_of_the_name() -> None:
    assert {each.shape for each in select("1-node")} == {ONE_NODE}
    assert select("no such thing") == []
    assert select(None) == list(every())


def test_the_key_pattern_says_where_the_work_goes() -> None:
    assert scenario("3-racks-one/token-aware/SET/32/1").load("t5").key == "{t5}:__rand_int__"
    assert scenario("3-racks-one/any-node/SET/32/1").load("t5").key == "key:__rand_int__"
    owners = scenario("3-racks-one/token-aware-all-nodes/SET/32/1").load("t5")
    assert owners.cluster
    assert "{tag}" in owners.key


def test_the_generated_configuration_has_one_node_a_rack_and_no_port_twice() -> None:
    settings = tomllib.loads(cluster_toml(RACKS_QUORUM, range(7000, 7009)))
    assert settings["consistency"] == {"read": "DC_QUORUM", "write": "DC_QUORUM"}
    assert {node["rack"] for node in settings["nodes"]} == {"rack1", "rack2", "rack3"}
    ports = [port for node in settings["nodes"] for key, port in node.items() if key.endswith("_port")]
    assert sorted(ports) == list(range(7000, 7009))
