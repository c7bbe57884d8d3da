"""What an inspection of a large Parquet file costs, first and afterwards, beside pandas reading it whole; one run.

Every figure is measured in a process of its own, which also tells its peak of anonymous memory. "First" begins with an
empty cache, "again" is another process that finds it filled. Beside the seconds on the clock stand those that the
processors worked: on a machine with other work, only they tell anything.

    python benchmarks/inspection.py [--rows 10000000] [--servers 1000]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tft_dash.background import Background
from tft_dash.inspection.inspector import Inspector
from tft_dash.inspection.views import View, parse_view

BLOCK_TICKS = 100
PAGES = {
    "unsorted": {},
    "unsorted, deep": {},
    "filtered by number": {"filters": [{"column": "cpu_pct", "kind": "number", "operator": "more", "value": 90}]},
    "filtered by text": {
        "filters": [{"column": "server_name", "kind": "text", "operator": "contains", "value": "-07"}]
    },
    "sorted": {"sorts": [{"column": "latency_ms", "descending": True}]},
    "sorted, deep": {"sorts": [{"column": "latency_ms", "descending": True}]},
    "sorted and filtered": {
        "filters": [{"column": "cpu_pct", "kind": "number", "operator": "less", "value": 10}],
        "sorts": [{"column": "latency_ms", "descending": True}],
    },
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--servers", type=int, default=1_000)
    parser.add_argument("--measure", nargs=3, metavar=("WHAT", "FILE", "CACHE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measured(*arguments.measure)
        return 0
    with tempfile.TemporaryDirectory(prefix="tft-dash-bench-") as folder:
        path = write_recording(Path(folder, "large.parquet"), arguments.rows, arguments.servers)
        print(f"{arguments.rows:,} rows, {arguments.servers:,} servers, {path.stat().st_size / 1e6:,.0f} MB of Parquet")
        for what, title in (("inspect", "first"), ("inspect", "again"), ("pages", "pages"), ("pandas", "pandas")):
            command = [sys.executable, __file__, "--measure", what, str(path), f"{folder}/cache"]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found = json.loads(said)
            print(f"{title} (peak {found.pop('peak_mb'):,.0f} MB anonymous)")
            for name, (seconds, worked) in found.items():
                print(f"  {name:32} {seconds:9.3f} s   {worked:9.3f} s of CPU")
    return 0


def write_recording(path: Path, rows: int, servers: int) -> Path:
    """Eight metrics on a fleet, a tick every 5 s, with gaps of values and one sensor that stands still."""
    names = pa.array([f"web-{place:04d}" for place in range(servers)])
    rng = np.random.default_rng(1)
    ticks = rows // servers
    writer: pq.ParquetWriter | None = None
    for first in range(0, ticks, BLOCK_TICKS):
        count = min(BLOCK_TICKS, ticks - first)
        size = count * servers
        times = (np.repeat(np.arange(first, first + count), servers) * 5_000 + 1_714_564_800_000).astype(
            "datetime64[ms]"
        )
        codes = pa.array(np.tile(np.arange(servers, dtype=np.int32), count))
        metrics = {
            name: np.round(rng.gamma(2.0, scale, size), 2).astype(np.float32)
            for name, scale in (("cpu_pct", 9), ("mem_pct", 7), ("latency_ms", 40), ("disk_io_mb_s", 5),
                                ("net_in_mb_s", 20), ("net_out_mb_s", 30), ("gc_pause_ms", 6))
        }  # fmt: skip
        metrics["error_rate"] = np.round(rng.random(size) * 0.05, 4).astype(np.float32)
        metrics["latency_ms"][rng.random(size) < 0.02] = np.nan
        metrics["mem_pct"][::servers] = 42
        table = pa.table(
            {
                "timestamp": pa.array(times),
                "server_name": pa.DictionaryArray.from_arrays(codes, names).cast(pa.string()),
                "profile": pa.array(["web"]).take(pa.array(np.zeros(size, np.int32))),
                **{name: np.minimum(values, 100) if "pct" in name else values for name, values in metrics.items()},
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=1 << 20)
    if writer is not None:
        writer.close()
    return path


def measured(what: str, path: str, cache: str) -> None:
    """Print one process's figures as JSON."""
    peak = PeakMemory()
    figures = {"inspect": inspect, "pages": pages, "pandas": whole}[what](Path(path), Path(cache))
    print(json.dumps({**figures, "peak_mb": peak.stop()}))


def timed(act: Callable[[], object], times: int = 1) -> tuple[float, float]:
    """Seconds on the clock, and seconds of all threads' CPU."""
    begun, worked = time.perf_counter(), time.process_time()
    act()
    return (time.perf_counter() - begun) / times, (time.process_time() - worked) / times


def inspect(path: Path, cache: Path) -> dict[str, tuple[float, float]]:
    inspector = Inspector(cache, Background(None))
    return {
        "verdict, source and columns": timed(lambda: (inspector.columns(path), inspector.report(path))),
        "map of gaps": timed(lambda: inspector.gaps(path)),
    }


def pages(path: Path, cache: Path) -> dict[str, tuple[float, float]]:
    inspector = Inspector(cache, Background(None))
    rows = inspector.rows(path)
    figures = {}
    for name, plain in PAGES.items():
        view = parse_view(plain)
        place = rows.page(view, 0, 0).matching // 2 if "deep" in name else 0
        for turn in ("first", "again"):
            figures[f"{name}, {turn}"] = timed(lambda view=view, place=place: rows.page(view, place, 100))  # type: ignore[misc]
    figures["pages one after the other"] = timed(
        lambda: [rows.page(View(), first, 100) for first in range(0, 1000, 100)], times=10
    )
    return figures


def whole(path: Path, _cache: Path) -> dict[str, tuple[float, float]]:
    return {"pandas.read_parquet": timed(lambda: pd.read_parquet(path))}


class PeakMemory:
    """The most anonymous memory that this process has had, looked at every 20 ms."""

    def __init__(self) -> None:
        self._most, self._done = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._done.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        status = Path(f"/proc/{os.getpid()}/status")
        while not self._done.wait(0.02):
            line = next(line for line in status.read_text().splitlines() if line.startswith("RssAnon"))
            self._most = max(self._most, int(line.split()[1]) / 1024)


if __name__ == "__main__":
    sys.exit(main())
