"""`[redis]` and `[memcached]`: the servers in which nodes with these engines keep their records.

A server is managed, which means that the node starts one of its own on its machine, or external, when it has
an address. What must hold between these settings is checked here, too.
"""

from collections.abc import Callable, Iterator
from typing import Annotated

from attrs import field, frozen

from trio_dynomite.config import kinds
from trio_dynomite.config.sources import Problem
from trio_dynomite.membership.seeds import split_address
from trio_dynomite.model import Endpoint

MANAGED = "managed"
NO_FILE = "no"
APPEND_ONLY = ("always", "everysec", NO_FILE)

Secret = Annotated[bytes, "secret"]
"""A password that this node says to others, as it is."""
Address = Annotated[Endpoint, "address"]
AppendOnly = Annotated[str, "append only"]
Modules = Annotated[tuple[str, ...], "modules"]


def secret(value: object) -> bytes:
    """A password as it is. No message shows it."""
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text that is not empty; leave it out for none")
    return value.encode()


def address(value: object) -> Endpoint:
    """Where a server listens."""
    found = kinds.text(value)
    if found.startswith("unix:"):
        if not found.startswith("unix:/"):
            raise ValueError(f'the path of a socket must begin with "/": "unix:/...", not {found!r}')
        return Endpoint(path=found.removeprefix("unix:"))
    try:
        host, port = split_address(found)
    except ValueError as why:
        raise ValueError(f'{why}, or "unix:/path/to/socket"') from None
    return Endpoint(host=host, port=port)


def append_only(value: object) -> str:
    """When an append-only file is synced, or that there is none."""
    return kinds.one_of(kinds.text(value), APPEND_ONLY)


def modules(value: object) -> tuple[str, ...]:
    """Files of modules, each with its arguments behind it."""
    if isinstance(value, kinds.Text):
        value = value.parts()
    if not isinstance(value, list):
        raise ValueError('must be a list of files, ["/path/to/module.so", ...]')
    found = tuple([kinds.text(part) for part in value])
    wrong = next((part for part in found if not part.startswith("/")), None)
    if wrong is not None:
        raise ValueError(f'the path of a module must begin with "/", not {wrong!r}')
    return found


READERS: tuple[tuple[object, Callable[[object], object]], ...] = (
    (Secret, secret),
    (Address, address),
    (AppendOnly, append_only),
    (Modules, modules),
)
"""How these annotations are read."""


@frozen(kw_only=True)
class Redis:
    """`[redis]`: a Redis or Valkey."""

    server: kinds.Folder = MANAGED
    """The program to start; "managed": the first that is found."""
    stamps: kinds.Flag = True
    """Does a node keep stamps beside the values, so that replicas can be compared? Else it only passes on."""
    address: Address | None = None
    """Of an external server; None: one of the node's own is started."""
    username: kinds.UserName | None = None
    password: Secret | None = field(default=None, repr=False)
    database: kinds.Number = 0
    tls: kinds.Flag = False
    tls_ca: kinds.Folder | None = None
    """A file with the authorities to trust; None: the machine's."""
    tls_cert: kinds.Folder | None = None
    tls_key: kinds.Folder | None = None
    """A certificate to show, and its key."""
    tls_verify: kinds.Flag = True
    """Must the server's certificate be good, and for its host?"""
    memory: kinds.BytesOrZero = 0
    """What a managed server may take (Redis: maxmemory); 0: no limit."""
    memory_policy: kinds.Policy = "noeviction"
    modules: Modules = ()
    """What a managed server is to load: paths, each with its arguments."""
    append_only: AppendOnly = "everysec"
    """When a managed server's append-only file is synced; "no": there is none."""
    silent_after: kinds.Seconds = 2.0
    """A server that owes an answer without a sign of life for so long is given up."""
    output: kinds.Bytes = 256 * 2**20
    """Unsent bytes to it that are too many, if that lasts as long."""


@frozen(kw_only=True)
class Memcached:
    """`[memcached]`."""

    server: kinds.Folder = MANAGED
    address: Address | None = None
    memory: kinds.Bytes = 64 * 2**20
    """What a managed server keeps."""
    item_size: kinds.Bytes = 2**20
    """The largest item of a managed server."""
    warm_up: kinds.SecondsOrZero = 300.0
    """How long a node asks others for what its server does not know."""
    silent_after: kinds.Seconds = 2.0
    output: kinds.Bytes = 256 * 2**20


def check_redis(redis: Redis, *, is_external: bool) -> Iterator[Problem]:
    """What is said of an external server needs one; `is_external`: some node has one."""
    if not is_external:
        for name in ("username", "password", "tls"):
            if getattr(redis, name):
                yield ("redis", name), "means something with redis.address only: a managed server has none"
    yield from _either("redis", redis.server, redis.address)
    if redis.modules and redis.address is not None:
        yield ("redis", "modules"), "means something without redis.address only: that server has its own"
    if redis.username is not None and redis.password is None:
        yield ("redis", "password"), "is missing, while redis.username is given"
    if (redis.tls_cert is None) != (redis.tls_key is None):
        yield ("redis", "tls_cert"), "redis.tls_cert and redis.tls_key go together"
    for name in ("tls_ca", "tls_cert"):
        if getattr(redis, name) is not None and not redis.tls:
            yield ("redis", name), "means something with redis.tls = true only"


def check_memcached(memcached: Memcached) -> Iterator[Problem]:
    """memcached's own rules for its memory."""
    yield from _either("memcached", memcached.server, memcached.address)
    if not 1024 <= memcached.item_size <= min(2**30, memcached.memory // 2):
        yield (
            ("memcached", "item_size"),
            f"must be from 1kb to half of memcached.memory, and 1gb at most, not {memcached.item_size}",
        )


def _either(section: str, server: str, address: Endpoint | None) -> Iterator[Problem]:
    if server != MANAGED and address is not None:
        yield (section, "server"), f"{section}.address is given too, so no server would be started"
