"""Seeds as they are written: short, in Dynomite's form, with IPv6, in lists of many."""

import pytest

from trio_dynomite.membership.seeds import Seed, addresses, joined, parse_seed, parse_seeds, split_address


@pytest.mark.parametrize(
    ("text", "seed"),
    [
        ("10.0.0.1:8101", Seed("10.0.0.1", 8101)),
        (" db1.example.com:8101 ", Seed("db1.example.com", 8101)),
        ("[::1]:8101", Seed("::1", 8101)),
        ("[fd00::1:2]:65535", Seed("fd00::1:2", 65535)),
        (
            "10.0.0.1:8101:rack1:dc1:1383429731",
            Seed("10.0.0.1", 8101, "rack1", "dc1", (1383429731,)),
        ),
        (
            "db1.example.com:8101:us-east-1c:us-east-1:0,12",
            Seed("db1.example.com", 8101, "us-east-1c", "us-east-1", (0, 12)),
        ),
        ("[::1]:8101:rack1:dc1:0", Seed("::1", 8101, "rack1", "dc1", (0,))),
        ("fd00::1:8101:rack1:dc1:0", Seed("fd00::1", 8101, "rack1", "dc1", (0,))),
        ("10.0.0.1:8101:rack1:dc1:0 [node1]", Seed("10.0.0.1", 8101, "rack1", "dc1", (0,))),
    ],
)
def test_a_seed_in_each_of_its_forms(text: str, seed: Seed) -> None:
    assert parse_seed(text) == seed


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", ":8101", "host", "host:", "host:x", "host:0", "host:65536", "host:-1", "host name:8101"),
        *(
            "::1:8101",
            "[::1]",
            "[::1]:",
            "[::1:8101",
            "[host]:8101",
            "[::1]8101",
            "[::1]:x",
            "http://host:80",
        ),
        *(
            "10.0.0.1:8101:rack1:dc1:token",
            "10.0.0.1:8101:rack1:dc1:",
            "10.0.0.1:8101::dc1:1",
            "host:x:r:d:1",
        ),
        *("10.0.0.1:8101:rack1", "10.0.0.1:8101:rack1:dc1", "host:٣"),
    ],
)
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_seed(text)


def test_a_text_of_many_seeds_on_lines_and_between_bars() -> None:
    text = """# our seeds
10.0.0.1:8101:rack1:dc1:0|10.0.0.2:8101:rack2:dc1:0|

[::1]:8101   # the third
10.0.0.1:8101:rack1:dc1:0
nonsense
"""
    seeds, mistakes = parse_seeds(text)

    assert [seed.address for seed in seeds] == [("10.0.0.1", 8101), ("10.0.0.2", 8101), ("::1", 8101)]
    assert addresses([*seeds, Seed("::1", 8101)]) == [seed.address for seed in seeds]
    assert len(mistakes) == 1
    assert "nonsense" in mistakes[0]


def test_an_address_may_leave_its_port_to_a_default_and_is_written_with_brackets() -> None:
    assert split_address("10.0.0.53", 53) == ("10.0.0.53", 53)
    assert split_address("[::1]", 53) == ("::1", 53)
    assert joined(*split_address("[::1]:8101")) == "[::1]:8101"
    assert joined("db1", 8101) == "db1:8101"
