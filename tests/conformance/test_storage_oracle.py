"""The conversations of the other oracle tests once more, with keys on disk and on a Redis: the same replies.

Fewer of them, for those are slower; ORACLE_EXAMPLES takes as many as it says, and others each time.
"""

from typing import Any

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance import (
    test_bits_oracle,
    test_commands_oracle,
    test_dump_oracle,
    test_geo_oracle,
    test_hash_oracle,
    test_hyperloglog_oracle,
    test_list_oracle,
    test_set_oracle,
    test_sort_oracle,
    test_sorted_set_oracle,
    test_streams_oracle,
)
from tests.conformance.cluster_subject import settings_for
from tests.conformance.oracle import Connection
from tests.conformance.redis_subject import redis_subject
from tests.conformance.subjects import rocks_subject

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@define
class Case:
    """A test of another file, and what it draws."""

    test: Any
    drawn: dict[str, st.SearchStrategy[Any]]
    examples: int = 60


def talk(test: Any, strategy: st.SearchStrategy[Any], examples: int = 60) -> Case:
    """A test that draws a conversation."""
    return Case(test, {"conversation": strategy}, examples)


CASES = [
    talk(test_bits_oracle.test_bits_get_the_same_replies, test_bits_oracle.CONVERSATIONS),
    talk(
        test_commands_oracle.test_random_conversations_get_the_same_replies,
        test_commands_oracle.CONVERSATIONS,
    ),
    Case(test_dump_oracle.test_values_go_from_server_to_server, {"value": test_dump_oracle.VALUES}),
    talk(test_dump_oracle.test_restored_keys_get_the_same_replies, test_dump_oracle.CONVERSATIONS),
    talk(test_geo_oracle.test_positions_get_the_same_replies, test_geo_oracle.CONVERSATIONS),
    talk(test_hash_oracle.test_hashes_get_the_same_replies, test_hash_oracle.CONVERSATIONS),
    talk(
        test_hyperloglog_oracle.test_hyperloglogs_get_the_same_replies,
        test_hyperloglog_oracle.CONVERSATIONS,
        8,
    ),
    talk(test_list_oracle.test_lists_get_the_same_replies, test_list_oracle.CONVERSATIONS),
    talk(test_set_oracle.test_sets_get_the_same_replies, test_set_oracle.CONVERSATIONS),
    talk(test_sort_oracle.test_sorts_get_the_same_replies, test_sort_oracle.CONVERSATIONS),
    talk(
        test_sorted_set_oracle.test_sorted_sets_get_the_same_replies,
        test_sorted_set_oracle.CONVERSATIONS,
    ),
    talk(
        test_sorted_set_oracle.test_ranges_by_member_get_the_same_replies,
        test_sorted_set_oracle.LEXICAL_CONVERSATIONS,
    ),
    talk(test_streams_oracle.test_streams_get_the_same_replies, test_streams_oracle.CONVERSATIONS, 30),
]


@pytest.fixture(params=[rocks_subject, redis_subject], ids=["disk", "redis"])
def make(request: pytest.FixtureRequest) -> Any:
    """Makes our side."""
    return request.param


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.test.__name__)
def test_replies_are_the_same(case: Case, valkey: Connection, resp: int, make: Any) -> None:
    @settings_for(case.examples if make is rocks_subject else max(4, case.examples // 4))
    @given(st.fixed_dictionaries(case.drawn))
    def check(drawn: dict[str, Any]) -> None:
        case.test.hypothesis.inner_test(make, valkey, resp, **drawn)

    check()


def test_storms_of_streams_get_the_same_replies(valkey: Connection, resp: int, make: Any) -> None:
    test_streams_oracle.test_storms_get_the_same_replies(make, valkey, resp, seed=1)


@pytest.mark.parametrize("trimming", [b"MAXLEN ~ 0 LIMIT 150", b"MINID = 250"])
def test_trimming_gets_the_same_replies(valkey: Connection, resp: int, trimming: bytes, make: Any) -> None:
    test_streams_oracle.test_trimming_by_nodes(make, valkey, resp, trimming)
