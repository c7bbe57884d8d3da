"""A fitted calibration: whose probabilities it restates, for which fleet, from what, and what it was worth later."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tft_dash.models.forecasting.calibration import HorizonName, Line
from tft_dash.models.forecasting.card import VERSION_PATTERN
from tft_dash.models.forecasting.evidence import Interval

SHARED_LEAST = 0.5
"""A calibration speaks for a source of whose servers it has met at least this share."""

Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Quality(_Part):
    """Probabilities held against what happened on later data; None where that cannot be said.

    :param brier_skill: against always saying the frequency of what happened there.
    :param skill_over_before: against always saying the frequency of the earlier data, all that could be known.
    :param said: on average.
    :param happened: how often.
    """

    rows: Count
    positives: Count
    brier: Interval
    brier_skill: Interval
    skill_over_before: Interval
    calibration_error: Interval
    log_loss: Interval
    auc: float | None
    said: float | None
    happened: float | None


class Change(_Part):
    """One horizon's probabilities before and after, on the same later rows."""

    before: Quality
    after: Quality


class FleetCalibration(_Part):
    """What ``tft-dash calibrate`` writes.

    :param model: the name of the risk model, and
    :param model_identity: which content of it; another version's probabilities are not restated by this.
    :param sources: the names of the sources that it is for.
    :param servers: those that it has met.
    :param outcomes: where the outcomes came from, in words.
    :param server: a line per horizon for single servers.
    :param fleet: a line per horizon for the whole fleet.
    :param incidents: in the whole history that the lines were fitted to.
    :param later_incidents: of those, in the later part that measured.
    :param whole: what the lines that are written say of the rows that they were fitted to; flattering, by its nature.
    :param record: ``server 30m``, ``fleet 8h``, … → what the fit to the earlier part was worth on the later one.
    """

    format: Literal["tft-dash/fleet-calibration/1"] = "tft-dash/fleet-calibration/1"
    name: str = Field(pattern=VERSION_PATTERN)
    created: datetime
    model: str = Field(min_length=1, max_length=100)
    model_identity: str = Field(min_length=1, max_length=300)
    sources: tuple[str, ...] = Field(min_length=1)
    servers: tuple[str, ...] = Field(min_length=1)
    outcomes: str = Field(min_length=1, max_length=500)
    span: str = Field(max_length=200)
    server: dict[HorizonName, Line]
    fleet: dict[HorizonName, Line]
    rows: Count
    incidents: Count
    later_incidents: Count
    whole: dict[str, Quality]
    record: dict[str, Change]

    @property
    def words(self) -> str:
        """What it was fitted on, for people."""
        return f"{self.name}: fitted on {self.incidents} incidents of {', '.join(self.sources)} ({self.outcomes})"

    @property
    def digest(self) -> str:
        """Identifies the content."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def unmet(self, servers: tuple[str, ...]) -> str | None:
        """Why it does not speak for a fleet of these servers, as the rest of a sentence; None = it does."""
        met = len(set(servers) & set(self.servers))
        if servers and met >= SHARED_LEAST * len(set(servers)):
            return None
        return f"it has met {met} of the {len(set(servers))} servers here, and half is the least"
