"""Seeds: where a node learns who is in its cluster, and the forms in which lists of them are written.

A seed is an address at which some node may listen for its peers. It need not be up, nor be another node.
The short form is `host:port`, an IPv6 address in brackets. Dynomite's is `host:port:rack:datacenter:tokens`
with a name in brackets after it, if need be; the seeds of a list are separated by `|`.
Source: `dyn_florida.c`, `dyn_dns.c`, `dyn_conf.c` of Dynomite.
"""

import re
from collections.abc import Iterable

from attrs import frozen

DEFAULT_PORT = 8101
"""Dynomite's, for the nodes of a cluster among themselves."""
_NAME_AFTER = re.compile(r"\s*\[[^\]:]*\]$")


@frozen
class Seed:
    """One address to ask; the rest is told by Dynomite's form only."""

    host: str
    port: int
    rack: str | None = None
    datacenter: str | None = None
    tokens: tuple[int, ...] = ()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port


@frozen
class ListedSeeds:
    """Seeds that the configuration names."""

    seeds: tuple[Seed, ...]


@frozen
class FileSeeds:
    """A file with a seed a line, read again when it changes."""

    path: str


@frozen(kw_only=True)
class DnsSeeds:
    """A name whose records are seeds."""

    name: str
    type: str = "A"
    port: int = DEFAULT_PORT
    """Of the addresses in A and AAAA records, which tell none."""
    servers: tuple[Seed, ...] = ()
    """Name servers to ask, instead of the machine's."""


@frozen
class HttpSeeds:
    """A page with seeds in Dynomite's form, as its Florida server has it."""

    url: str


SeedsFrom = ListedSeeds | FileSeeds | DnsSeeds | HttpSeeds
DNS_TYPES = ("A", "AAAA", "SRV", "TXT")


def split_address(text: str, default_port: int | None = None) -> tuple[str, int]:
    """Host and port of `host:port` or `[v6]:port`. Raises ValueError."""
    host, port = _split(text.strip())
    if port is None and default_port is None:
        raise ValueError(f"{text!r} must be host:port, an IPv6 address in brackets: [::1]:8101")
    return host, _port(port, text) if port is not None else default_port or 0


def _split(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} must be [IPv6 address]:port")
        return host, rest[1:] if rest else None
    if text.count(":") > 1:
        raise ValueError(f"{text!r} must have its IPv6 address in brackets: [::1]:8101")
    host, colon, port = text.partition(":")
    if not host or any(letter.isspace() or letter in "/[]" for letter in host):
        raise ValueError(f"{text!r} must be host:port")
    return host, port if colon else None


def _port(text: str, whole: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ValueError(f"{whole!r} must end with a port from 1 to 65535")
    return int(text)


def parse_seed(text: str) -> Seed:
    """A seed in the short form or in Dynomite's. Raises ValueError."""
    plain = _NAME_AFTER.sub("", text.strip())
    front, *rest = plain.rsplit(":", 3)
    if len(rest) == 3 and _is_dynomite(front, rest):
        rack, datacenter, tokens = rest
        host, port = _dynomite_address(front)
        return Seed(host, port, rack, datacenter, _tokens(tokens, text))
    return Seed(*split_address(plain))


def _is_dynomite(front: str, rest: list[str]) -> bool:
    """Is it more than an address? IPv6 without brackets has colons as well, and a port behind."""
    is_more = ":" in front and all(rest) and not any("]" in part for part in rest)
    return is_more and re.fullmatch(r"[\d,\s]+", rest[-1]) is not None


def _dynomite_address(text: str) -> tuple[str, int]:
    """Its C splits at every colon; an IPv6 address is taken with brackets and without."""
    host, _, port = text.rpartition(":")
    if host.startswith("["):
        return split_address(text)
    if not host or any(letter.isspace() or letter in "/[]" for letter in host):
        raise ValueError(f"{text!r} must be host:port")
    return host, _port(port, text)


def _tokens(text: str, whole: str) -> tuple[int, ...]:
    tokens = [part.strip() for part in text.split(",")]
    if not all(token.isdigit() for token in tokens):
        raise ValueError(f"{whole!r} must end with tokens, which are whole numbers")
    return tuple(map(int, tokens))


def parse_seeds(text: str) -> tuple[list[Seed], list[str]]:
    """(seeds, what is wrong with the rest) of a text: seeds on lines or between `|`, `#` begins a remark."""
    seeds: dict[Seed, None] = {}
    mistakes = []
    for line in text.splitlines():
        for part in line.partition("#")[0].split("|"):
            if not part.strip():
                continue
            try:
                seeds[parse_seed(part)] = None
            except ValueError as why:
                mistakes.append(str(why))
    return list(seeds), mistakes


def joined(host: str, port: int) -> str:
    """`host:port` as it is written, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def addresses(seeds: Iterable[Seed]) -> list[tuple[str, int]]:
    """Where the seeds are, each place once."""
    return list(dict.fromkeys([seed.address for seed in seeds]))
