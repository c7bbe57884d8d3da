"""The figures of the models' page: valid with everything, with nothing and with values that were not measured."""

from __future__ import annotations

import json
import math
from typing import Any

import plotly.graph_objects as go
import pytest
from support.forecasts import evidence, reliability

from tft_dash.figures.models import alarms, leads
from tft_dash.figures.models import reliability as diagram
from tft_dash.figures.models.values import between, cases, known, share, track_record
from tft_dash.models.forecasting.evidence import AlarmPoint, Alarms, ReliabilityBin
from tft_dash.theme import DARK, LIGHT, Theme

NAN = math.nan
HOLES = (
    ReliabilityBin(low=0, high=0.5, count=0, said=NAN, happened=(NAN, NAN, NAN)),
    ReliabilityBin(low=0.5, high=0.6, count=3, said=0.55, happened=(0.3, None, None)),
    ReliabilityBin(low=0.6, high=1.0, count=9, said=0.7, happened=(None, None, None)),
    ReliabilityBin(low=0.9, high=1.0, count=9, said=NAN, happened=(0.9, NAN, NAN)),
)
LOST = AlarmPoint(threshold=0.9, false_per_server_week=NAN, share_in_alarm=0.0, recall=0.0, precision=NAN,
                  median_lead_minutes=None)  # fmt: skip


def plain(figure: dict[str, Any]) -> dict[str, Any]:
    go.Figure(figure)
    assert "NaN" not in json.dumps(figure)
    return figure


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("bins", [reliability(), HOLES, (), reliability()[:1]])
def test_a_reliability_diagram_is_valid(bins: tuple[ReliabilityBin, ...], theme: Theme) -> None:
    plain(diagram.figure(bins, theme.prob_8h, theme))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("values", [(5.0, 52.0, 400.0), (), (NAN,), (0.0,)])
def test_a_histogram_of_leads_is_valid(values: tuple[float, ...], theme: Theme) -> None:
    plain(leads.figure(values, theme))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(
    "own", [evidence().alarms["tft"], None, Alarms(chosen=None, curve=(), lead_minutes=()),
            Alarms(chosen=LOST, curve=(LOST,), lead_minutes=())]
)  # fmt: skip
def test_a_figure_of_alarms_is_valid(own: Alarms | None, theme: Theme) -> None:
    plain(alarms.figure(own, evidence().alarms["gradient-boosting"], theme))
    plain(alarms.figure(own, None, theme))


def test_a_point_stands_at_what_was_said_and_what_happened() -> None:
    _, band, points, counts = diagram.figure(reliability(0.5), LIGHT.prob_30m, LIGHT)["data"]
    assert points["x"] == pytest.approx([0.05 + 0.1 * place for place in range(10)])
    assert points["y"] == pytest.approx([0.025 + 0.05 * place for place in range(10)])
    assert counts["y"] == [one.count for one in reliability()]
    assert max(band["y"]) == pytest.approx(0.475 + 0.05)
    assert "said 60% to 70%, 65.0% on average<br>happened in 32.5% (27.5% to 37.5%) of 220 cases" in points["text"]


def test_a_point_of_few_cases_is_drawn_open_and_said_to_be() -> None:
    points = diagram.figure(reliability(), LIGHT.prob_30m, LIGHT)["data"][2]
    assert points["marker"]["color"][-1] == LIGHT.surface
    assert set(points["marker"]["color"][:-1]) == {LIGHT.prob_30m}
    assert points["text"][-1].endswith("of 12 cases, too few to tell")


def test_what_was_not_measured_is_no_point_and_no_zero() -> None:
    points = diagram.figure(HOLES, LIGHT.prob_30m, LIGHT)["data"][2]
    assert points["y"] == [0.3]
    assert diagram.figure((), LIGHT.prob_30m, LIGHT)["layout"]["annotations"][0]["text"] == "no forecast was measured"
    assert alarms.figure(None, None, LIGHT)["layout"]["annotations"][0]["text"] == "no alarm was measured"
    assert leads.figure((), LIGHT)["layout"]["annotations"][0]["text"] == "no incident was caught"


def test_every_caught_incident_is_in_one_bar() -> None:
    assert leads.counts([0, 9.9, 10, 119, 120, 480]) == [2, 1, *[0] * 9, 1, 2]
    figure = leads.figure([20.0, 52.0, 300.0], LIGHT)
    assert sum(figure["data"][0]["y"]) == 3
    assert figure["layout"]["annotations"][0]["text"] == "median 52 min"


def test_the_chosen_threshold_is_on_both_lines() -> None:
    own = evidence().alarms["tft"]
    recall, precision, _, chosen, _ = alarms.figure(own, None, LIGHT)["data"]
    assert own.chosen is not None
    assert chosen["x"] == [own.chosen.false_per_server_week] * 2
    for line, value in zip((recall, precision), chosen["y"], strict=True):
        assert round(value, 4) in line["y"]


def test_a_curve_never_leaves_its_axis() -> None:
    figure = alarms.figure(evidence().alarms["tft"], None, LIGHT)
    assert max(figure["data"][0]["x"]) <= figure["layout"]["xaxis"]["range"][1]


def test_measured_values_in_words() -> None:
    assert [share(value) for value in (0.0, 0.0004, 0.004, 0.71, 1.0)] == ["0%", "<0.1%", "0.4%", "71%", "100%"]
    assert share(NAN) == "—"
    assert [cases(value) for value in (0, 1, 1234)] == ["0 cases", "1 case", "1,234 cases"]
    assert between(0.6, 0.8) == "60–80%"
    assert between(0, 0.025) == "0–2.5%"
    assert [known(value) for value in (None, NAN, math.inf, 0.0)] == [None, None, None, 0.0]


def test_a_fleets_record_is_worded_once_and_needs_both_horizons() -> None:
    assert track_record(evidence()) is None
    assert track_record(evidence(fleet={"30m": reliability()})) is None
    record = track_record(evidence(fleet={"30m": reliability(), "8h": (*reversed(HOLES),)}))
    assert record is not None
    assert record.ranges["30m"][6] == (0.6, 0.7, ", came true in 65% of 220 cases")
    assert record.ranges["8h"] == (
        (0.0, 0.5, ""),
        (0.5, 0.6, ", came true in 30% of 3 cases"),
        (0.6, 1.0, ""),
        (0.9, 1.0, ", came true in 90% of 9 cases"),
    )
