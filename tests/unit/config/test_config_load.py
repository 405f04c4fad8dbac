"""`load`: what a file, the environment and the command line come to, and how their mistakes are told."""

import re
from pathlib import Path

import attrs
import pytest
import tomli

from trio_dynomite import config
from trio_dynomite.config import Settings, load
from trio_dynomite.errors import ConfigError
from trio_dynomite.model import Level

CLUSTER_TOML = Path(__file__).parents[3] / "cluster.toml"
SECTIONS = ("cluster", "consistency", "storage", "redis", "memcached", "rocksdb", "timeouts", "limits")


def node(name: str = "a", base: int = 1000, **more: object) -> str:
    """A `[[nodes]]` table whose ports begin at `base`."""
    keys = {"name": name, "rack": "r1", "client_port": base, "peer_port": base + 1, "admin_port": base + 2}
    keys |= more
    lines = (f"{key} = {value!r}".replace("'", '"') for key, value in keys.items())
    return "\n[[nodes]]\n" + "\n".join(lines) + "\n"


class File:
    """A configuration file to load from."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, text: str, env: dict[str, str] | None = None, *overrides: str) -> Settings:
        self.path.write_text(text, encoding="utf-8")
        return load(self.path, env or {}, overrides)

    def problems(self, text: str, env: dict[str, str] | None = None, *overrides: str) -> dict[str, str]:
        with pytest.raises(ConfigError) as caught:
            self.load(text, env, *overrides)
        found = {problem.path: problem.message for problem in caught.value.problems}
        assert len(found) == len(caught.value.problems)
        return found


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "cluster.toml")


def test_the_shipped_cluster_is_three_racks_on_this_machine() -> None:
    settings = load(CLUSTER_TOML, {})

    assert [(n.name, n.rack, n.client_port, n.peer_port, n.admin_port) for n in settings.nodes] == [
        ("node1", "rack1", 8102, 8101, 22222),
        ("node2", "rack2", 8202, 8201, 22322),
        ("node3", "rack3", 8302, 8301, 22422),
    ]
    assert settings.local_nodes(lambda host: False) == settings.nodes


def _text_of(section: str) -> str:
    """What stands in the shipped file about a section."""
    text = CLUSTER_TOML.read_text(encoding="utf-8")
    return re.split(r"^\[", text.partition(f"[{section}]")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_shipped_file_shows_every_setting_with_its_default() -> None:
    given = tomli.loads(CLUSTER_TOML.read_text(encoding="utf-8"))
    settings = load(CLUSTER_TOML, {})

    for section in SECTIONS:
        table = getattr(settings, section)
        remarks = set(re.findall(r"^# (\w+) = ", _text_of(section), re.MULTILINE))
        assert set(given[section]) | remarks == {each.name for each in attrs.fields(type(table))}
        if section != "cluster":
            assert table == type(table)()
    assert attrs.evolve(settings.cluster, name="trio-dynomite") == config.Cluster()


def test_the_shipped_file_mentions_every_setting_of_a_node() -> None:
    nodes = CLUSTER_TOML.read_text(encoding="utf-8").partition("[[nodes]]")[2]

    for each in attrs.fields(config.NodeSettings):
        assert re.search(rf"^(# )?{each.name} = ", nodes, re.MULTILINE), each.name


def test_the_shipped_file_mentions_every_setting_about_users() -> None:
    text = CLUSTER_TOML.read_text(encoding="utf-8")
    access = text.partition("[access]")[2].partition("[[nodes]]")[0]

    for each in (*attrs.fields(config.Access), *attrs.fields(config.UserSettings)):
        setting = rf"^(# )?({each.name} = |\[\[access.{each.name}\]\])"
        assert re.search(setting, access, re.MULTILINE), each.name
    assert load(CLUSTER_TOML, {}).access == config.Access()


def test_a_list_of_nodes_is_enough(file: File) -> None:
    settings = file.load(node("a"))

    assert settings == Settings(nodes=settings.nodes)
    assert settings.limits.bulk == 512 * 1024 * 1024
    assert settings.timeouts.heartbeat == 0.2


def test_every_mistake_is_reported_at_once_at_its_place(file: File) -> None:
    text = (
        """
    extra = 3
    limits = 5
    [consistency]
    reed = "DC_ONE"
    write = "dc_quorom"
    [timeouts]
    request = "5 parsecs"
    stop = "-1s"
    connect = true
    """
        + node("a b", client_port=70000, peer_port="1")
        + node("c", 2000, tokens=[1, "3"], admin_port=2.5)
    )

    problems = file.problems(text)

    assert {path: message.partition(",")[0].partition(";")[0] for path, message in problems.items()} == {
        "extra": "unknown setting",
        "limits": "must be a table",
        "consistency.reed": "unknown setting",
        "consistency.write": "must be 'DC_ONE'",
        "timeouts.request": "unknown unit 'parsecs' in '5 parsecs'",
        "timeouts.stop": 'must be a duration such as "500ms"',
        "timeouts.connect": 'must be a duration such as "500ms"',
        "nodes[0].name": "must be letters",
        "nodes[0].client_port": "must be a port from 1 to 65535",
        "nodes[0].peer_port": "must be an integer",
        "nodes[1].tokens[1]": "must be an integer",
        "nodes[1].admin_port": "must be an integer",
    }


def test_the_error_reads_as_a_list(file: File) -> None:
    with pytest.raises(ConfigError) as caught:
        file.load(node("a", colour="red"))

    assert str(caught.value).splitlines() == [
        f"{file.path}: 1 mistake(s)",
        "  nodes[0].colour: unknown setting; known here: name, datacenter, rack, tokens, host, client_port, "
        "peer_port, admin_port, memcached_port, announce_host, storage, storage_address",
    ]


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        ("[limit]\nclients = 1", "limit", "did you mean 'limits'?"),
        ("[limits]\nclient = 1", "limits.client", "did you mean 'clients'?"),
        ('[cluster]\npartitioner = "murmer"', "cluster.partitioner", "did you mean 'murmur'?"),
        ('[consistency]\nread = "quorum"', "consistency.read", "'DC_ONE', 'DC_QUORUM', 'DC_SAFE_QUORUM'"),
        ('[cluster]\npartitioner = "murmur3"', "cluster.partitioner", "its body in Dynomite is a stub"),
        (
            '[storage]\nengine = "redsi"',
            "storage.engine",
            "must be 'memory', 'rocksdb', 'redis' or 'memcached'",
        ),
        ('[cluster]\nhash_tag = "<"', "cluster.hash_tag", "must be two ASCII characters"),
        ('[cluster]\nhash_tag = "<>"', "cluster.hash_tag", 'must be "{}" with partitioner "slots"'),
        ('[cluster]\nhash_tag = ""', "cluster.hash_tag", 'must be "{}" with partitioner "slots"'),
        (
            '[timeouts]\nheartbeat = "2s"',
            "timeouts.down_after",
            "must be longer than timeouts.heartbeat (2s)",
        ),
        ("[timeouts]\nrequest = 0", "timeouts.request", "must be longer than zero"),
        ("[timeouts]\nrequest = inf", "timeouts.request", "must be a duration of zero or more"),
        ("[limits]\nhints = 0", "limits.hints", "must be at least 1 byte"),
        ("[limits]\nclients = 0", "limits.clients", "must be at least 1"),
        ("[limits]\nclients = true", "limits.clients", "must be an integer, not True"),
        ('[limits]\nclients = "10"', "limits.clients", "must be an integer, not '10'"),
        ("[limits]\nbulk = 1.5", "limits.bulk", "must be a size"),
        ("cluster = []", "cluster", "must be a table"),
    ],
)
def test_a_wrong_setting_is_told_with_what_is_right(file: File, text: str, path: str, hint: str) -> None:
    problems = file.problems(text + "\n" + node())

    assert list(problems) == [path]
    assert hint in problems[path]


def test_a_syntax_error_has_line_and_column(file: File) -> None:
    assert file.problems('[cluster]\nname = "x" y') == {
        "line 2, column 12": "not TOML: Expected newline or end of document after a statement"
    }


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: 1 mistake\(s\)\n  cannot be read: No such file"):
        load(tmp_path / "none.toml", {})


def test_a_file_that_is_not_text_is_refused(file: File) -> None:
    file.path.write_bytes(b"name = '\xff'")

    with pytest.raises(ConfigError, match="not UTF-8"):
        load(file.path, {})


@pytest.mark.parametrize("text", ["", "nodes = []"])
def test_a_cluster_needs_a_node(file: File, text: str) -> None:
    assert file.problems(text) == {"nodes": "at least one [[nodes]] table is needed"}


@pytest.mark.parametrize("text", ["nodes = 3", "[nodes]\nname = 'a'"])
def test_nodes_written_as_one_table_are_told_how(file: File, text: str) -> None:
    assert file.problems(text) == {"nodes": "must be a list of tables: write [[nodes]] above each node"}


def test_what_a_node_lacks_is_named(file: File) -> None:
    problems = file.problems('[[nodes]]\nname = "a"')

    assert set(problems) == {
        "nodes[0].rack",
        *(f"nodes[0].{kind}_port" for kind in ("client", "peer", "admin")),
    }


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(file: File) -> None:
    text = "[limits]\nclients = 1\nmultibulk = 1\ninline = 1\n" + node()
    env = {"TRIO_DYNOMITE__LIMITS__CLIENTS": "2", "TRIO_DYNOMITE__LIMITS__MULTIBULK": "2", "LIMITS": "9"}

    limits = file.load(text, env, "limits.clients=3").limits

    assert (limits.clients, limits.multibulk, limits.inline) == (3, 2, 1)


def test_text_from_outside_means_what_its_setting_says(file: File) -> None:
    settings = file.load(
        node("a"),
        {"TRIO_DYNOMITE__CLUSTER__NAME": "123", "TRIO_DYNOMITE__TIMEOUTS__STOP": "0"},
        "consistency.read=dc_quorum",
        "limits.bulk=1gb",
        "nodes.a.tokens=5, 7",
    )

    assert settings.cluster.name == "123"
    assert settings.timeouts.stop == 0
    assert settings.consistency.read is Level.DC_QUORUM
    assert settings.limits.bulk == 1024**3
    assert settings.nodes[0].tokens == (5, 7)
    assert type(settings.cluster.name) is str


def test_a_node_is_changed_by_its_name(file: File) -> None:
    text = node("db-1.eu") + node("b", 2000)

    settings = file.load(text, {"TRIO_DYNOMITE__NODES__DB_1_EU__HOST": "127.0.0.5"}, "nodes.db-1.eu.rack=r9")

    assert (settings.nodes[0].host, settings.nodes[0].rack) == ("127.0.0.5", "r9")
    assert settings.nodes[1].host == "127.0.0.1"


def test_a_mistake_from_outside_says_who_made_it(file: File) -> None:
    env = {"TRIO_DYNOMITE__TIMEOUTS__CONNECT": "soon"}

    problems = file.problems(node(), env, "limits.inlin=3", "nodes.a.tokens=1,x")

    assert problems["timeouts.connect"].endswith("not 'soon' (given by TRIO_DYNOMITE__TIMEOUTS__CONNECT)")
    assert problems["limits.inlin"] == (
        "unknown setting; did you mean 'inline'? (given by --set limits.inlin=3)"
    )
    assert problems["nodes[0].tokens[1]"].endswith("(given by --set nodes.a.tokens=1,x)")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("limits.clients", "must be section.key=value"),
        ("clients=3", "must name section and key"),
        ("limits.clients.most=3", "must name section and key"),
        ("nodes.node=3", "must name section and key"),
        ("nodes.noda.host=x", "there is no node 'noda'; did you mean 'node'?"),
    ],
)
def test_an_override_that_names_nothing_is_refused(file: File, override: str, message: str) -> None:
    problems = file.problems(node("node"), {}, override)

    assert list(problems) == [""]
    assert problems[""].startswith(f"--set {override}: {message}")
