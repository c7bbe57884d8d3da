"""Which ticks are over: a clock that does not follow a jump until it has lasted.

A live source's ticks are closed by the source's own clock where it tells one, else by the store's. Either can jump: a
virtual machine wakes up, an administrator sets the time, a time server is wrong for a moment. A tick that was closed
too early has lost its samples for good, so a jump is not believed at once: for :data:`PATIENCE_SECONDS` time goes on as
it did, by the process's own monotonic clock. Then the new time is taken.

- Forwards: nothing is closed early while the jump may be a mistake; afterwards the ticks between are recorded with what
  the source has of them.
- Backwards: for a minute ticks go on as before; afterwards nothing is due until the clock has reached the newest tick
  again. Ticks are never recorded twice, and their times never fall. What comes with a time that is recorded already is
  late.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import numpy as np

PATIENCE_SECONDS: Final = 60.0
TOLERANCE_SECONDS: Final = 2.0
"""Answers take their time, and databases round: less than that is no jump."""


class SteadyClock:
    """Time by a clock that is shown to it now and then.

    :ivar monotonic: seconds that never jump.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        patience_seconds: float = PATIENCE_SECONDS,
        tolerance_seconds: float = TOLERANCE_SECONDS,
    ) -> None:
        self.monotonic = monotonic
        self._patience = patience_seconds
        self._tolerance = tolerance_seconds
        self._shown: tuple[float, float] | None = None
        self._differs_since: float | None = None

    def show(self, now: np.datetime64) -> None:
        """What the clock shows at this moment."""
        here, seconds = self.monotonic(), _seconds(now)
        if self._shown is None:
            self._shown = here, seconds
            return
        expected = self._shown[1] + here - self._shown[0]
        if abs(seconds - expected) <= self._tolerance:
            self._shown, self._differs_since = (here, seconds), None
            return
        if self._differs_since is None:
            self._differs_since = here
        if here - self._differs_since >= self._patience:
            self._shown, self._differs_since = (here, seconds), None

    def now(self) -> np.datetime64:
        """The time that is believed.

        :raises ValueError: no clock was shown yet.
        """
        if self._shown is None:
            raise ValueError("no clock was shown yet")
        seconds = self._shown[1] + self.monotonic() - self._shown[0]
        return np.datetime64(round(seconds * 1000), "ms")

    @property
    def known(self) -> bool:
        """Whether a clock was shown."""
        return self._shown is not None

    @property
    def jumped(self) -> bool:
        """Whether the clock shows something else than is believed."""
        return self._differs_since is not None


def _seconds(now: np.datetime64) -> float:
    return int(now.astype("datetime64[ms]").astype(np.int64)) / 1000.0
