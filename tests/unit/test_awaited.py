"""What is said of a recording that is not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tft_dash.callbacks.awaited import awaited
from tft_dash.errors import NotReadyError, SourceMissingError, UnknownNameError
from tft_dash.runs.queue import Run
from tft_dash.services import Services

NAME = "cascade-d0b9dcbd"
UNKNOWN = UnknownNameError("source", NAME, ["demo_dataset"])
RUN = Run("1f", "Cascade", "cascade", NAME, "running", 0.4, None, "", 600, "", datetime.now(UTC), None, None)


def told(*runs: Run) -> Any:
    services = SimpleNamespace(runs=SimpleNamespace(recent=lambda _limit: runs))
    return awaited(cast("Services", services), NAME, UNKNOWN)


def test_one_that_is_being_made_is_waited_for() -> None:
    found = told(replace(RUN, source="another"), RUN)
    assert isinstance(found, NotReadyError)
    assert found.progress == 0.4
    assert found.what == f"The recording '{NAME}' is being made"
    assert "position 3 of the queue" in told(replace(RUN, state="queued", position=3)).what


@pytest.mark.parametrize(
    ("state", "message", "words"),
    [
        ("done", "", "was made, and has been removed since"),
        ("failed", "The disk is full.", "could not be made. The disk is full."),
        ("cancelled", "", "was stopped before it was done."),
    ],
)
def test_one_that_is_not_there_any_more_says_why_and_what_to_do(state: Any, message: str, words: str) -> None:
    found = told(replace(RUN, state=state, message=message), replace(RUN, state="done"))
    assert isinstance(found, SourceMissingError)
    assert words in str(found)
    assert "Run the scenario 'cascade' again" in str(found)


def test_one_of_which_nothing_is_known_is_unknown() -> None:
    assert told() is UNKNOWN
    assert told(replace(RUN, source="another")) is UNKNOWN
