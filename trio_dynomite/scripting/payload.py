"""What FUNCTION DUMP gives and FUNCTION RESTORE takes: the libraries as they stand in an RDB file.

Each library is a code of one byte and its source as a string; then comes the footer of DUMP's payloads. We
write the RDB version of Redis 7.0, which is the oldest that has functions.
"""

from collections.abc import Iterable

from trio_dynomite.commands.dump import sealed, unsealed
from trio_dynomite.commands.rdb import Reader, string_bytes
from trio_dynomite.errors import CommandError

_FUNCTION = 245
_FUNCTION_BEFORE_RELEASE = 246
_VERSION = 10


def encode(codes: Iterable[bytes]) -> bytes:
    """The payload with libraries of these codes."""
    return sealed(b"".join([bytes([_FUNCTION]) + string_bytes(code) for code in codes]), _VERSION)


def decode(payload: bytes) -> list[bytes]:
    """The codes of the libraries in `payload`. Raises CommandError."""
    body, _ = unsealed(payload)
    reader = Reader(body)
    codes = []
    while reader.at < len(body):
        kind = reader.number(1)
        if kind == _FUNCTION_BEFORE_RELEASE:
            raise CommandError("ERR Pre-GA function format not supported")
        if kind != _FUNCTION:
            raise CommandError("ERR given type is not a function")
        try:
            codes.append(reader.string())
        except CommandError:
            raise CommandError("ERR Failed loading library data") from None
    return codes
