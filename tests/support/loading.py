"""A real load on this machine: memory that is used, a processor that is busy, a disk that is written to.

Run as ``python -m support.loading SHARE FOLDER``: it says ``ready`` when it holds the memory, and goes on until it is
ended.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_PAGE = 4096
_CHUNK = 8 << 20


def memory_pct() -> float:
    """Used memory of this machine, as node_exporter's mapping has it."""
    total, available = (_meminfo(name) for name in ("MemTotal", "MemAvailable"))
    return 100.0 * (1 - available / total)


def _meminfo(name: str) -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) * 1024


@contextlib.contextmanager
def load(share: float, folder: Path) -> Iterator[None]:
    """This share of the machine's memory is in use within the block, and a processor and the disk are busy."""
    command = [sys.executable, "-m", "support.loading", str(share), str(folder)]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def main(share: float, folder: Path) -> None:
    os.nice(19)  # what is tested goes first
    held = bytearray(round(share * _meminfo("MemTotal")))
    held[::_PAGE] = b"x" * len(range(0, len(held), _PAGE))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        with (folder / "load.bin").open("wb") as file:
            file.write(held[:_CHUNK])
            os.fsync(file.fileno())


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[2]))
