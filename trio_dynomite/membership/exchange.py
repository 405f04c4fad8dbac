"""The exchange: two nodes compare all they know and even it out, in datagrams of ordinary size.

The names' hashes are a circle that is cut in equal parts. One node sends the digest of the whole
(`COMPARE`); where it differs the other answers with the digests of many parts; the first sends its members
of the parts that differ (`PAGE`, each for a stretch of hashes) and gets back what is known better. Nothing
is remembered between two datagrams. A comparison sends a bounded number of pages from a random place; what
is left is for the next one, which comes at once while exchanges bring news.
"""

from typing import TYPE_CHECKING

from attrs import define
from msgspec import Raw

from trio_dynomite.membership.hearing import Hearing
from trio_dynomite.membership.messages import (
    DIGEST_BYTES,
    HASH_MAX,
    Address,
    Compare,
    Kind,
    Page,
)
from trio_dynomite.membership.outbox import Outbox
from trio_dynomite.membership.table import Record, Table

if TYPE_CHECKING:
    import random

PARTS_MAX = 128
FEW = 8
"""A table so small is sent whole."""
PAGES_MAX = 16
"""Pages that answer one datagram."""
_PAGE_HEAD = 64
_ENTRY_EXTRA = 10
"""Bytes of a member's age and of the pair with it."""

Stretch = tuple[int, int]
"""The first and last of a run of hashes."""


@define(eq=False)
class Exchange:
    """The comparisons of one node."""

    table: Table
    outbox: Outbox
    hearing: Hearing
    rng: "random.Random"
    brought_news: bool = False
    """The last pages told something new: compare again soon."""

    def start(self, address: Address, name: str = "") -> None:
        """Compare with whoever is at `address`."""
        self._compare(address, 1, name)

    def _compare(self, address: Address, parts: int, name: str) -> None:
        digests = b"".join(digest.to_bytes(DIGEST_BYTES, "big") for digest in self.table.digests(parts))
        self.outbox.send(address, Kind.COMPARE, digests, to=name)

    def compared(self, message: Compare, address: Address, now_s: float) -> None:
        """Somebody told its digests: answer where ours differ."""
        theirs = [
            int.from_bytes(message.digests[at : at + DIGEST_BYTES], "big")
            for at in range(0, len(message.digests) // DIGEST_BYTES * DIGEST_BYTES, DIGEST_BYTES)
        ]
        parts = len(theirs)
        if parts & (parts - 1) or parts > PARTS_MAX:
            return
        ours = self.table.digests(parts)
        differing = [at for at in range(parts) if ours[at] != theirs[at]]
        if differing and parts == 1 and len(self.table.records) > FEW:
            self._compare(address, PARTS_MAX, message.sender)
        elif differing:
            self._send(address, message.sender, _stretches(differing, parts), now_s)

    def _send(self, address: Address, name: str, stretches: list[Stretch], now_s: float) -> None:
        turn = self.rng.randrange(len(stretches))
        pages: list[tuple[Stretch, list[Record]]] = []
        for first, last in stretches[turn:] + stretches[:turn]:
            pages += self._pages(first, last, self.table.between(first, last))
        turn = self.rng.randrange(len(pages)) if len(pages) > PAGES_MAX else 0
        for stretch, records in (pages[turn:] + pages[:turn])[:PAGES_MAX]:
            self._send_page(address, name, stretch, records, now_s, is_answer=False)

    def _pages(self, first: int, last: int, records: list[Record]) -> list[tuple[Stretch, list[Record]]]:
        """The stretch cut so that the members of each piece have room in a datagram."""
        pages: list[tuple[Stretch, list[Record]]] = []
        chosen: list[Record] = []
        room = self._room()
        for record in records:
            size = len(record.known.data) + _ENTRY_EXTRA
            if chosen and size > room:
                pages.append(((first, record.known.place - 1), chosen))
                first, chosen, room = record.known.place, [], self._room()
            chosen.append(record)
            room -= size
        pages.append(((first, last), chosen))
        return pages

    def _room(self) -> int:
        return self.table.settings.datagram_bytes - _PAGE_HEAD - len(self.table.me)

    def _send_page(
        self,
        address: Address,
        name: str,
        stretch: Stretch,
        records: list[Record],
        now_s: float,
        *,
        is_answer: bool,
    ) -> None:
        first, last = (place.to_bytes(DIGEST_BYTES, "big") for place in stretch)
        entries = [(Raw(record.known.data), max(0.0, now_s - record.since_s)) for record in records]
        self.outbox.send(address, Kind.PAGE, first, last, entries, is_answer, to=name)

    def paged(self, message: Page, address: Address, now_s: float) -> None:
        """Somebody told what it knows: learn, and answer what we know better."""
        before = self.table.epoch
        first, last = int.from_bytes(message.first, "big"), int.from_bytes(message.last, "big")
        told: dict[str, tuple[int, int]] = {}
        for wire, age_s in message.entries:
            member = wire.member()
            told[member.name] = member.precedence
            self.hearing.hear_entry(member, age_s, message.sender, now_s)
        self.brought_news |= self.table.epoch != before
        if message.is_answer or first > last:
            return
        better = [
            record
            for record in self.table.between(first, last)
            if record.member.precedence > told.get(record.member.name, (-1, 0))
        ]
        if better:
            for stretch, records in self._pages(first, last, better)[:PAGES_MAX]:
                self._send_page(address, message.sender, stretch, records, now_s, is_answer=True)


def _stretches(parts: list[int], count: int) -> list[Stretch]:
    """The runs of hashes that these of `count` equal parts are."""
    width = (HASH_MAX + 1) // count
    stretches: list[Stretch] = []
    for part in parts:
        first, last = part * width, (part + 1) * width - 1
        if stretches and stretches[-1][1] + 1 == first:
            stretches[-1] = (stretches[-1][0], last)
        else:
            stretches.append((first, last))
    return stretches
