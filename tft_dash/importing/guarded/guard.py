"""Work on files that may be made to hurt: in a process with limits, watched by another that outlives it."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OUT_OF_MEMORY: Final = 77
"""Exit status of a process that met its limit in a way that it could tell."""
_LOOK_SECONDS: Final = 0.05
_CPU_GRACE: Final = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """What the work may use.

    :param cpu_seconds: of processor time.
    :param file_bytes: largest file that it may write.
    """

    memory_bytes: int = 2 << 30
    cpu_seconds: int = 900
    wall_seconds: float = 3600.0
    file_bytes: int = 16 << 30


def guarded(work: Callable[[], None], limits: Limits, is_cancelled: Callable[[], bool]) -> str | None:
    """Run ``work`` in a process of its own, to the end or to its limits.

    :return: None when it ended by itself; else in words why it was ended.
    """
    process = os.fork()
    if process == 0:
        _run(work, limits)
    begun = time.monotonic()
    reason = None
    while True:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return reason or _reason(status, limits)
        if reason is None:
            reason = _overdue(process, limits, begun, is_cancelled)
            if reason is not None:
                os.kill(process, signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)


def _run(work: Callable[[], None], limits: Limits) -> None:
    """The child's side; never returns."""
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _lower(resource.RLIMIT_DATA, limits.memory_bytes)
        # At the first limit comes a signal that tells what happened, at the second the end without a word.
        _lower(resource.RLIMIT_CPU, limits.cpu_seconds, _CPU_GRACE)
        _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
        # A write beyond the limit becomes an OSError, which says more than a dead process.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        os.nice(5)
        work()
        status = 0
    except MemoryError:
        status = OUT_OF_MEMORY
    finally:
        os._exit(status)


def _lower(kind: int, value: int, grace: int = 0) -> None:
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or hard > value + grace:
        with contextlib.suppress(ValueError, OSError):  # not every system knows every limit
            resource.setrlimit(kind, (value, value + grace))


def _overdue(process: int, limits: Limits, begun: float, is_cancelled: Callable[[], bool]) -> str | None:
    if is_cancelled():
        return "It was cancelled."
    if _memory(process) > limits.memory_bytes:
        return _too_much_memory(limits)
    if time.monotonic() - begun > limits.wall_seconds:
        return f"Reading it took longer than {limits.wall_seconds / 60:.0f} minutes. Give a smaller file."
    return None


def _memory(process: int) -> int:
    """Bytes that a process holds in memory; 0 where that cannot be told."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGESIZE")


def _reason(status: int, limits: Limits) -> str | None:
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return None
    if code == OUT_OF_MEMORY:
        return _too_much_memory(limits)
    if code == -signal.SIGXCPU:
        return f"Reading it took more than {limits.cpu_seconds:,} s of processor time. Give a smaller file."
    if code == -signal.SIGKILL:
        return f"{_too_much_memory(limits)} It was ended by the system."
    return "Reading it failed in a way that the reader cannot tell; most likely the file is damaged. Write it again."


def _too_much_memory(limits: Limits) -> str:
    return (
        f"Reading it needs more than {limits.memory_bytes / (1 << 30):.3g} GB of memory, which no metrics table does. "
        "Write it again in smaller row groups, or split it."
    )
