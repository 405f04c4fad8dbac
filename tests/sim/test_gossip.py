"""Gossip in a simulated world: deaths are found, the living are left alone, and views become equal (A9)."""

import os
import statistics
from pathlib import Path

import pytest
from attrs import evolve

from trio_dynomite.membership.events import Happening
from trio_dynomite.membership.member import Status
from trio_dynomite.testing import gossip as command
from trio_dynomite.testing.gossip_world import GossipNode, GossipWorld

CONTACT = ("10.0.0.0", 8101)


def world(
    count: int, *, seed: int = 1, loss: float = 0.0, settle_s: float = 2.0, tick_s: float = 0.025
) -> GossipWorld:
    """A cluster that has run for a while; what it reported until then is forgotten."""
    made = GossipWorld(seed=seed, loss=loss, tick_s=tick_s)
    made.populate(count)
    made.run_for(settle_s)
    made.reports.clear()
    return made


def held(made: GossipWorld, name: str) -> set[Status | None]:
    """What the others hold `name` for."""
    return {status for who, status in made.statuses(name).items() if who != name}


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.05])
@pytest.mark.parametrize(("count", "seeds"), [(3, 20), (10, 10), (100, 1)])
def test_a_death_is_known_to_all_soon_and_nobody_else_is_accused_to_death(
    count: int, seeds: int, loss: float
) -> None:
    took_s: list[float] = []
    for seed in range(seeds):
        made = world(count, seed=seed, loss=loss)
        made.kill("node1")
        made.run_for(8.0)
        deaths = made.deaths_reported("node1")
        assert len(deaths) == count - 1
        took_s.append(max(deaths.values()) - 2.0)
        assert made.count(Happening.DIED, but=["node1"]) == 0
    assert statistics.median(took_s) < 3.0
    assert max(took_s) < 6.0


@pytest.mark.skipif(not os.environ.get("GOSSIP_1000"), reason="takes a minute; GOSSIP_1000=1 runs it")
def test_a_thousand_nodes_know_of_a_death() -> None:
    made = world(1000, loss=0.01, settle_s=1.0, tick_s=0.05)
    made.kill("node1")
    made.run_for(6.0)
    assert len(made.deaths_reported("node1")) == 999
    assert made.count(Happening.DIED, but=["node1"]) == 0


def test_with_every_fifth_datagram_lost_a_wrong_death_is_rare_and_put_right() -> None:
    made = world(10, loss=0.2)
    made.run_for(60.0)
    assert made.count(Happening.DIED) <= 20
    made.loss = 0.0
    assert made.until_agreed(15.0) < 15.0


@pytest.mark.parametrize("count", [3, 10])
def test_a_pause_of_one_and_a_half_seconds_kills_nobody(count: int) -> None:
    for seed in range(10):
        made = world(count, seed=seed, settle_s=2.0 + seed * 0.037)
        made.pause("node1", 1.5)
        made.run_for(8.0)
        assert made.count(Happening.DIED) == 0, f"seed {seed}"
        assert made.views_agree()


@pytest.mark.parametrize("loss", [0.0, 0.05])
@pytest.mark.parametrize("paused", [1, 4])
def test_whoever_was_paused_holds_nobody_else_for_dead_and_comes_back(paused: int, loss: float) -> None:
    for seed, pause_s in enumerate((2.0, 5.0, 10.0)):
        made = world(40, seed=seed, loss=loss)
        sleepers = [f"node{at}" for at in range(paused)]
        for name in sleepers:
            made.pause(name, pause_s)
        made.run_for(pause_s)
        assert made.until_agreed(15.0) < 15.0
        assert made.count(Happening.DIED, but=sleepers) == 0


def test_a_cut_between_two_harms_nobody() -> None:
    made = world(5)
    made.cut(["node0"], ["node1"])
    made.cut(["node2"], ["node3"], both_ways=False)
    made.run_for(30.0)
    assert made.count(Happening.DIED) == 0


def test_a_node_that_hears_nothing_is_dead_and_takes_nobody_with_it() -> None:
    made = world(10)
    made.deaf = {"node3"}
    made.run_for(40.0)
    assert held(made, "node3") == {Status.DEAD}
    assert not [
        who
        for _, who, event in made.reports
        if event.happening is Happening.DIED and who != "node3" and event.member.name != "node3"
    ]
    made.heal()
    assert made.until_agreed(15.0) < 15.0


