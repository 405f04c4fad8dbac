"""Which scenarios there are, and what judges them."""

import itertools
import tomllib

import pytest

from benchmarks.load import Load, Words, Work
from benchmarks.operations import COMMANDS
from benchmarks.scenarios import (
    ONE_NODE,
    RACKS_QUORUM,
    Keys,
    Limit,
    Part,
    Scenario,
    Share,
    every,
    select,
)
from benchmarks.servers import cluster_toml


def scenario(name: str) -> Scenario:
    (found,) = (each for each in every() if each.name == name)
    return found


def words_of(work: Work) -> Words:
    assert isinstance(work, Load)
    return work.words


def test_every_scenario_has_a_name_of_its_own() -> None:
    names = [each.name for each in every()]
    assert len(set(names)) == len(names)


def test_all_combinations_that_were_promised_are_measured() -> None:
    strings = select("strings")
    seen = {(each.shape.name, each.op.name, each.value_bytes, each.in_flight) for each in strings}
    assert len(seen) == 3 * 2 * 2 * 2
    for keys in Keys:
        assert any(each.keys is keys and each.shape is RACKS_QUORUM for each in strings)


def test_every_other_command_is_measured_on_one_node_and_at_a_quorum() -> None:
    seen = {(each.shape, each.op.name, each.in_flight) for each in select("commands")}
    names = {operation.name for operation in COMMANDS}
    assert seen == set(itertools.product((ONE_NODE, RACKS_QUORUM), names, (1, 16)))


def test_servers_are_started_once_for_each_group() -> None:
    groups = [each.group for each in every()]
    starts = [group for n, group in enumerate(groups) if n == 0 or groups[n - 1] != group]
    assert len(starts) == len(set(starts))


def test_only_token_aware_loads_of_strings_are_judged() -> None:
    judged = [each for each in every() if each.limits]
    assert {(each.part, each.keys) for each in judged} == {(Part.STRINGS, Keys.PRIMARY)}
    assert scenario("1-node/token-aware/GET/32/1").limits == (Limit(Share.SERVING, 1.5),)
    assert scenario("3-racks-one/token-aware/GET/32/16").limits == (Limit(Share.SERVING, 3.0),)
    quorum = scenario("3-racks-quorum/token-aware/SET/32/1")
    assert quorum.limits == (Limit(Share.SERVING, 2.3), Limit(Share.REPLICA, 0.5))
    assert scenario("3-racks-quorum/token-aware/SET/32/16").limits == (Limit(Share.ALL, 8.0),)


def test_a_selection_is_by_part_or_by_some_of_the_name() -> None:
    assert {each.part for each in select("commands")} == {Part.COMMANDS}
    assert {each.op.name for each in select("LPUSH")} == {"LPUSH"}
    assert {each.shape for each in select("1-node")} == {ONE_NODE}
    assert select("no such thing") == []
    assert select(None) == list(every())


def test_the_key_pattern_says_where_the_work_goes() -> None:
    aware = scenario("3-racks-one/token-aware/SET/32/1")
    assert words_of(aware.our_work("t5")) == ("SET", "{t5}:__rand_int__", "x" * 32)
    assert aware.our_work("t5") == aware.work("t5")
    assert words_of(scenario("3-racks-one/any-node/GET/32/1").work("t5")) == ("GET", "key:__rand_int__")


def test_all_nodes_at_once_have_as_many_keys_together_as_redis_has() -> None:
    owners = scenario("3-racks-one/token-aware-all-nodes/GET/32/1")
    ours, theirs = owners.our_work("t5"), owners.work("t5")
    assert isinstance(ours, Load)
    assert isinstance(theirs, Load)
    assert words_of(ours) == words_of(theirs) == ("GET", "key:{tag}:__rand_int__")
    assert (ours.cluster, theirs.cluster) == (True, False)
    assert 3 * ours.random_keys == pytest.approx(theirs.random_keys, abs=3)
    filling = owners.fill_of_all("t5")
    assert filling is not None
    assert (filling.words[0], filling.cluster, filling.random_keys) == ("SET", True, ours.random_keys)
    assert scenario("3-racks-one/any-node/GET/32/1").fill_of_all("t5") is None


def test_the_generated_configuration_has_one_node_a_rack_and_no_port_twice() -> None:
    settings = tomllib.loads(cluster_toml(RACKS_QUORUM, range(7000, 7009)))
    assert settings["consistency"] == {"read": "DC_QUORUM", "write": "DC_QUORUM"}
    assert {node["rack"] for node in settings["nodes"]} == {"rack1", "rack2", "rack3"}
    ports = [port for node in settings["nodes"] for key, port in node.items() if key.endswith("_port")]
    assert sorted(ports) == list(range(7000, 7009))
