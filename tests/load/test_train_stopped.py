"""``tft-dash train`` as a process of its own: killed, interrupted, given again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tft_dash.models.forecasting.artefact import load_artefact

pytest.importorskip("torch", reason="needs the extra 'train'")
pytest.importorskip("sklearn", reason="needs the extra 'train'")

TINY = ["--fleets", "1", "--servers", "14", "--days", "8", "--seed", "5", "--steps", "24", "--batch", "16",
        "--check-every", "4"]  # fmt: skip
PATIENCE_SECONDS = 300


def started(folder: Path, output: str, *more: str) -> subprocess.Popen[str]:
    env = {
        **os.environ, "TFT_DASH_DATA": str(folder / "data"), "TFT_DASH_CACHE": str(folder / "cache"),
        "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE",
    }  # fmt: skip
    command = [sys.executable, "-m", "tft_dash", "train", "--output", output, *TINY, *more]
    return subprocess.Popen(
        command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def await_checkpoint(process: subprocess.Popen[str], state: Path, step: int) -> None:
    """Until a checkpoint of at least ``step`` is there."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            if json.loads(state.read_text())["step"] >= step:
                return
        except (OSError, ValueError):
            pass
        if process.poll() is not None:
            pytest.fail(f"it ended before its checkpoint: {process.communicate()[1]}")
        time.sleep(0.02)
    pytest.fail("no checkpoint was written")


def test_killed_and_given_again_it_ends_with_the_same_weights_to_the_bit(tmp_path: Path) -> None:
    whole = started(tmp_path, "whole-1")
    errors = whole.communicate(timeout=PATIENCE_SECONDS)[1]
    assert whole.returncode == 0, errors

    killed = started(tmp_path, "mine-1")
    await_checkpoint(killed, tmp_path / "mine-1.training" / "checkpoint" / "state.json", 8)
    killed.send_signal(signal.SIGSTOP)
    second = started(tmp_path, "mine-1")
    assert "Another tft-dash train is at work" in second.communicate(timeout=PATIENCE_SECONDS)[1]
    assert second.returncode == 2
    killed.kill()
    killed.wait()
    assert not (tmp_path / "mine-1").exists()

    again = started(tmp_path, "mine-1")
    errors = again.communicate(timeout=PATIENCE_SECONDS)[1]
    assert again.returncode == 0, errors
    assert "Going on after step " in errors
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole-1", "mine-1")]
    assert weights[0] == weights[1]
    assert load_artefact(tmp_path / "mine-1").card.training["steps_done"] == 24
    assert not (tmp_path / "mine-1.training").exists()


def test_interrupted_it_says_so_in_a_sentence_and_keeps_its_checkpoint(tmp_path: Path) -> None:
    process = started(tmp_path, "mine-1")
    checkpoint = tmp_path / "mine-1.training" / "checkpoint" / "state.json"
    await_checkpoint(process, checkpoint, 4)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert process.returncode == 130
    assert "Stopped. The same command goes on" in errors
    assert "Traceback" not in errors
    assert checkpoint.exists()
    assert not (tmp_path / "mine-1").exists()
