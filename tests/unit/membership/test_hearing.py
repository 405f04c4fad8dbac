"""What is believed, and what is answered."""

import msgspec
import pytest
from attrs import evolve

from tests.unit.membership.gossip_subject import datagram, gossip, member, run, sent, told
from trio_dynomite.membership.events import Happening
from trio_dynomite.membership.gossip import Gossip
from trio_dynomite.membership.member import Member, Status, encode_member
from trio_dynomite.membership.messages import Ack, Kind, Page, Ping, Tell
from trio_dynomite.model import NodeState

HERE = ("host-of-a", 8101)


def hear(machine: Gossip, *, sender: str = "a", members: tuple[Member, ...] = (), told: bytes = b"") -> None:
    """`machine` hears rumours from `sender`."""
    encoded = [encode_member(one) for one in members]
    data = datagram(Kind.TELL, sender=sender, members=encoded, told=[told] if told else [])
    machine.receive(data, HERE, 0.0)


def status(machine: Gossip, name: str) -> Status:
    return machine.membership.members[name].status


def happenings(machine: Gossip) -> list[tuple[Happening, str]]:
    return [(event.happening, event.member.name) for event in machine.take_events()]


def test_a_ping_is_answered() -> None:
    machine = gossip("a")
    machine.receive(datagram(Kind.PING, 17, "me"), HERE, 0.0)
    [(host, message)] = sent(machine)
    assert host == "host-of-a"
    assert isinstance(message, Ack)
    assert message.number == 17


def test_a_ping_for_somebody_else_is_counted() -> None:
    machine = gossip("a")
    machine.receive(datagram(Kind.PING, 17, "b"), HERE, 0.0)
    assert not sent(machine)
    assert machine.counters.misdirected == 1


def test_a_suspicion_is_contradicted_with_a_higher_incarnation() -> None:
    machine = gossip("a")
    hear(machine, told=told("me", 10, Status.SUSPECT, "b"))
    assert machine.table.my.incarnation == 11
    machine.tick(0.01)
    spoken = [message for _, message in sent(machine)]
    assert any(wire.name == "me" and wire.incarnation == 11 for message in spoken for wire in message.members)


def test_an_old_suspicion_is_answered_with_what_has_been_said_already() -> None:
    machine = gossip("a")
    data = datagram(Kind.PING, 1, "me", told=[told("me", 9, Status.SUSPECT, "a")])
    machine.receive(data, HERE, 0.0)
    [(_, answer)] = sent(machine)
    assert [(wire.name, wire.incarnation) for wire in answer.members] == [("me", 10)]


@pytest.mark.parametrize("end", [Status.DEAD, Status.LEFT])
def test_an_old_rumour_does_not_bring_back_who_is_gone(end: Status) -> None:
    machine = gossip("a", "b")
    hear(machine, told=told("b", 10, end))
    hear(machine, members=(member("b", 10), member("b", 9)))
    hear(machine, told=told("b", 10, Status.SUSPECT, "c"))
    assert status(machine, "b") is end
    machine.take_events()
    hear(machine, members=(member("b", 11),))
    assert happenings(machine) == [(Happening.RETURNED, "b")]


def test_who_left_is_not_dead_afterwards() -> None:
    machine = gossip("a", "b")
    hear(machine, told=told("b", 10, Status.LEFT))
    hear(machine, told=told("b", 10, Status.DEAD))
    assert status(machine, "b") is Status.LEFT


def test_the_dead_speak_ill_of_nobody() -> None:
    machine = gossip("a", "b", "c")
    hear(machine, told=told("b", 10, Status.DEAD))
    hear(machine, sender="b", told=told("c", 10, Status.DEAD))
    assert status(machine, "c") is Status.ALIVE


def test_the_dead_are_heard_when_they_speak_of_us() -> None:
    machine = gossip("a", "b")
    hear(machine, told=told("b", 10, Status.DEAD))
    hear(machine, sender="b", told=told("me", 10, Status.DEAD))
    assert machine.table.my.incarnation == 11


