"""The forecast in a real server with four workers: one answer, activation without a restart, and a quiet end."""

from __future__ import annotations

import json
import os
import signal
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


@pytest.fixture(params=[4])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    places = {"TFT_DASH_DATA": str(tmp_path / "data"), "TFT_DASH_CACHE": str(tmp_path / "cache")}
    found = Server(("serve", "--workers", str(request.param)), places)
    found.start()
    yield found
    found.stop()


def frames(server: Server) -> list[dict[str, Any]]:
    """The frame from whichever workers take the requests, once it is there."""
    return [frame(server) for _ in range(ASKED)]


def frame(server: Server) -> dict[str, Any]:
    """The frame from one of them, once it is there."""
    end = time.monotonic() + 60
    while True:
        status, body = get(server.url + TICK)
        if status == 200:
            found: dict[str, Any] = json.loads(body)
            return found
        assert time.monotonic() < end, "the recording was not judged"
        time.sleep(0.2)


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of ours beside the server, on the same data."""
    asked = [sys.executable, "-m", "tft_dash", *arguments]
    places = {**os.environ, **server.environ}
    return subprocess.run(asked, env=places, check=False, capture_output=True, text=True, timeout=60)


def test_every_worker_gives_the_same_forecast_takes_over_an_activation_and_ends_quietly(
    server: Server, tmp_path: Path
) -> None:
    before = frames(server)
    assert {one["model"]["version"] for one in before} == {VERSION}
    assert len({one["prob_30m"] for one in before}) == 1
    copied(tmp_path / "data" / "models", "9.9")
    assert command(server, "models", "activate", "9.9").returncode == 0
    time.sleep(1.1)
    assert {one["model"]["version"] for one in frames(server)} == {"9.9"}
    server.stop()
    said = "".join(server.said)
    assert "SIGABRT" not in said
    assert "terminate" not in said


@pytest.mark.parametrize("server", [2], indirect=True)
def test_a_model_damaged_while_it_answers_answers_in_no_worker_old_or_new(server: Server, tmp_path: Path) -> None:
    folder = copied(tmp_path / "data" / "models", "9.9")
    assert command(server, "models", "activate", "9.9").returncode == 0
    time.sleep(1.1)
    whole = frames(server)
    assert {one["model"]["version"] for one in whole} == {"9.9"}
    calibration = (folder / "calibration.json").read_bytes()
    (folder / "calibration.json").write_bytes(calibration[:-2])
    time.sleep(1.1)
    old = frames(server)
    assert {one["model"]["name"] for one in old} == {"thresholds"}
    assert len({one["instead"] for one in old}) == 1
    assert "calibration.json is refused: its SHA-256" in old[0]["instead"]
    renew_a_worker(server)
    new = frames(server)
    assert [one["prob_30m"] for one in new] == [one["prob_30m"] for one in old]
    assert {one["instead"] for one in new} == {old[0]["instead"]}
    refused = command(server, "models", "activate", "9.9")
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "SHA-256" in refused.stderr
    (folder / "calibration.json").write_bytes(calibration)
    time.sleep(1.1)
    assert {(one["model"]["version"], one["prob_30m"], one["instead"]) for one in frames(server)} == {
        ("9.9", whole[0]["prob_30m"], None)
    }
    assert command(server, "models", "rollback").returncode == 0
    time.sleep(1.1)
    assert {one["model"]["version"] for one in frames(server)} == {VERSION}


def renew_a_worker(server: Server) -> None:
    """Kill one of the workers and wait for the one that takes its place."""
    before = set(server.workers())
    os.kill(min(before), signal.SIGKILL)
    end = time.monotonic() + 30
    while len(set(server.workers()) - before) != 1 or len(server.workers()) != len(before):
        assert time.monotonic() < end, "no new worker came"
        time.sleep(0.2)
    time.sleep(3.0)  # until it answers, too
