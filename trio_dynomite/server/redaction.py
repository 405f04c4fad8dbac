"""What others may see of a request: MONITOR and SLOWLOG show no passwords.

Source: the callers of `redactClientCommandArgument` in Redis.
"""

from __future__ import annotations

REDACTED = b"(redacted)"
_SECRETS = frozenset([b"requirepass", b"masterauth", b"masteruser", b"primaryauth", b"primaryuser"])


def redacted(name: str, args: list[bytes]) -> list[bytes]:
    """The arguments of a request for the command `name`, with (redacted) where there may be a secret."""
    match name:
        case "auth":
            return [args[0], *[REDACTED] * (len(args) - 1)]
        case "acl|setuser" | "acl|deluser" | "acl|getuser":
            return [*args[:2], *[REDACTED] * (len(args) - 2)]
        case "hello":
            return _after(args, b"AUTH", 2)
        case "migrate":
            return _after(_after(args, b"AUTH2", 2), b"AUTH", 1)
        case "config|set":
            return [REDACTED if args[at - 1].lower() in _SECRETS else word for at, word in enumerate(args)]
    return args


def _after(args: list[bytes], option: bytes, count: int) -> list[bytes]:
    shown = list(args)
    for at, word in enumerate(args):
        if word.upper() == option:
            end = min(at + 1 + count, len(args))
            shown[at + 1 : end] = [REDACTED] * (end - at - 1)
            break
    return shown
