"""What a client's script tells its test: a line of JSON for each part, with what went wrong or null.

A script is run as `SCRIPT MODE PREFIX PORT PORT PORT`: `plain` or `cluster`, the beginning of all its keys,
and the ports of a cluster's nodes in three racks.
"""

import asyncio
import inspect
import json
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

HOST = "127.0.0.1"
Parts = Mapping[str, Callable[..., Any]]


class Key:
    """Names of keys: all of one part have one hash tag, so that they lie together."""

    def __init__(self, prefix: str, part: str) -> None:
        self.tag = f"{prefix}:{part}"

    def __call__(self, name: str) -> str:
        return f"{{{self.tag}}}:{name}"

    def apart(self, count: int) -> list[str]:
        """Keys that lie in many slots."""
        return [f"{self.tag}:{number}" for number in range(count)]


def arguments() -> tuple[str, str, list[int]]:
    """MODE, PREFIX and the ports."""
    mode, prefix, *ports = sys.argv[1:]
    assert mode in ("plain", "cluster"), mode
    return mode, prefix, [int(port) for port in ports]


def run(parts: Parts, prefix: str, *connected: Any) -> None:
    """Call every part with the clients and its keys, and tell what became of it."""
    for name, part in parts.items():
        try:
            part(*connected, Key(prefix, name))
        except Exception:
            tell(name, traceback.format_exc())
        else:
            tell(name)


async def run_async(parts: Parts, prefix: str, *connected: Any) -> None:
    """As `run`, for coroutines."""
    for name, part in parts.items():
        try:
            await part(*connected, Key(prefix, name))
        except Exception:
            tell(name, traceback.format_exc())
        else:
            tell(name)


def tell(part: str, error: str | None = None) -> None:
    """Write the line of one part."""
    print(json.dumps({"part": part, "error": error}), flush=True)


@contextmanager
def refused(*kinds: type[Exception], words: str = "") -> Iterator[None]:
    """What is done inside is refused, with an error of these kinds that has these words in it."""
    try:
        yield
    except kinds as error:
        if words not in str(error):
            raise
    else:
        raise AssertionError("this should have been refused")


def until(happened: Callable[[], Any], what: str, timeout_s: float = 10) -> Any:
    """What `happened` gives as soon as it gives something."""
    deadline = time.monotonic() + timeout_s
    while not (found := happened()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.01)
    return found


async def until_async(
    happened: Callable[[], Awaitable[Any] | Any],
    what: str,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Any:
    """As `until`, for coroutines; `sleep` is that of the library of tasks."""
    deadline = time.monotonic() + 10
    while True:
        found = happened()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, f"not within 10 s: {what}"
        await sleep(0.01)
