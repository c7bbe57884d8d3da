"""Derived files are built once and whole; long work does not hold a request."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tft_dash.artefacts import build_once, build_progress
from tft_dash.background import RESULTS_KEPT, Background
from tft_dash.errors import NotReadyError, StorageError
from tft_dash.progress import Progress


def writer(calls: list[int], pause: float = 0.0) -> Callable[[Path, Progress], None]:
    def build(work: Path, progress: Progress) -> None:
        calls.append(1)
        progress(0.5)
        time.sleep(pause)
        (work / "a.txt").write_text("whole")

    return build


def test_a_folder_is_built_once_however_many_ask(tmp_path: Path) -> None:
    calls: list[int] = []
    threads = [
        threading.Thread(target=build_once, args=(tmp_path / "x" / "cube", writer(calls, 0.05))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert (tmp_path / "x" / "cube" / "a.txt").read_text() == "whole"


def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(work: Path, _progress: Progress) -> None:
        (work / "half").write_text("half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        build_once(tmp_path / "cube", fail)
    assert not (tmp_path / "cube").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["cube.lock"]


def test_how_far_a_build_is_can_be_read_by_others(tmp_path: Path) -> None:
    seen = []
    build_once(
        tmp_path / "cube", lambda _work, report: (report(0.25), seen.append(build_progress(tmp_path / "cube")))[0]
    )
    assert seen == [0.25]
    assert build_progress(tmp_path / "cube") == 1.0
    assert build_progress(tmp_path / "other") == 0.0


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="TFT_DASH_CACHE"):
        build_once(tmp_path / "file" / "cube", writer([]))


def test_long_work_answers_not_ready_and_then_its_result() -> None:
    release = threading.Event()
    background = Background(wait_seconds=0.02)

    def job() -> str:
        release.wait(5)
        return "done"

    with pytest.raises(NotReadyError, match="Reading: 40% done"):
        background.result("key", job, "Reading", lambda: 0.4)
    release.set()
    for _ in range(100):
        try:
            assert background.result("key", job, "Reading", lambda: 0.4) == "done"
            return
        except NotReadyError:
            time.sleep(0.01)
    pytest.fail("the result never came")


def test_results_are_kept_up_to_a_bound() -> None:
    background = Background(wait_seconds=None)
    made: list[int] = []
    for number in range(RESULTS_KEPT + 10):
        background.result(number, lambda number=number: made.append(number), "Reading", lambda: 0.0)
    background.result(RESULTS_KEPT + 9, lambda: made.append(-1), "Reading", lambda: 0.0)
    background.result(0, lambda: made.append(-2), "Reading", lambda: 0.0)
    assert made[-1] == -2
    assert -1 not in made


def test_a_failed_job_is_told_and_not_repeated_at_once() -> None:
    calls = []
    background = Background(wait_seconds=None)

    def job() -> None:
        calls.append(1)
        raise StorageError("disk full")

    for _ in range(3):
        with pytest.raises(StorageError, match="disk full"):
            background.result("key", job, "Reading", lambda: 0.0)
    assert len(calls) == 1
