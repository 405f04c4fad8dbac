"""The kinds of value that settings have: for each a type to annotate with and a function that reads it.

A reader gets what the TOML file held, or a `Text` when the value came from the environment or the command
line and only the setting can say what it means. It returns the value or raises ValueError with what is
allowed.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Annotated

from trio_dynomite.access.passwords import hash_of, hashed
from trio_dynomite.access.rules import has_spaces
from trio_dynomite.config import units
from trio_dynomite.errors import ProtocolError
from trio_dynomite.membership.seeds import (
    DEFAULT_PORT,
    DNS_TYPES,
    DnsSeeds,
    FileSeeds,
    HttpSeeds,
    ListedSeeds,
    Seed,
    SeedsFrom,
    parse_seed,
    split_address,
)
from trio_dynomite.model import ENGINES, Level
from trio_dynomite.protocol.inline import split_arguments

SLOTS = "slots"
HASHES = (
    "one_at_a_time",
    "md5",
    "crc16",
    "crc32",
    "crc32a",
    "fnv1_64",
    "fnv1a_64",
    "fnv1_32",
    "fnv1a_32",
    "hsieh",
    "murmur",
    "jenkins",
)
"""Dynomite's hashes, by its names (reference: `hashkit/dyn_hashkit.h`)."""
PRIMARIES = ("spread", "one rack")
MEMORY, ROCKSDB, REDIS, MEMCACHED = "memory", "rocksdb", "redis", "memcached"
SERVED = tuple([name for name, able in ENGINES.items() if able.is_remote])
"""Engines that are servers of their own."""
DURABILITIES = ("always", "everysec", "none")
COMPRESSIONS = ("lz4", "zstd", "none")
POLICIES = (
    *("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"),
    *("allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"),
)
"""What is evicted when memory is full, in Redis's words."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)

Name = Annotated[str, "name"]
Host = Annotated[str, "host"]
Partitioner = Annotated[str, "partitioner"]
Primaries = Annotated[str, "primaries"]
HashTag = Annotated[str, "hash tag"]
Engine = Annotated[str, "engine"]
Folder = Annotated[str, "folder"]
Durability = Annotated[str, "durability"]
Compression = Annotated[str, "compression"]
Seconds = Annotated[float, "duration"]
SecondsOrZero = Annotated[float, "duration or zero"]
Chance = Annotated[float, "chance"]
Bytes = Annotated[int, "size"]
BytesOrZero = Annotated[int, "size or zero"]
Policy = Annotated[str, "policy"]
Count = Annotated[int, "count"]
Port = Annotated[int, "port"]
PortOrZero = Annotated[int, "port or zero"]
Token = Annotated[int, "token"]
Tokens = tuple[Token, ...]
Flag = Annotated[bool, "flag"]
UserName = Annotated[str, "user name"]
Password = Annotated[bytes, "password"]
"""As `access.passwords` keeps it: a password itself is in no setting."""
Number = Annotated[int, "number"]
Seeds = Annotated[SeedsFrom, "seeds"]
Rules = Annotated[tuple[bytes, ...], "rules"]
"""Of access control, without passwords."""


class Text(str):
    """A value given as text outside the file, and who gave it."""

    __slots__ = ("origin",)
    origin: str

    def __new__(cls, value: str, origin: str) -> "Text":
        text = super().__new__(cls, value)
        text.origin = origin
        return text

    def parts(self) -> list["Text"]:
        """The items of a list, which text separates by commas."""
        return [Text(part.strip(), self.origin) for part in self.strip("[] ").split(",")]


def text(value: object) -> str:
    """Plain, non-empty text."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a text that is not empty, not {_shown(value)}")
    return str(value)


def name(value: object) -> str:
    """A name that survives file names, labels and command lines."""
    found = text(value)
    if not _NAME.fullmatch(found):
        raise ValueError(f"must be letters, digits, '.', '_' and '-' only, not {found!r}")
    return found


