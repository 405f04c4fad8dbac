"""`docs/commands.md` lists every command there is, with what the table of commands says of it."""

from collections.abc import Iterable

from tests.tidy import pages
from tests.tidy.syntax import syntax
from trio_dynomite.commands.reference import docs
from trio_dynomite.commands.row import Gather, Row, Spread
from trio_dynomite.commands.table import FAMILIES, ROWS, SUBCOMMANDS

CONFLICTS = {
    "strings": "the newer value",
    "hashes": "field by field",
    "sets": "member by member",
    "sorted sets": "member by member",
    "geo": "member by member",
    "lists": "the newer list",
    "sort": "the newer list",
    "streams": "the newer stream",
    "bits": "the newer value",
    "hyperloglogs": "the newer value",
    "scripts": "as what they call",
    "generic": "the newer",
}
"""What becomes of writes to one key in two datacenters at once, by family."""
COUNTED = {"incr", "decr", "incrby", "decrby", "hincrby", "zincrby"}


def commands_table(family: str, rows: Iterable[Row]) -> str:
    lines = [
        [
            f"`{' '.join([row.name.replace('|', ' ').upper(), syntax(row.name)]).strip()}`".replace(
                "|", "\\|"
            ),
            spread(row),
            conflict(family, row),
            docs(row.name).get("since", "Dynomite" if row.name.startswith("dyno") else ""),
        ]
        for row in rows
        if row.name not in SUBCOMMANDS or row.name == "command"
    ]
    return pages.table(["Command", "Runs", "Conflicts", "Since"], lines)


def spread(row: Row) -> str:
    if row.spread is not Spread.KEY:
        return row.spread.value
    if row.gather is not Gather.NO:
        return "key, gathered"
    return "key, blocks" if row.blocking is not None else "key"


def conflict(family: str, row: Row) -> str:
    """How writes of two datacenters at once settle; nothing where nothing is written."""
    if not row.write or row.spread is Spread.SESSION:
        return ""
    if row.name.endswith("store"):
        return "the newer whole"
    return "both add up" if row.name in COUNTED else CONFLICTS.get(family, "the newer")


def test_the_page_tells_every_command() -> None:
    for name, rows in FAMILIES.items():
        pages.check("commands.md", name, commands_table(name, rows))


def test_the_families_are_all_commands() -> None:
    listed = {row.name for rows in FAMILIES.values() for row in rows}
    known = {row.name for row in ROWS.values()}
    children = {row.name for rows in SUBCOMMANDS.values() for row in rows.values()}
    assert listed == known | children


def test_since_is_known_of_every_command() -> None:
    unknown = [
        row.name
        for rows in FAMILIES.values()
        for row in rows
        if not docs(row.name).get("since") and not row.name.startswith("dyno_config")
    ]
    assert not unknown
