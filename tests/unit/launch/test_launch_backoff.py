"""How long a crashed node waits for its next start."""

from random import Random

from trio_dynomite.launch.backoff import FORGIVEN_AFTER_S, Backoff


class Longest(Random):
    """Jitter that takes nothing away."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_each_crash_in_a_row_doubles_the_wait_up_to_the_longest() -> None:
    backoff = Backoff(rng=Longest(), first_s=1, longest_s=5, attempts=6)

    assert [backoff.next_delay_s(0) for _ in range(6)] == [1, 2, 4, 5, 5, None]


def test_a_node_that_ran_long_enough_is_forgiven() -> None:
    backoff = Backoff(rng=Longest(), first_s=1, attempts=3)
    backoff.next_delay_s(0)
    backoff.next_delay_s(0)

    assert backoff.next_delay_s(FORGIVEN_AFTER_S) == 1
    assert backoff.next_delay_s(FORGIVEN_AFTER_S - 1) == 2
    assert backoff.next_delay_s(0) is None


def test_a_node_that_waits_for_room_is_never_given_up() -> None:
    backoff = Backoff(rng=Longest(), first_s=1, longest_s=5, attempts=4)

    assert [backoff.next_delay_s(0, may_pass=True) for _ in range(6)] == [1, 2, 4, 4, 4, 4]
    assert backoff.next_delay_s(0) is None


def test_jitter_takes_up_to_half_of_the_wait() -> None:
    delays = [Backoff(rng=Random(seed), first_s=1).next_delay_s(0) for seed in range(50)]

    assert all(delay is not None and 0.5 <= delay <= 1 for delay in delays)
    assert len(set(delays)) > 40
