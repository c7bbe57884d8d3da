"""The whole of a calibration: what it says where a model helps, where it misleads later, and where little happened."""

from __future__ import annotations

import numpy as np
import pytest

from tft_dash.calibrating.cases import Told
from tft_dash.calibrating.truth import of_crossings
from tft_dash.calibrating.work import LEAST_EARLIER, LEAST_LATER, Outcomes, fleet_calibration
from tft_dash.errors import DataError
from tft_dash.models.calibrated.document import FleetCalibration
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.schema import Window
from tft_dash.sources.memory import MemorySource

TICKS = 288 * 20
FALSE_SHARE = 0.5


def history(incidents: int, *, misled: bool = False) -> Outcomes:
    """One server with incidents at even distances, each announced half an hour before; later falsely, if misled."""
    cpu = np.full((TICKS, 1), 20.0, np.float32)
    chance = np.full((TICKS, 1), 0.02, np.float32)
    for begin in np.linspace(200, TICKS - 200, incidents).astype(int):
        cpu[begin : begin + 3] = 99.0
        chance[begin - 6 : begin] = 0.6
    if misled:  # false alarms without end in the last fifth, though incidents are announced as before
        late = np.arange(TICKS) > TICKS * 8 // 10
        false = late & (np.random.default_rng(1).random(TICKS) < FALSE_SHARE)
        chance[false] = 0.6
    start = np.datetime64("2026-01-01T00:00:00", "ms")
    window = Window(start, 300.0, ("web-1",), ("web",), {"cpu_pct": cpu})
    told = Told(300.0, chance, chance, chance[:, 0], chance[:, 0], of_crossings(window))
    return Outcomes((MemorySource(window, name="fleet").describe(),), (told,), "threshold crossings")


def made(outcomes: Outcomes) -> FleetCalibration:
    return fleet_calibration(outcomes, ThresholdModel.card, "ours-1", ("fleet",))


def test_where_the_model_helps_its_word_stays_and_the_later_part_shows_it() -> None:
    found = made(history(40))
    assert found.server["30m"].slope > 0.3
    change = found.record["server 30m"]
    assert change.after.brier_skill[0] > max(change.before.brier_skill[0], 0.5)  # type: ignore[operator, type-var]
    assert found.incidents == 40
    assert found.later_incidents == 16


def test_where_the_later_part_shows_that_it_misleads_the_usual_rate_is_stated() -> None:
    found = made(history(40, misled=True))
    assert found.record["server 30m"].after.skill_over_before[2] < 0.0  # type: ignore[operator]
    assert found.server["30m"].slope == 0.0
    assert found.whole["server 30m"].brier_skill[0] == pytest.approx(0.0, abs=1e-9)


def test_too_few_incidents_are_refused_with_their_number_and_the_least() -> None:
    assert made(history(LEAST_EARLIER + LEAST_LATER + 1)).incidents == LEAST_EARLIER + LEAST_LATER + 1
    with pytest.raises(DataError, match=r"There are 7 incidents .* and 9 are the least: 6 to fit to, and 3 later"):
        made(history(7))
    with pytest.raises(DataError, match="There is 1 incident in this history"):
        made(history(1))


def test_a_history_shorter_than_a_horizon_is_refused_in_words() -> None:
    whole = history(40)
    short = whole.told[0]
    cut = Told(300.0, *(part[:90] for part in (short.soon, short.late, short.fleet_soon, short.fleet_late)),
               of_crossings(Window(np.datetime64("2026-01-01", "ms"), 300.0, ("web-1",), ("web",),
                                   {"cpu_pct": np.where(np.arange(90) % 9 == 8, 99.0, 20.0)[:, None]
                                    .astype(np.float32)})))  # fmt: skip
    with pytest.raises(DataError, match="Nothing was changed"):
        made(Outcomes(whole.about, (cut,), "threshold crossings"))
