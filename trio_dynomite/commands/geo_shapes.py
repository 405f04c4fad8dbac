"""Where GEOSEARCH and its kind look: a circle, a rectangle or a polygon, and the cells that cover it.

A shape is covered by the cell of its middle and the eight around that, of a size that fits; whatever is in
those is then measured. The arithmetic is that of Redis's `geohash_helper.c`, so that the order in which cells
are searched, which is the order of an unsorted answer, is the same.
"""

from collections.abc import Sequence
from math import atan2, cos, isfinite, nan, sin, sqrt

from attrs import field, frozen

from trio_dynomite.commands.geohash import (
    EARTH_RADIUS_M,
    LATITUDE_MAX,
    RADIAN,
    Box,
    Cell,
    Position,
    cell_of,
    distance_m,
    latitude_distance_m,
)

_STEPS_MAX = 26
_MERCATOR_MAX_M = 20037726.37
_AROUND = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""The neighbours of a cell, (east, north), in the order in which they are searched."""


@frozen
class Circle:
    """What is no farther from the middle than `radius`, in units."""

    middle: Position
    radius: float
    unit_m: float
    """Metres in the unit in which distances are told."""

    @property
    def reach_m(self) -> float:
        """No point of the area is farther from the middle."""
        return self.radius * self.unit_m

    def bounds(self) -> Box:
        """A box around the area."""
        return _bounds(self.middle, self.reach_m, self.reach_m)

    def distance_m(self, position: Position) -> float | None:
        """Metres from the middle to `position`; None when that is not inside."""
        distance = distance_m(self.middle, position)
        return None if distance > self.radius * self.unit_m else distance


@frozen
class Rectangle:
    """`width` from west to east and `height` from south to north, in units, with a middle."""

    middle: Position
    width: float
    height: float
    unit_m: float
    """Metres in the unit in which distances are told."""

    @property
    def reach_m(self) -> float:
        """No point of the area is farther from the middle."""
        across, along = self.width / 2, self.height / 2
        return sqrt(across * across + along * along) * self.unit_m

    def bounds(self) -> Box:
        """A box around the area."""
        return _bounds(self.middle, self.unit_m * self.width / 2, self.unit_m * self.height / 2)

    def distance_m(self, position: Position) -> float | None:
        """Metres from the middle to `position`; None when that is not inside."""
        latitude = position[1]
        if latitude_distance_m(latitude, self.middle[1]) > self.height * self.unit_m / 2:
            return None
        if distance_m(position, (self.middle[0], latitude)) > self.width * self.unit_m / 2:
            return None
        return distance_m(self.middle, position)


@frozen
class Polygon:
    """What is inside a closed line, given by its corners."""

    corners: Sequence[Position]
    middle: Position = field(init=False)
    unit_m: float = field(default=1.0, init=False)
    """Metres in the unit in which distances are told."""

    @middle.default
    def _centroid(self) -> Position:
        x = y = z = 0.0
        for longitude, latitude in self.corners:
            x += cos(latitude * RADIAN) * cos(longitude * RADIAN)
            y += cos(latitude * RADIAN) * sin(longitude * RADIAN)
            z += sin(latitude * RADIAN)
        return atan2(y, x) / RADIAN, atan2(z, sqrt(x * x + y * y)) / RADIAN

    @property
    def reach_m(self) -> float:
        """No point of the area is farther from the middle."""
        box = self.bounds()
        outer = [(box.west, box.north), (box.east, box.north), (box.west, box.south), (box.east, box.south)]
        return max([distance_m(self.middle, corner) for corner in outer])

    def bounds(self) -> Box:
        """A box around the area."""
        longitudes, latitudes = zip(*self.corners, strict=True)
        return Box(min(longitudes), min(latitudes), max(longitudes), max(latitudes))

    def distance_m(self, position: Position) -> float | None:
        """Metres from the middle to `position`; None when that is not inside."""
        return distance_m(self.middle, position) if self._holds(position) else None

    def _holds(self, position: Position) -> bool:
        """Does a line from `position` to the east cross an odd number of edges (PNPOLY, W. R. Franklin)?"""
        x, y = position
        inside = False
        previous_x, previous_y = self.corners[-1]
        for corner_x, corner_y in self.corners:
            if (corner_y > y) != (previous_y > y):
                slope = (previous_x - corner_x) * (y - corner_y) / (previous_y - corner_y)
                if x < slope + corner_x:
                    inside = not inside
            previous_x, previous_y = corner_x, corner_y
        return inside


Shape = Circle | Rectangle | Polygon


def covering(shape: Shape) -> list[Cell]:
    """The cells to search for `shape`, in Redis's order; hardly more than nine times the area."""
    bounds, steps = shape.bounds(), _steps(shape)
    cell = _cell(shape.middle, steps)
    if steps > 1 and not _reaches(cell, bounds):
        steps -= 1
        cell = _cell(shape.middle, steps)
    cells = [cell]
    for east, north in _AROUND:
        if steps >= 2 and _is_needless(cell.box(), bounds, east, north):
            continue
        neighbour = cell.beside(east, north)
        # Around the whole Earth, neighbours on both sides are the same cell.
        if len(cells) == 1 or neighbour != cells[-1]:
            cells.append(neighbour)
    return cells


def _cell(middle: Position, steps: int) -> Cell:
    longitude, latitude = middle
    # The middle of a polygon may be nearer to a pole than any of its corners.
    return cell_of((longitude, max(min(latitude, LATITUDE_MAX), -LATITUDE_MAX)), steps)


def _steps(shape: Shape) -> int:
    """How small the cells may be."""
    reach_m, latitude = shape.reach_m, abs(shape.middle[1])
    if reach_m == 0:
        return _STEPS_MAX
    steps = -1
    while reach_m < _MERCATOR_MAX_M:
        reach_m *= 2
        steps += 1
    # Towards the poles, cells are narrower than they look.
    steps -= (latitude > 66) + (latitude > 80)
    return max(1, min(steps, _STEPS_MAX))


def _reaches(cell: Cell, bounds: Box) -> bool:
    """Do the cells around `cell` reach as far as `bounds`?"""
    return not (
        cell.beside(0, 1).box().north < bounds.north
        or cell.beside(0, -1).box().south > bounds.south
        or cell.beside(1, 0).box().east < bounds.east
        or cell.beside(-1, 0).box().west > bounds.west
    )


def _is_needless(box: Box, bounds: Box, east: int, north: int) -> bool:
    """Does the cell with this `box` go beyond `bounds` on the side of that neighbour?"""
    return (
        (north < 0 and box.south < bounds.south)
        or (north > 0 and box.north > bounds.north)
        or (east < 0 and box.west < bounds.west)
        or (east > 0 and box.east > bounds.east)
    )


def _bounds(middle: Position, across_m: float, along_m: float) -> Box:
    """The box that reaches so far from `middle`; its sides lean, so the wider end counts."""
    longitude, latitude = middle
    along = along_m / EARTH_RADIUS_M / RADIAN
    end = latitude - along if latitude < 0 else latitude + along
    across = across_m / EARTH_RADIUS_M / _cosine(end * RADIAN) / RADIAN
    return Box(longitude - across, latitude - along, longitude + across, latitude + along)


def _cosine(angle: float) -> float:
    return cos(angle) if isfinite(angle) else nan
