"""What must hold between settings: within a section, between nodes, along the ring.

Each check takes what could be read and yields every mistake it finds. Nodes come with their index in the
file, because those that could not be read are not among them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec

from trio_dynomite.access.user import User, merged
from trio_dynomite.access.users import DEFAULT, Users
from trio_dynomite.config import kinds
from trio_dynomite.config.rocksdb import RocksDB
from trio_dynomite.config.servers import Memcached, Redis, check_memcached, check_redis
from trio_dynomite.config.settings import (
    Access,
    Cluster,
    Consistency,
    Gossip,
    Limits,
    NodeSettings,
    Repair,
    Storage,
    Timeouts,
    UserSettings,
    is_loopback,
    is_wildcard,
)
from trio_dynomite.config.sources import Problem
from trio_dynomite.errors import CommandError
from trio_dynomite.membership.seeds import DnsSeeds, HttpSeeds
from trio_dynomite.model import ENGINES, Level, node_id

Numbered = Sequence[tuple[int, NodeSettings]]
_PLAIN_READS, _PLAIN_WRITES = (Level.DC_ONE,), (Level.DC_ONE, Level.DC_QUORUM)
PORTS = ("client_port", "peer_port", "admin_port", "memcached_port")


def check_cluster(cluster: Cluster) -> Iterator[Problem]:
    """Slots are Redis Cluster's, and so are their tags: a client computes them too."""
    if cluster.partitioner == kinds.SLOTS and cluster.hash_tag != "{}":
        yield ("cluster", "hash_tag"), f'must be "{{}}" with partitioner "slots", not "{cluster.hash_tag}"'


def check_timeouts(timeouts: Timeouts) -> Iterator[Problem]:
    """A peer must get the chance to be heard."""
    if timeouts.down_after <= timeouts.heartbeat:
        yield (
            ("timeouts", "down_after"),
            f"must be longer than timeouts.heartbeat ({timeouts.heartbeat:g}s), not {timeouts.down_after:g}s",
        )
    if timeouts.script >= timeouts.down_after:
        yield (
            ("timeouts", "script"),
            f"must be shorter than timeouts.down_after ({timeouts.down_after:g}s), not {timeouts.script:g}s:"
            " a node is silent while it runs a script",
        )


def check_gossip(gossip: Gossip) -> Iterator[Problem]:
    """Others need time for their probes, and a datagram room for a member."""
    if gossip.probe_timeout >= gossip.interval:
        yield (
            ("gossip", "probe_timeout"),
            f"must be shorter than gossip.interval ({gossip.interval:g}s), not {gossip.probe_timeout:g}s",
        )
    if not 512 <= gossip.datagram <= 60_000:
        yield ("gossip", "datagram"), f"must be from 512 to 60000 bytes, not {gossip.datagram}"


def check_storage(storage: Storage, nodes: Numbered = ()) -> Iterator[Problem]:
    """What the engine is made of is installed."""
    engines = _engines(storage, nodes)
    in_memory = any(ENGINES[engine].is_in_memory for engine in engines)
    uses_rocksdb = storage.engine == kinds.ROCKSDB and kinds.ROCKSDB in engines
    if uses_rocksdb and find_spec("rocksdict") is None:
        how = 'pip install "trio-dynomite[rocksdb]"'
        yield ("storage", "engine"), f'"rocksdb" needs the package rocksdict, which is not installed: {how}'
    if kinds.MEMCACHED in engines and len(engines) > 1:
        told = "memcached keeps strings only, and others could not rely on it: all nodes use it, or none"
        yield ("storage", "engine"), told
    if storage.snapshot_every and not in_memory:
        yield (
            ("storage", "snapshot_every"),
            f"must be 0 with storage.engine {storage.engine!r}: snapshots are of what is in memory",
        )


def _engines(storage: Storage, nodes: Numbered) -> set[str]:
    """The engines that are in use."""
    return {node.storage or storage.engine for _, node in nodes} or {storage.engine}