def test_who_is_held_for_dead_hears_it_with_every_answer() -> None:
    machine = gossip("a", "b")
    hear(machine, told=told("a", 10, Status.DEAD))
    machine.receive(datagram(Kind.PING, 1, "me"), HERE, 0.0)
    [(_, message)] = sent(machine)
    assert [(line.name, line.status) for line in message.told] == [("a", Status.DEAD)]


def test_a_death_in_somebodys_table_makes_us_look() -> None:
    machine = gossip("a", "b")
    dead = evolve(member("b"), status=Status.DEAD)
    line = (_raw(dead), 5.0)
    machine.receive(datagram(Kind.PAGE, bytes(8), b"\xff" * 8, [line], True), HERE, 0.0)
    assert status(machine, "b") is Status.ALIVE
    [(host, message)] = sent(machine)
    assert host == "host-of-b"
    assert isinstance(message, Tell)
    assert [line.name for line in message.told] == ["b"]
    machine.tick(0.01)
    [(host, probe)] = [(host, message) for host, message in sent(machine) if isinstance(message, Ping)]
    assert (host, probe.name) == ("host-of-b", "b")


def test_the_gone_are_learned_of_with_their_age_and_forgotten_in_time() -> None:
    machine = gossip("a")
    remember_s = machine.settings.remember_s
    lines = [
        (_raw(evolve(member(name), status=Status.LEFT)), age_s)
        for name, age_s in (("b", 100.0), ("c", remember_s + 1.0))
    ]
    machine.receive(datagram(Kind.PAGE, bytes(8), b"\xff" * 8, lines, True), HERE, 0.0)
    assert status(machine, "b") is Status.LEFT
    assert "c" not in machine.membership.members
    assert happenings(machine) == []
    machine.table.forget(remember_s - 101.0)
    assert "b" in machine.membership.members
    machine.table.forget(remember_s - 99.0)
    assert "b" not in machine.membership.members


def test_a_changed_address_stands_unless_the_old_one_answers() -> None:
    for answers in (False, True):
        machine = gossip("a", "b")
        hear(machine, members=(member("b", 11, "elsewhere"),))
        [(host, ping)] = [(host, message) for host, message in sent(machine) if isinstance(message, Ping)]
        assert host == "host-of-b"
        if answers:
            machine.receive(datagram(Kind.ACK, ping.number, sender="b"), ("host-of-b", 8101), 0.1)
        run(machine, 0.1, 1.0)
        known = machine.membership.members["b"]
        assert known.host == ("host-of-b" if answers else "elsewhere")
        expected = (Happening.CONFLICT if answers else Happening.CHANGED, "b")
        assert expected in happenings(machine)


def test_a_node_that_answers_at_both_addresses_has_moved() -> None:
    machine = gossip("a", "b")
    hear(machine, members=(member("b", 11, "elsewhere"),))
    [ping] = [message for _, message in sent(machine) if isinstance(message, Ping)]
    answer = datagram(Kind.ACK, ping.number, sender="b", incarnation=11)
    machine.receive(answer, ("host-of-b", 8101), 0.1)
    assert machine.membership.members["b"].host == "elsewhere"
    assert happenings(machine) == [(Happening.CHANGED, "b")]


def test_a_conflict_is_said_once_a_minute() -> None:
    machine = gossip("a", "b")
    said = []
    for second in range(70):
        now_s = second / 1.0
        machine.names.claim(member("b", 11, "elsewhere"), now_s)
        machine.names.answered("b", 10, now_s)
        said += happenings(machine)
    assert said == [(Happening.CONFLICT, "b")] * 2


def test_a_node_that_hears_its_own_ping_does_not_take_itself_for_another() -> None:
    machine = gossip("a")
    hear(machine, members=(member("me", 11, "former-address"),))
    [data] = [data for address, data in machine.take_datagrams() if address[0] == "former-address"]
    machine.receive(data, ("here", 8101), 0.1)
    assert not [message for _, message in sent(machine) if isinstance(message, Ack)]
    run(machine, 0.1, 1.5)
    assert not machine.names.is_refused
    assert machine.table.my.incarnation == 12


