"""Names that many records have in common: the fields of hashes that are alike, and of a stream's entries.

One copy of each will do. Only so many are remembered, the latest; a name that was forgotten lives on where
it is used.
"""

_NAMES_MAX = 4096
_BYTES_MAX = 64
_names: dict[bytes, bytes] = {}


def shared(name: bytes) -> bytes:
    """`name`, or an equal one that others hold already."""
    if len(name) > _BYTES_MAX:
        return name
    if len(_names) >= _NAMES_MAX:
        _names.clear()
    return _names.setdefault(name, name)
