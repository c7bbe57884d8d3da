"""The models' page in words: what each model is, whether its word is kept, and the truth beside simpler methods."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from support.forecasts import TFT, VERSIONS, empty_evidence, evidence, reliability, scores
from support.frames import CARD

from tft_dash.models.forecasting.evidence import Alarms, Evidence, Horizon, OneFleet, PlainScores, ReliabilityBin
from tft_dash.models.scripted import ScriptedModel
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.pages.models import alarming, page, trust
from tft_dash.pages.models.page import SIMULATED
from tft_dash.pages.models.scores import comparison, verdict

CARDS = (ThresholdModel.card, ScriptedModel.card, TFT)


def text_of(component: Any) -> str:
    """All words, in order, each element set apart."""
    if isinstance(component, list | tuple):
        return " ".join(filter(None, map(text_of, component)))
    if component is None or isinstance(component, str | int | float):
        return "" if component is None else str(component)
    return text_of(getattr(component, "children", None))


def ids_of(component: Any) -> set[str]:
    if isinstance(component, list | tuple):
        return {name for each in component for name in ids_of(each)}
    own = {component.id} if isinstance(getattr(component, "id", None), str) else set()
    return own | (ids_of(component.children) if hasattr(component, "children") else set())


def shown(found: Evidence | None = None, cards: Any = CARDS) -> str:
    return text_of(page.layout(cards, "thresholds", VERSIONS, found))


def soon(found: Evidence) -> Horizon:
    return found.horizons["30m"]


def test_every_model_is_told_in_words() -> None:
    words = shown(evidence())
    assert "Adaptive thresholds thresholds pages start with it uncalibrated" in words
    assert "Scripted scripted uncalibrated reads the script" in words
    assert "calibrated trained on simulated fleets" in words
    assert "Needs first 60 min of a server's history" in words
    assert "Step 5 min; finer steps are averaged, coarser ones refused" in words
    assert "Learnt from 240 simulated servers over 28 days" in words
    assert "Learnt from nothing: it has no learnt weights" in words
    assert "Reads CPU, Memory, Latency, Error rate, Disk I/O, Network in, Network out, GC pause" in words


def test_a_simulated_models_page_says_what_its_probabilities_are_not() -> None:
    assert SIMULATED in shown(evidence())
    assert "tft-dash calibrate SOURCE" in shown(evidence())
    assert SIMULATED not in shown(None, cards=(CARD,))


def test_a_model_without_evidence_says_so_and_asks_for_no_figure() -> None:
    layout = page.layout(CARDS, "thresholds", (), None)
    words = text_of(layout)
    assert "Forecast v2026.11 has not been measured" in words
    assert "No trained model is installed" in words
    assert not any(name.startswith("models-") for name in ids_of(layout) - {"models-banner"})
    assert "No model that forecasts is installed" in text_of(page.layout((CARD,), "thresholds", (), None))


def test_a_model_that_is_there_and_refused_is_not_called_missing() -> None:
    told = text_of(page.layout((CARD,), "thresholds", VERSIONS, None, ["model.onnx is cut off. Copy it again."]))
    assert "No model that forecasts can be used; the reason stands above." in told
    untold = text_of(page.layout((CARD,), "thresholds", VERSIONS, None))
    assert "No model that forecasts can be used; the reason stands beside each version below." in untold
    assert "is installed." not in told + untold


def test_a_problem_with_the_evidence_is_told_and_the_rest_stands() -> None:
    words = text_of(page.layout(CARDS, "thresholds", VERSIONS, None, ["evidence.json is cut off. Copy it."]))
    assert "evidence.json is cut off" in words
    assert "cannot be read; the reason stands above" in words
    assert "has not been measured" not in words
    assert "Adaptive thresholds" in words


def test_the_page_stands_with_nothing_measured() -> None:
    words = shown(empty_evidence())
    assert "Nothing was measured." in words
    assert "Within 30 min it was not measured beside gradient boosting." in words
    assert "Its alarms were not measured." in words
    assert "nan" not in words.lower()
    assert shown(evidence(horizons={}, alarms={})).count("Nothing was measured.") == 3


def test_what_was_said_is_held_against_what_happened_in_sentences() -> None:
    told = trust.sentences(reliability(0.5))
    assert told[3] == "When it said 60–80%, it happened in 35% of 410 cases."
    assert len(told) == 5
    few = (ReliabilityBin(low=0.8, high=1.0, count=4, said=0.9, happened=(0.75, None, None)),)
    assert trust.sentences(few) == ["When it said 80–100%, it happened in 75% of 4 cases: too few to tell."]


def test_few_ranges_and_those_that_do_not_fit_into_fifths_are_told_as_they_are() -> None:
    odd = tuple(
        ReliabilityBin(low=low, high=high, count=50, said=(low + high) / 2, happened=(0.5, 0.4, 0.6))
        for low, high in ((0.0, 0.3), (0.3, 1.0))
    )
    assert trust.sentences(odd) == [
        "When it said 0–30%, it happened in 50% of 50 cases (40% to 60%).",
        "When it said 30–100%, it happened in 50% of 50 cases (40% to 60%).",
    ]
    thirds = [one.model_copy(update={"low": at / 9, "high": (at + 1) / 9}) for at, one in enumerate(reliability()[:9])]
    assert len(trust.sentences(thirds)) == 9


def test_bins_without_a_case_or_a_measure_are_left_out() -> None:
    holes = (
        ReliabilityBin(low=0.0, high=0.2, count=0, said=math.nan, happened=(math.nan, None, None)),
        ReliabilityBin(low=0.2, high=0.4, count=8, said=0.3, happened=(None, None, None)),
    )
    assert trust.sentences(holes) == []


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.03, 0.02, 0.04), ("better than gradient boosting by 0.030 of Brier skill (95% interval of the difference: "
                             "0.020 to 0.040).")),
        ((-0.02, -0.03, -0.01), ("behind gradient boosting by 0.020 of Brier skill (95% interval of the difference: "
                                "−0.030 to −0.010): the simpler method is better here.")),
        ((-0.02, -0.05, 0.01), ("no difference to gradient boosting can be told: behind by 0.020 of Brier skill, which "
                               "may be chance (95% interval of the difference: −0.050 to 0.010).")),
        ((0.01, None, None), ("ahead of gradient boosting by 0.010 of Brier skill; whether that is chance was not "
                             "measured.")),
        (None, "ahead of gradient boosting by 0.032 of Brier skill; whether that is chance was not measured."),
        ((math.nan, math.nan, math.nan), "ahead of gradient boosting by 0.032"),
    ],
)  # fmt: skip
def test_the_truth_about_gradient_boosting_comes_from_the_numbers(interval: Any, words: str) -> None:
    horizon = soon(evidence())
    own = horizon.models["tft"].model_copy(update={"skill_minus_gradient_boosting": interval})
    changed = horizon.model_copy(update={"models": {**horizon.models, "tft": own}})
    assert words in verdict(evidence(), changed, "30 min")


def test_the_page_says_at_which_horizon_the_model_is_behind() -> None:
    words = shown(evidence(lead_30m=0.03, lead_8h=-0.02))
    assert "Within 30 min it is better than gradient boosting" in words
    assert "Within 8 h it is behind gradient boosting" in words


def test_the_best_value_of_each_column_is_marked_by_a_word() -> None:
    found = evidence()
    one = Horizon(minutes=30, count=10, positives=1, models={
        "tft": scores(0.5, 0.9, 0.01), "gradient-boosting": scores(0.6, 0.8, 0.02), "climatology": scores(0, 0.5, 0),
    })  # fmt: skip
    words = re.sub(r"\s+", " ", text_of(comparison(found.model_copy(update={"horizons": {"30m": one}}))))
    assert words.count("best") == 3 + 1  # three columns, and the gloss
    assert "0.600 best 0.580 to 0.620" in words
    assert "0.900 best 0.896 to 0.904" in words
    assert "0.0100 best" in words
    lone = Horizon(minutes=30, count=10, positives=1, models={"tft": scores(0.5, 0.9, 0.01)})
    alone = text_of(comparison(found.model_copy(update={"horizons": {"30m": lone}})))
    assert alone.count("best") == 1


def test_an_alarm_is_told_by_what_it_brings_and_costs() -> None:
    words = alarming.chosen_words(evidence())
    assert words.startswith("An alarm at a probability of 50% or more within 30 minutes would have caught 88% of 412")
    assert "half of those at least 52 min ahead" in words
    assert "1.00 false alarms per server and week" in words
    assert "Gradient boosting, under the same limits, would have caught 88%" in words
    none = evidence(alarms={"tft": Alarms(chosen=None, curve=(), lead_minutes=())})
    assert "no alarm on it can be recommended" in alarming.chosen_words(none)


def test_profiles_kinds_and_blind_spots_stand_with_their_numbers() -> None:
    words = shown(evidence())
    assert "web 103 97% 55 min 0.650 0.160" in words
    assert "sudden 33 0% —" in words
    assert "Sudden incidents: nothing in the metrics precedes them." in words
    assert "On a fleet whose days run at other hours the bands of the metrics lie beside its rhythm" in words
    assert "days run at other hours" not in shown(evidence(simulated=False))


def test_the_figures_can_be_made_anew_and_are_named_by_a_digest() -> None:
    words = shown(evidence())
    assert "tft-dash evaluate --model tft --servers 24 --days 28 --seed 900" in words
    assert "ab" * 32 in words
    assert "seed 900, seed 901 (simulated)" in words


def test_versions_are_listed_with_their_use_and_their_problem() -> None:
    words = shown(evidence())
    assert "2026.11 answers 2026-11-26 240 simulated servers simulated shipped" in words
    assert "2026.10 ready 2026-10-02 our own fleet" in words
    assert "broken refused model.onnx has another digest than card.json says. Copy it. — —" in words


def test_each_fleet_is_told_beside_the_mean_of_them() -> None:
    fleets = tuple(one_fleet(f"seed {seed}", skill) for seed, skill in ((900, 0.5), (901, 0.7)))
    words = shown(evidence(each=fleets, mean=one_fleet("mean", 0.6)))
    assert "Each fleet alone" in words
    assert "Mean of 2" in words
    assert all(part in words for part in ("seed 901", "0.500", "0.700", "0.600", "40 min"))
    assert "Each fleet alone" not in shown(evidence())
    unknown = fleets[0].model_copy(update={"horizons": {}, "recall": None, "median_lead_minutes": None})
    assert "nan" not in shown(evidence(each=(unknown, unknown), mean=unknown)).lower()


def one_fleet(source: str, skill: float) -> OneFleet:
    rows = {"tft": PlainScores(brier_skill=skill, auc=0.9, calibration_error=0.001)}
    return OneFleet(
        source=source, servers=24, incidents=200, horizons={"30m": rows, "8h": rows}, recall=0.9,
        median_lead_minutes=40.0, false_per_server_week=0.9, share_in_alarm=0.02, pinball_ratio=0.7, coverage_80=0.8,
    )  # fmt: skip
