"""Sources of seeds: the list in the configuration, a file, DNS, a page. Each is read anew when it is asked.

What goes wrong is a `SeedsError` with the reason in words. The packages for DNS and HTTP come with the extra
`seeds` and are imported when they are first needed.
"""

from __future__ import annotations

from typing import Protocol

import trio
from attrs import frozen

from trio_dynomite.errors import DynomiteError
from trio_dynomite.membership.seeds import (
    DnsSeeds,
    FileSeeds,
    HttpSeeds,
    ListedSeeds,
    Seed,
    SeedsFrom,
    parse_seeds,
)
from trio_dynomite.seeds.fetch import FetchError, fetch

DNS_TIMEOUT_S = 5.0
HTTP_TIMEOUT_S = 5.0
PAGE_MAX = 1 << 20
"""Bytes of a page that are read."""
OFTEN_S, SELDOM_S = 2.0, 30.0
"""How often a file is looked at, and others are asked (Dynomite: SEEDS_CHECK_INTERVAL)."""


class SeedsError(DynomiteError):
    """A source did not answer, or not with seeds."""


class Source(Protocol):
    """Where seeds come from."""

    @property
    def period_s(self) -> float:
        """Between two looks."""

    async def read(self) -> list[Seed]:
        """The seeds of this moment. Raises SeedsError."""


@frozen
class Listed:
    """The configuration's own list."""

    told: ListedSeeds
    period_s: float = SELDOM_S

    async def read(self) -> list[Seed]:
        """The seeds."""
        return list(self.told.seeds)


@frozen
class File:
    """A file, which may come later and may change."""

    told: FileSeeds
    period_s: float = OFTEN_S

    async def read(self) -> list[Seed]:
        """The seeds in it."""
        try:
            text = await trio.Path(self.told.path).read_text(encoding="utf-8")
        except OSError as error:
            raise SeedsError(f"{self.told.path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SeedsError(f"{self.told.path} is not UTF-8") from None
        return seeds_in(text, self.told.path)


@frozen
class Dns:
    """A name with A, AAAA, SRV or TXT records."""

    told: DnsSeeds
    period_s: float = SELDOM_S

    async def read(self) -> list[Seed]:
        """The seeds that its records are."""
        import dns.asyncresolver
        import dns.exception
        import dns.nameserver

        resolver = dns.asyncresolver.Resolver(configure=not self.told.servers)
        if self.told.servers:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(*one.address) for one in self.told.servers]
        resolver.lifetime = DNS_TIMEOUT_S
        try:
            answer = await resolver.resolve(self.told.name, self.told.type)
        except (dns.exception.DNSException, OSError) as error:
            raise SeedsError(f"DNS, {self.told.type} of {self.told.name}: {error}") from None
        return self._seeds(list(answer))

    def _seeds(self, records: list[object]) -> list[Seed]:
        if self.told.type == "TXT":
            texts = [b"".join(record.strings) for record in records]  # type: ignore[attr-defined]
            return seeds_in(b"\n".join(texts).decode("utf-8", "replace"), f"TXT of {self.told.name}")
        if self.told.type == "SRV":
            found = [(str(record.target), record.port) for record in records]  # type: ignore[attr-defined]
            return [Seed(target.rstrip("."), port) for target, port in found]
        return [Seed(str(record), self.told.port) for record in records]


@frozen
class Http:
    """A page in Dynomite's form, as its Florida server and its manager have it."""

    told: HttpSeeds
    period_s: float = SELDOM_S

    async def read(self) -> list[Seed]:
        """The seeds on it."""
        try:
            with trio.fail_after(HTTP_TIMEOUT_S):
                status, page = await fetch(self.told.url, PAGE_MAX)
        except trio.TooSlowError:
            raise SeedsError(f"{self.told.url} did not answer in time") from None
        except (FetchError, OSError) as error:
            raise SeedsError(f"{self.told.url}: {error}") from None
        if status != 200:
            raise SeedsError(f"{self.told.url} answered {status}")
        return seeds_in(page.decode("utf-8", "replace"), self.told.url)


def seeds_in(text: str, where: str) -> list[Seed]:
    """The seeds in a text. Raises SeedsError when there is anything else in it."""
    seeds, mistakes = parse_seeds(text)
    if mistakes:
        shown = mistakes[0] if len(mistakes[0]) < 200 else mistakes[0][:200] + "…"
        raise SeedsError(f"{where}: {shown}")
    return seeds


def source_of(told: SeedsFrom) -> Source:
    """What the configuration names."""
    if isinstance(told, ListedSeeds):
        return Listed(told)
    if isinstance(told, FileSeeds):
        return File(told)
    return Dns(told) if isinstance(told, DnsSeeds) else Http(told)
