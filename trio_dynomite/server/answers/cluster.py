"""CLUSTER: what Redis Cluster clients ask, so that each of them sends a key where it belongs.

With one of Dynomite's hashes clients cannot compute where a key belongs, and all of this is refused.
Source: https://valkey.io/commands/cluster-slots and its neighbours, `cluster.c`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

import xxhash

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import quoted
from trio_dynomite.coordinator.here import when_open
from trio_dynomite.errors import CommandError
from trio_dynomite.model import Node
from trio_dynomite.peers.peer import Peer
from trio_dynomite.protocol.replies import array, bulk, bulk_array, integer, mapping, verbatim
from trio_dynomite.server.answers import members
from trio_dynomite.server.answers.answer import CLUSTER_DISABLED, Answer, help_answer, is_cluster
from trio_dynomite.server.answers.repair import repair
from trio_dynomite.server.answers.shards import (
    Shard,
    flag_of,
    health_of,
    is_down,
    peer_of,
    shards,
    slot_map,
    slots_served,
)
from trio_dynomite.topology.partitioner import SLOT_COUNT, redis_slot

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.server.session import Session

_HELP = (
    "COUNT-FAILURE-REPORTS <node-id>",
    "    Return 1 if this node has found <node-id> dead, else 0.",
    "COUNTKEYSINSLOT <slot>",
    "    Return the number of keys in <slot>.",
    "FORGET <node-id>",
    "    Take a node that is down, and never comes back, out of the ring.",
    "GETKEYSINSLOT <slot> <count>",
    "    Return key names stored by current node in a slot.",
    "INFO",
    "    Return information about the cluster.",
    "KEYSLOT <key>",
    "    Return the hash slot for <key>.",
    "LINKS",
    "    Return information about all network links between this node and its peers.",
    "MEET <host> <port> [<peer-port>]",
    "    Ask this address, where a node listens for its peers, who is in the cluster.",
    "MYID",
    "    Return the node id.",
    "MYSHARDID",
    "    Return the node's shard id.",
    "NODES",
    "    Return cluster configuration seen by node. Output format:",
    "    <id> <ip:port@bus-port[,hostname]> <flags> <primary> <pings> <pongs> <epoch> <link> <slot> ...",
    "REPAIR NOW [<first-slot> <last-slot>] | STATUS",
    "    Have every node compare its copies with the others at once; what this node is comparing.",
    "SHARDS",
    "    Return information about slot range mappings and the nodes associated with them.",
    "SLOTS",
    "    Return information about slots range mappings. Each range is made of:",
    "    start, end, primary and replicas IP addresses, ports and ids",
)


def slots(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER SLOTS: per range of slots the primary, then the other live replicas."""
    engine, resp = session.server.engine, session.resp
    known = {name: _slots_node(node, resp) for name, node in engine.table.view.nodes.items()}
    return array(
        [
            array([integer(first), integer(last), *(known[node.name] for node in nodes)])
            for first, last, nodes in slot_map(engine)
        ]
    )


