"""What the forecast is worth on fleets whose days run at other hours than those it has learnt from.

The clock of simulated fleets is moved by whole hours: their metrics stay, and the hours of their days do not.

    python benchmarks/rhythm.py [--fleets 3] [--servers 12] [--days 14]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from tft_dash.assessing import assess_source
from tft_dash.models.tft import TftModel
from tft_dash.progress import silent
from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import Window
from tft_dash.sources.memory import MemorySource
from tft_dash.watching.judging import judged_bands, judged_chances
from tft_dash.watching.sums import JudgedBands, JudgedChances, SpanSums, span_sums

SHIFTS = (0, 3, 6, 12)
FIRST_SEED = 3101


def main() -> None:
    """Print coverage and Brier skill for each shift."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fleets", type=int, default=3)
    parser.add_argument("--servers", type=int, default=12, help="in each")
    parser.add_argument("--days", type=float, default=14)
    given = parser.parse_args()
    model = TftModel()
    fleets = [fleet(FIRST_SEED + number, given.days, given.servers) for number in range(given.fleets)]
    for hours in SHIFTS:
        found = [held(model, replace(one, start=one.start + np.timedelta64(hours, "h"))) for one in fleets]
        covered = {
            name: sum(float(sums.covered[name][0, 0]) for sums in found)
            / sum(float(sums.covered[name][0, 1]) for sums in found)
            for name in found[0].covered
        }
        skills = {name: skill(np.sum([sums.told[name][0] for sums in found], axis=0)) for name in found[0].told}
        shares = ", ".join(f"{name} {share:.1%}" for name, share in covered.items())
        chances = ", ".join(f"{name} {value:.3f}" for name, value in skills.items())
        print(f"{hours:2} h off: within the 80% band {shares}; Brier skill {chances}", flush=True)


def fleet(seed: int, days: float, servers: int) -> Window:
    """A fleet's history at the forecast's step."""
    scenario = load_scenario("fleet-history").with_overrides(
        seed=seed, fleet_size=servers, duration_seconds=days * 86_400, tick_seconds=300.0
    )
    return simulate(scenario).window


def held(model: TftModel, window: Window) -> SpanSums:
    """The forecasts of a fleet held against what came, in one sum."""
    with tempfile.TemporaryDirectory() as cache:
        said = assess_source(MemorySource(window, name="fleet"), model, Path(cache)).assessments
        chances = judged_chances(said, window)
    bands = judged_bands(model.runtime, window, silent)
    at_once = JudgedBands(np.zeros(len(bands.judged_seconds)), bands.inside, bands.known)
    told = {name: JudgedChances(np.zeros(len(one.said)), one.said, one.happened) for name, one in chances.items()}
    return span_sums(at_once, told, 1)


def skill(sums: np.ndarray) -> float:
    """Brier skill against always saying how often it happened."""
    rows, _, happened = np.split(sums[1:], 3)
    count, true = float(rows.sum()), float(happened.sum())
    return 1.0 - float(sums[0]) / (count * (true / count) * (1 - true / count))


if __name__ == "__main__":
    main()
