"""What can be set, its defaults, and what the settings say about the cluster.

One frozen class a section of `cluster.toml`, one attribute a key. Every duration is in seconds and every
size in bytes, whatever the file wrote. `kinds` says what each annotation accepts; `checks` says what must
hold between settings.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Callable

from attrs import evolve, field, frozen

from trio_dynomite.access.users import ALL_RIGHTS, DEFAULT
from trio_dynomite.config import kinds
from trio_dynomite.config.rocksdb import RocksDB
from trio_dynomite.config.servers import Address, Memcached, Redis
from trio_dynomite.model import ENGINES, Level, Node

SLOTS = 16384
HASH_SPACE = 2**32


@frozen(kw_only=True)
class Cluster:
    """`[cluster]`: what all nodes must agree on."""

    name: kinds.Name = "trio-dynomite"
    """Nodes of clusters with another name are refused."""
    partitioner: kinds.Partitioner = "slots"
    """How a key finds its place on the ring: Redis Cluster's slots, or one of Dynomite's hashes."""
    hash_tag: kinds.HashTag = "{}"
    """The two characters around the part of a key that is hashed; "" hashes whole keys."""
    primaries: kinds.Primaries = "spread"
    """Which racks lead the keys: each its share, or one of them all."""
    seeds: kinds.Seeds | None = None
    """Whom to ask who else is in the cluster; None: the file names all of its nodes."""

    @property
    def spreads(self) -> bool:
        """Does every rack lead its share?"""
        return self.primaries == "spread"

    @property
    def token_max(self) -> int:
        """The largest token on this ring."""
        return (SLOTS if self.partitioner == kinds.SLOTS else HASH_SPACE) - 1


@frozen(kw_only=True)
class Consistency:
    """`[consistency]`: the levels of connections that ask for none (Dynomite rows K1 to K4)."""

    read: Level = Level.DC_ONE
    write: Level = Level.DC_ONE


@frozen(kw_only=True)
class Storage:
    """`[storage]`: where a node keeps its records."""

    engine: kinds.Engine = kinds.MEMORY
    path: kinds.Folder = "data"
    """The directory of engines on disk, in which each node has one of its own name."""
    reserve: kinds.BytesOrZero = 128 * 2**20
    """Bytes of that disk that stay free: a node refuses writes while there are fewer."""
    snapshot_every: kinds.SecondsOrZero = 0.0
    """Between two snapshots of the memory engine; 0: none."""
    cache: kinds.Bytes = 64 * 2**20
    """Memory for records that were used lately, where they are on a server."""


@frozen(kw_only=True)
class Timeouts:
    """`[timeouts]`, all in seconds."""

    request: kinds.Seconds = 2.0
    """A client request that is not answered by then is answered with an error."""
    connect: kinds.Seconds = 1.0
    """One attempt to reach a peer."""
    heartbeat: kinds.Seconds = 0.2
    """Between two signs of life to a peer."""
    down_after: kinds.Seconds = 2.0
    """A peer silent for this long is down."""
    max_clock_drift: kinds.Seconds = 1.0
    """A node whose clock is off by more, compared with most others, neither leads nor serves reads."""
    script: kinds.Seconds = 0.5
    """A script that runs longer is stopped: nothing else happens on its node meanwhile."""
    stop: kinds.SecondsOrZero = 3.0
    """How long a stopping node may finish what it began."""
    warm_up: kinds.SecondsOrZero = 10.0
    """How long a node that starts empty looks for replicas to copy from before it serves anyway."""


@frozen(kw_only=True)
class Limits:
    """`[limits]`: where a node says no, or waits, instead of growing."""

    clients: kinds.Count = 10_000
    """Client connections."""
    bulk: kinds.Bytes = 512 * 2**20
    """Bytes of one argument (Redis: proto-max-bulk-len)."""
    multibulk: kinds.Count = 1_048_576
    """Arguments of one command."""
    inline: kinds.Bytes = 64 * 2**10
    """Bytes of one inline command."""
    item_size: kinds.Bytes = 2**20
    """Bytes of an item of memcached's clients, with its key and what it costs memcached besides (its -I)."""
    client_input: kinds.Bytes = 2**30
    """Bytes of a client's unfinished command or transaction (Redis: client-query-buffer-limit)."""
    client_names: kinds.Bytes = 64 * 2**20
    """Bytes of the names that a client has kept: channels, patterns, watched keys, with 100 for each."""
    scripts: kinds.Bytes = 64 * 2**20
    """Bytes of the sources of SCRIPT LOAD and of functions, with 1000 for each."""
    users: kinds.Count = 10_000
    """Users that there may be, those of the configuration among them."""
    client_output: kinds.Bytes = 64 * 2**20
    """Unsent reply bytes of a client above which its next commands wait."""
    requests_in_flight: kinds.Count = 100_000
    """Requests that a node works on at once."""
    request_bytes: kinds.Bytes = 256 * 2**20
    """Bytes of requests that wait for another node, and of replies that wait for its word."""
    peer_output: kinds.Bytes = 256 * 2**20
    """Unsent bytes to one peer."""
    hints: kinds.Bytes = 256 * 2**20
    """Bytes of effects kept for all peers that are away."""
    hints_per_peer: kinds.Bytes = 128 * 2**20
    """Bytes of effects kept for one peer that is away."""
    max_memory: kinds.BytesOrZero = 0
    """Bytes that a node's keys may take (Redis: maxmemory); 0: no limit."""
    max_memory_policy: kinds.Policy = "noeviction"
    """Which keys go when they take more (Redis: maxmemory-policy)."""


@frozen(kw_only=True)
class Hints:
    """`[hints]`: what peers that are away have missed. Its size is in `[limits]`."""

    durable: kinds.Flag | None = None
    """Are hints in files, too? None: if the records are."""
    path: kinds.Folder | None = None
    """The directory of those files, in which each node has one of its own name; None: that of the records."""
    max_window: kinds.SecondsOrZero = 3 * 3600.0
    """A peer that is away for longer gets no more hints; 0: however long."""
    rate: kinds.Bytes = 16 * 2**20
    """Bytes of hints a second that one node delivers, about."""


@frozen(kw_only=True)
class Repair:
    """`[repair]`: how replicas are kept alike."""

    interval: kinds.SecondsOrZero = 2.0
    """Between two comparisons of a node with its peers, one after the other; 0: none."""
    rate: kinds.Bytes = 16 * 2**20
    """Bytes a second that these may send and receive on one node, about."""
    read_chance: kinds.Chance = 0.0
    """Of a read at DC_ONE: that the replicas are compared afterwards."""
    tombstone_grace: kinds.SecondsOrZero = 600.0
    """How long what was deleted is remembered at least; 0: for ever."""


@frozen(kw_only=True)
class Gossip:
    """`[gossip]`: how nodes tell each other who lives; what each means is `docs/gossip.md`."""

    interval: kinds.Seconds = 0.3
    """Between two probes of a node; a probe without an answer for so long makes a suspect."""
    probe_timeout: kinds.Seconds = 0.15
    """How long a probe waits before others are asked to try."""
    indirect_probes: kinds.Count = 3
    """How many others are asked."""
    suspicion_multiplier: kinds.Count = 4
    """How many intervals a suspect has, at least, to contradict."""
    fanout: kinds.Count = 3
    """How many members fresh news is told at once."""
    exchange_interval: kinds.Seconds = 10.0
    """Between two comparisons of all that is known with somebody."""
    dead_interval: kinds.Seconds = 2.0
    """Between two attempts to reach somebody dead."""
    remember: kinds.Seconds = 86400.0
    """How long the dead and those who left are remembered."""
    datagram: kinds.Bytes = 1300
    """Bytes of a datagram."""


@frozen(kw_only=True)
class UserSettings:
    """One `[[access.users]]` table."""

    name: kinds.UserName
    rules: kinds.Rules = field(default=(), repr=False)
    """What the user may do, as after ACL SETUSER."""
    password: kinds.Password | None = field(default=None, repr=False)
    """A password beside those in the rules; unlike them it may come from a file or the environment."""


@frozen(kw_only=True)
class Access:
    """`[access]`: who may do what. What ACL SETUSER changes comes on top of it."""

    requirepass: kinds.Password | None = field(default=None, repr=False)
    """The password of the default user; without it everybody may do everything."""
    users: tuple[UserSettings, ...] = ()
    allow_unprotected: kinds.Flag = False
    """May nodes listen beyond their machine though no password is needed?"""

    @property
    def definitions(self) -> list[tuple[bytes, list[bytes]]]:
        """Name and rules of every user."""
        told = [(user.name.encode(), [*user.rules, *_password_rule(user.password)]) for user in self.users]
        if self.requirepass is None:
            return told
        return [*told, (DEFAULT, [*ALL_RIGHTS, *_password_rule(self.requirepass)])]


@frozen(kw_only=True)
class NodeSettings:
    """One `[[nodes]]` table: a node and the addresses it listens on."""

    name: kinds.Name
    datacenter: kinds.Name = "dc1"
    rack: kinds.Name
    tokens: kinds.Tokens | None = None
    """None: spread evenly over the nodes of the rack, in file order."""
    host: kinds.Host = "127.0.0.1"
    """The address to listen on."""
    client_port: kinds.Port
    peer_port: kinds.Port
    admin_port: kinds.Port
    memcached_port: kinds.PortOrZero = 0
    """Where memcached's clients are served; 0: nowhere."""
    announce_host: kinds.Host | None = None
    """The address that peers and clients are told, where it is not `host`."""
    storage: kinds.Engine | None = None
    """The engine of this node, where it is not `storage.engine`."""
    storage_address: Address | None = None
    """Of this node's external server, where it is not the one of `[redis]` or `[memcached]`."""

    @property
    def announced(self) -> str:
        """The address under which others reach this node."""
        return self.announce_host or self.host

    @property
    def place(self) -> tuple[str, str]:
        """Datacenter and rack; rack names are unique within a datacenter only (Dynomite row T4)."""
        return self.datacenter, self.rack


