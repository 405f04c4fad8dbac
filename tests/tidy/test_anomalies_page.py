"""`docs/anomalies.md` names the tests that show what it says, and they are there."""

import ast
import re

import pytest

from tests.tidy.source import ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
TEXT = (ROOT / "docs" / "anomalies.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED.findall(TEXT))))
def test_a_named_test_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert name in {function.name for function in functions}


def test_every_anomaly_has_a_row_with_tests() -> None:
    rows = {found[1]: line for line in TEXT.splitlines() if (found := re.match(r"\| (A\d+) \|", line))}
    assert list(rows) == [f"A{number}" for number in range(1, 17)]
    assert [name for name, line in rows.items() if not NAMED.search(line)] == ["A16"]
