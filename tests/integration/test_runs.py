"""One queue of runs for several real processes: the number at a time holds, and a killed one's run is made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tft_dash.recordings import Recordings, recording_name
from tft_dash.runs import Run, RunQueue
from tft_dash.scenarios.document import Scenario
from tft_dash.scenarios.library import load_scenario
from tft_dash.store.engine import Store

AT_ONCE = 2
UNFINISHED = ("queued", "running")

WORKER = """
import sys, time
from pathlib import Path
from tft_dash.recordings import Recordings
from tft_dash.runs import RunQueue
from tft_dash.scenarios.library import load_scenario
from tft_dash.store.engine import Store

folder, servers, *seeds = sys.argv[1:]
recordings = Recordings(Path(folder) / "runs", disk_bytes=10**10, keep_seconds=10**6)
queue = RunQueue(Store(f"sqlite:///{folder}/data/store.sqlite"), recordings, row_limit=10**8, at_once=2)
for seed in seeds:
    queue.submit(load_scenario("cascade").with_overrides(
        fleet_size=int(servers), duration_seconds=3600, seed=int(seed)))
print("submitted", flush=True)
while any(run.state in ("queued", "running") for run in queue.recent(100)):
    time.sleep(0.1)
"""


def drill(servers: int, seed: int) -> Scenario:
    return load_scenario("cascade").with_overrides(fleet_size=servers, duration_seconds=3600, seed=seed)


def worker(folder: Path, servers: int, *seeds: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(folder), str(servers), *map(str, seeds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def queue_in(folder: Path, at_once: int = AT_ONCE) -> tuple[RunQueue, Recordings]:
    recordings = Recordings(folder / "runs", disk_bytes=10**10, keep_seconds=10**6)
    store = Store(f"sqlite:///{folder}/data/store.sqlite")
    return RunQueue(store, recordings, row_limit=10**8, at_once=at_once), recordings


def wait_for(queue: RunQueue, run_id: str, *states: str) -> Run:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        run = queue.get(run_id)
        if run.state in states:
            return run
        time.sleep(0.05)
    pytest.fail(f"it is still {queue.get(run_id)}")


def test_four_processes_make_what_all_have_asked_for_no_more_than_two_at_a_time(tmp_path: Path) -> None:
    processes = [worker(tmp_path, 150, *seeds) for seeds in ((1, 2, 3), (3, 4, 5), (5, 6, 7), (7, 8, 1))]
    queue, recordings = queue_in(tmp_path)
    most, seen = 0, 0
    try:
        while any(process.poll() is None for process in processes):
            # Read as one state of the store; this process takes its share of the work as well.
            running = [run for run in queue.recent(100) if run.state == "running"]
            most, seen = max(most, len(running)), seen + bool(running)
            time.sleep(0.02)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
        queue.close()
    runs = queue.recent(100)
    assert [run.state for run in runs] == ["done"] * len(runs)
    assert {run.source for run in runs} == {recording_name(drill(150, seed)) for seed in range(1, 9)}
    assert seen
    assert most <= AT_ONCE
    assert all(recordings.is_current(drill(150, seed)) for seed in range(1, 9))
    assert list(tmp_path.rglob("*.part")) == []


def test_the_run_of_a_killed_process_is_made_by_another(tmp_path: Path) -> None:
    long = drill(1500, 1)
    process = worker(tmp_path, 1500, 1)
    assert process.stdout is not None
    assert process.stdout.readline() == "submitted\n"
    # Closed, this queue only looks on: the worker alone makes the run.
    onlooker, _ = queue_in(tmp_path)
    onlooker.close()
    run_id = onlooker.recent(1)[0].id
    assert wait_for(onlooker, run_id, "running", "done").state == "running"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert onlooker.get(run_id).state == "running"
    queue, recordings = queue_in(tmp_path)
    try:
        assert wait_for(queue, run_id, "done", "failed").state == "done"
    finally:
        queue.close()
    assert recordings.is_current(long)