def check_servers(storage: Storage, redis: Redis, memcached: Memcached, nodes: Numbered) -> Iterator[Problem]:
    """Every node has a server of its own."""
    engines = {index: node.storage or storage.engine for index, node in nodes}
    is_external = redis.address is not None or any(
        node.storage_address and engines[index] == kinds.REDIS for index, node in nodes
    )
    yield from check_redis(redis, is_external=is_external)
    yield from check_memcached(memcached)
    common = {kinds.REDIS: redis.address, kinds.MEMCACHED: memcached.address}
    taken: dict[tuple[str, str], str] = {}
    for index, node in nodes:
        if engines[index] not in common:
            if node.storage_address is not None:
                yield ("nodes", index, "storage_address"), f"means nothing with storage {engines[index]!r}"
            continue
        address = node.storage_address or common[engines[index]]
        if address is None:
            continue
        # An address that means this machine is another server on every machine.
        is_local = bool(address.path) or is_loopback(address.host)
        other = taken.setdefault((str(address), node.host if is_local else ""), node.name)
        if other != node.name:
            yield (
                ("nodes", index, "storage_address"),
                f"{address} is the server of {other!r} too: each node needs one of its own",
            )


def check_plain(
    redis: Redis, storage: Storage, consistency: Consistency | None, nodes: Numbered
) -> Iterator[Problem]:
    """Without stamps there is nothing to compare replicas by."""
    if redis.stamps:
        return
    if _engines(storage, nodes) != {kinds.REDIS}:
        yield ("redis", "stamps"), 'may be false only if storage is "redis" for all nodes'
    for name, able in (("read", _PLAIN_READS), ("write", _PLAIN_WRITES)):
        level: Level = getattr(consistency, name, Level.DC_ONE)
        if level not in able:
            words = " or ".join([each.name for each in able])
            yield ("consistency", name), f"must be {words} with redis.stamps = false, not {level.name}"


def check_rocksdb(rocksdb: RocksDB) -> Iterator[Problem]:
    """What waits to be written leaves room for what is read."""
    writes = rocksdb.write_buffer * rocksdb.write_buffers
    if rocksdb.cache < 2 * writes:
        yield (
            ("rocksdb", "cache"),
            f"must be twice rocksdb.write_buffer times rocksdb.write_buffers ({writes} bytes) or more, not"
            f" {rocksdb.cache}: the buffers are in it",
        )


def check_seeds(cluster: Cluster) -> Iterator[Problem]:
    """What reads them is installed."""
    needed = {DnsSeeds: "dns", HttpSeeds: "h11"}.get(type(cluster.seeds))
    if needed is not None and find_spec(needed) is None:
        how = 'pip install "trio-dynomite[seeds]"'
        yield ("cluster", "seeds"), f"needs a package that is not installed: {how}"


def check_memory(storage: Storage, limits: Limits, nodes: Numbered = ()) -> Iterator[Problem]:
    """What is elsewhere takes no memory that a limit could be about."""
    in_memory = any(ENGINES[engine].is_in_memory for engine in _engines(storage, nodes))
    if limits.max_memory and not in_memory:
        yield (
            ("limits", "max_memory"),
            f"must be 0 with storage.engine {storage.engine!r}: it is about data in a node's own memory",
        )


def check_repair(repair: Repair, storage: Storage, nodes: Numbered = ()) -> Iterator[Problem]:
    """A read that is compared afterwards has its record at hand."""
    if repair.read_chance and all(ENGINES[engine].is_remote for engine in _engines(storage, nodes)):
        yield (
            ("repair", "read_chance"),
            f"must be 0 with storage.engine {storage.engine!r}: it is about records that a node has itself",
        )


def check_access(access: Access) -> Iterator[Problem]:
    """Users can be told apart, and their rules are understood."""
    first: dict[str, int] = {}
    for index, user in enumerate(access.users):
        at = first.setdefault(user.name, index)
        if at != index:
            yield ("access", "users", index, "name"), f"{user.name!r} is the name of users[{at}] too"
        for mistake in _rule_mistakes(user):
            yield ("access", "users", index, "rules"), mistake
    if access.requirepass is not None and DEFAULT.decode() in first:
        yield (
            ("access", "requirepass"),
            f"users[{first['default']}] is the default user: give its password there",
        )


def _rule_mistakes(user: UserSettings) -> Iterator[str]:
    """Every rule that is wrong; of one that has to do with passwords only its first character is shown."""
    draft = User(user.name.encode())
    try:
        rules = merged(user.rules)
    except CommandError as why:
        yield str(why).removeprefix("ERR ")
        return
    for rule in rules:
        try:
            draft.apply(rule)
        except ValueError as why:
            shown = rule[:1] + b"..." if rule[:1] in (b"#", b"!") else rule
            yield f"{shown.decode()!r}: {why}"


