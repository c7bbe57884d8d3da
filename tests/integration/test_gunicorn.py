"""The app under gunicorn with four workers, as the Procfile starts it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.serving import Server, free_port, get, running

ROOT = Path(__file__).parents[2]
TICK = "/api/v1/sources/demo_dataset/ticks/{}?model=thresholds"
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``gunicorn tft_dash.wsgi:server --workers 4`` in the checkout, as its address."""
    port = free_port()
    folder = tmp_path_factory.mktemp("gunicorn")
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "tft_dash.wsgi:server",
        "--workers",
        "4",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    environ = {**os.environ, "TFT_DASH_DATA": str(folder / "data"), "TFT_DASH_CACHE": str(folder / "cache")}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, start_new_session=True, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while not answers(url):
            assert process.poll() is None, f"gunicorn ended with {process.returncode}"
            assert time.monotonic() < end, "gunicorn never answered"
            time.sleep(0.1)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def answers(url: str) -> bool:
    with contextlib.suppress(OSError):
        return get(f"{url}/healthz") == (200, b"ok")
    return False


def fetch_all(url: str, times: int) -> list[bytes]:
    """Bodies of ``times`` requests at once, each over a connection of its own."""
    bodies: list[bytes] = []

    def fetch() -> None:
        bodies.append(get(url)[1])

    threads = [threading.Thread(target=fetch) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return bodies


def test_whichever_worker_answers_the_answer_is_the_same(gunicorn: str) -> None:
    for tick in range(0, 60, 6):
        bodies = fetch_all(gunicorn + TICK.format(tick), 12)
        assert len(bodies) == 12
        assert len(set(bodies)) == 1


def test_browsers_that_only_connect_in_advance_stall_nobody(gunicorn: str) -> None:
    port = int(gunicorn.rsplit(":", 1)[1])
    with contextlib.ExitStack() as silent:
        for _ in range(48):
            silent.enter_context(socket.create_connection(("127.0.0.1", port)))
        for tick in range(20):  # a stall lasts as long as the connections do; a busy machine is not one
            assert get(gunicorn + TICK.format(tick), timeout=30)[0] == 200


def test_it_is_ready_and_says_so(gunicorn: str) -> None:
    assert get(f"{gunicorn}/readyz") == (200, b'{"ready":true,"problems":{}}')


def test_bundles_come_compressed(gunicorn: str) -> None:
    request = urllib.request.Request(f"{gunicorn}/assets/tft_dash.js", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"


def test_a_public_address_is_refused_without_a_login(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "tft_dash.wsgi:server", "--bind", f"0.0.0.0:{free_port()}"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "--insecure-public" in done.stderr


def test_workers_that_are_killed_are_replaced_and_change_nothing(tmp_path: Path) -> None:
    with running("demo", "--workers", "3", folder=tmp_path) as server:
        before = get(server.url + TICK.format(36))
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
        after = answer_after_a_crash(server)
        assert after == before


def answer_after_a_crash(server: Server) -> tuple[int, bytes]:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            return get(server.url + TICK.format(36))
        time.sleep(0.1)
    raise AssertionError("no worker came back")


@pytest.mark.parametrize("variable", ["TFT_DASH_RUN_ROWS", "TFT_DASH_STORE"])
def test_an_impossible_setting_ends_it_with_one_sentence(tmp_path: Path, variable: str) -> None:
    command = [sys.executable, "-m", "gunicorn", "tft_dash.wsgi:server", "--bind", f"127.0.0.1:{free_port()}"]
    environ = {**os.environ, "TFT_DASH_DATA": str(tmp_path), variable: "nonsense"}
    # Beside gunicorn.conf.py it is refused as wrong usage; elsewhere it ends a worker, for which gunicorn says 3.
    for folder, status in ((ROOT, 2), (tmp_path, 3)):
        ended = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == status
        assert variable in ended.stderr
        assert "Traceback" not in ended.stderr
