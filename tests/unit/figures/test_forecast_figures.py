"""A server's forecast: valid when full and when nothing can be said, patched without a difference, in plain words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from support.forecasts import TFT, evidence, forecast_at, unknown_forecast
from support.frames import describe, frame_at, trace_of
from support.patching import applied

from tft_dash.figures.forecast import ahead, timing, words
from tft_dash.figures.models.values import record
from tft_dash.frame import Crossing, Frame, ServerForecast
from tft_dash.models.forecasting.curve import restated
from tft_dash.schema import THRESHOLDS
from tft_dash.theme import DARK, LIGHT, Theme

FLEET = describe(3, 300, step_seconds=300.0)


def frame(tick: int = 100) -> Frame:
    return frame_at(tick, FLEET, card=TFT)


def text_of(component: Any) -> str:
    if isinstance(component, list | tuple):
        return " ".join(map(text_of, component))
    children = getattr(component, "children", component)
    return text_of(children) if children is not component else "" if component is None else str(component)


def said(forecast: ServerForecast, at: Frame | None = None) -> str:
    shown = at or frame()
    return text_of(words.told(forecast, trace_of(shown, 0), evidence()))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("forecast", [forecast_at(), unknown_forecast(), unknown_forecast(confidence=0.5)])
@pytest.mark.parametrize(
    "source", [FLEET, describe(1, 1), describe(2, 50, metrics=("cpu_pct",)), describe(2, 50, metrics=("gc_pause_ms",))]
)
def test_a_forecast_is_a_valid_and_plain_figure(forecast: ServerForecast, source: Any, theme: Theme) -> None:
    shown = frame_at(0, source)
    figure = ahead.figure(shown, trace_of(shown, 0), forecast, theme)
    go.Figure(figure)
    assert "NaN" not in json.dumps(figure)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (forecast_at(100), forecast_at(101)),
        (unknown_forecast(5), forecast_at(20)),
        (forecast_at(20), unknown_forecast(21)),
        (forecast_at(20), forecast_at(21, crossings={"cpu_pct": Crossing(None, 420.0)})),
    ],
)
def test_a_patched_forecast_is_the_later_forecast_in_every_theme(
    earlier: ServerForecast, later: ServerForecast
) -> None:
    one, two = frame(earlier.tick), frame(later.tick)
    change = ahead.patch(two, trace_of(two, 0), later)
    for theme in (LIGHT, DARK):
        before = ahead.figure(one, trace_of(one, 0), earlier, theme)
        assert applied(before, change) == ahead.figure(two, trace_of(two, 0), later, theme)
    assert {step["location"][0] for step in change.to_plotly_json()["operations"]} == {"data"}


def test_the_band_lies_between_its_quantiles_ahead_and_the_past_behind() -> None:
    forecast = forecast_at()
    data = ahead.figure(frame(), trace_of(frame(), 0), forecast, LIGHT)["data"]
    past, low, high, median = data[2:6]
    values = forecast.quantiles["cpu_pct"]
    assert low["y"] == pytest.approx(values[:, 1].tolist(), abs=0.01)
    assert median["y"] == pytest.approx(values[:, 3].tolist(), abs=0.01)
    assert high["y"] == pytest.approx(values[:, 5].tolist(), abs=0.01)
    assert high["fill"] == "tonexty"
    assert low["x"] == pytest.approx((forecast.minutes / 60).tolist(), abs=1e-3)
    assert past["x0"] == -8
    assert past["x0"] + past["dx"] * (len(past["y"]) - 1) == pytest.approx(0, abs=1e-5)
    assert past["y"][-1] == pytest.approx(float(trace_of(frame(), 0).metrics["cpu_pct"][-1]), abs=0.01)


def test_the_curve_of_the_chance_lies_over_the_time_ahead_and_runs_through_both_marks() -> None:
    forecast = restated(forecast_at(), 0.125, 0.625)
    curve, marks = ahead.figure(frame(), trace_of(frame(), 0), forecast, LIGHT)["data"][:2]
    assert curve["x"] == pytest.approx((forecast.minutes / 60).tolist(), abs=1e-4)
    points = dict(zip(curve["x"], curve["y"], strict=True))
    assert [points[at] for at in marks["x"]] == marks["y"] == [0.125, 0.625]


def test_every_forecast_metric_has_both_lines_over_past_and_future() -> None:
    data = ahead.figure(frame(), trace_of(frame(), 0), forecast_at(), LIGHT)["data"]
    drawn = [(trace["yaxis"], trace["y"]) for trace in data if trace.get("x") == [-8, 8]]
    wanted = [
        (f"y{place}", [height, height])
        for place, name in enumerate(THRESHOLDS_SHOWN, 2)
        for height in (THRESHOLDS[name].warning, THRESHOLDS[name].critical)
    ]
    assert drawn == wanted


THRESHOLDS_SHOWN = ("cpu_pct", "mem_pct", "latency_ms", "error_rate")


def test_a_likely_crossing_is_marked_on_its_line_and_a_possible_one_drawn_open() -> None:
    data = ahead.figure(frame(), trace_of(frame(), 0), forecast_at(), LIGHT)["data"]
    cpu, memory, latency = data[6], data[13], data[20]
    assert (cpu["x"], cpu["y"], cpu["text"]) == ([0.5833], [90.0], ["likely in 35 min"])
    assert cpu["marker"]["symbol"] == "diamond"
    assert (memory["text"], memory["marker"]["symbol"]) == (["possibly in 2 h 15 min"], "diamond-open")
    assert latency["x"] == []


def test_a_crossing_is_told_with_its_time_and_how_sure_it_is() -> None:
    calm = replace(trace_of(frame(), 0), metrics={name: np.full(9, 0.1, np.float32) for name in THRESHOLDS})
    listed = [text_of(item) for item in words.crossings(forecast_at(), calm)]
    assert listed == [
        "CPU  likely over 90% in about 35 min (median)",
        "Memory  possibly over 90% in about 2 h 15 min (a chance of one in ten)",
    ]
    none = forecast_at(crossings={}, prob_8h=0.05)
    assert text_of(words.crossings(none, calm)).startswith("No metric's band reaches its critical line within 8 h. CPU")
    surprising = forecast_at(crossings={}, prob_8h=0.97)
    assert text_of(words.crossings(surprising, calm)).endswith("which the bands at single times do not show.")
    hot = replace(calm, metrics={**calm.metrics, "cpu_pct": np.array([20, 95], np.float32)})
    assert text_of(words.crossings(forecast_at(), hot)[0]) == "CPU  is over 90% now"


def test_when_it_is_likely_is_told_from_the_chance_over_time() -> None:
    rising = forecast_at()
    place = int(np.argmax(rising.chance > 0.5))
    assert rising.chance[place - 1] <= 0.5 < rising.chance[place]
    assert timing.likely_by(rising) == rising.minutes[place] == 210.0
    assert timing.when(rising) == "Likely critical in about 3 h 30 min: by then the chance passes 50%."
    low = forecast_at(chance=rising.chance / 4, prob_8h=0.2)
    assert timing.likely_by(low) is None
    middle = timing.halfway(low)
    assert middle is not None
    assert low.chance[low.minutes < middle].max() < low.chance[-1] / 2 <= low.chance[low.minutes == middle]
    assert timing.when(low) == (
        f"If it turns critical within 8 h (20%), then as likely before as after {timing.about(middle)} from now."
    )
    assert (
        timing.when(forecast_at(chance=rising.chance / 40, prob_8h=0.02)) == "Not likely to turn critical within 8 h."
    )
    assert timing.when(forecast_at(prob_30m=1.0, prob_8h=1.0)) == ""
    assert timing.when(unknown_forecast()) == ""
    assert "Likely critical in about 3 h 30 min" in said(rising)


def test_the_metric_whose_band_comes_nearest_to_its_line_is_named() -> None:
    calm = forecast_at()
    level = {name: np.full((40, 7), THRESHOLDS[name].critical / 4, np.float32) for name in calm.quantiles}
    level["latency_ms"][:, -1] = np.linspace(300, 700, 40)
    level["cpu_pct"][:, -1] = 40
    far = replace(calm, quantiles=level)
    told = timing.nearest(far, list(level))
    assert told == (
        "Latency comes nearest: a chance of one in fifty to be over 700 ms in about 8 h (its line is 800 ms)."
    )
    assert timing.nearest(far, ["cpu_pct", "mem_pct"]).startswith("CPU comes nearest")
    level["error_rate"][20, -1] = 0.4
    assert timing.nearest(far, list(level)) == (
        f"Error rate comes nearest: a chance of one in fifty to be over 30% in about "
        f"{timing.about(float(far.minutes[20]))}."
    )
    assert timing.nearest(unknown_forecast(), list(level)) == ""


def test_both_probabilities_stand_with_their_record() -> None:
    words_ = said(forecast_at())
    assert "Critical within 30 min 34% When it said 30–40%, it happened in 35% of 310 cases." in words_
    assert "Critical within 8 h 72% When it said 70–80%, it happened in 75% of 190 cases." in words_
    assert "less certain" not in words_


def test_no_record_is_made_up_without_evidence() -> None:
    shown = text_of(words.told(forecast_at(), trace_of(frame(), 0), None))
    assert "34%" in shown
    assert "happened" not in shown


@pytest.mark.parametrize(
    ("said_now", "words_"), [(0.0, "0–10%"), (0.1, "10–20%"), (1.0, "90–100%"), (0.999, "90–100%")]
)
def test_a_record_is_of_the_bin_that_the_value_lies_in(said_now: float, words_: str) -> None:
    bins = evidence().horizons["30m"].models["tft"].reliability
    assert words_ in record(bins, said_now)
    assert record(bins, float("nan")) == ""
    assert record((), said_now) == ""


def test_short_history_silence_and_none_at_all_are_said() -> None:
    assert "Only 40% of the values of the last 8 h were there: less certain." in said(forecast_at(confidence=0.4))
    assert "less certain" not in said(forecast_at(confidence=0.97))
    assert said(unknown_forecast()) == "No forecast yet: there is too little history of this server."
    quiet = trace_of(frame(), 0)
    quiet = replace(quiet, metrics={name: np.full(9, np.nan, np.float32) for name in quiet.metrics})
    told = text_of(words.told(unknown_forecast(), quiet, evidence()))
    assert told == "No forecast: this server reports nothing at the moment."


def test_what_it_looked_at_is_attention_and_never_a_cause() -> None:
    shown = text_of(words.looked_at(forecast_at()))
    assert "CPU 30%" in shown.replace("  ", " ")
    assert "22% of its attention to the past lay on the last hour" in shown
    assert "they are no causes" in shown
    assert words.looked_at(unknown_forecast()) == []


@pytest.mark.parametrize(("minutes", "told"), [(5, "5 min"), (60, "1 h"), (135, "2 h 15 min"), (480, "8 h")])
def test_a_time_ahead_reads_well(minutes: float, told: str) -> None:
    assert timing.about(minutes) == told
