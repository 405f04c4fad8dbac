"""Pages with parts that are generated: between `<!-- NAME begin … -->` and `<!-- NAME end -->`.

A stale part fails its test. `REWRITE_DOCS=1 python -m pytest tests/tidy` writes all of them anew.
"""

import os
import re
from collections.abc import Iterable, Sequence

from tests.tidy.source import ROOT


def check(page: str, name: str, wanted: str) -> None:
    """The part `name` of `docs/page` is `wanted`; it is made so first when REWRITE_DOCS is set."""
    path = ROOT / "docs" / page
    text = path.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {name} begin[^>]*-->\n)(.*?)(<!-- {name} end -->)", re.DOTALL)
    found = pattern.search(text)
    assert found, f"docs/{page} has no generated part {name!r}"
    if os.environ.get("REWRITE_DOCS") and found[2] != wanted:
        path.write_text(text[: found.start(2)] + wanted + text[found.end(2) :], encoding="utf-8")
        return
    assert found[2] == wanted, f"docs/{page} is stale: REWRITE_DOCS=1 python -m pytest tests/tidy"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
