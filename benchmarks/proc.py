"""What the kernel knows of a process (CPU time, memory) and of the machine: Linux clocks and `/proc`."""

import os
import platform
import time
from pathlib import Path

_SCHEDULED = 2
"""Which of a process's CPU clocks: the one that clock_getcpuclockid(3) gives, made of the pid as there."""


def parse_kilobytes(text: str, name: str) -> int:
    """The bytes in the line `name: N kB`, as in `/proc/PID/status`. Raises ValueError when absent."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise ValueError(f"no line {name!r} with a size in kB")


def cpu_s(pid: int) -> float:
    """CPU seconds, user's and system's, that process `pid` has used in all its threads since it began.

    It is the process's CPU clock, which counts nanoseconds: `/proc` has ticks of 10 ms, and redis-server is
    through some runs in ten of them. Raises OSError when there is no such process."""
    return time.clock_gettime(~pid << 3 | _SCHEDULED)


def resident_bytes(pid: int) -> int:
    """The resident memory of process `pid` now."""
    return parse_kilobytes(Path(f"/proc/{pid}/status").read_text(), "VmRSS")


def parse_cpu_model(cpuinfo: str) -> str:
    """The name of the first processor in the text of `/proc/cpuinfo`, or the empty string."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return ""


def machine() -> str:
    """One line about the machine: processor, number of cores, system, Python."""
    model = parse_cpu_model(Path("/proc/cpuinfo").read_text()) or platform.machine()
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )
