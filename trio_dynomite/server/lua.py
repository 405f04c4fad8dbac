"""Lua on this node: the script host, what it may do here, and what all nodes know of scripts and libraries.

A script runs on the primary of its keys, wherever its client is connected. So a client whose user may not do
everything sends its name along (`internal.AS`), and every command of the script is held against that user.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trio_dynomite.access import gate
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import lookup
from trio_dynomite.coordinator.common import Told, Topic
from trio_dynomite.coordinator.eviction import OOM
from trio_dynomite.coordinator.internal import AS
from trio_dynomite.coordinator.several import may_touch
from trio_dynomite.data.stamp import pack, unpack
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, PONG, array, bulk, integer
from trio_dynomite.scripting.calls import NOT_ALLOWED, Calls
from trio_dynomite.scripting.host import ScriptHost
from trio_dynomite.scripting.shared import Change
from trio_dynomite.topology.partitioner import SLOTS

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server
    from trio_dynomite.server.session import Session

SCRIPTS = b"scripts"
RUNS_SCRIPTS = frozenset(["eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro"])


def host_scripts(server: Server) -> ScriptHost:
    """Make the node's script host, and share what it knows with all nodes."""
    engine = server.engine

    def may_run(args: list[bytes]) -> str | None:
        user = server.users.find(engine.keyspace.user) if engine.keyspace.user else None
        if user is None:
            return None if not engine.keyspace.user else "NOPERM the user was deleted"
        refusal = gate.denial(server.users, user, lookup(args), args)
        return None if refusal is None else refusal.reply

    def touch(row: Row, args: list[bytes]) -> str | None:
        refusal = may_touch(engine, row, args)
        if engine.eviction.is_full and not host.allows_oom and "denyoom" in row.flags:
            refusal = OOM
        if refusal is None:
            server.script_runs(row, args)
        return refusal

    host = ScriptHost(
        calls=Calls(lookup, touch, may_run, lambda row, args: _about_the_node(server, row, args)),
        clock=time.monotonic,
        sources_max=server.settings.limits.scripts,
        time_max_s=server.settings.timeouts.script,
        seed=engine.keyspace.rng.randrange(1 << 31),
        is_full=lambda: engine.eviction.is_full,
        in_cluster=engine.table.view.partitioner.name == SLOTS,
        log=lambda level, text: engine.log("script.log", level=level, text=text.decode("utf-8", "replace")),
        on_new_script=lambda change: tell(server, change, lambda: None),
    )
    engine.keyspace.scripts = host
    everything = lambda: _packed(host.shared.entries)  # noqa: E731 - half of a topic
    engine.common.topics[SCRIPTS] = Topic(everything, lambda told: _join(host, told))
    return host


def tell(server: Server, change: Change, then: Callable[[], None]) -> None:
    """Take in a change of scripts or libraries, and tell all nodes; `then`: they know it."""
    stamp = server.engine.keyspace.clock.next()
    server.scripts.learn(change, stamp)
    server.engine.common.tell(SCRIPTS, [[name, pack(stamp), value] for name, value in change], then)


def as_user(session: Session, row: Row, args: list[bytes]) -> tuple[Row, list[bytes]]:
    """The request with which a script of this session's user runs, on whatever node."""
    if row.name not in RUNS_SCRIPTS or session.user.is_all:
        return row, args
    return AS, [AS.name.encode(), session.user.name, *args]


def _packed(entries: Any) -> Told:
    return [[name, pack(stamp), value] for name, (stamp, value) in entries.items()]


def _join(host: ScriptHost, told: Told) -> int:
    entries = {name: (unpack(stamp), value) for name, stamp, value in told}
    host.merge(entries)
    return max([stamp for stamp, _ in entries.values()], default=0)


def _about_the_node(server: Server, row: Row, args: list[bytes]) -> bytes:
    """The commands without keys that scripts may give; those on all keys would not be one step."""
    match row.name:
        case "time":
            now_ms = server.engine.now_ms
            return array([bulk(b"%d" % (now_ms // 1000)), bulk(b"%d" % (now_ms % 1000 * 1000))])
        case "ping":
            return PONG if len(args) == 1 else bulk(args[1])
        case "echo":
            return bulk(args[1])
        case "select" if args[1] == b"0":
            return OK
        case "publish":
            server.engine.broadcasts.tell_all(b"publish", args[1:], lambda answers: None)
            return integer(server.pubsub.publish(args[1], args[2]))
        case "spublish":
            server.engine.broadcasts.tell_all(b"spublish", args[1:], lambda answers: None)
            return integer(server.pubsub.publish_to_shard(args[1], args[2]))
    raise CommandError(NOT_ALLOWED)