def host(value: object) -> str:
    """A host name or an IP address, without a port."""
    found = text(value)
    if found.count(":") == 1:
        raise ValueError(f"must be a host without a port, not {found!r}; ports have settings of their own")
    if "[" in found or any(letter.isspace() or letter == "/" for letter in found):
        raise ValueError(f"must be a host name or an IP address, not {found!r}")
    return found


def integer(value: object) -> int:
    """A whole number; never a truth value, and text only from outside the file."""
    if isinstance(value, Text) and re.fullmatch(r"[+-]?\d+", value, re.ASCII):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be an integer, not {_shown(value)}")
    return value


def count(value: object) -> int:
    """A whole number of at least 1."""
    found = integer(value)
    if found < 1:
        raise ValueError(f"must be at least 1, not {found}")
    return found


def port(value: object) -> int:
    """A TCP port."""
    found = integer(value)
    if not 1 <= found <= 65535:
        raise ValueError(f"must be a port from 1 to 65535, not {found}")
    return found


def port_or_zero(value: object) -> int:
    """A TCP port; 0 where that means none."""
    return 0 if integer(value) == 0 else port(value)


def duration(value: object) -> float:
    """A time longer than nothing, in seconds."""
    found = units.seconds(value)
    if found == 0:
        raise ValueError("must be longer than zero")
    return found


def chance(value: object) -> float:
    """A number from 0 (never) to 1 (always)."""
    if isinstance(value, Text) and re.fullmatch(r"\d*\.?\d+", value, re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"must be a number from 0 to 1, not {_shown(value)}")
    return float(value)


def size(value: object) -> int:
    """At least one byte."""
    found = units.size_bytes(value)
    if found < 1:
        raise ValueError(f"must be at least 1 byte, not {_shown(value)}")
    return found


def size_or_zero(value: object) -> int:
    """Bytes; 0 where that means no limit."""
    found = units.size_bytes(value)
    if found < 0:
        raise ValueError(f"must be 0 or more bytes, not {_shown(value)}")
    return found


def policy(value: object) -> str:
    """What is evicted when memory is full."""
    return one_of(text(value), POLICIES)


def level(value: object) -> Level:
    """A consistency level by its name, in any case."""
    return Level[one_of(text(value).upper(), [each.name for each in Level])]


def partitioner(value: object) -> str:
    """`slots` or one of Dynomite's hashes."""
    if value == "murmur3":
        raise ValueError(
            "murmur3 cannot be had: its body in Dynomite is a stub, so there is no behaviour to match; "
            "Dynomite's default is 'murmur'"
        )
    return one_of(text(value), [SLOTS, *HASHES])


def primaries(value: object) -> str:
    """Who leads: every rack its share, or the first rack that lives all of it."""
    return one_of(text(value), PRIMARIES)


def hash_tag(value: object) -> str:
    """Two characters, or none."""
    if not isinstance(value, str) or len(value) not in (0, 2) or not value.isascii():
        raise ValueError(f'must be two ASCII characters such as "{{}}", or "" for none, not {_shown(value)}')
    return str(value)


def engine(value: object) -> str:
    """A storage engine."""
    return one_of(text(value), [*ENGINES])


def durability(value: object) -> str:
    """When what was written is synced."""
    return one_of(text(value), DURABILITIES)


def compression(value: object) -> str:
    """How tables are compressed."""
    return one_of(text(value), COMPRESSIONS)


def flag(value: object) -> bool:
    """A truth value."""
    if isinstance(value, Text):
        value = {"true": True, "false": False}.get(value.lower(), value)
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_shown(value)}")
    return value


def user_name(value: object) -> str:
    """A name that can stand in a line of rules."""
    found = text(value)
    if has_spaces(found.encode()):
        raise ValueError(f"must have no spaces, not {found!r}")
    return found


def password(value: object) -> bytes:
    """A password, or "sha256:" and its hash. No message shows it."""
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text that is not empty; leave it out for none")
    return hash_of(value.encode())


