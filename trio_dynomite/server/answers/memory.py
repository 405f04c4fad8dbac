"""MEMORY and MODULE: what a node tells of its memory, and that it loads no modules.

Python tells no more of a process's memory than the system does, so Redis's finer figures are not there.
Source: https://valkey.io/commands/memory-stats
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import EMPTY_ARRAY, OK, bulk, integer, mapping, verbatim
from trio_dynomite.server.answers.answer import Answer, help_answer
from trio_dynomite.server.answers.facts import peak_bytes, resident_bytes

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_MEMORY_HELP = (
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Run the garbage collector.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value.",
)
_MODULE_HELP = (
    "LIST",
    "    Return a list of loaded modules: there are none.",
    "LOAD <path> [<arg> ...]",
    "    Refused.",
    "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
    "    Refused.",
    "UNLOAD <name>",
    "    Refused.",
)
_LITTLE_BYTES = 5 << 20
_LITTLE = (
    "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these"
    " conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will"
    " be back to our programming as soon as I finished rebooting.\n"
)
_NO_MODULES = "ERR MODULE command not allowed: this server loads no modules"


def memory_stats(session: Session, args: list[bytes]) -> bytes:
    """MEMORY STATS."""
    server = session.server
    store = server.engine.keyspace.store
    total, peak = resident_bytes(), peak_bytes()
    keys = store.key_count(0, len(store.records) - 1)
    unread = sum([other.pipe.unsent for other in server.sessions.values()])
    numbers = {
        "peak.allocated": peak,
        "total.allocated": total,
        "clients.normal": unread,
        "cluster.links": sum(
            [peer.link.unacked_bytes for peer in server.engine.roster.peers.values() if peer.link is not None]
        ),
        "keys.count": keys,
        "keys.bytes-per-key": total // keys if keys else 0,
        "dataset.bytes": total,
    }
    pairs = [(bulk(name.encode()), integer(number)) for name, number in numbers.items()]
    share = f"{100 * total / max(total, peak):.4f}".encode()
    pairs.append((bulk(b"peak.percentage"), b",%b\r\n" % share if session.resp == 3 else bulk(share)))
    return mapping(pairs, session.resp)


def memory_doctor(session: Session, args: list[bytes]) -> bytes:
    """MEMORY DOCTOR: the peak is what can be looked at here."""
    total, peak = resident_bytes(), peak_bytes()
    if total < _LITTLE_BYTES:
        return verbatim(_LITTLE.encode(), session.resp)
    if peak > total * 1.5:
        text = (
            "Sam, I detected a few issues in this instance memory implants:\n\n * Peak memory: In the past"
            " this instance used more than 150% the memory that is currently using.\n"
        )
    else:
        text = (
            "Hi Sam, I can't find any memory issue in your instance. I can only account for what occurs on"
            " this base.\n"
        )
    return verbatim(text.encode(), session.resp)


def memory_malloc_stats(session: Session, args: list[bytes]) -> bytes:
    """MEMORY MALLOC-STATS: Python's allocator keeps none that could be told."""
    return verbatim(b"Stats not supported for the current allocator", session.resp)


def memory_purge(session: Session, args: list[bytes]) -> bytes:
    """MEMORY PURGE: collect garbage now; this node does nothing else meanwhile."""
    gc.collect()
    return OK


def module_list(session: Session, args: list[bytes]) -> bytes:
    """MODULE LIST: none."""
    return EMPTY_ARRAY


def module_refused(session: Session, args: list[bytes]) -> bytes:
    """MODULE LOAD, LOADEX and UNLOAD."""
    raise CommandError(_NO_MODULES)


ANSWERS: Mapping[str, Answer] = {
    "memory|doctor": memory_doctor,
    "memory|help": help_answer("MEMORY", _MEMORY_HELP),
    "memory|malloc-stats": memory_malloc_stats,
    "memory|purge": memory_purge,
    "memory|stats": memory_stats,
    "module|help": help_answer("MODULE", _MODULE_HELP),
    "module|list": module_list,
    "module|load": module_refused,
    "module|loadex": module_refused,
    "module|unload": module_refused,
}
