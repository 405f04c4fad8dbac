"""What the kernel is asked."""

import mmap
import os
import subprocess
import threading
import time

import pytest

from benchmarks import proc

STATUS = "Name:\tredis-server\nVmPeak:\t  70000 kB\nVmRSS:\t    9876 kB\nThreads:\t5\n"


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


def test_cpu_time_of_a_process_agrees_with_what_it_knows_of_itself() -> None:
    before = time.process_time()
    measured = proc.cpu_s(os.getpid())
    assert before <= measured <= time.process_time()


def test_cpu_time_counts_all_threads() -> None:
    before = proc.cpu_s(os.getpid())
    thread = threading.Thread(target=lambda: sum(range(1_000_000)))
    thread.start()
    thread.join()
    assert proc.cpu_s(os.getpid()) - before > 0.001


def test_a_process_that_is_gone_has_no_clock() -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    with pytest.raises(OSError, match="Invalid argument"):
        proc.cpu_s(ended.pid)


def test_resident_memory_grows_by_what_is_touched() -> None:
    before = proc.resident_bytes(os.getpid())
    # Mapped anew, because the allocator may have that much to give that was touched before.
    with mmap.mmap(-1, 32 * 2**20) as block:
        block.write(b"x" * len(block))
        assert proc.resident_bytes(os.getpid()) - before > 24 * 2**20
