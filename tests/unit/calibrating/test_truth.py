"""What happened next, from thresholds and from known incidents."""

from __future__ import annotations

import numpy as np

from tft_dash.calibrating.cases import Told, fleet_cases, server_cases
from tft_dash.calibrating.incidents import KnownIncident
from tft_dash.calibrating.truth import Truth, of_crossings, of_incidents
from tft_dash.models.forecasting.outcomes import NEVER, outcomes_of
from tft_dash.schema import FloatArray, Window

START = np.datetime64("2026-03-01T00:00:00.000", "ms")


def window_of(cpu: FloatArray, step: float = 300.0) -> Window:
    servers = tuple(f"web-{place}" for place in range(cpu.shape[1]))
    return Window(START, step, servers, ("web",) * len(servers), {"cpu_pct": cpu.astype(np.float32)})


def at(minutes: float) -> np.datetime64:
    return START + np.timedelta64(round(minutes * 60_000), "ms")


def told_of(truth: Truth, chance: FloatArray, step: float = 300.0) -> Told:
    fleet = chance.max(axis=1)
    return Told(step, chance, chance, fleet, fleet, truth)


def test_crossings_are_those_that_training_learns_from() -> None:
    cpu = np.random.default_rng(3).uniform(40, 96, (400, 5)).astype(np.float32)
    cpu[100:160] = 30.0
    cpu[::7, 2] = np.nan
    truth, other = of_crossings(window_of(cpu)), outcomes_of({"cpu_pct": cpu})
    np.testing.assert_array_equal(truth.busy, other.critical)
    np.testing.assert_array_equal(truth.onset, other.onset)
    steps = np.where(np.isinf(truth.until), NEVER, truth.until / 300.0)
    np.testing.assert_array_equal(steps, other.first)
    seen = ~np.isnan(cpu)
    np.testing.assert_array_equal(truth.counted[seen], other.counted[seen])


def test_a_known_incident_is_announced_until_it_begins_and_counts_for_nothing_until_half_an_hour_after() -> None:
    cpu = np.full((60, 2), 20.0)
    truth = of_incidents(window_of(cpu), [KnownIncident("web-1", at(102), at(112), True)])
    assert truth.until[20, 1] == 120.0
    assert np.isinf(truth.until[:, 0]).all()
    assert np.flatnonzero(truth.busy[:, 1]).tolist() == [21, 22]
    assert np.flatnonzero(~truth.counted[:, 1]).tolist() == list(range(21, 29))
    assert np.argwhere(truth.onset).tolist() == [[21, 1]]


def test_of_an_unclear_span_and_of_what_leads_to_it_nothing_is_known() -> None:
    cpu = np.full((200, 1), 20.0)
    truth = of_incidents(window_of(cpu), [KnownIncident(None, at(500), at(550), None)])
    said = told_of(truth, np.full((200, 1), 0.1, np.float32))
    rows = server_cases([said], "30m", [(0, 200)])
    ticks = rows.time / 300.0
    assert not ((ticks > 94) & (ticks <= 110)).any()
    assert {94.0, 111.0} <= set(ticks.tolist())
    assert not rows.happened.any()


def test_a_denied_incident_is_no_incident_and_ones_outside_the_recording_begin_nowhere() -> None:
    spans = [KnownIncident("web-0", at(50), at(60), False), KnownIncident("web-0", at(-90), at(-80), True),
             KnownIncident("web-0", at(5000), at(5010), True)]  # fmt: skip
    truth = of_incidents(window_of(np.full((60, 1), 20.0)), spans)
    assert not truth.onset.any()
    assert not truth.busy.any()


def test_only_whole_horizons_count_within_the_span_and_within_a_servers_reports() -> None:
    cpu = np.full((300, 2), 20.0)
    cpu[250, 0] = 99.0
    cpu[150:, 1] = np.nan
    said = told_of(of_crossings(window_of(cpu)), np.full((300, 2), 0.2, np.float32))
    late = server_cases([said], "8h", [(0, 300)])
    assert len(late) == (300 - 96) + (150 - 96)
    assert int(late.happened.sum()) == 204 - 154
    assert len(server_cases([said], "8h", [(0, 96)])) == 0
    assert len(fleet_cases([said], "8h", [(0, 300)])) == 204


def test_the_rows_of_a_fine_step_lie_five_minutes_apart() -> None:
    cpu = np.full((600, 1), 20.0)
    said = told_of(of_crossings(window_of(cpu, 60.0)), np.full((600, 1), 0.2, np.float32), 60.0)
    rows = server_cases([said], "30m", [(0, 600)])
    assert np.diff(rows.time).tolist() == [300.0] * (len(rows) - 1)
    assert rows.overlap == 6.0


def test_the_split_lies_where_a_share_of_the_incidents_has_begun() -> None:
    cpu = np.full((1000, 1), 20.0)
    cpu[[500, 600, 700, 800, 900], 0] = 99.0
    said = told_of(of_crossings(window_of(cpu)), np.full((1000, 1), 0.2, np.float32))
    assert said.split(0.6) == 800
    calm = told_of(of_crossings(window_of(np.full((1000, 1), 20.0))), np.full((1000, 1), 0.2, np.float32))
    assert calm.split(0.6) == 600
