"""A node's server as the settings describe it: one that is found and managed, or an external one with TLS."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trustme
from attrs import define, evolve

from tests.integration.storage_servers import asked
from tests.servers import bundled, program
from trio_dynomite import datastore
from trio_dynomite.config import Memcached, Redis, Settings, Storage, kinds
from trio_dynomite.datastore import Wishes, connection_to, facts_of, managed_server
from trio_dynomite.errors import ConfigError, DynomiteError
from trio_dynomite.hub.hub import Hub
from trio_dynomite.model import Endpoint
from trio_dynomite.storage.servers.connection import Connection
from trio_dynomite.storage.servers.handshake import Step, failed, packed
from trio_dynomite.storage.servers.managed import ManagedServer
from trio_dynomite.testing.local import free_ports

pytestmark = pytest.mark.integration
ON_REDIS, ON_MEMCACHED = Storage(engine=kinds.REDIS), Storage(engine=kinds.MEMCACHED)


@define(eq=False)
class Datastore:
    """A node's server and the connection to it, as one task."""

    connection: Connection
    managed: ManagedServer | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep both until cancelled; started when a managed server is ready, and the connection is tried.

        Raises DynomiteError when a managed server cannot be had."""
        async with trio.open_nursery() as nursery:
            if self.managed is not None:
                await nursery.start(self.managed.run)
            await nursery.start(self.connection.run)
            task_status.started()


def datastore_of(settings: Settings, folder: Path, hub: Hub, wishes: Wishes) -> Datastore:
    """Both, of a node with these settings and this directory. Raises ConfigError."""
    managed = managed_server(settings, folder)
    return Datastore(connection_to(settings, managed, hub, wishes), managed)


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub(lambda: None, lambda: None)
    yield hub
    hub.close()


@pytest.fixture
def told() -> list[str]:
    """What an engine was told, in order."""
    return []


@pytest.fixture
def wishes(told: list[str]) -> Wishes:
    return Wishes(on_up=lambda pipe: told.append("up"), on_down=lambda reason: told.append(f"down: {reason}"))


def need(kind: str) -> str:
    """The path of a server, without which a test is skipped; where CI=true it must be there."""
    found = program(kind)
    if found is None and os.environ.get("CI") != "true":
        pytest.skip(f"{kind} is not installed")
    assert found is not None
    return found


async def run_while(hub: Hub, store: Datastore, what: object) -> None:
    """Run hub and datastore until `what`, an async function, is done."""
    async with trio.open_nursery() as nursery:
        await nursery.start(hub.run)
        with trio.fail_after(10):
            await nursery.start(store.run)
            await what()  # type: ignore[operator]
        nursery.cancel_scope.cancel()


async def test_a_managed_redis_with_a_library_of_the_engines(
    hub: Hub, tmp_path: Path, wishes: Wishes, told: list[str]
) -> None:
    need("redis")
    library = "#!lua name=own\nredis.register_function('hello', function() return 'world' end)"
    load = Step(packed("FUNCTION", "LOAD", "REPLACE", library), failed)
    settings = Settings(storage=ON_REDIS, redis=Redis(memory=1 << 30, append_only="always"), nodes=())
    store = datastore_of(settings, tmp_path, hub, evolve(wishes, steps=[load]))

    async def use() -> None:
        await store.connection.wait_up()
        assert await asked(hub, store.connection, packed("FCALL", "hello", 0)) == b"$5\r\nworld\r\n"
        told_of = await asked(hub, store.connection, packed("CONFIG", "GET", "appendfsync", "maxmemory"))
        assert b"always" in told_of
        assert b"1073741824" in told_of

    await run_while(hub, store, use)
    facts = facts_of(store.connection, store.managed)
    assert told == ["up", "down: the node stops"]
    assert facts["storage_server_starts"] == 1
    assert facts["storage_server_crashes"] == facts["storage_server_up"] == 0


async def test_a_managed_memcached(hub: Hub, tmp_path: Path, wishes: Wishes) -> None:
    need("memcached")
    settings = Settings(storage=ON_MEMCACHED, memcached=Memcached(item_size=1 << 21), nodes=())
    store = datastore_of(settings, tmp_path, hub, wishes)

    async def use() -> None:
        await store.connection.wait_up()
        value = b"x" * ((1 << 20) + 1000)
        assert await asked(hub, store.connection, b"ms k %d\r\n%b\r\n" % (len(value), value)) == b"HD\r\n"
        assert await asked(hub, store.connection, b"mg k s\r\n") == b"HD s%d\r\n" % len(value)
        assert str(facts_of(store.connection, store.managed)["storage_server_version"]).startswith(
            "memcached 1."
        )

    await run_while(hub, store, use)


async def test_the_package_has_a_server_where_the_machine_has_none(
    hub: Hub, tmp_path: Path, wishes: Wishes, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("valkey")
    monkeypatch.setenv("PATH", str(tmp_path))
    store = datastore_of(Settings(storage=ON_REDIS, nodes=()), tmp_path, hub, wishes)
    assert store.managed is not None
    assert store.managed.program == bundled()
    monkeypatch.setattr(datastore, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="found neither valkey-server nor redis-server on PATH"):
        datastore_of(Settings(storage=ON_REDIS, nodes=()), tmp_path, hub, wishes)


async def test_a_program_that_is_none_ends_the_node_in_words(
    hub: Hub, tmp_path: Path, wishes: Wishes
) -> None:
    settings = Settings(storage=ON_REDIS, redis=Redis(server=shutil.which("sh") or ""), nodes=())
    store = datastore_of(settings, tmp_path, hub, wishes)
    with trio.fail_after(10), pytest.raises(ExceptionGroup) as raised:
        await store.run()
    assert raised.group_contains(DynomiteError, match="needed is Redis 7 or 8, or Valkey 7.2 to 9")


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """A CA, its certificate in ca.pem, and a server's of it in db.pem and db.key."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "db.key")
    for pem in issued.cert_chain_pems:
        pem.write_to_path(tmp_path / "db.pem", append=True)
    return authority


