"""Two pictures of early computer art for LOLWUT, drawn anew each time, as Redis 5 and 6 have them.

VERSION 5 is after "Schotter" by Georg Nees (1968): squares in a grid that fall into disorder row by row.
VERSION 6 is a skyline at night.
"""

from __future__ import annotations

from math import cos, pi, sin
from random import Random

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The dot of a braille character at (row, column)."""


class Canvas:
    """A sheet of dots, of which braille characters hold two by four."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._rows = [[0] * ((width + 1) // 2) for _ in range((height + 3) // 4)]

    def dot(self, x: int, y: int) -> None:
        """A dot, if it is on the sheet."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self._rows[y // 4][x // 2] |= _DOTS[y % 4][x % 2]

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """A straight line."""
        (x0, y0), (x1, y1) = start, end
        steps = max(1, round(max(abs(x1 - x0), abs(y1 - y0))))
        for step in range(steps + 1):
            share = step / steps
            self.dot(round(x0 + (x1 - x0) * share), round(y0 + (y1 - y0) * share))

    def square(self, x: float, y: float, size: float, angle: float) -> None:
        """A square around (x, y), turned by `angle`."""
        radius = size / 2**0.5
        corners = [
            (
                x + radius * cos(angle + pi / 4 + turn * pi / 2),
                y + radius * sin(angle + pi / 4 + turn * pi / 2),
            )
            for turn in range(4)
        ]
        for at, corner in enumerate(corners):
            self.line(corners[at - 1], corner)

    def __str__(self) -> str:
        return "\n".join(["".join([chr(_BRAILLE + dots) for dots in row]) for row in self._rows])


def schotter(columns: int, squares_a_row: int, squares_a_column: int, rng: Random) -> str:
    """Squares that fall into disorder, in `columns` characters."""
    width = columns * 2
    padding = 2 if width > 4 else 0
    side = (width - padding * 2) / squares_a_row
    canvas = Canvas(width, round(side * squares_a_column + padding * 2))
    for row in range(squares_a_column):
        disorder = max(0, row - 1) / max(1, squares_a_column - 1)
        for column in range(squares_a_row):
            x = column * side + side / 2 + padding + rng.uniform(-1, 1) * disorder * side / 3
            y = row * side + side / 2 + padding + rng.uniform(-1, 1) * disorder * side / 3
            canvas.square(x, y, side, rng.uniform(-1, 1) * disorder)
    return str(canvas)


def skyline(columns: int, rows: int, rng: Random) -> str:
    """Towers with lit windows under a few stars."""
    sheet = [["." if rng.random() < 0.02 else " " for _ in range(columns)] for _ in range(rows)]
    left = 0
    while left < columns:
        width = rng.randint(5, 11)
        height = rng.randint(max(1, rows // 4), max(2, rows * 4 // 5))
        for y in range(max(0, rows - height), rows):
            for x in range(left, min(columns, left + width)):
                edge = y == rows - height or x in (left, left + width - 1)
                is_lit = (x - left) % 2 == 1 and (rows - y) % 2 == 1 and rng.random() < 0.5
                sheet[y][x] = "#" if edge else (":" if is_lit else " ")
        left += width + rng.randint(0, 2)
    return "\n".join(["".join(line).rstrip() for line in sheet])
