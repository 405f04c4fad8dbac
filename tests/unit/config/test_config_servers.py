"""`[redis]`, `[memcached]` and the engines of single nodes: what may stand there, and what becomes of it."""

from pathlib import Path

import pytest

from tests.unit.config.test_config_load import File, node
from trio_dynomite.errors import ConfigError
from trio_dynomite.model import Endpoint

RACKS = {"a": "memory", "b": "rocksdb", "c": "redis"}


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "cluster.toml")


def test_racks_of_one_file_have_engines_of_their_own(file: File) -> None:
    text = "[storage]\nsnapshot_every = 60\n[limits]\nmax_memory = 1000\n"
    text += (
        node("a")
        + node("b", 2000, rack="r2", storage="rocksdb")
        + node("c", 3000, rack="r3", storage="redis")
    )
    settings = file.load(text)

    for name, engine in RACKS.items():
        own = settings.of_node(name)
        assert own.storage.engine == engine
        assert own.storage.snapshot_every == (60 if engine == "memory" else 0)
        assert own.limits.max_memory == (1000 if engine == "memory" else 0)
        assert own.hints_are_durable is (engine != "memory")
        assert own.members == settings.members


def test_the_environment_and_the_command_line_choose_a_nodes_engine_too(file: File) -> None:
    env = {"TRIO_DYNOMITE__NODES__A__STORAGE": "redis", "TRIO_DYNOMITE__REDIS__APPEND_ONLY": "no"}
    settings = file.load(node("a") + node("b", 2000), env, "nodes.a.storage_address=unix:/run/a").of_node("a")

    assert settings.storage.engine == "redis"
    assert settings.redis.address == Endpoint(path="/run/a")
    assert settings.redis.append_only == "no"


@pytest.mark.parametrize(
    ("given", "address", "shown"),
    [
        ("10.0.0.1:6379", Endpoint(host="10.0.0.1", port=6379), "10.0.0.1:6379"),
        ("[::1]:6379", Endpoint(host="::1", port=6379), "[::1]:6379"),
        ("unix:/run/redis.sock", Endpoint(path="/run/redis.sock"), "unix:/run/redis.sock"),
    ],
)
def test_addresses(file: File, given: str, address: Endpoint, shown: str) -> None:
    found = file.load(f'[redis]\naddress = "{given}"' + node()).redis.address

    assert found == address
    assert str(found) == shown


@pytest.mark.parametrize("given", ["redis", "10.0.0.1", "unix:relative", "10.0.0.1:port"])
def test_what_is_no_address(file: File, given: str) -> None:
    problems = file.problems(f'[redis]\naddress = "{given}"' + node())

    assert "unix:/" in problems["redis.address"]


def test_a_password_may_stand_elsewhere_and_is_never_shown(file: File) -> None:
    (file.path.parent / "secret").write_text("hush\n", encoding="utf-8")
    head = '[redis]\naddress = "db:1"\npassword = '
    for given in ('"hush"', '{ file = "secret" }', '{ env = "SECRET" }'):
        settings = file.load(head + given + node(), {"SECRET": "hush"})
        assert settings.redis.password == b"hush"
        assert "hush" not in repr(settings)
    with pytest.raises(ConfigError) as raised:
        file.load(node(), {}, "redis.password.x=hush")
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('[redis]\npassword = "x"', "redis.password", "redis.address only"),
        ("[redis]\ntls = true", "redis.tls", "redis.address only"),
        ('[redis]\naddress = "a:1"\nusername = "x"', "redis.password", "is missing"),
        ('[redis]\naddress = "a:1"\nserver = "/bin/x"', "redis.server", "no server would be started"),
        ('[redis]\naddress = "a:1"\ntls = true\ntls_cert = "x"', "redis.tls_cert", "go together"),
        ('[redis]\naddress = "a:1"\ntls_ca = "x"', "redis.tls_ca", "redis.tls = true only"),
        ('[redis]\nappend_only = "yes"', "redis.append_only", "must be 'always', 'everysec' or 'no'"),
        ('[redis]\nmodules = ["x.so"]', "redis.modules", 'must begin with "/"'),
        ('[redis]\nmodules = "/x.so"', "redis.modules", "must be a list"),
        ('[redis]\naddress = "a:1"\nmodules = ["/x.so"]', "redis.modules", "without redis.address only"),
        ("[redis]\ndatabase = -1", "redis.database", "must be 0 or more"),
        ('[memcached]\nmemory = "1mb"', "memcached.item_size", "half of memcached.memory"),
        ('[memcached]\nserver = "/x"\naddress = "a:1"', "memcached.server", "no server would be started"),
    ],
)
def test_mistakes(file: File, text: str, place: str, message: str) -> None:
    problems = file.problems(text + node())

    assert list(problems) == [place]
    assert message in problems[place]


