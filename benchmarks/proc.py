"""What the kernel knows of a process (CPU time, memory) and of the machine: Linux `/proc`."""

import os
import platform
from pathlib import Path

# Fields 14 and 15 of proc(5) "stat"; the fields before the state, pid and name, are cut off first.
_UTIME = 11
_STIME = 12


def parse_cpu_ticks(stat: str) -> int:
    """User and system time of all threads, in clock ticks, from the text of `/proc/PID/stat`.

    The name in brackets may itself hold spaces and brackets, so fields are counted from the last bracket.
    Raises ValueError when the text is not of that shape.
    """
    _, bracket, rest = stat.rpartition(")")
    fields = rest.split()
    if not bracket or len(fields) <= _STIME:
        raise ValueError(f"not the text of /proc/PID/stat: {stat[:80]!r}")
    return int(fields[_UTIME]) + int(fields[_STIME])


def parse_kilobytes(text: str, name: str) -> int:
    """The bytes in the line `name: N kB`, as in `/proc/PID/status`. Raises ValueError when absent."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise ValueError(f"no line {name!r} with a size in kB")


def cpu_s(pid: int) -> float:
    """CPU seconds that process `pid` has used since it began, at the kernel's tick of about 10 ms."""
    return parse_cpu_ticks(Path(f"/proc/{pid}/stat").read_text()) / os.sysconf("SC_CLK_TCK")


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