def _slots_node(node: Node, resp: int) -> bytes:
    metadata = [] if _is_address(node.host) else [(bulk(b"hostname"), bulk(node.host.encode()))]
    return array(
        [
            bulk(node.host.encode()),
            integer(node.client_port),
            bulk(node.cluster_id.encode()),
            mapping(metadata, resp),
        ]
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def answer_shards(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER SHARDS: per node that leads anything its slots, and who has copies of them."""
    return array([_shard(shard, session) for shard in shards(session.server.engine)])


def _shard(shard: Shard, session: Session) -> bytes:
    engine, resp = session.server.engine, session.resp
    bounds = [integer(bound) for run in shard.slots for bound in run]
    nodes = [_shard_node(shard.primary, b"master", engine, resp)]
    nodes += [_shard_node(node, b"replica", engine, resp) for node in shard.replicas.values()]
    pairs = [
        (bulk(b"slots"), array(bounds)),
        (bulk(b"nodes"), array(nodes)),
        (bulk(b"id"), bulk(shard_id(shard.primary).encode())),
    ]
    return mapping(pairs, resp)


def _shard_node(node: Node, role: bytes, engine: Engine, resp: int) -> bytes:
    host = bulk(node.host.encode())
    facts = [
        (b"id", bulk(node.cluster_id.encode())),
        (b"port", integer(node.client_port)),
        (b"ip", host),
        (b"endpoint", host),
        *([] if _is_address(node.host) else [(b"hostname", host)]),
        (b"role", bulk(role)),
        (b"replication-offset", integer(0)),
        (b"health", bulk(health_of(node, engine).encode())),
        (b"availability-zone", bulk(node.rack.encode())),
    ]
    return mapping([(bulk(name), value) for name, value in facts], resp)


def shard_id(primary: Node) -> str:
    """The 40 hexadecimal digits of the shard that a node leads."""
    return xxhash.xxh128_hexdigest(b"shard of " + primary.name.encode()) + f"{primary.id:08x}"


def nodes(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER NODES: a line a node. All are masters, each with the slots that it leads."""
    engine = session.server.engine
    led = {shard.primary.name: shard.slots for shard in shards(engine)}
    lines = [_node_line(node, led.get(name, []), engine) for name, node in engine.table.view.nodes.items()]
    return verbatim("".join(lines).encode(), session.resp)


def _node_line(node: Node, led: list[tuple[int, int]], engine: Engine) -> str:
    peer, flag = peer_of(node, engine), flag_of(node, engine)
    hostname = "" if _is_address(node.host) else f",{node.host}"
    flags = "myself,master" if peer is None else f"master,{flag}" if flag else "master"
    words = [
        node.cluster_id,
        f"{node.host}:{node.client_port}@{node.peer_port}{hostname}",
        flags,
        f"- 0 {_heard_ms(peer, engine)} {engine.table.view.epoch}",
        "connected" if peer is None or peer.is_open else "disconnected",
        *(str(first) if first == last else f"{first}-{last}" for first, last in led),
    ]
    return " ".join(words) + "\n"


def _heard_ms(peer: Peer | None, engine: Engine) -> int:
    """When a peer was heard last, in Unix milliseconds; 0 when its link is not open."""
    if peer is None or peer.link is None or not peer.is_open:
        return 0
    return engine.now_ms - round((engine.mono_s - peer.link.heard_s) * 1000)


def info(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER INFO. The state is ok while every slot has a live replica in this datacenter."""
    engine = session.server.engine
    view, served = engine.table.view, slots_served(engine)
    flags = [flag_of(node, engine) for node in view.nodes.values()]
    facts = {
        "cluster_state": "ok" if served == SLOT_COUNT else "fail",
        "cluster_slots_assigned": SLOT_COUNT,
        "cluster_slots_ok": served,
        "cluster_slots_pfail": 0,
        "cluster_slots_fail": SLOT_COUNT - served,
        "cluster_nodes_pfail": flags.count("fail?"),
        "cluster_nodes_fail": flags.count("fail"),
        "cluster_known_nodes": len(view.nodes),
        "cluster_size": len(shards(engine)),
        "cluster_current_epoch": view.epoch,
        "cluster_my_epoch": view.epoch,
    }
    text = "".join([f"{name}:{value}\r\n" for name, value in facts.items()])
    return verbatim(text.encode(), session.resp)


def my_id(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER MYID."""
    return bulk(session.server.engine.node.cluster_id.encode())


def my_shard_id(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER MYSHARDID: of the shard that this node leads when all is well."""
    return bulk(shard_id(session.server.engine.node).encode())


def key_slot(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER KEYSLOT key."""
    return integer(redis_slot(args[2]))


def count_keys(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER COUNTKEYSINSLOT slot: in this node's copy."""
    slot = integer_argument(args[2])
    if not 0 <= slot < SLOT_COUNT:
        raise CommandError("ERR Invalid slot")
    return integer(session.server.engine.keyspace.store.key_count(slot, slot))


def get_keys(session: Session, args: list[bytes]) -> bytes | None:
    """CLUSTER GETKEYSINSLOT slot count: of this node's copy."""
    slot, count = integer_argument(args[2]), integer_argument(args[3])
    if not 0 <= slot < SLOT_COUNT or count < 0:
        raise CommandError("ERR Invalid slot or number of keys")
    engine = session.server.engine

    def keys() -> bytes:
        living = engine.keyspace.store.living(slot, engine.now_ms)
        return bulk_array([key for key, _ in islice(living, count)])

    if when_open(engine, [slot], lambda: place.done(keys()), is_full=False):
        return keys()
    place = session.stall()
    return None


def failure_reports(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER COUNT-FAILURE-REPORTS node-id. Every node judges for itself: 1 when this one has, else 0."""
    engine = session.server.engine
    for node in engine.table.view.nodes.values():
        if node.cluster_id.encode() == args[2]:
            return integer(is_down(node, engine))
    raise CommandError(f"ERR Unknown node {quoted(args[2])}")


def links(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER LINKS: the connections that this node opened to its peers, and they to it."""
    engine, resp = session.server.engine, session.resp
    peers = [peer for peer in engine.roster.peers.values() if peer.is_open]
    out = [_link(b"to", peer, peer.link.pipe.unsent, engine, resp) for peer in peers if peer.link is not None]
    into = [
        _link(b"from", acceptor.peer, acceptor.pipe.unsent, engine, resp)
        for acceptor in engine.roster.acceptors
        if acceptor.peer is not None
    ]
    return array([*out, *into])


def _link(direction: bytes, peer: Peer, unsent: int, engine: Engine, resp: int) -> bytes:
    created_ms = engine.now_ms - round((engine.mono_s - peer.since_s) * 1000)
    facts = [
        (b"direction", bulk(direction)),
        (b"node", bulk(peer.node.cluster_id.encode())),
        (b"create-time", integer(created_ms)),
        (b"events", bulk(b"rw" if unsent else b"r")),
        (b"send-buffer-allocated", integer(unsent)),
        (b"send-buffer-used", integer(unsent)),
    ]
    return mapping([(bulk(name), value) for name, value in facts], resp)


def _if_cluster(answer: Answer) -> Answer:
    def answer_if_cluster(session: Session, args: list[bytes]) -> bytes | None:
        if not is_cluster(session.server):
            raise CommandError(CLUSTER_DISABLED)
        return answer(session, args)

    return answer_if_cluster


_IN_A_CLUSTER: Mapping[str, Answer] = {
    "count-failure-reports": failure_reports,
    "countkeysinslot": count_keys,
    "forget": members.forget,
    "getkeysinslot": get_keys,
    "help": help_answer("CLUSTER", _HELP),
    "info": info,
    "keyslot": key_slot,
    "links": links,
    "meet": members.meet,
    "myid": my_id,
    "myshardid": my_shard_id,
    "nodes": nodes,
    "repair": repair,
    "shards": answer_shards,
    "slots": slots,
}

ANSWERS: Mapping[str, Answer] = {
    f"cluster|{name}": _if_cluster(answer) for name, answer in _IN_A_CLUSTER.items()
}
