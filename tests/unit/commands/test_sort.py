"""What the oracle cannot show of SORT: events, deadlines, keys, and what transactions see of sets."""

import pytest

from trio_dynomite.commands.table import lookup

from .fake import FakeKeyspace, Run


@pytest.fixture(autouse=True)
def _three_numbers(ks: FakeKeyspace) -> None:
    ks.list_at(b"list").push([b"3", b"1", b"2"], left=False)
    ks.set_at(b"set").add([b"3", b"1", b"2"])
    ks.sorted_set_at(b"zset").put([(b"3", 0.0), (b"1", 5.0), (b"2", 7.0)])


def bulks(*values: bytes) -> bytes:
    return b"*%d\r\n" % len(values) + b"".join([b"$%d\r\n%b\r\n" % (len(value), value) for value in values])


@pytest.mark.parametrize("key", ["list", "set", "zset"])
@pytest.mark.parametrize("name", ["SORT", "SORT_RO"])
def test_every_collection_is_sorted(run: Run, key: str, name: str) -> None:
    assert run(f"{name} {key}") == bulks(b"1", b"2", b"3")
    assert run(f"{name} {key} ALPHA DESC LIMIT 1 2") == bulks(b"2", b"1")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", [b"3", b"1", b"2"]),
        ("DESC", [b"2", b"1", b"3"]),
        ("LIMIT 1 1", [b"1"]),
        ("DESC LIMIT 0 1", [b"2"]),
    ],
)
@pytest.mark.parametrize("key", ["list", "zset"])
def test_without_a_star_they_stay_as_they_stand(
    run: Run, key: str, words: str, expected: list[bytes]
) -> None:
    assert run(f"SORT {key} BY nosort {words}") == bulks(*expected)


def test_what_a_transaction_sees_of_a_set_is_in_order(ks: FakeKeyspace, run: Run) -> None:
    ks.may_block = False
    assert run("SORT set BY nosort") == bulks(b"1", b"2", b"3")


def test_weights_and_answers_of_other_keys(ks: FakeKeyspace, run: Run) -> None:
    ks.put(b"w1", b"30")
    ks.put(b"w2", b"20")
    ks.hash_at(b"h2").put([(b"f", b"two")])
    assert run("SORT list BY w* GET # GET h*->f GET w* GET fixed") == (
        b"*12\r\n$1\r\n3\r\n$-1\r\n$-1\r\n$-1\r\n"
        b"$1\r\n2\r\n$3\r\ntwo\r\n$2\r\n20\r\n$-1\r\n"
        b"$1\r\n1\r\n$-1\r\n$2\r\n30\r\n$-1\r\n"
    )


def test_an_element_without_a_weight_comes_before_one_with_an_empty_weight(
    ks: FakeKeyspace, run: Run
) -> None:
    ks.put(b"w1", b"")
    ks.put(b"w3", b"x")
    assert run("SORT list BY w* ALPHA") == bulks(b"2", b"1", b"3")


def test_store_replaces_whatever_was_there(ks: FakeKeyspace, run: Run) -> None:
    ks.put(b"target", b"text", ks.now_ms + 1000)
    assert run("SORT list STORE target") == b":3\r\n"
    assert run("LRANGE target 0 -1") == bulks(b"1", b"2", b"3")
    assert ks.deadline(b"target") == 0
    assert ks.events == [("sortstore", b"target")]


def test_nothing_to_store_deletes_the_target(ks: FakeKeyspace, run: Run) -> None:
    assert run("SORT absent STORE set") == run("SORT absent STORE set") == b":0\r\n"
    assert ks.kind(b"set") is None
    assert ks.events == [("del", b"set")]


def test_a_list_is_sorted_in_place(run: Run) -> None:
    assert run("SORT list DESC STORE list") == b":3\r\n"
    assert run("LRANGE list 0 -1") == bulks(b"3", b"2", b"1")


def test_no_number_no_change(ks: FakeKeyspace, run: Run) -> None:
    ks.list_at(b"list").push([b"x"], left=True)
    ks.put(b"target", b"text")
    assert run("SORT list STORE target") == b"-ERR One or more scores can't be converted into double"
    assert ks.get(b"target") == b"text"


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("SORT a", [b"a"]),
        ("SORT a STORE b", [b"a", b"b"]),
        ("SORT a store b STORE c", [b"a", b"c"]),
        ("SORT a BY STORE GET STORE LIMIT STORE STORE", [b"a"]),
        ("SORT a BY STORE STORE b", [b"a", b"b"]),
        ("SORT a STORE", [b"a"]),
        ("SORT a STORE BY STORE b", [b"a", b"b"]),
        ("SORT_RO a STORE b", [b"a"]),
    ],
)
def test_the_key_to_store_in_is_the_last_one(line: str, keys: list[bytes]) -> None:
    args = [word.encode() for word in line.split()]
    assert lookup(args).keys(args) == keys
