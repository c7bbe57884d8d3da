"""What a preview costs, beside making and judging the whole drill in memory; each figure in one run.

Measured: process CPU time, the median of some repetitions after a first one. A drill of more rows than are judged at
once is not made whole; its preview must cost about as much as any other.

    python benchmarks/preview.py [--times 5]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from tft_dash.drills import JUDGED_ROWS
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.previews import make_preview
from tft_dash.scenarios.document import Scenario, parse_document
from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import load_scenario

DAY = 86_400.0


def main() -> int:
    """Print a line for each drill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    model = ThresholdModel()
    for name, scenario in drills().items():
        clock, servers = scenario.spec.clock, scenario.spec.fleet.size
        cost = measured(lambda document=scenario: make_preview(document, model), times)
        whole = f"{'not made':>9}"
        if clock.ticks * servers <= JUDGED_ROWS:
            seconds = measured(lambda document=scenario: model.assess_recording(simulate(document).window), 1)
            whole = f"{seconds * 1e3:6.0f} ms"
        print(f"{name:34} {servers:6,} servers {clock.ticks:9,} ticks  preview {cost * 1e3:5.0f} ms CPU  whole {whole}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return 0


def drills() -> dict[str, Scenario]:
    """The drills whose previews are measured, smallest first."""
    default = load_scenario("degrading")
    return {
        "the default drill": default,
        "early-warning": load_scenario("early-warning"),
        "100 servers, a day at 5 s": default.with_overrides(fleet_size=100, duration_seconds=DAY),
        "cascade on 1,000 servers": load_scenario("cascade").with_overrides(fleet_size=1000),
        "20,000 servers": default.with_overrides(fleet_size=20_000),
        "20,000 servers, three weeks": default.with_overrides(
            fleet_size=20_000, duration_seconds=21 * DAY, tick_seconds=800
        ),
        "two servers, ten years at 1 m": default.with_overrides(
            fleet_size=2, duration_seconds=3650 * DAY, tick_seconds=60
        ),
        "500 faults that each choose a tenth": with_faults(400, 500),
    }


def with_faults(servers: int, faults: int) -> Scenario:
    """A document of many faults, each of which draws lots."""
    document: dict[str, Any] = {
        "apiVersion": "tft-dash/v1",
        "kind": "Scenario",
        "metadata": {"name": "many-faults"},
        "spec": {
            "clock": {"duration": "5m"},
            "fleet": {"profiles": [{"name": "web", "count": servers}]},
            "faults": [{"id": f"f{number}", "what": "cpu", "whom": {"share": 0.1}} for number in range(faults)],
        },
    }
    return parse_document(document, "the benchmark")


def measured(make: Callable[[], object], times: int) -> float:
    """Median CPU seconds of ``make``."""
    make()
    found = []
    for _ in range(times):
        begun = time.process_time()
        make()
        found.append(time.process_time() - begun)
    return statistics.median(found)


if __name__ == "__main__":
    sys.exit(main())
