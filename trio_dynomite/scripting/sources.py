"""The Lua half of the sandbox, which lies beside this file as text.

Each source is a chunk that gets one table, `box`: it takes from it what the earlier ones left there, and
leaves what it is for.
"""

from importlib.resources import files

PLACE = b"=sandbox"
"""What Lua calls these sources in errors and to its debugger."""

_ORDER = (
    "guard",
    "patterns",
    "searches",
    "numbers",
    "random",
    "replies",
    "commands",
    "bit",
    "cjson_encode",
    "cjson_decode",
    "cjson",
    "cmsgpack",
    "struct",
    "globals",
    "machine",
    "library",
)

SOURCES = tuple([(files(__package__) / "lua" / f"{name}.lua").read_bytes() for name in _ORDER])
"""The chunks in the order in which they are to run."""
