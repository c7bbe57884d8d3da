"""The text that Prometheus scrapes."""

from __future__ import annotations

import re

from tft_dash.api.metrics import FAMILIES, exposition
from tft_dash.watching.watch import ChanceWatch, Drift, DriftPoint

CHANCE = ChanceWatch(
    rows=900, said=0.01, happened=0.02, calibration_error=0.01, brier=0.02, brier_skill=None, announced=1.5, incidents=3
)
POINT = DriftPoint(
    tick=99, state="drifting", reasons=("x",), since=50, forecasts=400,
    coverage={"cpu_pct": (0.5, 1000), "mem_pct": (None, 0)}, chances={"30m": CHANCE},
)  # fmt: skip
DRIFT = Drift(
    model="tft", version="0.1.0", fitted="", days=7, least=100, step_seconds=300, start="2026-01-01T00:00:00",
    points=(POINT,),
)  # fmt: skip
LINE = re.compile(r'^[a-z_]+\{([a-z_]+="(\\.|[^"\\\n])*",?)+\} (-?[0-9.e+-]+|NaN)$')


def test_every_line_is_a_sample_or_says_what_its_family_means() -> None:
    text = exposition([('a "quoted"\\name\n', DRIFT), ("fresh", None)])
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or LINE.match(line), line
    assert 'source="a \\"quoted\\"\\\\name\\n"' in text
    assert text.endswith("\n")
    assert set(re.findall(r"^# TYPE (\S+) gauge$", text, re.MULTILINE)) <= set(FAMILIES)


def test_what_is_missing_is_no_sample_and_never_zero() -> None:
    text = exposition([("fleet", DRIFT)])
    assert 'band_coverage{source="fleet",model="tft",version="0.1.0",metric="cpu_pct"} 0.5' in text
    assert "mem_pct" not in text
    assert "brier_skill{" not in text
    assert 'drift_state{source="fleet",model="tft",version="0.1.0",state="drifting"} 1' in text
    assert 'tft_dash_forecast_watch_ready{source="fleet"} 1' in text


def test_a_source_that_is_not_watched_yet_says_so() -> None:
    text = exposition([("fresh", None)])
    assert 'tft_dash_forecast_watch_ready{source="fresh"} 0' in text
    assert "drift_state" not in text
    short = exposition([("short", DRIFT.model_copy(update={"points": ()}))])
    assert 'state="unknown"} 1' in short
