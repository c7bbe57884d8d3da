"""A collector process of its own, on a source that has a sample for every second of all time.

Run as ``python -m support.pulse STORE NAME``: it collects until it is ended, or killed.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tft_dash.collecting.process import opened_collector, run
from tft_dash.live.samples import Samples, objects
from tft_dash.live.specs import LiveSpec
from tft_dash.settings import load_settings

STEP = 1.0
SERVERS = ("web-1", "web-2", "db-1")
START_SECONDS = 40.0
ROOT = Path(__file__).parents[2]


@dataclass
class PulseFeed:
    """CPU of three servers, a sample a second, the same whoever asks and whenever."""

    step_seconds: float = STEP

    def fetch(self, start: np.datetime64, end: np.datetime64) -> Samples:
        first, last = (int(edge.astype("datetime64[ms]").astype(np.int64)) // 1000 for edge in (start, end))
        instants = np.arange(first + 1, last + 1)
        times = np.repeat(instants * 1000, len(SERVERS)).astype("datetime64[ms]")
        cpu = np.tile([10.0, 20.0, 30.0], len(instants)) + np.repeat(instants % 7, len(SERVERS))
        names = objects([*SERVERS] * len(instants))
        return Samples(times, names, {"cpu_pct": cpu.astype(np.float32)})

    def close(self) -> None:
        return None


def start(store: str, folder: Path, name: str = "pulse") -> subprocess.Popen[str]:
    """Such a process; it says on stderr when it leads."""
    environ = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    command = [sys.executable, "-m", "support.pulse", store, name]
    return subprocess.Popen(command, env=environ, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_until_leading(process: subprocess.Popen[str]) -> None:
    """Return when the process leads."""
    assert process.stderr is not None
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        line = process.stderr.readline()
        if "leads" in line and "ready" not in line:
            return
        if not line:
            break
    raise RuntimeError(f"the collector ended, or never led: {process.poll()}")


def main(store: str, name: str) -> None:
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.INFO)
    settings = load_settings({"store": store, "data": "data", "cache": "cache"}, environ={}, folder=Path.cwd())
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    spec = LiveSpec(name, "pulse", "pulse://x", {}, step_seconds=STEP, delay_seconds=0.0, backfill_hours=0.1)
    with opened_collector(settings, spec, feed=PulseFeed()) as collector:
        run(collector, stop)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
