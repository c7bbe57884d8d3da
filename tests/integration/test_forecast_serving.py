"""The forecast in a real server with four workers: one answer, activation without a restart, and a quiet end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.serving import Server, get

from tests.unit.models.forecasting.folders import VERSION, copied

TICK = "/api/v1/sources/early-warning/ticks/100?model=tft"
ASKED = 24
"""Enough for each of four workers to be met, most likely."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    places = {"TFT_DASH_DATA": str(tmp_path / "data"), "TFT_DASH_CACHE": str(tmp_path / "cache")}
    found = Server(("serve", "--workers", "4"), places)
    found.start()
    yield found
    found.stop()


def frames(server: Server) -> list[dict[str, Any]]:
    """The frame from whichever workers take the requests, once it is there."""
    end = time.monotonic() + 60
    while get(server.url + TICK)[0] != 200:
        assert time.monotonic() < end, "the recording was not judged"
        time.sleep(0.2)
    return [json.loads(get(server.url + TICK)[1]) for _ in range(ASKED)]


def test_every_worker_gives_the_same_forecast_takes_over_an_activation_and_ends_quietly(
    server: Server, tmp_path: Path
) -> None:
    before = frames(server)
    assert {frame["model"]["version"] for frame in before} == {VERSION}
    assert len({frame["prob_30m"] for frame in before}) == 1
    copied(tmp_path / "data" / "models", "9.9")
    command = [sys.executable, "-m", "tft_dash", "models", "activate", "9.9"]
    subprocess.run(command, env={**os.environ, **server.environ}, check=True, capture_output=True, timeout=60)
    time.sleep(1.1)
    assert {frame["model"]["version"] for frame in frames(server)} == {"9.9"}
    server.stop()
    said = "".join(server.said)
    assert "SIGABRT" not in said
    assert "terminate" not in said
