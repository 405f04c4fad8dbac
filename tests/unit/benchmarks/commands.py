"""Reads what loaders and fills would send."""

import hiredis


def sent(data: bytes) -> list[list[bytes]]:
    """The commands in `data`."""
    reader = hiredis.Reader()
    reader.feed(data)
    found = []
    while (command := reader.gets()) is not False:
        found.append(command)
    return found
