"""EVAL, EVALSHA, FCALL and their read-only forms (https://valkey.io/commands/eval/).

What runs scripts stands above the commands, so these only hand on to it (`ks.scripts`).
"""

from trio_dynomite.commands.row import Keyspace


def eval_(ks: Keyspace, args: list[bytes]) -> bytes:
    """EVAL script numkeys [key ...] [arg ...]."""
    reply: bytes = ks.scripts.eval(ks, args)
    return reply


def eval_ro(ks: Keyspace, args: list[bytes]) -> bytes:
    """EVAL_RO: as EVAL, but it may not write."""
    reply: bytes = ks.scripts.eval(ks, args, readonly=True)
    return reply


def evalsha(ks: Keyspace, args: list[bytes]) -> bytes:
    """EVALSHA sha1 numkeys [key ...] [arg ...]."""
    reply: bytes = ks.scripts.evalsha(ks, args)
    return reply


def evalsha_ro(ks: Keyspace, args: list[bytes]) -> bytes:
    """EVALSHA_RO: as EVALSHA, but it may not write."""
    reply: bytes = ks.scripts.evalsha(ks, args, readonly=True)
    return reply


def fcall(ks: Keyspace, args: list[bytes]) -> bytes:
    """FCALL function numkeys [key ...] [arg ...]."""
    reply: bytes = ks.scripts.fcall(ks, args)
    return reply


def fcall_ro(ks: Keyspace, args: list[bytes]) -> bytes:
    """FCALL_RO: as FCALL, but it may not write."""
    reply: bytes = ks.scripts.fcall(ks, args, readonly=True)
    return reply
