"""Runs under a bare gunicorn go on by themselves: after a restart, and after a worker was killed. Nobody looks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from support.serving import free_port, get

from tft_dash.scenarios.document import to_yaml
from tft_dash.scenarios.library import load_scenario

LONG = load_scenario("cascade").with_overrides(fleet_size=3000, duration_seconds=3600, tick_seconds=2)
PATIENCE_SECONDS = 120


class Gunicorn:
    """A bare ``gunicorn tft_dash.wsgi:server`` over one data folder; the store is read past the app."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.process = folder, None
        self.url = ""

    def start(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "tft_dash.wsgi:server",
            "--workers",
            "3",
            "--bind",
            f"127.0.0.1:{port}",
        ]
        environ = {
            **os.environ,
            "TFT_DASH_DATA": str(self.folder / "data"),
            "TFT_DASH_CACHE": str(self.folder / "cache"),
        }
        environ |= {"TFT_DASH_RUN_ROWS": "50000000", "TFT_DASH_RUNS_AT_ONCE": "1"}
        self.process = subprocess.Popen(
            [*command, "--worker-class", "gthread", "--threads", "8"], cwd=self.folder, env=environ,
            start_new_session=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.until(self.answers)

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            return get(f"{self.url}/healthz") == (200, b"ok")
        return False

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > end:
                pytest.fail("nothing came of it")
            time.sleep(0.1)

    def post(self, path: str, body: bytes = b"") -> dict[str, str]:
        request = urllib.request.Request(f"{self.url}{path}", data=body, method="POST")
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def run(self) -> tuple[str, float, int]:
        """State, progress and attempts of the only run, as the store has them."""
        engine = create_engine(f"sqlite:///{self.folder}/data/store.sqlite")
        try:
            with engine.connect() as connection:
                row = connection.execute(text("SELECT state, progress, attempts FROM runs")).one()
            return str(row[0]), float(row[1]), int(row[2])
        finally:
            engine.dispose()

    def makes(self) -> bool:
        state, progress, _ = self.run()
        return state == "running" and progress > 0

    def workers(self) -> list[int]:
        assert self.process is not None
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(number) for number in re.findall(r"\d+", listed)]

    def begin(self) -> None:
        """Ask for a run that takes long, and wait until it is being made."""
        key = self.post("/api/v1/scenarios", to_yaml(LONG).encode())["key"]
        self.post(f"/api/v1/scenarios/{key}/runs")
        self.until(self.makes)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, how)
            self.process.wait(30)
        self.process = None


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Gunicorn]:
    made = Gunicorn(tmp_path)
    made.start()
    yield made
    made.stop(signal.SIGKILL)


def maker(portal: Gunicorn) -> int:
    """The worker that makes the run: it alone has its file open."""
    for pid in portal.workers():
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if "/runs/" in str(descriptor.readlink()):
                    return pid
    raise AssertionError("no worker makes the run")


def test_the_run_of_a_killed_worker_is_made_by_another(portal: Gunicorn) -> None:
    portal.begin()
    os.kill(maker(portal), signal.SIGKILL)
    portal.until(lambda: portal.run()[2] == 2 and portal.makes())


def test_a_graceful_stop_gives_the_run_back_and_the_next_start_goes_on(portal: Gunicorn) -> None:
    portal.begin()
    portal.stop()
    assert portal.run()[::2] == ("queued", 0)
    portal.start()
    portal.until(portal.makes)


def test_a_run_is_given_back_while_the_worker_still_answers(portal: Gunicorn) -> None:
    portal.begin()
    os.kill(maker(portal), signal.SIGTERM)
    # Another worker takes it up long before the run would be known to have lost its process.
    portal.until(lambda: portal.run()[0] == "queued" or portal.run()[1] == 0.0)
    portal.until(portal.makes)
    assert portal.run()[2] == 1
