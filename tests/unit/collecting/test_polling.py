"""What is told of a source that was not read."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from tft_dash.collecting.polling import FailedPollError, Polling
from tft_dash.live.clock import SteadyClock
from tft_dash.live.samples import Samples

NOW = np.datetime64("2026-03-01T00:00:00", "ms")


class Faulty:
    """A feed with an error of its own."""

    step_seconds = 5.0

    def fetch(self, *_: np.datetime64) -> Samples:
        raise UnicodeEncodeError("latin-1", "hunter2", 3, 4, "ordinal not in range")

    def close(self) -> None:
        """Nothing to let go of."""


def test_a_feeds_own_fault_is_told_without_its_words_which_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    clock = SteadyClock()
    clock.show(NOW)
    with caplog.at_level(logging.ERROR), pytest.raises(FailedPollError, match="UnicodeEncodeError") as caught:
        Polling(Faulty(), 0.0, 100, clock).origin()
    assert "latin-1" not in str(caught.value)
    assert "latin-1" in caplog.text
