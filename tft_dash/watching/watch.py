"""The drift watch of a source: made once by one process, kept as a document beside the assessments, read by all."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from tft_dash.artefacts import build_once
from tft_dash.assessing import assess_source
from tft_dash.errors import DataError
from tft_dash.frame import SourceDescription
from tft_dash.models.base import RiskModel
from tft_dash.models.calibrated.model import CalibratedModel
from tft_dash.models.forecasting.calibration import HorizonName
from tft_dash.progress import Progress, silent
from tft_dash.schema import ModelCard
from tft_dash.sources.base import START, Source
from tft_dash.watching.sums import WindowFigures, sliding
from tft_dash.watching.verdict import DriftState, Verdict, verdicts

LAYOUT_VERSION: Final = "2"
DAY_SECONDS: Final = 86_400.0
DRIFT_FILE: Final = "drift.json"

Real = Annotated[float | None, BeforeValidator(lambda value: None if _missing(value) else value)]
"""None where there is nothing to say."""


def _missing(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class ChanceWatch(_Part):
    """See :class:`tft_dash.watching.sums.ChanceFigures`."""

    rows: int
    said: Real
    happened: Real
    calibration_error: Real
    brier: Real
    brier_skill: Real
    announced: float
    incidents: float


class DriftPoint(_Part):
    """What is known at the end of one sliding window.

    :param tick: the last tick of the window.
    :param since: tick at which the state began.
    :param coverage: metric → the share within the 80 % band, and of how many values.
    """

    tick: int
    state: DriftState
    reasons: tuple[str, ...]
    since: int
    forecasts: int
    coverage: dict[str, tuple[Real, int]]
    chances: dict[HorizonName, ChanceWatch]


class Drift(_Part):
    """The watch of one source by one model.

    :param days: that the window spans.
    :param points: in order of time.
    """

    format: Literal["tft-dash/drift/1"] = "tft-dash/drift/1"
    model: str
    version: str
    fitted: str
    days: float
    least: int
    step_seconds: float
    start: str
    points: tuple[DriftPoint, ...]

    def at(self, tick: int) -> DriftPoint | None:
        """What was known at a tick; None before the end of the first window."""
        ended = [point for point in self.points if point.tick <= tick]
        return ended[-1] if ended else None


def drift_folder(cache: Path, about: SourceDescription, card: ModelCard, days: float, least: int) -> Path:
    """Where the watch of a recording by a model lies; equal content, model and settings mean an equal place."""
    identity = "\n".join([LAYOUT_VERSION, about.digest, card.identity, f"{days:g} {least}"])
    return cache / "drift" / hashlib.sha256(identity.encode()).hexdigest()[:32]


def watch_source(
    source: Source, model: RiskModel, cache: Path, *, days: float, least: int, progress: Progress = silent
) -> Drift:
    """The watch of a whole recording, computed unless it lies in ``cache``.

    :param days: that the sliding window spans, in the fleet's time.
    :param least: judged forecasts below which there is too little evidence.
    :raises DataError: the model forecasts no bands.
    :raises StorageError: the cache cannot be written.
    """
    about = source.describe()
    folder = drift_folder(cache, about, model.card, days, least)

    def build(work: Path, report: Progress) -> None:
        made = _watched(source, model, cache, (days, least), report)
        (work / DRIFT_FILE).write_text(made.model_dump_json())

    build_once(folder, build, progress, usable=lambda place: read_drift(place) is not None)
    found = read_drift(folder)
    if found is None:  # somebody emptied the cache meanwhile
        raise DataError(f"The watch of '{about.name}' was removed while it was read. Ask again.")
    return found


def read_drift(folder: Path) -> Drift | None:
    """The watch in a folder; None where there is none that can be read."""
    try:
        return Drift.model_validate_json((folder / DRIFT_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def _watched(source: Source, model: RiskModel, cache: Path, limits: tuple[float, int], progress: Progress) -> Drift:
    from tft_dash.models.tft import TftModel  # noqa: PLC0415 - only a process that forecasts needs onnxruntime
    from tft_dash.watching.judging import judged_bands, judged_chances  # noqa: PLC0415 - likewise

    base = model.base if isinstance(model, CalibratedModel) else model
    if not isinstance(base, TftModel):
        raise DataError(f"'{model.card.name}' forecasts no bands; there is nothing to watch.")
    about = source.describe()
    said = assess_source(source, model, cache, lambda share: progress(0.6 * share)).assessments
    window = source.read(START, about.ticks or 0).window
    bands = judged_bands(base.runtime, window, lambda share: progress(0.6 + 0.35 * share), base.zone)
    seconds = (about.ticks or 1) * about.step_seconds
    windows = sliding(bands, judged_chances(said, window), seconds=seconds, window_seconds=limits[0] * DAY_SECONDS)
    return drift_of(windows, model.card, about, limits)


def drift_of(
    windows: Sequence[WindowFigures], card: ModelCard, about: SourceDescription, limits: tuple[float, int]
) -> Drift:
    """The watch that these windows make.

    :param limits: days that a window spans, and the least judged forecasts.
    """
    found = verdicts(windows, limits[1])
    return Drift(
        model=card.name,
        version=card.version,
        fitted=card.fitted,
        days=limits[0],
        least=limits[1],
        step_seconds=about.step_seconds,
        start=str(about.start.astype("datetime64[s]")),
        points=tuple(_point(one, verdict, about) for one, verdict in zip(windows, found, strict=True)),
    )


def _point(window: WindowFigures, verdict: Verdict, about: SourceDescription) -> DriftPoint:
    chances: Mapping[Any, Any] = window.chances
    return DriftPoint(
        tick=_tick(window.end_seconds, about),
        state=verdict.state,
        reasons=verdict.reasons,
        since=_tick(verdict.since_seconds, about),
        forecasts=window.forecasts,
        coverage=dict(window.coverage),
        chances={name: ChanceWatch.model_validate(one) for name, one in chances.items()},
    )


def _tick(seconds: float, about: SourceDescription) -> int:
    """The last tick before so many seconds have passed."""
    return max(int(np.ceil(seconds / about.step_seconds - 1e-6)) - 1, 0)