@pytest.fixture
def secured(authority: trustme.CA, tmp_path: Path) -> Iterator[Endpoint]:
    """A Redis that speaks TLS only, with a password."""
    (port,) = free_ports(1)
    command = [
        *(need("redis"), "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1"),
        *("--tls-cert-file", "db.pem", "--tls-key-file", "db.key", "--tls-ca-cert-file", "ca.pem"),
        *("--tls-auth-clients", "no", "--requirepass", "hush", "--save", ""),
    ]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as server:
        yield Endpoint(host="127.0.0.1", port=port)
        server.kill()


async def test_an_external_server_with_tls_and_a_password(
    hub: Hub, tmp_path: Path, secured: Endpoint, wishes: Wishes, told: list[str]
) -> None:
    redis = Redis(address=secured, password=b"hush", tls=True, tls_ca=str(tmp_path / "ca.pem"))
    store = datastore_of(Settings(storage=ON_REDIS, redis=redis, nodes=()), tmp_path, hub, wishes)

    async def use() -> None:
        await store.connection.wait_up()
        value = b"x" * (5 << 20)
        assert await asked(hub, store.connection, packed("SET", "k", value)) == b"+OK\r\n"
        assert await asked(hub, store.connection, packed("GET", "k")) == b"$%d\r\n%b\r\n" % (
            len(value),
            value,
        )

    await run_while(hub, store, use)
    assert store.managed is None
    assert told[0] == "up"


async def test_a_server_that_is_not_trusted_is_told_nothing(
    hub: Hub, tmp_path: Path, secured: Endpoint, wishes: Wishes, told: list[str]
) -> None:
    redis = Redis(address=secured, password=b"hush", tls=True)
    store = datastore_of(Settings(storage=ON_REDIS, redis=redis, nodes=()), tmp_path, hub, wishes)

    async def use() -> None:
        while "not trusted" not in store.connection.mistake:
            await trio.sleep(0.01)

    await run_while(hub, store, use)
    assert told == []
    assert facts_of(store.connection, store.managed)["storage_server_up"] == 0


async def test_a_wrong_password_is_told(hub: Hub, tmp_path: Path, secured: Endpoint, wishes: Wishes) -> None:
    redis = Redis(address=secured, password=b"guess", tls=True, tls_verify=False)
    store = datastore_of(Settings(storage=ON_REDIS, redis=redis, nodes=()), tmp_path, hub, wishes)

    async def use() -> None:
        while "refuses the password of user 'default'" not in store.connection.mistake:
            await trio.sleep(0.01)

    await run_while(hub, store, use)
    assert "guess" not in str(facts_of(store.connection, store.managed))


async def test_certificates_that_are_not_there_are_a_mistake(
    hub: Hub, tmp_path: Path, wishes: Wishes
) -> None:
    redis = Redis(address=Endpoint(host="a", port=1), tls=True, tls_ca=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match=r"redis\.tls"):
        datastore_of(Settings(storage=ON_REDIS, redis=redis, nodes=()), tmp_path, hub, wishes)


async def test_a_server_that_wants_tls_is_guessed(
    hub: Hub, tmp_path: Path, secured: Endpoint, wishes: Wishes
) -> None:
    redis = Redis(address=secured, password=b"hush", silent_after=0.3)
    store = datastore_of(Settings(storage=ON_REDIS, redis=redis, nodes=()), tmp_path, hub, wishes)

    async def use() -> None:
        while (
            "is it a Redis or Valkey, and does it not want TLS (redis.tls)?" not in store.connection.mistake
        ):
            await trio.sleep(0.01)

    await run_while(hub, store, use)