def check_protection(access: Access, nodes: Numbered) -> Iterator[Problem]:
    """Nobody reads and changes everything from another machine unless that is said in so many words."""
    users = Users()
    users.configure(access.definitions)
    reachable = [f"{node.name} ({node.host})" for _, node in nodes if not is_loopback(node.host)]
    if reachable and users.is_open and not access.allow_unprotected:
        yield (
            ("access", "requirepass"),
            f"missing, while other machines can reach {', '.join(reachable)}: clients would need no "
            "password; give one, or say access.allow_unprotected = true",
        )


def check_nodes(nodes: Numbered) -> Iterator[Problem]:
    """Nodes can be told apart, found, and reached."""
    yield from _unique_names(nodes)
    yield from _unique_ports(nodes)
    for index, node in nodes:
        if is_wildcard(node.announced):
            yield (
                ("nodes", index, "announce_host" if node.announce_host else "host"),
                f"nobody can connect to {node.announced}: give announce_host, the address to reach it by",
            )


def check_tokens(nodes: Numbered, cluster: Cluster) -> Iterator[Problem]:
    """Tokens are on the ring, and in each rack either every node gives its own or none does."""
    racks: dict[tuple[str, str], list[tuple[int, NodeSettings]]] = defaultdict(list)
    for index, node in nodes:
        racks[node.place].append((index, node))
        yield from _tokens_in_range(index, node, cluster)
    for (datacenter, rack), members in racks.items():
        yield from _unique_tokens(members)
        if cluster.seeds is not None and len(members) > 1:
            yield from _tokens_missing(members)
            continue
        giving = [node.name for _, node in members if node.tokens is not None]
        for index, node in members:
            if giving and node.tokens is None:
                yield (
                    ("nodes", index, "tokens"),
                    f"missing, while {giving[0]!r} of the same rack ({datacenter}/{rack}) gives its own; "
                    "give all or none",
                )


def _tokens_missing(members: Numbered) -> Iterator[Problem]:
    """With seeds no node knows beforehand how many share its rack, so none can spread it evenly."""
    for index, node in members:
        if node.tokens is None:
            others = ", ".join([other.name for _, other in members if other is not node])
            yield (
                ("nodes", index, "tokens"),
                f"missing: with cluster.seeds, nodes that share a rack ({others} is in it) must give tokens",
            )


def _unique_names(nodes: Numbered) -> Iterator[Problem]:
    by_name: dict[str, int] = {}
    by_id: dict[int, str] = {}
    for index, node in nodes:
        first = by_name.setdefault(node.name, index)
        if first != index:
            yield ("nodes", index, "name"), f"{node.name!r} is the name of nodes[{first}] too"
        other = by_id.setdefault(node_id(node.name), node.name)
        if other != node.name:
            yield (
                ("nodes", index, "name"),
                f"{node.name!r} has the same 32-bit id as {other!r} by bad luck; choose another name",
            )


def _unique_ports(nodes: Numbered) -> Iterator[Problem]:
    taken: dict[tuple[str, int], str] = {}
    for index, node in nodes:
        for setting in PORTS:
            port: int = getattr(node, setting)
            clashes = []
            for address in _addresses(node) if port else ():
                owner = taken.setdefault((address, port), f"nodes[{index}].{setting}")
                if owner != f"nodes[{index}].{setting}":
                    clashes.append(f"{address}:{port} is taken by {owner}")
            if clashes:
                yield ("nodes", index, setting), clashes[0]


def _addresses(node: NodeSettings) -> Iterable[str]:
    """What no two nodes may share together with a port: where it listens, and where others find it."""
    hosts = [node.announced] if is_wildcard(node.host) else [node.host, node.announced]
    return dict.fromkeys("127.0.0.1" if host.lower() == "localhost" else host.lower() for host in hosts)


def _tokens_in_range(index: int, node: NodeSettings, cluster: Cluster) -> Iterator[Problem]:
    if node.tokens == ():
        yield ("nodes", index, "tokens"), "must not be empty; leave it out to spread the rack evenly"
    for at, token in enumerate(node.tokens or ()):
        if not 0 <= token <= cluster.token_max:
            allowed = f"from 0 to {cluster.token_max} with partitioner {cluster.partitioner!r}"
            yield ("nodes", index, "tokens", at), f"must be {allowed}, not {token}"


def _unique_tokens(members: Numbered) -> Iterator[Problem]:
    owners: dict[int, str] = {}
    for index, node in members:
        for at, token in enumerate(node.tokens or ()):
            if token in owners:
                yield (
                    ("nodes", index, "tokens", at),
                    f"{token} is a token of {owners[token]!r} in the same rack too",
                )
            owners.setdefault(token, node.name)