@frozen(kw_only=True)
class Settings:
    """Everything that is set, checked."""

    cluster: Cluster = field(factory=Cluster)
    consistency: Consistency = field(factory=Consistency)
    storage: Storage = field(factory=Storage)
    redis: Redis = field(factory=Redis)
    memcached: Memcached = field(factory=Memcached)
    rocksdb: RocksDB = field(factory=RocksDB)
    timeouts: Timeouts = field(factory=Timeouts)
    limits: Limits = field(factory=Limits)
    hints: Hints = field(factory=Hints)
    repair: Repair = field(factory=Repair)
    gossip: Gossip = field(factory=Gossip)
    access: Access = field(factory=Access)
    nodes: tuple[NodeSettings, ...]

    @property
    def members(self) -> tuple[Node, ...]:
        """The cluster's nodes, in file order, each with its tokens."""
        racks: dict[tuple[str, str], list[NodeSettings]] = defaultdict(list)
        for node in self.nodes:
            racks[node.place].append(node)
        return tuple(self._member(node, racks[node.place]) for node in self.nodes)

    @property
    def hints_are_durable(self) -> bool:
        """Are hints in files?

        They are of use as long as the records that they are about: a node that starts empty owes nothing."""
        durable = self.hints.durable
        return self.records_outlive_node if durable is None else durable

    @property
    def is_plain(self) -> bool:
        """Do commands only pass through to a server, which keeps values without stamps?"""
        return self.storage.engine == kinds.REDIS and not self.redis.stamps

    @property
    def records_outlive_node(self) -> bool:
        """Are the records there when a node starts again?"""
        engine = self.storage.engine
        if self.is_plain:
            return False
        if engine == kinds.REDIS:
            return self.redis.address is not None or self.redis.append_only != "no"
        return ENGINES[engine].outlives_node

    def of_node(self, name: str) -> "Settings":
        """As they are for node `name`, with its own engine and server. Raises KeyError."""
        node = self.node(name)
        storage, limits = evolve(self.storage, engine=self.engine_of(node)), self.limits
        if not ENGINES[storage.engine].is_in_memory:
            storage, limits = evolve(storage, snapshot_every=0.0), evolve(limits, max_memory=0)
        address = node.storage_address
        redis, memcached = self.redis, self.memcached
        if address is not None:
            redis, memcached = evolve(redis, address=address), evolve(memcached, address=address)
        return evolve(self, storage=storage, limits=limits, redis=redis, memcached=memcached)

    def engine_of(self, node: NodeSettings) -> str:
        """The engine of a node."""
        return node.storage or self.storage.engine

    def node(self, name: str) -> NodeSettings:
        """The settings of node `name`. Raises KeyError."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def local_nodes(self, is_own_address: Callable[[str], bool]) -> tuple[NodeSettings, ...]:
        """The nodes that belong on this machine, given which other addresses are its own."""
        return tuple(
            node for node in self.nodes if is_loopback(at := listening_address(node)) or is_own_address(at)
        )

    def _member(self, node: NodeSettings, rack: list[NodeSettings]) -> Node:
        tokens = node.tokens
        if tokens is None:
            tokens = (even_token(self.cluster, rack.index(node), len(rack)),)
        return Node(
            name=node.name,
            datacenter=node.datacenter,
            rack=node.rack,
            tokens=tokens,
            host=node.announced,
            client_port=node.client_port,
            peer_port=node.peer_port,
            admin_port=node.admin_port,
            memcached_port=node.memcached_port,
        )


def _password_rule(password: bytes | None) -> list[bytes]:
    return [] if password is None else [b"#" + password]


def even_token(cluster: Cluster, index: int, count: int) -> int:
    """The token of node `index` of a rack of `count` nodes that share the ring evenly.

    With slots a token is the last slot a node owns; with hashes it is spaced as by Dynomite's own
    `generate_yamls.py` (Dynomite row R5).
    """
    if cluster.partitioner == kinds.SLOTS:
        return SLOTS * (index + 1) // count - 1
    return HASH_SPACE // count * index


def listening_address(node: NodeSettings) -> str:
    """The address that tells which machine `node` is on: `host`, unless that means every address."""
    return node.announced if is_wildcard(node.host) else node.host


def is_loopback(host: str) -> bool:
    """Whether `host` always means this machine."""
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def is_wildcard(host: str) -> bool:
    """Whether `host` means every address of a machine, so that nobody can connect to it from elsewhere."""
    address = _address(host)
    return address is not None and address.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