def test_a_newcomer_whose_name_is_taken_gossips_no_more() -> None:
    machine = gossip("a")
    hear(machine, members=(member("me", 9, "elsewhere"),))
    [ping] = [message for host, message in sent(machine) if isinstance(message, Ping) and host == "elsewhere"]
    machine.receive(datagram(Kind.ACK, ping.number, sender="me", incarnation=9), ("elsewhere", 8101), 0.1)
    assert happenings(machine) == [(Happening.REFUSED, "me")]
    run(machine, 0.1, 2.0)
    assert not sent(machine)


def test_a_node_that_has_run_for_long_defends_its_name() -> None:
    machine = gossip("a")
    run(machine, 0.0, 12.0, 0.1)
    sent(machine)
    machine.receive(datagram(Kind.TELL, members=[encode_member(member("me", 99, "elsewhere"))]), HERE, 12.0)
    assert (Happening.CONFLICT, "me") in happenings(machine)
    assert machine.table.my.incarnation == 100
    assert not machine.names.is_refused


def test_what_a_node_says_of_itself_is_an_event() -> None:
    machine = gossip("a", "b")
    hear(machine, members=(evolve(member("b", 11), state=NodeState.STANDBY),))
    assert happenings(machine) == [(Happening.CHANGED, "b")]
    hear(machine, members=(evolve(member("b", 12), state=NodeState.STANDBY),))
    assert happenings(machine) == []


def test_announcing_raises_the_incarnation_once() -> None:
    machine = gossip("a")
    machine.announce(0.0, state=NodeState.STANDBY)
    machine.announce(0.0, state=NodeState.STANDBY)
    assert (machine.table.my.incarnation, machine.table.my.state) == (11, NodeState.STANDBY)


def test_who_leaves_says_so_and_contradicts_nobody_afterwards() -> None:
    machine = gossip("a", "b")
    machine.leave(0.0)
    assert {host for host, _ in sent(machine)} == {"host-of-a", "host-of-b"}
    hear(machine, told=told("me", 10, Status.DEAD))
    machine.announce(0.0, state=NodeState.NORMAL)
    machine.leave(0.0)
    assert (machine.table.my.incarnation, machine.table.my.status) == (10, Status.LEFT)


def test_the_view_is_a_value_and_its_epoch_grows() -> None:
    machine = gossip("a", "b")
    before = machine.membership
    assert machine.membership is before
    hear(machine, told=told("b", 10, Status.DEAD))
    assert machine.membership.epoch > before.epoch
    assert before.members["b"].status is Status.ALIVE
    assert [known.name for known in machine.membership.here] == ["a", "me"]


def test_a_full_table_refuses_more() -> None:
    machine = gossip("a")
    hear(machine, members=tuple(member(f"n{at}") for at in range(20)))
    assert len(machine.membership.members) == 22
    machine.table.members_max = 22
    hear(machine, members=(member("one-more"),))
    assert len(machine.membership.members) == 22
    assert machine.table.too_many == 1


def test_a_table_of_many_goes_in_pages_that_fit() -> None:
    machine = gossip(*(f"node{at}" for at in range(500)))
    machine.receive(datagram(Kind.COMPARE, bytes(8 * 128), sender="node1"), HERE, 0.0)
    datagrams = machine.take_datagrams()
    assert 1 < len(datagrams) <= 16
    assert max(len(data) for _, data in datagrams) <= machine.settings.datagram_bytes


def test_what_others_do_not_know_is_answered() -> None:
    machine = gossip("a", "b")
    lines = [(_raw(member("a")), 0.0), (_raw(member("c")), 0.0)]
    machine.receive(datagram(Kind.PAGE, bytes(8), b"\xff" * 8, lines, False), HERE, 0.0)
    [(_, message)] = sent(machine)
    assert isinstance(message, Page)
    assert message.is_answer
    assert {wire.name for wire, _ in message.entries} == {"me", "b"}
    assert "c" in machine.membership.members


def _raw(known: Member) -> msgspec.Raw:
    return msgspec.Raw(encode_member(known))
