from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra 'train'")

import torch

from tft_dash.errors import StorageError
from tft_dash.training.fitting.checkpoint import Checkpoint, Progress, load_checkpoint, save_checkpoint


def checkpoint(step: int) -> Checkpoint:
    tensors = {"network": {"a": torch.full((2,), float(step))}}
    return Checkpoint(Progress(step, 0.5, 1, [(step, 1.0, 2.0)], 7.5), tensors, {"state": step})


def test_a_checkpoint_comes_back_as_it_was_written(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", "k", checkpoint(1))
    save_checkpoint(tmp_path / "c", "k", checkpoint(2))
    found = load_checkpoint(tmp_path / "c", "k")
    assert found is not None
    assert found.progress == checkpoint(2).progress
    assert torch.equal(found.tensors["network"]["a"], torch.full((2,), 2.0))
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_killed_between_two_renames_the_former_checkpoint_is_gone_on_with(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", "k", checkpoint(1))
    (tmp_path / "c").rename(tmp_path / ".c.former")
    (tmp_path / ".c.part").mkdir()
    (tmp_path / ".c.part" / "state.json").write_text("{ half")
    found = load_checkpoint(tmp_path / "c", "k")
    assert found is not None
    assert found.progress.step == 1
    save_checkpoint(tmp_path / "c", "k", checkpoint(2))
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_disk_that_cannot_be_written_keeps_the_former_checkpoint(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", "k", checkpoint(1))
    (tmp_path / ".c.part").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        save_checkpoint(tmp_path / "c", "k", checkpoint(2))
    found = load_checkpoint(tmp_path / "c", "k")
    assert found is not None
    assert found.progress.step == 1
