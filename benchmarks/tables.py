"""Tables of text, headings first: as Markdown, and in columns for a terminal."""

from collections.abc import Iterable, Sequence

from attrs import frozen

NONE = "-"
"""A cell where there is nothing to say."""
Cells = Sequence[Sequence[str]]


@frozen
class Table:
    """A table and what it shows."""

    title: str
    cells: Cells

    def markdown(self) -> str:
        """With its title as a heading."""
        return f"## {self.title}\n\n{markdown_table(self.cells)}"

    def terminal(self) -> str:
        """With its title above."""
        return f"{self.title}\n{aligned(self.cells)}"


def used_columns(table: Cells) -> Cells:
    """The table without the columns in which no row says anything."""
    columns = [column for column in zip(*table, strict=True) if any(cell != NONE for cell in column[1:])]
    return [list(row) for row in zip(*columns, strict=True)]


def aligned(table: Cells) -> str:
    """The table in columns of equal width, for a terminal."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)


def markdown_table(table: Cells) -> str:
    """The table in Markdown, its first row as headings."""
    head, *rows = table
    return "\n".join(_markdown_row(row) for row in [head, ["---"] * len(head), *rows])


def _markdown_row(row: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
