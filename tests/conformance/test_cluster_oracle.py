"""A three-rack cluster against a real Valkey 9: every command to a node drawn by chance, the same bytes back.

At quorum levels a cluster is one database to the eye: what one node took, any other gives. The conversations
are those of every family (`families.py`). With both keys in one slot every command is one node's work; with
keys of several primaries those on several keys scatter, are gathered, or are refused with CROSSSLOT. The
differences that are known stand in the families' own oracles and in `compare.py`. ORACLE_EXAMPLES is the
number of conversations of each family.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conformance.cluster_subject import (
    APART,
    LEVELS,
    TOGETHER,
    ClusterSubject,
    assert_same_copies,
    placed,
    primaries,
    run_both,
    settings_for,
)
from tests.conformance.compare import Request
from tests.conformance.families import FAMILIES, Family
from tests.conformance.oracle import Connection
from trio_dynomite.topology.partitioner import redis_slot

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_keys_apart_have_different_primaries(family: Family) -> None:
    assert primaries([APART[key] for key in family.keys]) > 1
    assert len({redis_slot(TOGETHER[key]) for key in family.keys}) == 1


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_random_conversations_with_random_nodes_get_the_same_replies(
    nodes: ClusterSubject, valkey: Connection, family: Family
) -> None:
    @settings_for(12)
    @given(
        conversation=family.conversations,
        keys=st.sampled_from([TOGETHER, APART]),
        level=st.sampled_from(LEVELS),
        seed=st.integers(0, 2**32),
    )
    def compare(conversation: list[Request], keys: dict[bytes, bytes], level: str, seed: int) -> None:
        nodes.begin(valkey, level, seed)
        for drawn in conversation:
            run_both(nodes, valkey, placed(drawn, keys))
        assert_same_copies(nodes, valkey, [keys[key] for key in family.keys])

    for conversation in family.examples:
        compare = example(conversation, APART, LEVELS[0], 1)(compare)
    compare()
