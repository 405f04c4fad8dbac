"""Connections to the peer port that never say who they are: few, and not for long."""

import pytest

from tests.unit.peers.peer_subject import A, B, Pair, make_pair
from trio_dynomite.hub.channel import Pipe
from trio_dynomite.peers.acceptor import Acceptor


class Silent:
    """The pipe of somebody who says nothing."""

    unsent = 0

    def __init__(self) -> None:
        self.closed_for: str | None = None
        self.acceptor: Acceptor | None = None

    def write(self, data: bytes) -> None:
        raise AssertionError("nothing is said to strangers")

    def close(self, reason: str = "") -> None:
        assert self.acceptor is not None
        self.closed_for = reason
        self.acceptor.closed(reason)

    close_when_sent = close

    def hold(self, held: bool) -> None:
        raise AssertionError("there is nothing to hold")


@pytest.fixture
def pair() -> Pair:
    return make_pair()


def come(pair: Pair) -> Silent:
    pipe = Silent()
    as_pipe: Pipe = pipe
    pipe.acceptor = pair.engines[B].roster.accept(as_pipe)
    return pipe


def pass_time(pair: Pair, seconds: float, step_s: float = 0.05) -> None:
    engine = pair.engines[B]
    for _ in range(round(seconds / step_s)):
        engine.begin(engine.now_ms + round(step_s * 1000), engine.mono_s + step_s)
        engine.roster.tick()


def test_who_says_nothing_is_closed_when_a_peer_would_be_down(pair: Pair) -> None:
    patience_s = pair.engines[B].roster.settings.down_after_s
    pass_time(pair, 0.1)
    silent = come(pair)
    pass_time(pair, patience_s - 0.2)
    assert silent.closed_for is None
    pass_time(pair, 0.4)
    assert silent.closed_for == "it did not say HELLO"
    assert pair.engines[B].roster.strangers.closed == 1


def test_a_pause_of_this_node_is_not_the_strangers_fault(pair: Pair) -> None:
    patience_s = pair.engines[B].roster.settings.down_after_s
    pass_time(pair, 0.1)
    silent = come(pair)
    pass_time(pair, 10 * patience_s, step_s=10 * patience_s)
    assert silent.closed_for is None


def test_one_too_many_costs_the_oldest_its_connection(pair: Pair) -> None:
    pair.engines[B].roster.strangers.most = 3
    pipes = [come(pair) for _ in range(5)]
    assert [pipe.closed_for is not None for pipe in pipes] == [True, True, False, False, False]


def test_a_peer_that_says_hello_is_none(pair: Pair) -> None:
    pair.connect(A, B)
    roster = pair.engines[B].roster
    assert len(roster.acceptors) == 1
    pass_time(pair, 2 * roster.settings.down_after_s)
    assert roster.strangers.closed == 0
