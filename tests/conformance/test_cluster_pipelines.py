"""Pipelines to one node of a cluster against a real Valkey 9: replies as if the commands ran in order.

Some of a pipeline's requests are this node's own, others go to other nodes, or are gathered from several;
what follows must see what came before, and nothing of what comes after. At DC_ONE all keys are in one slot:
what another node gathers then is its own copy, which this client's last write may not have reached.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conformance.cluster_subject import (
    APART,
    TOGETHER,
    ClusterSubject,
    assert_same_copies,
    is_cross_slot,
    placed,
    planted,
    settings_for,
)
from tests.conformance.compare import Request, assert_same
from tests.conformance.draws import draws
from tests.conformance.families import FAMILIES, Family
from tests.conformance.oracle import Connection

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]
WAYS = [
    (APART, "DC_QUORUM"),
    (APART, "DC_SAFE_QUORUM"),
    (TOGETHER, "DC_ONE"),
    (TOGETHER, "DC_QUORUM"),
    (TOGETHER, "DC_SAFE_QUORUM"),
]


def pipelined(conversation: list[Request], keys: dict[bytes, bytes]) -> list[Request]:
    """The requests that can be sent without knowing what the others answer."""
    requests: list[Request] = []
    for drawn in conversation:
        request = placed(drawn, keys)
        if request[0] == b"PLANT":
            requests += planted(request[1])
        elif not draws(request) and not is_cross_slot(request):
            requests.append(request)
    return requests


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_pipelines_to_one_node_get_the_same_replies(
    nodes: ClusterSubject, valkey: Connection, family: Family
) -> None:
    @settings_for(12)
    @given(
        conversation=family.conversations,
        how=st.sampled_from(WAYS),
        chunks=st.lists(st.integers(1, 20), min_size=1),
        which=st.integers(0, 2),
    )
    def compare(
        conversation: list[Request], how: tuple[dict[bytes, bytes], str], chunks: list[int], which: int
    ) -> None:
        keys, level = how
        nodes.begin(valkey, level, which)
        requests = pipelined(conversation, keys)
        node = nodes.nodes[which]
        for size in chunks * len(requests):
            some, requests = requests[:size], requests[size:]
            for request, ours, theirs in zip(some, node.pipeline(some), valkey.pipeline(some), strict=True):
                assert_same(request, ours, theirs)
        assert_same_copies(nodes, valkey, [keys[key] for key in family.keys])

    for conversation in family.examples:
        for which in range(3):
            compare = example(conversation, WAYS[0], [10], which)(compare)
    compare()
