"""redis-benchmark's command line and its output."""

import pytest

from benchmarks.load import Load, LoadError, LoadResult, operations_for, parse_csv, summary

HEAD = (
    '"test","rps","avg_latency_ms","min_latency_ms",'
    '"p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"\n'
)
LINE = '"81632.65","0.347","0.120","0.319","0.559","0.871","2.079"\n'
RESULT = LoadResult(rps=81632.65, p50_ms=0.319, p95_ms=0.559, p99_ms=0.871)
WORK = Load(words=("SET", "{t0}:__rand_int__", "xxx"), in_flight=16)


def test_percentiles_are_read_from_the_line_behind_the_headings() -> None:
    assert parse_csv(HEAD + '"SET",' + LINE) == RESULT


def test_a_title_with_quotes_and_commas_does_not_shift_the_numbers() -> None:
    assert parse_csv(HEAD + '"SET a,"b" 1,2",' + LINE) == RESULT


def test_lines_of_a_cluster_run_before_the_table_are_skipped() -> None:
    assert (
        parse_csv("Cluster has 3 master nodes:\n\nMaster 0: 127.0.0.1:7001\n" + HEAD + '"x",' + LINE)
        == RESULT
    )


@pytest.mark.parametrize("text", ["", HEAD, '"SET","81632.65"\n', "Error: Connection reset by peer\n"])
def test_output_without_a_result_is_an_error(text: str) -> None:
    with pytest.raises(LoadError, match="printed no result"):
        parse_csv(text)


def test_the_command_line_names_port_count_pipeline_keys_and_the_command() -> None:
    argv = WORK.argv(7001, 5000)
    assert argv[0] == "redis-benchmark"
    options = dict(zip(argv[1:11:2], argv[2:11:2], strict=True))
    assert options == {"-p": "7001", "-n": "5000", "-c": "50", "-P": "16", "-r": "100000"}
    assert argv[11:] == ["--csv", "SET", "{t0}:__rand_int__", "xxx"]


def test_flags_come_before_the_command() -> None:
    work = Load(words=("GET", "k"), in_flight=1, cluster=True)
    assert work.argv(1, 2, forever=True)[11:] == ["--csv", "--cluster", "-l", "GET", "k"]


def test_a_batch_is_a_pipeline_on_every_connection() -> None:
    assert WORK.batch == 50 * 16


def test_the_number_of_operations_is_whole_batches_near_the_duration_and_never_none() -> None:
    assert operations_for(100_000.0, 3.0, 50) == 300_000
    assert operations_for(100_123.0, 1.0, 800) == 100_000
    assert operations_for(10.0, 1.0, 800) == 800


def test_percentiles_of_a_loader_of_our_own_are_in_milliseconds_and_in_any_order() -> None:
    latencies = [0.001 * number for number in (*range(99, -1, -1), 100)]
    result = summary(latencies, 5000, 2.0)
    assert result.rps == 2500
    assert (result.p50_ms, result.p95_ms, result.p99_ms) == pytest.approx((50.0, 95.0, 99.0))


def test_one_latency_is_every_percentile() -> None:
    assert summary([0.002], 1, 1.0) == LoadResult(rps=1.0, p50_ms=2.0, p95_ms=2.0, p99_ms=2.0)
