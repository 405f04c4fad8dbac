"""What is read from /proc."""

import mmap
import os

import pytest

from benchmarks import proc

STAT = "4321 (redis (odd) ) x) S 1 4321 4321 0 -1 4194560 120 0 0 0 731 269 11 12 20 0 5 0 99 1 2 3 4"
STATUS = "Name:\tredis-server\nVmPeak:\t  70000 kB\nVmRSS:\t    9876 kB\nThreads:\t5\n"


def test_cpu_time_is_user_plus_system_and_not_that_of_children() -> None:
    assert proc.parse_cpu_ticks(STAT) == 731 + 269


@pytest.mark.parametrize("text", ["", "1 (x", "1 (x) S 1 2 3"])
def test_text_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the text of /proc/PID/stat"):
        proc.parse_cpu_ticks(text)


def test_sizes_in_kilobytes_come_back_in_bytes() -> None:
    assert proc.parse_kilobytes(STATUS, "VmRSS") == 9876 * 1024


def test_a_missing_size_is_an_error_and_not_zero() -> None:
    with pytest.raises(ValueError, match="VmSwap"):
        proc.parse_kilobytes(STATUS, "VmSwap")


def test_the_first_processor_names_the_machine() -> None:
    assert (
        proc.parse_cpu_model("processor\t: 0\nmodel name\t: Fast One\n\nmodel name\t: Other\n") == "Fast One"
    )
    assert proc.parse_cpu_model("processor : 0\n") == ""


def test_cpu_time_of_this_process_agrees_with_what_it_knows_of_itself() -> None:
    before = sum(os.times()[:2])
    measured = proc.cpu_s(os.getpid())
    after = sum(os.times()[:2])
    assert before - 0.02 <= measured <= after + 0.02


def test_resident_memory_grows_by_what_is_touched() -> None:
    before = proc.resident_bytes(os.getpid())
    # Mapped anew, because the allocator may have that much to give that was touched before.
    with mmap.mmap(-1, 32 * 2**20) as block:
        block.write(b"x" * len(block))
        assert proc.resident_bytes(os.getpid()) - before > 24 * 2**20
