"""What `trio-dynomite check` prints about a cluster."""

from trio_dynomite.model import Node
from trio_dynomite.topology.describe import describe
from trio_dynomite.topology.partitioner import make
from trio_dynomite.topology.view import View

SLOTS = make("slots", "")


def node(name: str, *tokens: int, dc: str = "dc1", rack: str = "r1") -> Node:
    return Node(
        name=name, datacenter=dc, rack=rack, tokens=tokens,
        host="127.0.0.1", client_port=6379, peer_port=8101, admin_port=22222,
    )  # fmt: skip


def test_a_cluster_is_a_table_per_rack_and_its_warnings() -> None:
    nodes = [
        node("alpha", 8191),
        node("beta", 16383),
        node("gamma", 8191, 16383, rack="r2"),
        node("far", 5, dc="dc2", rack="r9"),
    ]
    assert describe(View.of(nodes, SLOTS, epoch=3)) == (
        "partitioner slots, hash tag {}, epoch 3: 4 nodes, 4 ranges\n"
        "\n"
        "datacenter dc1: 2 racks\n"
        "  rack r1\n"
        "    node   tokens      owns %  primary %\n"
        "    alpha  8191          50.0       25.0\n"
        "    beta   16383         50.0       25.0\n"
        "  rack r2\n"
        "    node   tokens      owns %  primary %\n"
        "    gamma  8191 16383   100.0       50.0\n"
        "\n"
        "datacenter dc2: 1 rack\n"
        "  rack r9\n"
        "    node  tokens  owns %  primary %\n"
        "    far   5        100.0      100.0\n"
        "\n"
        "warning: datacenter dc1: 2 racks: a quorum needs both, so a node down stops it for its keys\n"
        "warning: datacenter dc2: 1 rack, so 1 copy: no redundancy, a lost node loses its keys there\n"
    )


def test_three_sound_racks_of_different_sizes_give_no_warning() -> None:
    nodes = [node("a", 0), node("b", 8191, rack="r2"), node("c", 16383, rack="r2"), node("d", 9, rack="r3")]
    assert "warning" not in describe(View.of(nodes, SLOTS))


def test_many_tokens_are_shown_by_the_first_and_their_number() -> None:
    text = describe(View.of([node("a", 50, 40, 30, 20, 10), node("b", 60)], SLOTS))
    assert "10 20 30 40 … (5)" in text


def test_a_node_without_tokens_is_named() -> None:
    text = describe(View.of([node("a", 0), node("idle"), node("lone", dc="dc2")], SLOTS))
    assert "datacenter dc1, rack r1: node idle has no token and owns nothing" in text
    assert "datacenter dc2: no node has a token, so it holds no copy of anything" in text


def test_tokens_made_for_another_ring_are_noticed_by_the_uneven_share() -> None:
    view = View.of([node("a", 0), node("b", 5461), node("c", 10922)], make("murmur", ""))
    assert "node a owns 100.0 %, far above an even share of 33.3 %" in describe(view)


def test_the_hash_that_cannot_spread_is_noticed() -> None:
    nodes = [node("a", 0), node("b", 2**31)]
    assert "crc32 gives only positions 0 to 32767" in describe(View.of(nodes, make("crc32", "")))
    assert "32767" not in describe(View.of(nodes, make("crc32a", "")))
