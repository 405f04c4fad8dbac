"""`docs/commands.md` lists every command there is, with what the table of commands says of it."""

from collections.abc import Iterable

from tests.tidy import pages
from trio_dynomite.commands.reference import docs
from trio_dynomite.commands.row import Row, Spread
from trio_dynomite.commands.table import FAMILIES, ROWS, SUBCOMMANDS


def commands_table(rows: Iterable[Row]) -> str:
    lines = [
        [
            f"`{row.name.replace('|', ' ').upper()}`",
            arity(row),
            row.spread.value,
            access(row),
            docs(row.name).get("since", "Dynomite" if row.name.startswith("dyno") else ""),
        ]
        for row in rows
        if row.name not in SUBCOMMANDS or row.name == "command"
    ]
    return pages.table(["Command", "Arguments", "Spread", "Access", "Since"], lines)


def arity(row: Row) -> str:
    """How many words a request has, the command's own among them."""
    return str(row.arity) if row.arity > 0 else f"{-row.arity} or more"


def access(row: Row) -> str:
    if row.spread is Spread.SESSION:
        return ""
    return "write" if row.write else "read"


def test_the_page_tells_every_command() -> None:
    for name, rows in FAMILIES.items():
        pages.check("commands.md", name, commands_table(rows))


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
