"""What it costs that every host has what one of them made: time, other writers' waits, and a round that finds nothing.

    TFT_DASH_STORE=postgresql+psycopg://tft@127.0.0.1/empty python benchmarks/sharing.py [--megabytes 256] [--items 300]

The store should be an empty PostgreSQL database; without one it is a SQLite file, which no portal of several hosts has.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.places import RUN, TABLES
from tft_dash.store.documents import Documents
from tft_dash.store.engine import Store


def main() -> None:
    """Print what each part takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=256, help="of one recording")
    parser.add_argument("--items", type=int, default=300, help="recordings that nothing happens to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(os.environ.get("TFT_DASH_STORE") or f"sqlite:///{folder}/store.sqlite")
        a, b = (Exchange(Path(folder) / name, store) for name in ("a", "b"))
        recording(a, "large", given.megabytes << 20)
        with timed("copied by the disk", given.megabytes):
            shutil.copytree(a.data / "runs", Path(folder) / "copy")
        for words, exchange in (("given", a), ("fetched", b)):
            with waits(store) as found, timed(words, given.megabytes):
                exchange.synchronise(TABLES, settle_seconds=0)
            median, longest = sorted(found)[len(found) // 2], max(found)
            print(f"  a small write of somebody else took {median * 1000:.0f} ms, {longest * 1000:.0f} ms at most")
        for number in range(given.items):
            recording(a, f"small-{number}", 10_000)
        with timed(f"{given.items} small ones given"):
            a.synchronise(TABLES, settle_seconds=0)
        with timed("a round that finds nothing"):
            a.synchronise(TABLES, settle_seconds=0)
        with timed("all removed"):
            for name in a.given(RUN):
                a.remove(RUN, name)
        store.close()


def recording(exchange: Exchange, name: str, size: int) -> None:
    """A recording of random bytes."""
    home = exchange.data / "runs" / name
    home.mkdir(parents=True)
    with (home / f"{name}.parquet").open("wb") as file:
        for start in range(0, size, 1 << 20):
            file.write(os.urandom(min(1 << 20, size - start)))
    (home / f"{name}_metadata.json").write_text("{}")


@contextmanager
def timed(words: str, megabytes: int = 0) -> Iterator[None]:
    """Print how long the block takes, and the CPU of this process."""
    start, cpu = time.perf_counter(), time.process_time()
    yield
    took = time.perf_counter() - start
    rate = f", {megabytes / took:.0f} MB/s" if megabytes else ""
    print(f"{words}: {took:.3f} s{rate} ({time.process_time() - cpu:.3f} s CPU)", flush=True)


@contextmanager
def waits(store: Store) -> Iterator[list[float]]:
    """How long a small write of somebody else takes, again and again, while the block runs."""
    found: list[float] = []
    over = threading.Event()
    documents = Documents(store, "benchmark")

    def write() -> None:
        number = 0
        while not over.wait(0.02):
            number += 1
            start = time.perf_counter()
            documents.add(f"{threading.get_ident()}-{number}", {})
            found.append(time.perf_counter() - start)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