@pytest.mark.parametrize("count", [6, 60])
def test_a_healed_partition_merges_by_itself_and_kills_nobody_again(count: int) -> None:
    made = world(count)
    names = list(made.nodes)
    left, right = set(names[: count // 2]), set(names[count // 2 :])
    made.cut(left, right)
    made.run_for(20.0)
    assert all(made.nodes[name].gossip.table.here == count // 2 for name in names)
    made.reports.clear()
    made.heal()
    assert made.until_agreed(10.0) < 10.0
    assert made.count(Happening.DIED) == 0


def test_one_contact_is_enough_and_it_may_come_last() -> None:
    made = GossipWorld(seed=3)
    for number in (4, 3, 2, 1):
        made.start(made.member(number), contacts=[CONTACT])
    made.run_for(5.0)
    made.start(made.member(0), contacts=[CONTACT])
    assert made.until_agreed(5.0) < 5.0


def test_a_newcomer_is_known_to_all_at_once() -> None:
    made = world(100)
    made.start(made.member(100), contacts=[CONTACT])
    assert made.until_agreed(5.0) < 3.0
    assert made.longest <= 1300


def test_a_newcomer_during_a_cut_is_known_to_all_when_it_heals() -> None:
    made = world(10)
    names = list(made.nodes)
    made.cut(names[:5], names[5:])
    made.run_for(10.0)
    made.cut(["node10"], names[5:])
    made.start(made.member(10), contacts=[CONTACT])
    made.run_for(10.0)
    assert made.statuses("node10")["node1"] is Status.ALIVE
    assert made.statuses("node10")["node9"] is None
    made.heal()
    assert made.until_agreed(10.0) < 10.0


def test_who_left_stays_away_though_a_sleeper_remembers_it() -> None:
    made = world(10)
    made.pause("node7", 5.0)
    made.leave("node3")
    made.run_for(4.9)
    assert Status.ALIVE in held(made, "node3"), "the sleeper has not heard"
    made.reports.clear()
    made.run_for(20.0)
    assert held(made, "node3") == {Status.LEFT}
    assert not [
        event
        for _, _, event in made.reports
        if event.happening is Happening.RETURNED and event.member.name == "node3"
    ]


def test_who_was_removed_does_not_come_back_through_a_newcomer_or_a_partition() -> None:
    made = world(10)
    names = list(made.nodes)
    made.cut(names[:5], names[5:])
    made.run_for(0.2)
    made.leave("node3")
    made.run_for(15.0)
    made.start(made.member(10), contacts=[("10.0.0.9", 8101)])
    made.run_for(5.0)
    made.heal()
    made.reports.clear()
    made.run_for(20.0)
    assert held(made, "node3") <= {Status.LEFT, Status.DEAD}
    assert not [
        event
        for _, _, event in made.reports
        if event.happening is Happening.RETURNED and event.member.name == "node3"
    ]


def test_a_restarted_node_supersedes_its_former_life() -> None:
    made = world(5)
    made.kill("node3")
    made.run_for(0.5)
    made.restart("node3")
    assert made.until_agreed(5.0) < 2.0
    made.run_for(10.0)
    assert made.count(Happening.DIED) == 0


def test_a_restarted_node_whose_clock_went_back_is_believed() -> None:
    made = world(5)
    made.kill("node3")
    made.run_for(6.0)
    known = [made.member(number, incarnation=0) for number in range(5)]
    made.start(made.member(3, incarnation=1000), known)
    assert made.until_agreed(15.0) < 15.0
    assert held(made, "node3") == {Status.ALIVE}


def twin(made: GossipWorld, number: int) -> GossipNode:
    """Another node with the name of this one, somewhere else."""
    again = evolve(made.member(number), host="10.9.9.9")
    return made.start(again, contacts=[CONTACT], label="twin")


def test_of_two_with_one_name_the_newcomer_is_refused_and_it_is_said() -> None:
    made = world(5, settle_s=15.0)
    second = twin(made, 3)
    made.run_for(10.0)
    assert second.gossip.names.is_refused
    said = {(who, event.happening) for _, who, event in made.reports}
    assert ("twin", Happening.REFUSED) in said
    assert any(happening is Happening.CONFLICT for _, happening in said)
    made.kill("twin")
    hosts = {node.gossip.membership.members["node3"].host for node in made.running}
    assert hosts == {made.member(3).host}
    assert held(made, "node3") == {Status.ALIVE}


def test_a_node_that_moved_is_found_at_its_new_address() -> None:
    made = world(5, settle_s=15.0)
    made.kill("node3")
    second = twin(made, 3)
    made.run_for(5.0)
    assert not second.gossip.names.is_refused
    hosts = {node.gossip.membership.members["node3"].host for node in made.running}
    assert hosts == {"10.9.9.9"}


def test_a_quiet_cluster_costs_little() -> None:
    made = world(100, settle_s=5.0)
    before = [node.gossip.counters.bytes_out for node in made.running]
    made.run_for(20.0)
    after = [node.gossip.counters.bytes_out for node in made.running]
    a_second = [(late - early) / 20 for early, late in zip(before, after, strict=True)]
    assert max(a_second) < 1000
    assert made.longest <= 1300


def test_the_command_writes_its_tables_and_its_plot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "RUNS", {"quick": {3: 1}})
    monkeypatch.setattr(command, "PAUSES_S", (1.0,))
    assert command.main(["quick", str(tmp_path / "plot.svg")]) == 0
    said = capsys.readouterr().out
    assert "| 3 | 0% | 1 |" in said
    assert "| 3 | 1 | 1 | 5% | 0 of 2 | 0 |" in said
    assert (tmp_path / "plot.svg").read_text(encoding="utf-8").count("<polyline") == 3
    assert command.main(["what"]) == 2


def test_a_newcomer_is_soon_probed_by_somebody() -> None:
    made = world(60)
    made.start(made.member(60), contacts=[CONTACT])
    made.run_for(1.0)
    made.kill("node60")
    made.run_for(8.0)
    assert len(made.deaths_reported("node60")) == 60
