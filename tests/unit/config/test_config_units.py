"""Durations and sizes as people write them."""

import pytest

from trio_dynomite.config.units import seconds, size_bytes


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("500ms", 0.5),
        ("2s", 2),
        ("1.5 S", 1.5),
        ("5m", 300),
        ("1h", 3600),
        ("1d", 86400),
        ("3", 3),
        (3, 3),
        (0.25, 0.25),
    ],
)
def test_a_duration_is_in_seconds(given: object, expected: float) -> None:
    assert seconds(given) == pytest.approx(expected)


@pytest.mark.parametrize("given", ["", "s", "-1s", "1 week", "1s2", "٣s", True, None, -1, float("nan"), []])
def test_what_is_not_a_duration_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=r"must be a duration|unknown unit"):
        seconds(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("64kb", 65536),
        ("64k", 64000),
        ("512MB", 512 * 2**20),
        ("1 m", 10**6),
        ("1gb", 2**30),
        ("2g", 2 * 10**9),
        ("0.5kb", 512),
        ("7b", 7),
        ("7", 7),
        (7, 7),
        ("9007199254740993", 2**53 + 1),
    ],
)
def test_a_size_is_in_bytes_and_its_units_are_redis_conf_s(given: object, expected: int) -> None:
    assert size_bytes(given) == expected


@pytest.mark.parametrize("given", ["", "mb", "-1kb", "1 tonne", "0.3b", True, None, 1.0])
def test_what_is_not_a_size_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=r"must be|unknown unit"):
        size_bytes(given)
