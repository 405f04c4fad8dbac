"""The ring drawn with letters, clockwise from the top: a letter a node that leads there, a dot for nobody."""

from __future__ import annotations

from math import cos, pi, sin
from string import ascii_letters
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine

_POINTS = 60
_RADIUS = 9
_WIDENING = 2
"""A character is about twice as high as wide."""


def ring_picture(engine: Engine) -> str:
    """The ring as this node sees it now, and which letter is whom."""
    leaders = [_leader(engine, point) for point in range(_POINTS)]
    names = sorted({name for name in leaders if name is not None})
    letters = {name: ascii_letters[at % len(ascii_letters)] for at, name in enumerate(names)}
    canvas = [[" "] * (2 * _RADIUS * _WIDENING + 1) for _ in range(2 * _RADIUS + 1)]
    for point, name in enumerate(leaders):
        angle = 2 * pi * point / _POINTS
        row, column = round(-_RADIUS * cos(angle)), round(_RADIUS * sin(angle) * _WIDENING)
        canvas[row + _RADIUS][column + _RADIUS * _WIDENING] = "." if name is None else letters[name]
    lines = ["".join(row).rstrip() for row in canvas]
    return "\n".join([*lines, "", *(f"{letter} {name}" for name, letter in letters.items()), ""])


def _leader(engine: Engine, point: int) -> str | None:
    """The name of the primary at a point of the ring, of 60."""
    table = engine.table
    route = table.of_position(point * table.view.partitioner.ring_size // _POINTS)
    if route.leads:
        return engine.node.name
    return None if route.leader is None else route.leader.name
