"""The load in memcached's protocol: what is sent, and what the table says of it."""

from benchmarks.load import CONNECTIONS, LoadResult
from benchmarks.measure import Round, Sample
from benchmarks.memcached import HEADINGS, REQUESTS, VALUE, Measured, Requests, cells


def sample(*cpu_us: float) -> Sample:
    return Sample(result=LoadResult(rps=1000.0, p50_ms=1.0, p95_ms=2.0, p99_ms=3.0), cpu_us=cpu_us)


def test_every_request_is_whole_and_names_one_key() -> None:
    for verb, request in REQUESTS.items():
        line, _, data = (request % b"key").partition(b"\r\n")
        assert line.startswith(verb.encode() + b" key")
        assert data == (VALUE + b"\r\n" if b" 32" in line else b"")
        assert len(VALUE) == 32


def test_keys_share_a_tag_and_are_as_long_as_each_other() -> None:
    work = Requests(request=b"", tag=b"{t}", in_flight=16)
    assert (work.key(5), work.key(99_999)) == (b"{t}:000000000005", b"{t}:000000099999")
    assert work.batch == 16 * CONNECTIONS


def test_the_table_tells_the_medians() -> None:
    rounds = (
        Round(sample(10.0), sample(20.0, 5.0)),
        Round(sample(10.0), sample(30.0, 5.0)),
        Round(sample(10.0), sample(90.0, 5.0)),
    )
    table = cells([Measured(cluster="c", op="set", in_flight=16, rounds=rounds)])
    assert table == [list(HEADINGS), ["c", "set", "16", "10.0", "30.0", "3.00", "3.50", "1000"]]
