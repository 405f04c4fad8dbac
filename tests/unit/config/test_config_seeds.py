"""`cluster.seeds`: every form in which it can be given, and what is said of those that are none."""

from pathlib import Path

import pytest

from tests.unit.config.test_config_load import CLUSTER_TOML, File, node
from trio_dynomite.config import checks, load
from trio_dynomite.membership.seeds import DnsSeeds, FileSeeds, HttpSeeds, ListedSeeds, Seed, SeedsFrom


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "cluster.toml")


def test_without_seeds_the_file_names_everybody() -> None:
    assert load(CLUSTER_TOML, {}).cluster.seeds is None


@pytest.mark.parametrize(
    ("given", "seeds"),
    [
        ("[]", ListedSeeds(())),
        (
            '["10.0.0.1:8101", "[::1]:8101", "10.0.0.2:8101:rack1:dc1:0"]',
            ListedSeeds(
                (
                    Seed("10.0.0.1", 8101),
                    Seed("::1", 8101),
                    Seed("10.0.0.2", 8101, "rack1", "dc1", (0,)),
                )
            ),
        ),
        ('{ dns = "c.example.com" }', DnsSeeds(name="c.example.com")),
        (
            '{ dns = "c.example.com", type = "srv", port = 9, servers = ["10.0.0.53", "[::1]:5353"] }',
            DnsSeeds(
                name="c.example.com",
                type="SRV",
                port=9,
                servers=(Seed("10.0.0.53", 53), Seed("::1", 5353)),
            ),
        ),
        ('{ http = "http://127.0.0.1:8080/seeds" }', HttpSeeds("http://127.0.0.1:8080/seeds")),
        ('{ file = "/etc/seeds.list" }', FileSeeds("/etc/seeds.list")),
    ],
)
def test_each_form_of_seeds(file: File, given: str, seeds: SeedsFrom) -> None:
    assert file.load(f"[cluster]\nseeds = {given}\n" + node()).cluster.seeds == seeds


def test_a_seeds_file_is_beside_the_configuration(file: File) -> None:
    settings = file.load('[cluster]\nseeds = { file = "seeds.txt" }\n' + node())

    assert settings.cluster.seeds == FileSeeds(str(file.path.parent / "seeds.txt"))


def test_seeds_may_come_from_the_environment(file: File) -> None:
    env = {"TRIO_DYNOMITE__CLUSTER__SEEDS": "10.0.0.1:8101, [::1]:8101"}

    assert file.load(node(), env).cluster.seeds == ListedSeeds((Seed("10.0.0.1", 8101), Seed("::1", 8101)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ('"10.0.0.1:8101"', "must be a list of host:port, or one of the tables"),
        ("{}", "must be a list of host:port, or one of the tables"),
        ('{ file = "x", http = "http://x" }', "must be a list of host:port, or one of the tables"),
        ('["10.0.0.1"]', "must be host:port"),
        ('["::1:8101"]', "must have its IPv6 address in brackets"),
        ('{ dns = "x", type = "MX" }', "must be 'A', 'AAAA', 'SRV' or 'TXT', not 'MX'"),
        ('{ dns = "x", port = 0 }', "must be a port from 1 to 65535"),
        ('{ dns = "x", servers = "10.0.0.53" }', "servers must be a list of name servers"),
        ('{ http = "ftp://x" }', "must be an address that begins with http:// or https://"),
    ],
)
def test_what_are_no_seeds_is_told(file: File, given: str, message: str) -> None:
    problems = file.problems(f"[cluster]\nseeds = {given}\n" + node())

    assert list(problems) == ["cluster.seeds"]
    assert message in problems["cluster.seeds"]


def test_with_seeds_nodes_of_one_rack_must_give_tokens(file: File) -> None:
    seeds = "[cluster]\nseeds = []\n"
    problems = file.problems(seeds + node("a") + node("b", 2000))

    assert list(problems) == ["nodes[0].tokens", "nodes[1].tokens"]
    assert "nodes that share a rack (b is in it) must give tokens" in problems["nodes[0].tokens"]
    assert file.load(seeds + node("a", tokens=[8191]) + node("b", 2000, tokens=[16383])).members
    assert file.load(seeds + node("a")).members[0].tokens == (16383,), "alone it owns all of the ring"


def test_a_package_that_is_missing_is_named(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    problems = file.problems('[cluster]\nseeds = { dns = "x" }\n' + node())

    assert problems == {
        "cluster.seeds": 'needs a package that is not installed: pip install "trio-dynomite[seeds]"'
    }


def test_the_example_has_three_nodes_with_one_seed() -> None:
    folder = CLUSTER_TOML.parent / "examples" / "seeds"
    found = [load(path, {}) for path in sorted(folder.glob("*.toml"))]

    assert [node.name for settings in found for node in settings.nodes] == ["node1", "node2", "node3"]
    seed = ListedSeeds((Seed("127.0.0.1", found[0].nodes[0].peer_port),))
    assert {settings.cluster.seeds for settings in found} == {seed}
