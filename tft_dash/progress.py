"""How long work tells how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable

Progress = Callable[[float], None]
"""Called now and then with the share that is done, 0–1."""


def silent(_share: float) -> None:
    """A :data:`Progress` that tells nobody."""


class Shares:
    """Tells how far work is whose parts run side by side or one after the other.

    :param progress: told the sum.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done: list[float] = []
        self._lock = threading.Lock()

    def part(self, weight: float) -> Progress:
        """The :data:`Progress` of a part that is ``weight`` of the whole, 0–1."""
        place = len(self._done)
        self._done.append(0.0)

        def report(share: float) -> None:
            with self._lock:
                self._done[place] = share * weight
                self._progress(min(1.0, sum(self._done)))

        return report