def number(value: object) -> int:
    """A whole number of 0 or more."""
    found = integer(value)
    if found < 0:
        raise ValueError(f"must be 0 or more, not {found}")
    return found


def rules(value: object) -> tuple[bytes, ...]:
    """Rules as after ACL SETUSER. Their passwords become hashes at once."""
    if not isinstance(value, str):
        raise ValueError("must be a text of rules, as after ACL SETUSER")
    try:
        words = split_arguments(value.encode())
    except ProtocolError:
        raise ValueError("has quotes that do not close") from None
    return tuple([_without_password(word) for word in words])


def seeds(value: object) -> SeedsFrom:
    """A list of addresses, or a table that says where such a list is."""
    if isinstance(value, Text):
        value = value.parts()
    if isinstance(value, list):
        return ListedSeeds(tuple([parse_seed(text(part)) for part in value]))
    table = value if isinstance(value, dict) else {}
    kind = next((one for one in _SEED_TABLES if one in table), "")
    if not kind or set(table) - _SEED_TABLES[kind]:
        raise ValueError(
            "must be a list of host:port, or one of the tables { file = ... }, "
            "{ dns = ..., type = ..., port = ..., servers = ... } and { http = ... }"
        )
    return _SEED_READERS[kind](table)


_SEED_TABLES = {"file": {"file"}, "dns": {"dns", "type", "port", "servers"}, "http": {"http"}}


def _dns_seeds(table: dict[str, object]) -> SeedsFrom:
    servers = table.get("servers", [])
    if not isinstance(servers, list):
        raise ValueError(f"servers must be a list of name servers, not {_shown(servers)}")
    return DnsSeeds(
        name=text(table["dns"]),
        type=one_of(text(table.get("type", "A")).upper(), DNS_TYPES),
        port=port(table.get("port", DEFAULT_PORT)),
        servers=tuple([Seed(*split_address(text(server), 53)) for server in servers]),
    )


def _http_seeds(table: dict[str, object]) -> SeedsFrom:
    url = text(table["http"])
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"http must be an address that begins with http:// or https://, not {_shown(url)}")
    return HttpSeeds(url)


_SEED_READERS: dict[str, Callable[[dict[str, object]], SeedsFrom]] = {
    "file": lambda table: FileSeeds(text(table["file"])),
    "dns": _dns_seeds,
    "http": _http_seeds,
}


def _without_password(rule: bytes) -> bytes:
    mark = {b">": b"#", b"<": b"!"}.get(rule[:1])
    return rule if mark is None else mark + hashed(rule[1:])


def one_of(value: str, allowed: Iterable[str]) -> str:
    """`value`, which must be among `allowed`."""
    choices = list(allowed)
    if value not in choices:
        raise ValueError(f"must be {listed(choices)}, not {value!r}{did_you_mean(value, choices)}")
    return value


def listed(choices: list[str]) -> str:
    """`a, b or c`."""
    quoted = [repr(choice) for choice in choices]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def did_you_mean(value: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing when no choice is close."""
    close = difflib.get_close_matches(value, list(choices), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _shown(value: object) -> str:
    """A value as a message shows it: text in quotes, long things cut."""
    shown = repr(str(value)) if isinstance(value, str) else repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


READERS: tuple[tuple[object, Callable[[object], object]], ...] = (
    (Name, name),
    (Host, host),
    (Partitioner, partitioner),
    (Primaries, primaries),
    (HashTag, hash_tag),
    (Engine, engine),
    (Folder, text),
    (Durability, durability),
    (Compression, compression),
    (Seconds, duration),
    (SecondsOrZero, units.seconds),
    (Chance, chance),
    (Bytes, size),
    (BytesOrZero, size_or_zero),
    (Policy, policy),
    (Count, count),
    (Port, port),
    (PortOrZero, port_or_zero),
    (Token, integer),
    (Flag, flag),
    (UserName, user_name),
    (Password, password),
    (Number, number),
    (Rules, rules),
    (Seeds, seeds),
)
"""How each annotation is read."""
