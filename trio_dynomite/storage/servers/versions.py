"""Which servers, by kind and version, are known to do what the engines ask of them. Pure."""

import re

Version = tuple[int, ...]

REDIS = "Redis 7 or 8, or Valkey 7.2 to 9"
"""What is known to work, in words."""
_REDIS_FROM: Version = (7,)
_REDIS_BELOW: Version = (9,)
_VALKEY_FROM: Version = (7, 2)
_VALKEY_BELOW: Version = (10,)
_MEMCACHED_FROM: Version = (1, 6, 10)
"""Since when the meta commands are as they are documented."""

_number = re.compile(r"(\d+(?:\.\d+)+)")


def version_of(text: str) -> Version:
    """The first version number in a text; empty if there is none."""
    found = _number.search(text)
    return tuple(map(int, found[1].split("."))) if found else ()


def kind_of(text: str) -> str:
    """Which kind of server told its version so (`valkey-server --version`)."""
    return text.strip().partition(" ")[0].lower()


def shown(version: Version) -> str:
    """A version as people write it."""
    return ".".join(map(str, version)) or "unknown"


def redis_mistake(kind: str, version: Version) -> str:
    """Why a server of this kind and version will not do; "" if it will."""
    ranges = {"redis": (_REDIS_FROM, _REDIS_BELOW), "valkey": (_VALKEY_FROM, _VALKEY_BELOW)}
    since, below = ranges.get(kind, ((), ()))
    if since <= version < below:
        return ""
    return f"is {kind} {shown(version)}; needed is {REDIS}"


def memcached_mistake(version: Version) -> str:
    """Why a memcached of this version will not do; "" if it will."""
    if version >= _MEMCACHED_FROM:
        return ""
    return f"is memcached {shown(version)}; needed is {shown(_MEMCACHED_FROM)} or newer"
