"""What GEOSEARCH, GEORADIUS and their kind are asked for, read from the arguments (`georadiusGeneric`).

Words come in any order. The shape and its middle are read as they come, so that the first mistake is refused.
"""

from collections.abc import Callable
from functools import partial

from attrs import define

from trio_dynomite.commands.geo import position_argument, unit_argument
from trio_dynomite.commands.geo_shapes import Circle, Polygon, Rectangle, Shape
from trio_dynomite.commands.geohash import Position, position_of
from trio_dynomite.commands.numeric import integer_argument, parse_int64
from trio_dynomite.commands.record import SortedSet
from trio_dynomite.commands.refusals import SYNTAX, quoted
from trio_dynomite.commands.scores import score_argument
from trio_dynomite.errors import CommandError

_INT32_MAX = 2**31 - 1
_TOO_FEW_CORNERS = "ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"


@define
class GeoQuery:
    """A search in `view`."""

    view: SortedSet
    args: list[bytes]
    at: int
    """Where the next word stands."""
    searches: bool
    """Is it GEOSEARCH or GEOSEARCHSTORE, which name middle and shape with words?"""
    target: bytes | None = None
    """The key in which to store what is found; None: it is the answer."""
    may_store: bool = False
    """Does GEORADIUS take STORE and STOREDIST?"""
    origin: bytes = b""
    """FROMMEMBER, FROMLONLAT or nothing yet."""
    middle: Position = (0.0, 0.0)
    area: bytes = b""
    """BYRADIUS, BYBOX, BYPOLYGON or nothing yet."""
    shape_around: Callable[[Position], Shape] | None = None
    """Makes the shape when its middle is known."""
    with_distance: bool = False
    with_score: bool = False
    with_position: bool = False
    order: bytes = b""
    """ASC, DESC or nothing."""
    count: int = 0
    """So many at most; 0: all."""
    any_will_do: bool = False
    """Stop at the first `count`, near or far."""
    stores_distance: bool = False

    @property
    def with_anything(self) -> bool:
        """Shall there be more than the members?"""
        return self.with_distance or self.with_score or self.with_position

    def shape(self) -> Shape:
        """Where to look. Middle and shape must have been read."""
        assert self.shape_around is not None
        return self.shape_around(self.middle)

    def take(self, count: int) -> list[bytes]:
        """The next `count` arguments. Raises CommandError when there are fewer."""
        taken = self.args[self.at : self.at + count]
        if len(taken) < count:
            raise CommandError(SYNTAX)
        self.at += count
        return taken

    def read_words(self) -> None:
        """Take in all words that are left. Raises CommandError."""
        while self.at < len(self.args):
            word = self.take(1)[0].upper()
            if not (self._read_flag(word) or (self.searches and self._read_where(word))):
                self._read_value(word)

    def read_member(self, member: bytes) -> None:
        """The middle is where `member` is. Raises CommandError when it is not in a set that there is."""
        if not len(self.view):
            return
        score = self.view.score(member)
        if score is None:
            raise CommandError(f"ERR member {quoted(member, len(member))} does not exist")
        self.middle = position_of(score)

    def read_circle(self, radius: bytes, unit: bytes) -> None:
        """The shape is a circle."""
        number = score_argument(radius, "ERR need numeric radius")
        if number < 0:
            raise CommandError("ERR radius cannot be negative")
        self.shape_around = partial(Circle, radius=number, unit_m=unit_argument(unit))

    def _read_flag(self, word: bytes) -> bool:
        match word:
            case b"WITHDIST":
                self.with_distance = True
            case b"WITHHASH":
                self.with_score = True
            case b"WITHCOORD":
                self.with_position = True
            case b"ANY":
                self.any_will_do = True
            case b"ASC" | b"DESC":
                self.order = word
            case _:
                return False
        return True

    def _read_value(self, word: bytes) -> None:
        if word == b"COUNT":
            self.count = integer_argument(self.take(1)[0])
            if self.count <= 0:
                raise CommandError("ERR COUNT must be > 0")
        elif word == b"STOREDIST" and self.searches and self.target is not None:
            self.stores_distance = True
        elif word in (b"STORE", b"STOREDIST") and self.may_store:
            self.target, self.stores_distance = self.take(1)[0], word == b"STOREDIST"
        else:
            raise CommandError(SYNTAX)

    def _read_where(self, word: bytes) -> bool:
        if word in (b"FROMMEMBER", b"FROMLONLAT"):
            self._read_origin(word)
        elif word in (b"BYRADIUS", b"BYBOX", b"BYPOLYGON"):
            self._read_area(word)
        else:
            return False
        return True

    def _read_origin(self, word: bytes) -> None:
        if self.origin not in (b"", word) or self.area == b"BYPOLYGON":
            raise CommandError(SYNTAX)
        if word == b"FROMMEMBER":
            self.read_member(self.take(1)[0])
        else:
            longitude, latitude = self.take(2)
            self.middle = position_argument(longitude, latitude)
        self.origin = word

    def _read_area(self, word: bytes) -> None:
        if self.area not in (b"", word) or (word == b"BYPOLYGON" and self.origin):
            raise CommandError(SYNTAX)
        self.area = word
        if word == b"BYRADIUS":
            radius, unit = self.take(2)
            self.read_circle(radius, unit)
        elif word == b"BYBOX":
            self._read_rectangle(*self.take(3))
        else:
            self._read_polygon()

    def _read_rectangle(self, width: bytes, height: bytes, unit: bytes) -> None:
        across = score_argument(width, "ERR need numeric width")
        along = score_argument(height, "ERR need numeric height")
        if along < 0 or across < 0:
            raise CommandError("ERR height or width cannot be negative")
        self.shape_around = partial(Rectangle, width=across, height=along, unit_m=unit_argument(unit))

    def _read_polygon(self) -> None:
        if len(self.args) - self.at < 2:
            raise CommandError(SYNTAX)
        count = parse_int64(self.take(1)[0])
        if count is None or abs(count) > _INT32_MAX:
            raise CommandError("ERR invalid number of vertices")
        if count < 3 or len(self.args) - self.at < 2 * count:
            raise CommandError(_TOO_FEW_CORNERS)
        texts = self.take(2 * count)
        polygon = Polygon([position_argument(*pair) for pair in zip(texts[::2], texts[1::2], strict=True)])
        self.shape_around = lambda _: polygon