def test_certificates_are_where_the_file_is(file: File) -> None:
    text = '[redis]\naddress = "a:1"\ntls = true\ntls_ca = "ca.pem"\ntls_cert = "/etc/c.pem"\n'
    redis = file.load(text + node(), {"TRIO_DYNOMITE__REDIS__TLS_KEY": "c.key"}).redis

    assert redis.tls_ca == str(file.path.parent / "ca.pem")
    assert (redis.tls_cert, redis.tls_key) == ("/etc/c.pem", str(file.path.parent / "c.key"))


def test_no_two_nodes_share_a_server(file: File) -> None:
    text = '[storage]\nengine = "redis"\n[redis]\naddress = "10.0.0.9:6379"\n'
    problems = file.problems(text + node("a") + node("b", 2000, host="127.0.0.2"))
    assert problems == {
        "nodes[1].storage_address": "10.0.0.9:6379 is the server of 'a' too: each node needs one of its own"
    }
    own = node("b", 2000, storage_address="10.0.0.8:6379")
    assert file.load(text + node("a") + own).of_node("b").redis.address == Endpoint(
        host="10.0.0.8", port=6379
    )


def test_an_address_on_this_machine_is_another_server_on_every_machine(file: File) -> None:
    text = '[storage]\nengine = "memcached"\n[memcached]\naddress = "127.0.0.1:11211"\n'
    file.load(text + node("a", host="127.0.0.1") + node("b", host="127.0.0.2"))
    problems = file.problems(text + node("a") + node("b", 2000))

    assert list(problems) == ["nodes[1].storage_address"]


def test_an_address_without_a_server_means_nothing(file: File) -> None:
    assert file.problems(node(storage_address="a:1")) == {
        "nodes[0].storage_address": "means nothing with storage 'memory'"
    }


@pytest.mark.parametrize(
    ("text", "outlive"),
    [
        ('engine = "redis"', True),
        ('engine = "redis"\n[redis]\nappend_only = "no"', False),
        ('engine = "redis"\n[redis]\nappend_only = "no"\naddress = "a:1"', True),
        ('engine = "memcached"', False),
    ],
)
def test_hints_are_kept_where_the_records_are(file: File, text: str, outlive: bool) -> None:
    assert file.load(f"[storage]\n{text}" + node()).of_node("a").hints_are_durable is outlive


def test_memcached_has_all_nodes_or_none(file: File) -> None:
    with pytest.raises(ConfigError, match=r"storage\.engine: memcached keeps strings only"):
        file.load(node("a", storage="memcached") + node("b", base=2000))
    assert file.load('[storage]\nengine = "memcached"' + node("a") + node("b", base=2000))


def test_without_stamps_all_nodes_are_on_a_redis_at_levels_that_need_none(file: File) -> None:
    plain = '[storage]\nengine = "redis"\n[redis]\nstamps = false\n'
    settings = file.load(plain + '[consistency]\nwrite = "DC_QUORUM"\n' + node())
    assert settings.is_plain
    assert not settings.hints_are_durable
    for text, place in {
        plain + node("a") + node("b", 2000, storage="memory"): "redis.stamps",
        "[redis]\nstamps = false\n" + node(): "redis.stamps",
        plain + '[consistency]\nread = "DC_QUORUM"\n' + node(): "consistency.read",
        plain + '[consistency]\nwrite = "DC_EACH_SAFE_QUORUM"\n' + node(): "consistency.write",
    }.items():
        with pytest.raises(ConfigError) as caught:
            file.load(text)
        assert [problem.path for problem in caught.value.problems] == [place]
