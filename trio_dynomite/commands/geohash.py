"""Positions on Earth as 52-bit numbers, and back; pure mathematics.

Longitude and latitude are cut in halves 26 times each, and the answers interleaved: one number, whose
leading bits name a cell in which the position is. Sorted by these numbers, the positions of a cell stand
together, and are one range of scores in a sorted set. The arithmetic is that of Redis's `geohash.c`,
operation by operation, so that every bit of its results is the same.
"""

from math import asin, cos, pi, sin, sqrt

from attrs import frozen

LONGITUDE_MAX = 180.0
LATITUDE_MAX = 85.05112878
"""Degrees: what the web's Mercator projection shows (EPSG:3857)."""
EARTH_RADIUS_M = 6372797.560856
RADIAN = pi / 180.0
"""One degree."""

_STEPS = 26
"""Halvings of each coordinate in a stored position."""
_SIZE = 1 << _STEPS
"""Its rows, and its columns."""
_SAME_LONGITUDE = 1e-15
"""The sine of half the difference of longitudes that are the same, or 6 nm apart."""
_UINT32 = 0xFFFFFFFF
_ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"

Position = tuple[float, float]
"""Longitude and latitude, in degrees."""


@frozen
class Box:
    """The longitudes west..east and the latitudes south..north, in degrees."""

    west: float
    south: float
    east: float
    north: float


@frozen
class Cell:
    """Where `steps` halvings of each coordinate lead to: columns from the west, rows from the south."""

    column: int
    row: int
    steps: int

    def scores(self) -> tuple[int, int]:
        """The scores of the positions in this cell: from the first number on, below the second."""
        bits, shift = _spread(self.row) | _spread(self.column) << 1, 2 * (_STEPS - self.steps)
        return bits << shift, bits + 1 << shift

    def box(self) -> Box:
        """Where this cell is."""
        size = 1 << self.steps
        return Box(
            _edge(self.column, size, LONGITUDE_MAX),
            _edge(self.row, size, LATITUDE_MAX),
            _edge(self.column + 1, size, LONGITUDE_MAX),
            _edge(self.row + 1, size, LATITUDE_MAX),
        )

    def beside(self, east: int, north: int) -> "Cell":
        """The cell one to the east (-1: to the west; 0: neither), and likewise to the north.

        Beyond the last column is the first, and beyond the last row the first row."""
        column = (self.column + east) % (1 << self.steps) if east else self.column
        return Cell(column, (self.row + north) % (1 << self.steps) if north else self.row, self.steps)


def cell_of(position: Position, steps: int = _STEPS, latitude_max: float = LATITUDE_MAX) -> Cell:
    """The cell of this size where `position` is; `latitude_max` is where rows begin and end."""
    longitude, latitude = position
    column = int((longitude + LONGITUDE_MAX) / (2 * LONGITUDE_MAX) * (1 << steps))
    return Cell(column, int((latitude + latitude_max) / (2 * latitude_max) * (1 << steps)), steps)


def score_of(position: Position) -> float:
    """The score under which `position` is stored."""
    return float(cell_of(position).scores()[0])


def position_of(score: float) -> Position:
    """The middle of the cell that `score` names. Any score names one: what is none of ours, some."""
    bits = _uint64(score)
    return _middle(_gathered(bits >> 1), LONGITUDE_MAX), _middle(_gathered(bits), LATITUDE_MAX)


def text_of(score: float) -> bytes:
    """The standard geohash of a stored position, 11 letters (https://en.wikipedia.org/wiki/Geohash).

    Its rows go from pole to pole. The last letter is always 0: 52 bits are ten letters and two bits."""
    bits, _ = cell_of(position_of(score), latitude_max=90.0).scores()
    return "".join([_ALPHABET[bits >> 47 - 5 * at & 31] for at in range(10)] + ["0"]).encode()


def distance_m(left: Position, right: Position) -> float:
    """Metres between two positions on a sphere, by the haversine formula."""
    half = sin((right[0] * RADIAN - left[0] * RADIAN) / 2)
    if abs(half) <= _SAME_LONGITUDE:
        return latitude_distance_m(left[1], right[1])
    from_south, to_north = left[1] * RADIAN, right[1] * RADIAN
    rise = sin((to_north - from_south) / 2)
    chord = rise * rise + cos(from_south) * cos(to_north) * half * half
    # Between opposite points rounding may give more than 1. Redis then answers with no number.
    return 2.0 * EARTH_RADIUS_M * asin(min(sqrt(chord), 1.0))


def latitude_distance_m(left: float, right: float) -> float:
    """Metres between two latitudes."""
    return EARTH_RADIUS_M * abs(right * RADIAN - left * RADIAN)


def _edge(index: int, size: int, limit: float) -> float:
    """Where the row or column `index` of `size` begins."""
    return -limit + index / size * (limit + limit)


def _middle(index: int, limit: float) -> float:
    """The middle of the row or column `index` of a stored position; it counts in 32 bits, as in C."""
    low = -limit + index / _SIZE * (limit + limit)
    middle = (low + (-limit + (index + 1 & _UINT32) / _SIZE * (limit + limit))) / 2
    return middle if middle < limit else limit


def _spread(number: int) -> int:
    """A zero before every bit of the 32."""
    number = (number | number << 16) & 0x0000FFFF0000FFFF
    number = (number | number << 8) & 0x00FF00FF00FF00FF
    number = (number | number << 4) & 0x0F0F0F0F0F0F0F0F
    number = (number | number << 2) & 0x3333333333333333
    return (number | number << 1) & 0x5555555555555555


def _gathered(bits: int) -> int:
    """Every second bit of the 64, from the lowest on."""
    bits &= 0x5555555555555555
    bits = (bits | bits >> 1) & 0x3333333333333333
    bits = (bits | bits >> 2) & 0x0F0F0F0F0F0F0F0F
    bits = (bits | bits >> 4) & 0x00FF00FF00FF00FF
    bits = (bits | bits >> 8) & 0x0000FFFF0000FFFF
    return (bits | bits >> 16) & _UINT32


def _uint64(score: float) -> int:
    """What C makes of `score` on x86-64, even of one that is too large or too small."""
    if -(2.0**63) <= score < 2.0**64:
        return int(score) & 0xFFFFFFFFFFFFFFFF
    return 0 if score > 0 else 1 << 63
