"""Hints are in files where the records are, unless somebody says otherwise."""

import pytest

from trio_dynomite.config.settings import Hints, Settings, Storage


@pytest.mark.parametrize(
    ("engine", "durable", "expected"),
    [
        ("memory", None, False),
        ("memory", True, True),
        ("rocksdb", None, True),
        ("rocksdb", False, False),
    ],
)
def test_hints_are_as_durable_as_records_or_as_told(
    engine: str, durable: bool | None, expected: bool
) -> None:
    settings = Settings(storage=Storage(engine=engine), hints=Hints(durable=durable), nodes=())
    assert settings.hints_are_durable is expected
