"""The rows of the commands on positions, which are sorted sets: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from collections.abc import Callable

from trio_dynomite.commands import geo, geo_search
from trio_dynomite.commands.key_rows import row
from trio_dynomite.commands.row import Gather, Row

_TWO_KEYS = (1, 2, 1)
_READ = "read geo slow"
_WRITE = "write geo slow"
_STORES = (b"STORE", b"STOREDIST")


def _source_and_target(options: int) -> Callable[[list[bytes]], list[bytes]]:
    """For `Row.keys_of`: the key that is read, and the last one to store in, after `options` arguments."""

    def keys(args: list[bytes]) -> list[bytes]:
        target: list[bytes] = []
        rest = iter(args[options:])
        for word in rest:
            if word.upper() in _STORES:
                target = [key for key in [next(rest, None)] if key is not None] or target
        return [args[1], *target]

    return keys


GEO_ROWS: tuple[Row, ...] = (
    row("geoadd", -5, "write denyoom", _WRITE, geo.geoadd),
    row("geopos", -2, "readonly", _READ, geo.geopos),
    row("geohash", -2, "readonly", _READ, geo.geohash),
    row("geodist", -4, "readonly", _READ, geo.geodist),
    row("geosearch", -7, "readonly", _READ, geo_search.geosearch),
    row(
        "geosearchstore",
        -8,
        "write denyoom",
        _WRITE,
        geo_search.geosearchstore,
        keys=_TWO_KEYS,
        gather=Gather.ALL_BUT_FIRST,
    ),
    row(
        "georadius",
        -6,
        "write denyoom movablekeys",
        _WRITE,
        geo_search.georadius,
        keys_of=_source_and_target(6),
        gather=Gather.ALL_BUT_LAST,
    ),
    row("georadius_ro", -6, "readonly", _READ, geo_search.georadius_ro),
    row(
        "georadiusbymember",
        -5,
        "write denyoom movablekeys",
        _WRITE,
        geo_search.georadiusbymember,
        keys_of=_source_and_target(5),
        gather=Gather.ALL_BUT_LAST,
    ),
    row("georadiusbymember_ro", -5, "readonly", _READ, geo_search.georadiusbymember_ro),
)
