"""What the forecast costs: a live tick of fleets, a server's panel beside it, and a recording.

Measured: process CPU time of one thread, the least of some repetitions after a first one (others on the machine only
ever add to it), and the peak memory of the process.

    python benchmarks/forecast.py [--times 5] [--servers 1000]
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from tft_dash.models.forecasting.ahead import forecast_of, ticks_needed
from tft_dash.models.forecasting.golden import golden_batch
from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, STEP_SECONDS
from tft_dash.models.tft import TftModel
from tft_dash.schema import Window

MEASURED = (1, 10, 100)


def main() -> int:
    """Print a line for each fleet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--servers", type=int, default=1000, help="of the largest fleet")
    given = parser.parse_args()
    before = peak()
    model = TftModel()
    print(f"version {model.artefact.card.version}; {before:.0f} MiB before it is loaded")
    for servers in sorted({*MEASURED, given.servers}):
        window = fleet(servers, ticks_needed(STEP_SECONDS))
        seconds = measured(lambda asked=window: model.assess(asked), given.times)
        each = f"{seconds * 1e6 / servers:5.0f} µs a server"
        print(f"a live tick of {servers:6,} servers {seconds * 1e3:7.1f} ms CPU {each}, peak {peak():.0f} MiB")
    one = fleet(1, ticks_needed(STEP_SECONDS))
    seconds = measured(lambda: forecast_of(model, one, one.ticks - 1, 0), given.times)
    print(f"the panel of one server     {seconds * 1e3:7.1f} ms CPU")
    day = fleet(20, 288)
    seconds = measured(lambda: model.assess_recording(day), 2)
    each = f"{seconds * 1e6 / (day.ticks * 20):5.0f} µs a server and tick"
    print(f"a day of 20 servers         {seconds * 1e3:7.0f} ms CPU {each}, peak {peak():.0f} MiB")
    return 0


def fleet(servers: int, ticks: int) -> Window:
    """Waves and noise, and some values that are missing."""
    windows = -(-ticks // CONTEXT)
    values = np.concatenate([golden_batch(place, servers).metrics for place in range(windows)], axis=1)[:, :ticks]
    metrics = {name: np.ascontiguousarray(values[:, :, place].T) for place, name in enumerate(INPUTS)}
    names = tuple(f"server-{number}" for number in range(servers))
    return Window(np.datetime64("2026-01-05T00:00", "ms"), STEP_SECONDS, names, ("web",) * servers, metrics)


def measured(what: Callable[[], object], times: int) -> float:
    """CPU seconds of one call, the least of ``times`` after a first one."""
    what()
    found = []
    for _ in range(times):
        start = time.process_time()
        what()
        found.append(time.process_time() - start)
    return min(found)


def peak() -> float:
    """The most memory that the process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
