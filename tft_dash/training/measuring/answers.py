"""What the model and every reference said of some rows; on disk where there are many, and read part by part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import StorageError, shorten
from tft_dash.models.forecasting.calibration import Calibration
from tft_dash.progress import Progress, silent
from tft_dash.training.building import Gathered
from tft_dash.training.histories import Histories, Rows
from tft_dash.training.measuring.predicting import Predictor, chances
from tft_dash.training.measuring.references import HORIZON_STEPS, References
from tft_dash.training.measuring.scores import Forecasts

MODEL: Final = "tft"
STRETCH_ROWS: Final = 1_000_000
"""Rows of a history that are looked at together."""
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured.

    :param command: the one command that makes the evidence anew.
    """

    predictor: Predictor
    calibration: Calibration
    version: str
    command: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some servers of one fleet: ``first`` to before ``last``, and the fleet's number."""

    fleet: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of the model and of every reference.

    :param rows: ascending rows of the history that were asked for.
    :param said: name → P(30 min) and P(8 h) for ``rows``.
    """

    data: Gathered
    rows: Rows
    said: Mapping[str, tuple[Reals, Reals]]

    def forecasts(self, name: str, horizon: int) -> CountedForecasts:
        """One model at one horizon, on the rows that count."""
        return CountedForecasts(self.data.history, self.rows, self.said[name][horizon], HORIZON_STEPS[horizon])

    def of_server(self, name: str, horizon: int, server: int) -> Reals:
        """(ticks,) one model at one horizon on one series, NaN where nothing was asked."""
        return self.between(name, horizon, self.data.history.span(server))

    def between(self, name: str, horizon: int, span: slice) -> Reals:
        """The same for the rows of ``span``."""
        low, high = np.searchsorted(self.rows, [span.start, span.stop])
        found = np.full(span.stop - span.start, np.nan)
        found[self.rows[low:high] - span.start] = self.said[name][horizon][low:high]
        return found


@dataclass(frozen=True, slots=True)
class CountedForecasts:
    """The rows of a model's answers that count, part by part: see ``scores.Scored``."""

    history: Histories
    rows: Rows
    chance: Reals
    steps: int

    @property
    def servers(self) -> int:
        """How many series there are."""
        return self.history.servers

    def parts(self) -> Iterator[Forecasts]:
        """In parts of about :data:`STRETCH_ROWS` rows."""
        for at in range(0, len(self.rows), STRETCH_ROWS):
            rows = np.asarray(self.rows[at : at + STRETCH_ROWS])
            counted = np.asarray(self.history.counted[rows])
            rows = rows[counted]
            truth: NDArray[np.bool_] = np.asarray(self.history.first[rows] <= self.steps)
            chance = np.asarray(self.chance[at : at + STRETCH_ROWS])[counted]
            yield Forecasts(truth, chance, self.history.server_of(rows), self.servers)


def stretches(data: Gathered) -> list[Stretch]:
    """The servers in their order, as many together as have :data:`STRETCH_ROWS` rows, never of two fleets."""
    found, begin = [], 0
    for number, fleet in enumerate(data.fleets):
        size = max(1, STRETCH_ROWS // max(fleet.ticks, 1))
        last = begin + fleet.servers
        found += [Stretch(number, first, min(first + size, last)) for first in range(begin, last, size)]
        begin = last
    return found


def stretch_of(data: Gathered, stretch: Stretch) -> tuple[int, Gathered]:
    """The first row of a stretch, and the stretch as a history of its own."""
    history = data.history.stretch(stretch.first, stretch.last)
    begin = int(data.history.begin[stretch.first])
    about = data.fleets[stretch.fleet]
    return begin, Gathered((about,), history, data.risk[begin : begin + history.rows])


def asked(subject: Subject, data: Gathered, rows: Rows, references: References, progress: Progress = silent) -> Answers:
    """Ask the model and every reference for some rows; everything is kept in memory."""
    mine = chances(subject.predictor, subject.calibration, data.history, rows, progress)
    return Answers(data, rows, {MODEL: mine, **references.chances(data, rows)})


def asked_by_stretch(
    asking: tuple[Subject, References], data: Gathered, first: float, folder: Path, progress: Progress = silent
) -> Answers:
    """Ask for every usable row, stretch by stretch; what was said is kept in files.

    :param first: the share of the time from which on it is asked.
    :raises StorageError: the folder cannot be written.
    """
    subject, references = asking
    work = stretches(data)
    try:
        with _Columns(folder) as columns:
            for done, stretch in enumerate(work):
                begin, part = stretch_of(data, stretch)
                rows = part.history.usable(first=first)
                within = partial(_within, progress, done, len(work))
                columns.add(rows + begin, asked(subject, part, rows, references, within).said)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageError(
            f"{shorten(str(folder), 200)} cannot be written: {reason}. Free some space there."
        ) from error
    return Answers(data, *columns.read())


def _within(progress: Progress, done: int, stretches_: int, share: float) -> None:
    progress((done + share) / stretches_)


class _Columns:
    """Files to which answers are appended: one of the rows, and two of each model."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._names: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def add(self, rows: Rows, said: Mapping[str, tuple[Reals, Reals]]) -> None:
        """Append the answers for some rows."""
        self._append("rows", rows)
        self._names = list(said)
        for name, both in said.items():
            for place, values in enumerate(both):
                self._append(f"{name}.{place}", values)

    def read(self) -> tuple[Rows, dict[str, tuple[Reals, Reals]]]:
        """Everything, memory-mapped."""
        said = {name: (self._mapped(f"{name}.0", np.float64), self._mapped(f"{name}.1", np.float64))
                for name in self._names}  # fmt: skip
        return self._mapped("rows", np.int64), said

    def _append(self, name: str, values: NDArray[Any]) -> None:
        if name not in self._files:
            self._files[name] = (self._folder / name).open("wb")
        self._files[name].write(np.ascontiguousarray(values).data)

    def _mapped(self, name: str, kind: type[np.generic]) -> NDArray[Any]:
        path = self._folder / name
        return np.memmap(path, kind, "r") if path.stat().st_size else np.zeros(0, kind)
