"""Inspections take a bounded part of the disk; what is in use stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tft_dash.inspection.keeping import IN_USE_SECONDS, MADE_FROM, keep_within, note_use

LONG_AGO = IN_USE_SECONDS + 1_000


def made(parent: Path, name: str, *, age_seconds: float, size: int = 1_000) -> Path:
    folder = parent / name
    (folder / "views").mkdir(parents=True)
    (folder / "views" / "a.npy").write_bytes(bytes(size))
    (folder / MADE_FROM).touch()
    (parent / f"{name}.gaps.npz").touch()
    when = time.time() - age_seconds
    os.utime(folder / MADE_FROM, (when, when))
    return folder


@pytest.mark.parametrize(("limit", "left"), [(10_000, "abc"), (2_500, "bc"), (1_500, "c"), (0, "")])
def test_what_was_used_longest_ago_goes_first_and_only_as_much_as_must(tmp_path: Path, limit: int, left: str) -> None:
    for place, name in enumerate("abc"):
        made(tmp_path, name, age_seconds=LONG_AGO - place)
    keep_within(tmp_path, limit)
    assert "".join(sorted(path.name for path in tmp_path.iterdir() if path.is_dir())) == left
    assert "".join(sorted(path.name[0] for path in tmp_path.glob("*.npz"))) == left


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    old, used = made(tmp_path, "old", age_seconds=LONG_AGO), made(tmp_path, "used", age_seconds=LONG_AGO + 9)
    note_use(used)
    keep_within(tmp_path, 0)
    assert used.is_dir()
    assert not old.exists()


def test_what_is_still_made_is_left_alone(tmp_path: Path) -> None:
    partial = tmp_path / "key.partial-1-2"
    partial.mkdir()
    (tmp_path / "key.progress").write_text("0.5")
    keep_within(tmp_path, 0)
    assert partial.is_dir()
