"""The judges of the chaos test find what is wrong: each is shown a node that broke its promise."""

import random
from typing import Any

from attrs import define

from tests.chaos.deadlines import SKEW_S, Deadline
from tests.chaos.faults import knows
from tests.chaos.loads import Elements, Load, Pieces, Tallies
from tests.chaos.registers import Register, Registers
from tests.chaos.wire import Argument, Outcome

ACKED, UNKNOWN, REFUSED = Outcome.ACKED, Outcome.UNKNOWN, Outcome.REFUSED


@define
class Scripted:
    """A client to whom each request ends as it was told."""

    outcomes: list[Outcome]
    asked: list[tuple[Argument, ...]]
    reply: Any = b"OK"

    async def ask(self, *args: Argument) -> tuple[Outcome, Any]:
        self.asked.append(args)
        return self.outcomes.pop(0), self.reply


@define
class Holding:
    """A node that answers every read alike."""

    reply: Any

    async def ask(self, *args: Argument) -> Any:
        return self.reply


async def wrote(load: Load, *outcomes: Outcome) -> list[tuple[Argument, ...]]:
    client = Scripted([*outcomes], [])
    for _ in outcomes:
        await load.step(client)  # type: ignore[arg-type]
    return client.asked


def words(found: list[str]) -> set[str]:
    known = ("LOST", "DOUBLED", "STALE", "RESURRECTED", "nobody added")
    return {word for text in found for word in known if word in text}


async def test_a_set_may_lack_what_is_unknown_and_nothing_else() -> None:
    load = Elements("SADD", random.Random(1), keys=1)
    sure, unsure, refused = [args[2] for args in await wrote(load, ACKED, UNKNOWN, REFUSED)]
    assert not await load.check(Holding([sure]))
    assert not await load.check(Holding([sure, unsure]))
    assert words(await load.check(Holding([unsure]))) == {"LOST"}
    assert words(await load.check(Holding([sure, refused]))) == {"nobody added"}


async def test_a_counter_is_exact_but_for_what_is_unknown() -> None:
    load = Tallies("INCRBY", random.Random(1), keys=1)
    await wrote(load, *[ACKED] * 30, *[UNKNOWN] * 5)
    key = next(load.names())
    least, most = load.acked[key], load.acked[key] + load.unsure[key]
    for held in (least, most):
        assert not await load.check(Holding(b"%d" % held))
    assert words(await load.check(Holding(b"%d" % (least - 1)))) == {"LOST"}
    assert words(await load.check(Holding(b"%d" % (most + 1)))) == {"DOUBLED"}


async def test_a_list_has_each_piece_once() -> None:
    load = Pieces("LPUSH", "dc1")
    sure, unsure = [args[2] for args in await wrote(load, ACKED, UNKNOWN)]
    assert not await load.check(Holding([sure]))
    assert not await load.check(Holding([sure, unsure]))
    assert words(await load.check(Holding([unsure]))) == {"LOST"}
    assert words(await load.check(Holding([sure, sure]))) == {"DOUBLED"}


def test_a_register_shows_its_newest_acknowledged_version_or_a_newer_one() -> None:
    register = Register("key", [None, b"1", None, b"3"], acked=2)
    assert register.allows(None, 2)
    assert register.allows(b"3", 2)
    assert not register.allows(b"1", 2)
    assert words([register.complaint(b"1", 2)]) == {"RESURRECTED"}
    assert words([register.complaint(None, 3)]) == {"STALE"}


async def test_readers_note_what_was_acknowledged_before_they_asked() -> None:
    load = Registers("dc1", random.Random(1))
    register = Register("key", [None, b"1", b"2"], acked=2)
    load.recent.append(register)
    await load.read(Scripted([ACKED], [], b"2"))  # type: ignore[arg-type]
    assert not load.wrong
    await load.read(Scripted([ACKED], [], b"1"))  # type: ignore[arg-type]
    assert words(load.wrong) == {"STALE"}


async def test_a_register_is_left_alone_after_an_unknown_write() -> None:
    load = Registers("dc1", random.Random(4))
    while not load.done or not load.done[0].is_done:
        await wrote(load, UNKNOWN)
    await wrote(load, *[ACKED] * 20)
    assert len(load.done) == 2
    assert load.done[0].acked == 0


def test_a_key_is_there_before_its_deadline_and_gone_after_it() -> None:
    one = Deadline("key", early_s=100, late_s=101, is_sure=True)
    assert one.complaint(True, 100, 100) is None
    assert one.complaint(False, 100, 100) is None
    assert words([one.complaint(True, 102 + SKEW_S, 103 + SKEW_S) or ""]) == {"RESURRECTED"}
    assert words([one.complaint(False, 90, 99 - SKEW_S) or ""]) == {"LOST"}
    one.is_sure = False
    assert one.complaint(False, 90, 99 - SKEW_S) is None


def test_a_nodeknows_the_same_as_a_peer_once_they_have_compared_since_the_last_fault() -> None:
    def info(**changed: str) -> dict[str, str]:
        facts = {"liveness": "up", "state": "NORMAL", "hints": "0", "agreed_s_ago": "2.0", **changed}
        return {"peer_node2": ",".join(f"{name}={value}" for name, value in facts.items())}

    assert knows(info(), "node2", 3.0)
    assert not knows(info(), "node2", 1.0)
    assert not knows(info(hints="1"), "node2", 3.0)
    assert not knows(info(agreed_s_ago="never"), "node2", 3.0)
    assert not knows(info(liveness="limbo"), "node2", 3.0)
