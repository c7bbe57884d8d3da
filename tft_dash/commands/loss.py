"""How far a fit is, at the terminal."""

from __future__ import annotations

import sys
import time
from typing import Final

from tft_dash.commands.terminal import BAR_WIDTH, say

LINE_SHARE: Final = 0.1
LINE_SECONDS: Final = 60.0
"""How often the loss is told where no bar can be drawn: after so much of the work, or so long."""


class LossBar:
    """Steps, loss and time left; a line now and then where there is no terminal."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._first: int | None = None
        self._told = 0.0
        self._told_at = self._begun

    def __call__(self, step: int, steps: int, loss: float, best: float) -> None:
        """Tell that ``step`` of ``steps`` are done.

        :param loss: of late; ``best``: the best on the validation windows, infinite where none was measured.
        """
        now = time.monotonic()
        if self._first is None:
            self._first, self._begun = step, now
        done = step - self._first
        left = (now - self._begun) / done * (steps - step) if done else None
        words = f"step {step:,} of {steps:,}, loss {loss:.4f}"
        words += f", validation {best:.4f}" if best < float("inf") else ""
        words += f", {_spell(left)} left" if left is not None and step < steps else ""
        share = step / steps
        if sys.stderr.isatty():
            filled = round(BAR_WIDTH * share)
            sys.stderr.write(f"\r\x1b[KFitting [{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {words}")
            sys.stderr.write("\n" if step >= steps else "")
            sys.stderr.flush()
        elif share - self._told >= LINE_SHARE or now - self._told_at >= LINE_SECONDS or step >= steps:
            self._told, self._told_at = share, now
            say(f"Fitting: {words}")


def _spell(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
