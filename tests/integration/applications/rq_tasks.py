"""What rq's worker calls."""


def double(number: int) -> int:
    return 2 * number


def fail() -> None:
    raise ValueError("on purpose")
