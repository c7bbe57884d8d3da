"""Fitting that is bounded by time: the learning rate falls by the share of time or of steps, whichever is further."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import torch

from tft_dash.training.fitting.fit import STATION, Fit, Report
from tft_dash.training.histories import Histories, Rows
from tft_dash.training.network import Forecaster

LOOK: Final = 3.0
"""Steps for which time is kept: fitting stops before the next ones would end too late."""
MARGIN: Final = 1.2
"""How much longer than the last one a measurement may take."""
PROBED: Final = 64
"""Windows by which the time of a measurement is told; also the fewest that one has."""
CHECK_SHARE: Final = 0.1
"""Of the whole time, at most so much for one measurement."""
WARM_PART: Final = 10
"""The rate rises over a tenth of the steps where there are few."""


class TimedFit(Fit):
    """Fits one network within some seconds, the measurements on the validation windows included.

    What was stopped goes on with the seconds that are left. At least one step is made, and one measurement.

    :param seconds: how long fitting may take.
    :param clock: seconds that pass steadily.
    :param more: see :class:`Fit`.
    """

    def __init__(
        self, data: Histories, train: Rows, valid: Rows, *, seconds: float,
        clock: Callable[[], float] = time.monotonic, **more: Any,  # noqa: ANN401
    ) -> None:  # fmt: skip
        super().__init__(data, train, valid, **more)
        self._whole, self._seconds, self._clock = self._plan, seconds, clock
        self._looked = clock()
        self._pace, self._check = 0.0, 0.0
        """Seconds of a step and of a measurement, as of late."""

    def run(self, report: Report | None = None) -> Forecaster:
        """Fit until the time, the steps or the patience are used up; returns the best averaged network.

        :raises FloatingPointError: the loss is no number any more.
        """
        plan, recent, told = self._whole, 0.0, self.progress.step
        self._looked = self._clock()
        self._probe()
        while self.progress.step < plan.steps and self.progress.waited < plan.patience:
            begun = self._spend()
            loss = self.step()
            self._pace = max(0.8 * self._pace, self._spend() - begun)
            recent = loss if not recent else 0.95 * recent + 0.05 * loss
            done = self.progress.step
            last = done == plan.steps or self._is_over()
            if done % plan.check_every == 0 or last:
                self._timed_measure(recent)
            if report is not None and (done - told >= STATION or last):
                told = done
                report(done, done if last else max(done + 1, self._expected()), recent, self.progress.best)
            if last:
                break
        self.average.load_state_dict(self._best)
        return self.average

    def step(self) -> float:
        """One step, at the rate of whichever share is further."""
        share = max(self.progress.step / self._whole.steps, self.progress.seconds / self._seconds)
        # The rate is a function of the step and the plan's steps: so many steps there would be at this share.
        so_many = self._whole.steps if share <= 0 else round(self.progress.step / min(share, 1.0))
        warm = self._whole.warm_steps if share <= 0 else min(self._whole.warm_steps, so_many // WARM_PART + 1)
        self._plan = replace(self._whole, steps=max(so_many, self.progress.step + 1), warm_steps=warm)
        return super().step()

    def _expected(self) -> int:
        """Steps in all, as things go."""
        share = self.progress.seconds / self._seconds
        return min(self._whole.steps, round(self.progress.step / max(share, 1e-9)))

    def _is_over(self) -> bool:
        return self.progress.seconds + LOOK * self._pace + MARGIN * self._check >= self._seconds

    @torch.no_grad()
    def _probe(self) -> None:
        """How long a measurement will take, from a part of one."""
        begun = self._spend()
        rows = self._checked[:PROBED]
        profile = self._data.profile[self._data.server_of(rows)]
        self._losses(self.average, rows, self._gather.windows(rows), profile)
        part = self._spend() - begun
        # Where time is short, fewer windows must do, so that it is not all spent on measuring.
        parts = min(len(self._checked) / len(rows), max(1.0, CHECK_SHARE * self._seconds / max(part, 1e-9)))
        self._checked = self._checked[: round(parts * len(rows))]
        self._check = part * parts

    def _timed_measure(self, recent: float) -> None:
        begun = self._spend()
        self._measure(recent)
        self._check = self._spend() - begun

    def _spend(self) -> float:
        """The seconds that fitting has taken."""
        now = self._clock()
        self.progress.seconds += now - self._looked
        self._looked = now
        return self.progress.seconds
