"""Forecasts and evidence made by hand, for tests of the view."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tft_dash.answering import Answering
from tft_dash.errors import DataError, TftDashError
from tft_dash.frame import Crossing, ModelVersion, ServerForecast
from tft_dash.models.base import RiskModel
from tft_dash.models.forecasting.evidence import (
    AlarmPoint,
    Alarms,
    Bands,
    Evidence,
    Group,
    Horizon,
    ModelScores,
    ReliabilityBin,
)
from tft_dash.models.forecasting.layout import CONTEXT, NODES, QUANTILES, TARGETS
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.schema import METRIC_NAMES, THRESHOLDS, ModelCard
from tft_dash.services import Services
from tft_dash.settings import Settings

TFT = ModelCard(
    name="tft",
    title="Forecast",
    version="2026.11",
    summary="Reads the last 8 hours of a server and says how likely it turns critical.",
    calibrated=True,
    uses_labels=False,
    step_seconds=300.0,
    context_ticks=12,
    horizons_minutes=(30, 480),
    metrics=METRIC_NAMES,
    trained_on="240 simulated servers over 28 days",
    simulated=True,
    forecasts=True,
)
VERSIONS = (
    ModelVersion("2026.11", "Forecast", "2026-11-26", "240 simulated servers", True, True, True, None),
    ModelVersion("2026.10", "Forecast", "2026-10-02", "our own fleet", False, False, False, None),
    ModelVersion(
        "broken", "", "", "", None, False, False, "model.onnx has another digest than card.json says. Copy it."
    ),
)


def forecast_at(tick: int = 100, server: int = 0, **parts: Any) -> ServerForecast:
    """A rising CPU that crosses its critical line after 35 minutes."""
    minutes = np.array([5.0 * node for node in NODES], np.float32)
    spread = (np.array(QUANTILES) - 0.5)[None, :] * np.sqrt(minutes)[:, None]
    quantiles = {}
    for place, name in enumerate(TARGETS):
        limit = THRESHOLDS[name].critical
        middle = limit * (0.5 + 0.1 * place + 0.0001 * tick) + (limit * minutes / 70 if place == 0 else 0)
        values = np.maximum(np.minimum(middle, 1.05 * limit)[..., None] + spread * limit / 40, 0)
        quantiles[name] = values.astype(np.float32)
    crossings = {name: Crossing(None, None) for name in TARGETS}
    crossings |= {"cpu_pct": Crossing(35.0, 20.0), "mem_pct": Crossing(None, 135.0)}
    selection = dict.fromkeys(METRIC_NAMES, 0.09) | {"cpu_pct": 0.3, "hour": 0.05, "missing": 0.02}
    attention = np.linspace(0.1, 1, CONTEXT, dtype=np.float32)
    made: dict[str, Any] = {
        "server": server, "tick": tick, "step_minutes": 5.0, "minutes": minutes, "levels": QUANTILES,
        "quantiles": quantiles, "chance": (1 - np.exp(-minutes / 300)).astype(np.float32), "prob_30m": 0.34,
        "prob_8h": 0.72, "selection": selection, "attention": attention / attention.sum(), "confidence": 1.0,
        "crossings": crossings,
    }  # fmt: skip
    return ServerForecast(**{**made, **parts})


def unknown_forecast(tick: int = 100, confidence: float = 0.0) -> ServerForecast:
    """What is answered where nothing can be said."""
    known = forecast_at(tick)
    gone = {name: np.full_like(values, np.nan) for name, values in known.quantiles.items()}
    return replace(
        known, quantiles=gone, chance=np.full_like(known.chance, np.nan), prob_30m=float("nan"),
        prob_8h=float("nan"), selection=dict.fromkeys(known.selection, float("nan")),
        attention=np.full_like(known.attention, np.nan), confidence=confidence,
        crossings={name: Crossing(None, None) for name in known.crossings},
    )  # fmt: skip


def reliability(scale: float = 1.0) -> tuple[ReliabilityBin, ...]:
    """Ten bins: what was said and, times ``scale``, what happened."""
    found = []
    for place in range(10):
        middle = (place + 0.5) / 10
        happened = min(middle * scale, 1.0)
        count = 120_000 if place == 0 else 12 if place == 9 else 400 - 30 * place
        bounds = (max(happened - 0.05, 0.0), min(happened + 0.05, 1.0))
        found.append(ReliabilityBin(low=place / 10, high=(place + 1) / 10, count=count, said=middle,
                                    happened=(happened, *bounds)))  # fmt: skip
    return tuple(found)


def scores(skill: float, auc: float, error: float, lead: float | None = None) -> ModelScores:
    """The scores of one model; ``lead``: its skill minus that of gradient boosting."""
    around = None if lead is None else (lead, lead - 0.01, lead + 0.01)
    return ModelScores(
        brier_skill=(skill, skill - 0.02, skill + 0.02), auc=(auc, auc - 0.004, auc + 0.004),
        pr_auc=(skill, None, None), calibration_error=(error, error * 0.8, error * 1.3),
        skill_minus_gradient_boosting=around, reliability=reliability(),
    )  # fmt: skip


def evidence(lead_30m: float = 0.03, lead_8h: float = -0.02, **parts: Any) -> Evidence:
    """Evidence of ``tft`` on simulated fleets: ahead of gradient boosting at 30 minutes, behind at 8 hours."""
    soon = {
        "tft": scores(0.635, 0.983, 0.0012, lead_30m), "gradient-boosting": scores(0.603, 0.97, 0.0010),
        "thresholds": scores(0.21, 0.9, 0.02), "persistence": scores(-0.2, 0.6, 0.01),
        "climatology": scores(0.0, 0.5, 0.0002),
    }  # fmt: skip
    late = {**soon, "tft": scores(0.156, 0.717, 0.008, lead_8h), "gradient-boosting": scores(0.176, 0.72, 0.007)}
    curve = tuple(
        AlarmPoint(threshold=place / 20, false_per_server_week=4 * (1 - place / 20) ** 2,
                   share_in_alarm=0.05 * (1 - place / 20), recall=1 - (place / 20) ** 3, precision=0.4 + place / 40,
                   median_lead_minutes=52.0)
        for place in range(1, 20)
    )  # fmt: skip
    leads = tuple(float(value) for value in range(5, 140, 3))
    made: dict[str, Any] = {
        "format": "tft-dash/evidence/1", "model": "tft", "version": "2026.11",
        "command": "tft-dash evaluate --model tft --servers 24 --days 28 --seed 900", "simulated": True,
        "sources": ("seed 900", "seed 901"), "servers": 48, "days": 28.0, "incidents": 412, "digest": "ab" * 32,
        "horizons": {
            "30m": Horizon(minutes=30, count=380_000, positives=3_400, models=soon),
            "8h": Horizon(minutes=480, count=380_000, positives=48_000, models=late),
        },
        "alarms": {
            "tft": Alarms(chosen=curve[9], curve=curve, lead_minutes=leads),
            "gradient-boosting": Alarms(chosen=curve[9], curve=curve[3:], lead_minutes=leads),
        },
        "bands": (Bands(metric="cpu_pct", pinball_ratio=(0.67, 0.65, 0.69), best_naive="the same hour yesterday",
                        coverage_80=(0.803, 0.79, 0.81)),),
        "pinball_ratio": (0.668, 0.66, 0.68), "coverage_80": (0.803, 0.79, 0.81),
        "by_profile": (Group(name="web", servers=12, incidents=103, recall=0.97, median_lead_minutes=55.0,
                             brier_skill_30m=0.65, brier_skill_8h=0.16),),
        "by_kind": (Group(name="ramp", incidents=300, recall=0.99, median_lead_minutes=58.0),
                    Group(name="sudden", incidents=33, recall=0.0, median_lead_minutes=None)),
        "blind_spots": ("Sudden incidents: nothing in the metrics precedes them.",),
    }  # fmt: skip
    return Evidence(**{**made, **parts})


def empty_evidence() -> Evidence:
    """Evidence in which nothing could be measured."""
    nothing = (None, None, None)
    blank = ModelScores(
        brier_skill=nothing, auc=nothing, pr_auc=nothing, calibration_error=nothing,
        skill_minus_gradient_boosting=None, reliability=(),
    )  # fmt: skip
    horizon = Horizon(minutes=30, count=0, positives=0, models={"tft": blank})
    return evidence(
        horizons={"30m": horizon}, alarms={}, bands=(), pinball_ratio=nothing, coverage_80=nothing, by_profile=(),
        by_kind=(), blind_spots=(), incidents=0, sources=(),
    )  # fmt: skip


class Forecasting(ThresholdModel):
    """The model ``thresholds`` under the card of one that forecasts."""

    card = TFT


class ForecastServices(Services):
    """Services with a forecast model made by hand beside the registered ones.

    :param evidence: what is known of it: evidence, None, or the error that reading it ends with.
    :param refused: why the model cannot be loaded; None = it can.
    """

    def __init__(
        self, settings: Settings, evidence: Evidence | TftDashError | None, refused: str | None = None, **parts: Any
    ) -> None:
        super().__init__(settings, **parts)
        self._evidence = evidence
        self._refused = refused

    def model(self, name: str) -> RiskModel:
        if name == "tft" and self._refused:
            raise DataError(self._refused)
        return Forecasting() if name == "tft" else super().model(name)

    def answering(self, source: str, model: str) -> Answering:
        if model != "tft":
            return super().answering(source, model)
        return (
            Answering(super().model("thresholds"), self._refused) if self._refused else Answering(Forecasting(), None)
        )

    def artefacts(self) -> tuple[ModelVersion, ...]:
        return VERSIONS

    def model_evidence(self, name: str) -> Evidence | None:
        if isinstance(self._evidence, TftDashError):
            raise self._evidence
        return self._evidence if name == "tft" else None

    def forecast(self, source: str, tick: int, server: int) -> ServerForecast | None:
        assert source in self.source_names()
        return unknown_forecast(tick) if tick < 12 else forecast_at(tick, server, confidence=min(tick / 40, 1.0))
