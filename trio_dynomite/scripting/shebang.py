"""The first line of a script or of a library: `#!lua flags=no-writes`, `#!lua name=mylib`.

Sources: `evalExtractShebangFlags` in Valkey's `eval.c`, `functionExtractLibMetaData` in its `functions.c`.
"""

import re

from trio_dynomite.errors import CommandError, ProtocolError
from trio_dynomite.protocol.inline import split_arguments

FLAGS = ("no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys")
"""The flags of scripts and functions, in the order in which FUNCTION LIST names them."""

_NAME = re.compile(rb"[A-Za-z0-9_]+")


def script_flags(source: bytes) -> tuple[frozenset[str] | None, bytes]:
    """The flags of a script and its code without the first line; None when it has no such line.

    Raises:
        CommandError: the line is not right.
    """
    if not source.startswith(b"#!"):
        return None, source
    line, newline, code = source.partition(b"\n")
    if not newline:
        raise CommandError("ERR Invalid script shebang")
    try:
        engine, *options = split_arguments(line)
    except ProtocolError:
        raise CommandError("ERR Invalid engine in script shebang") from None
    flags = frozenset([flag for option in options for flag in _flags_in(option)])
    if engine[2:].lower() != b"lua":
        raise CommandError(f"ERR Could not find scripting engine '{_shown(engine[2:])}'")
    return flags, newline + code


def _flags_in(option: bytes) -> list[str]:
    if not option.startswith(b"flags="):
        raise CommandError(f"ERR Unknown lua shebang option: {_shown(option)}")
    names = option[6:].split(b",") if option != b"flags=" else []
    for name in names:
        if _shown(name) not in FLAGS:
            raise CommandError(f"ERR Unexpected flag in script shebang: {_shown(name)}")
    return [_shown(name) for name in names]


def library_name(source: bytes) -> tuple[bytes, bytes]:
    """The name of a library and its code without the first line. Raises CommandError."""
    if not source.startswith(b"#!"):
        raise CommandError("ERR Missing library metadata")
    line, newline, code = source.partition(b"\n")
    try:
        engine, *options = split_arguments(line) if newline else []
    except (ProtocolError, ValueError):
        raise CommandError("ERR Invalid library metadata") from None
    name = _name_in(options)
    if not is_name(name):
        raise CommandError(
            "ERR Library names can only contain letters, numbers, or underscores(_)"
            " and must be at least one character long"
        )
    if engine[2:].lower() != b"lua":
        raise CommandError(f"ERR Engine '{_shown(engine[2:])}' not found")
    return name, newline + code


def _name_in(options: list[bytes]) -> bytes:
    name = None
    for option in options:
        if not option.lower().startswith(b"name="):
            raise CommandError(f"ERR Invalid metadata value given: {_shown(option)}")
        if name is not None:
            raise CommandError("ERR Invalid metadata value, name argument was given multiple times")
        name = option[5:]
    if name is None:
        raise CommandError("ERR Library name was not given")
    return name


def is_name(text: bytes) -> bool:
    """Is this a name for a library or a function?"""
    return _NAME.fullmatch(text) is not None


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "replace")
