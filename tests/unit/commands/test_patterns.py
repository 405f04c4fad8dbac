import pytest

from trio_dynomite.commands.patterns import matches


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*", ""),
        ("*", "a\nb"),
        ("h?llo", "hello"),
        ("h[ae]llo", "hallo"),
        ("h[^e]llo", "hallo"),
        ("h[a-c]llo", "hbllo"),
        ("h[c-a]llo", "hbllo"),
        ("a*b*c", "a-b-b-c"),
        ("*aab", "aaab"),
        (r"\*", "*"),
        (r"[\]]", "]"),
        ("[abc", "b"),
        ("trailing\\", "trailing\\"),
        ("a.b", "a.b"),
    ],
)
def test_matches(pattern: str, text: str) -> None:
    assert matches(pattern.encode(), text.encode())


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("", "a"),
        ("h?llo", "hllo"),
        ("h[^e]llo", "hello"),
        ("a.b", "axb"),
        ("[]", "a"),
        ("a*b", "ab\n"),
        ("A", "a"),
    ],
)
def test_does_not_match(pattern: str, text: str) -> None:
    assert not matches(pattern.encode(), text.encode())


def test_case_can_be_ignored() -> None:
    assert matches(b"MAX[a-m]*", b"maxmemory", ignore_case=True)


def test_many_stars_do_not_try_every_way() -> None:
    """With backtracking this pattern would take longer than the age of the universe."""
    assert not matches(b"*a" * 30 + b"*b", b"a" * 10_000)


def test_with_too_many_stars_nothing_is_found() -> None:
    assert matches(b"*?" * 1000, b"a" * 1000)
    assert not matches(b"*?" * 1001, b"a" * 1001)
