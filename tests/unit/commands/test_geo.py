"""Positions: the numbers of Redis's documentation, the edges of the Earth, what the oracle leaves out."""

from math import pi

import pytest

from trio_dynomite.commands import geo_shapes
from trio_dynomite.commands.geo_shapes import Circle, Polygon, Rectangle, covering
from trio_dynomite.commands.geohash import (
    EARTH_RADIUS_M,
    Cell,
    cell_of,
    distance_m,
    position_of,
    score_of,
    text_of,
)
from trio_dynomite.commands.table import lookup

from .fake import FakeKeyspace, Run

PALERMO = (13.361389, 38.115556)
CATANIA = (15.087269, 37.502669)
HALF_AROUND_M = pi * EARTH_RADIUS_M


def test_the_example_of_the_documentation(run: Run) -> None:
    assert run("GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania") == b":2\r\n"
    assert run("GEODIST Sicily Palermo Catania") == b"$11\r\n166274.1516\r\n"
    assert run("GEOHASH Sicily Palermo") == b"*1\r\n$11\r\nsqc8b49rny0\r\n"
    assert run("ZSCORE Sicily Palermo") == b"$16\r\n3479099956230698\r\n"
    assert run("GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km ASC") == run("ZREVRANGE Sicily 0 -1")


@pytest.mark.parametrize("position", [PALERMO, CATANIA, (0.0, 0.0), (-180.0, -85.05112878), (179.9, 85.0)])
def test_a_stored_position_is_less_than_a_metre_off(position: tuple[float, float]) -> None:
    assert distance_m(position, position_of(score_of(position))) < 1


def test_opposite_points_are_half_the_earth_apart() -> None:
    for latitude in range(-85, 86):
        distance = distance_m((0.0, float(latitude)), (180.0, float(-latitude)))
        assert distance == pytest.approx(HALF_AROUND_M, abs=1)


@pytest.mark.parametrize("score", [-1.0, 0.5, 2.0**60, 2.0**63, 1e300, float("inf"), float("-inf")])
def test_any_score_is_some_position(score: float) -> None:
    longitude, latitude = position_of(score)
    assert -180 <= longitude <= 180
    assert -85.06 < latitude < 85.06
    assert len(text_of(score)) == 11


def test_neighbours_go_around_the_earth() -> None:
    corner = Cell(column=7, row=0, steps=3)
    assert corner.beside(1, -1) == Cell(column=0, row=7, steps=3)
    assert corner.beside(-1, 1) == Cell(column=6, row=1, steps=3)


@pytest.mark.parametrize("steps", [1, 5, 26])
def test_a_cell_holds_the_positions_between_its_scores(steps: int) -> None:
    cell = cell_of(PALERMO, steps)
    low, high = cell.scores()
    assert low <= score_of(PALERMO) < high
    assert high - low == 1 << 2 * (26 - steps)


@pytest.mark.parametrize(
    "shape",
    [
        Circle(PALERMO, 200.0, 1000.0),
        Circle((0.0, 0.0), 0.0, 1.0),
        Circle((-180.0, -80.0), 3.0, 1609.34),
        Rectangle(CATANIA, 50.0, 500.0, 1000.0),
        Polygon([(10.0, 35.0), (20.0, 35.0), (20.0, 40.0), (10.0, 40.0)]),
    ],
)
def test_the_cells_cover_the_shape_and_not_much_else(shape: geo_shapes.Shape) -> None:
    cells = covering(shape)
    ranges = [cell.scores() for cell in cells]
    assert 1 <= len(cells) <= 9
    assert len(set(ranges)) == len(ranges)
    box = shape.bounds()
    for position in [(box.west, box.south), (box.east, box.north), shape.middle]:
        within = (max(min(position[0], 180.0), -180.0), position[1])
        assert any(low <= score_of(within) < high for low, high in ranges)


def test_a_polygon_around_a_pole_has_its_middle_there() -> None:
    shape = Polygon([(0.0, 80.0), (120.0, 80.0), (-120.0, 80.0)])
    assert shape.middle[1] == pytest.approx(90)
    assert covering(shape)


def test_an_infinite_radius_finds_everything(run: Run) -> None:
    run("GEOADD k 0 0 here 100 50 there -100 -50 elsewhere")
    assert run("GEOSEARCH k FROMMEMBER here BYRADIUS inf m").startswith(b"*3\r\n")
    assert run("GEORADIUSBYMEMBER_RO k here 1e308 km COUNT 1") == b"*1\r\n$4\r\nhere\r\n"


def test_the_nearest_come_first_and_the_count_cuts_the_rest(run: Run) -> None:
    corners = " ".join(f"{number / 100} 0 m{number:02}" for number in range(50))
    run(f"GEOADD k {corners}")
    search = "GEOSEARCH k FROMLONLAT 0 0 BYRADIUS 100 km COUNT 2"
    assert run(search) == run(f"{search} ASC") == b"*2\r\n$3\r\nm00\r\n$3\r\nm01\r\n"
    assert run(f"{search} DESC") == b"*2\r\n$3\r\nm49\r\n$3\r\nm48\r\n"


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("GEORADIUS k 1 2 3 m STORE to", "k to"),
        ("GEORADIUS k 1 2 3 m STORE to STOREDIST other", "k other"),
        ("GEORADIUS k 1 2 3 m STORE", "k"),
        ("GEORADIUS k STORE 2 3 m", "k"),
        ("GEORADIUSBYMEMBER k store 3 m storedist to", "k to"),
        ("GEOSEARCHSTORE to k BYBOX 1 1 m FROMMEMBER x", "to k"),
    ],
)
def test_where_the_keys_are(line: str, keys: str) -> None:
    args = line.encode().split()
    assert lookup(args).keys(args) == keys.encode().split()


def test_what_is_found_replaces_what_was_in_the_target(ks: FakeKeyspace, run: Run) -> None:
    run("SET to text EX 100")
    run("GEOADD k 0 0 here 1 0 there")
    assert run("GEORADIUS k 0 0 1 km STORE to") == b":1\r\n"
    assert run("TYPE to") + run("TTL to") == b"+zset\r\n:-1\r\n"
    ks.events.clear()
    assert run("GEOSEARCHSTORE to k FROMLONLAT 50 50 BYRADIUS 1 m") == b":0\r\n"
    assert ks.events == [("del", b"to")]
