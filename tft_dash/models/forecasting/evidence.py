"""How far a forecast model can be trusted, as measured: what ``tft-dash evaluate`` writes and ``/models`` shows.

Every interval is ``(value, low, high)``: the estimate with the bounds of its 95 % bootstrap interval over servers.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Interval = tuple[float | None, float | None, float | None]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReliabilityBin(_Part):
    """Forecasts between ``low`` and ``high``: what was said on average, and how often it happened."""

    low: float
    high: float
    count: int
    said: float
    happened: Interval


class ModelScores(_Part):
    """One model's probabilities at one horizon."""

    brier_skill: Interval
    auc: Interval
    pr_auc: Interval
    calibration_error: Interval
    skill_minus_gradient_boosting: Interval | None = Field(None, description="Paired over the same servers.")
    reliability: tuple[ReliabilityBin, ...]


class AlarmPoint(_Part):
    """What one threshold on P(30 min) of a server gives."""

    threshold: float
    false_per_server_week: float
    share_in_alarm: float
    recall: float
    precision: float
    median_lead_minutes: float | None


class Alarms(_Part):
    """Alarms of one model, judged by episodes; ``chosen`` is the lowest threshold with at most one false alarm per
    server-week and 3 % of ticks in alarm."""

    chosen: AlarmPoint | None
    curve: tuple[AlarmPoint, ...]
    lead_minutes: tuple[float, ...] = Field(description="Lead of every caught incident at the chosen threshold.")


class Horizon(_Part):
    """One horizon; ``models`` by name: tft, gradient-boosting, thresholds, persistence, climatology."""

    minutes: int
    count: int
    positives: int
    models: dict[str, ModelScores]


class Group(_Part):
    """The model on a part of the servers or incidents: a profile, or a kind of incident."""

    name: str
    servers: int | None = None
    incidents: int
    recall: float | None
    median_lead_minutes: float | None
    brier_skill_30m: float | None = None
    brier_skill_8h: float | None = None


class Bands(_Part):
    """The forecast bands of one metric."""

    metric: str
    pinball_ratio: Interval = Field(description="Pinball loss against the best naive forecast; below 1 is better.")
    best_naive: str
    coverage_80: Interval


class PlainScores(_Part):
    """One model's scores without intervals; None where nothing happened to hold it against."""

    brier_skill: float | None
    auc: float | None
    calibration_error: float | None
    skill_minus_gradient_boosting: float | None = None


class OneFleet(_Part):
    """One fleet alone, with its own alarm threshold; or the mean of several."""

    source: str
    servers: int
    incidents: int
    horizons: dict[Literal["30m", "8h"], dict[str, PlainScores]]
    recall: float | None = Field(description="At the lowest threshold that keeps to the bounds on this fleet.")
    median_lead_minutes: float | None
    false_per_server_week: float | None
    share_in_alarm: float | None
    pinball_ratio: float | None
    coverage_80: float | None


class Evidence(_Part):
    """Everything measured of a model on one set of histories."""

    format: Literal["tft-dash/evidence/1"]
    model: str
    version: str
    command: str = Field(description="The one command that makes it anew.")
    simulated: bool
    sources: tuple[str, ...] = Field(description="Seeds of simulated fleets, or names of recordings.")
    servers: int
    days: float
    incidents: int
    digest: str = Field(description="SHA-256 of everything else in canonical form.")
    horizons: dict[Literal["30m", "8h"], Horizon]
    alarms: dict[str, Alarms]
    bands: tuple[Bands, ...]
    pinball_ratio: Interval
    coverage_80: Interval
    fleet: dict[Literal["30m", "8h"], tuple[ReliabilityBin, ...]] = Field(
        default={}, description="Reliability of the probabilities of whole fleets; empty where it was not measured."
    )
    each: tuple[OneFleet, ...] = Field(
        default=(), description="Every fleet alone; empty in evidence of before it was measured."
    )
    mean: OneFleet | None = Field(default=None, description="Of ``each``; None where there are not two.")
    by_profile: tuple[Group, ...]
    by_kind: tuple[Group, ...]
    blind_spots: tuple[str, ...]
