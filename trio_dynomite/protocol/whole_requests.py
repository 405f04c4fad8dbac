"""A reader of requests that also tells whether the bytes as they came may be given to a Redis server.

They may if they are whole requests and every one is written in the one way that Redis accepts: an array of
bulk strings. hiredis takes a little more than that for a request, so what looks as if it might be something
else is encoded anew: a server that finds fault with one client's bytes closes the connection of all.
"""

import re

from attrs import define

from trio_dynomite.protocol.requests import RequestReader

find_odd = re.compile(rb"\n[+=(~|]").search
"""The beginnings of what hiredis takes for a string or an array besides."""


@define
class WholeReader(RequestReader):
    """As `RequestReader`."""

    whole: bytes = b""
    """What was fed last, if it is whole requests, in which nothing but the odd may stand in the way."""

    def feed(self, data: bytes) -> list[list[bytes]]:
        """As in `RequestReader`."""
        if self._rest or self._unfinished is not None or data[:1] != b"*" or self._is_careful:
            self.whole = b""
            return RequestReader.feed(self, data)
        self._wanted = self._announced = 0
        self.whole = data
        return self._quick(data, [])

    def _careful(self, data: bytes, start: int, commands: list[list[bytes]]) -> list[list[bytes]]:
        self.whole = b""
        return RequestReader._careful(self, data, start, commands)

    def take_whole(self) -> bytes:
        """What was fed last, once, if it may be passed on as it is."""
        whole, self.whole = self.whole, b""
        return b"" if find_odd(whole) is not None else whole
