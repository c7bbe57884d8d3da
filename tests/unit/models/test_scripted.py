from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.models.windows import fleet, troubled
from tft_dash.errors import DataError
from tft_dash.models.scripted import ScriptedModel
from tft_dash.models.thresholds import ThresholdModel

STORY = ("stable",) * 18 + ("escalation",) * 12 + ("peak",) * 12 + ("recovery",) * 18


def test_it_says_that_it_reads_the_script() -> None:
    card = ScriptedModel().card
    assert card.uses_labels
    assert "script" in card.summary


@pytest.mark.parametrize("tempo", [1, 5])
def test_the_probability_follows_the_phases_at_any_tempo(tempo: int) -> None:
    story = tuple(phase for phase in STORY for _ in range(tempo))
    soon = ScriptedModel().assess_recording(fleet(60 * tempo, phases=story)).prob_30m
    assert soon[17 * tempo] == pytest.approx(0.1)
    assert 0.3 < soon[24 * tempo] < 0.6
    assert 0.7 < soon[41 * tempo] < 0.9
    assert soon[-1] < 0.2
    assert np.abs(np.diff(soon)).max() < 0.2


def test_risks_and_drivers_come_from_the_metrics() -> None:
    window = troubled()
    scripted, measured = ScriptedModel().assess_recording(window), ThresholdModel().assess_recording(window)
    np.testing.assert_array_equal(scripted.risk, measured.risk)
    np.testing.assert_array_equal(scripted.driver_metric, measured.driver_metric)


def test_a_phase_with_another_name_has_no_probability() -> None:
    window = replace(troubled(), phases=("stable",) * 20 + ("rehearsal",) * 14 + (None,) * 14)
    scripted = ScriptedModel().assess_recording(window)
    assert np.isnan(scripted.prob_30m[20:]).all()
    assert np.isnan(scripted.prob_8h[20:]).all()
    assert (scripted.prob_30m[:20] == np.float32(0.1)).all()


def test_a_source_without_a_script_is_refused() -> None:
    for ask in (ScriptedModel().assess, ScriptedModel().assess_recording):
        with pytest.raises(DataError, match="Choose the model 'thresholds'"):
            ask(fleet(phases=None))
