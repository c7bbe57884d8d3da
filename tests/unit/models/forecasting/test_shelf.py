"""Which model answers: chosen, gone back from, and refused by every process as its files are."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.unit.models.forecasting.folders import VERSION, copied
from tft_dash.errors import ModelRefusedError, StorageError, UnknownNameError, UsageError
from tft_dash.models.forecasting.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A shelf that looks at its files at every question, with the versions 9.9 and 9.10 beside the shipped ones."""
    for version in ("9.9", "9.10"):
        copied(tmp_path, version)
    return Shelf(tmp_path, look_seconds=0.0)


def test_without_a_choice_the_newest_shipped_model_answers(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.current().card.version == VERSION
    assert Shelf(tmp_path / "nothing").current().card.version == VERSION
    listed = shelf.all()
    assert [one.version for one in listed][-2:] == ["9.9", "9.10"]
    assert [one.version for one in listed if one.active] == [VERSION]
    assert [one.version for one in listed if one.shipped][-1] == VERSION


def test_a_choice_reaches_every_process_without_a_restart_and_can_be_gone_back_from(
    shelf: Shelf, tmp_path: Path
) -> None:
    other = Shelf(tmp_path, look_seconds=0.0)
    assert other.current().card.version == VERSION
    shelf.activate("9.9")
    shelf.activate("9.10")
    assert other.current().card.version == "9.10"
    assert other.rollback().card.version == "9.9"
    assert shelf.current().card.version == "9.9"
    assert shelf.rollback().card.version == "9.10"
    assert json.loads((tmp_path / "active.json").read_text())["previous"] == "9.9"


def test_choosing_the_active_version_again_does_not_forget_the_one_before(shelf: Shelf) -> None:
    shelf.activate("9.9")
    shelf.activate("9.9")
    assert shelf.rollback().card.version == VERSION


def test_going_back_from_nothing_is_told(shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="nothing to go back to"):
        shelf.rollback()


def test_a_refused_version_is_never_activated(shelf: Shelf, tmp_path: Path) -> None:
    shelf.activate("9.9")
    before = (tmp_path / "active.json").read_bytes()
    (tmp_path / "9.10" / "model.onnx").write_bytes(b"x")
    with pytest.raises(ModelRefusedError, match="SHA-256"):
        shelf.activate("9.10")
    with pytest.raises(UnknownNameError, match=r"9\.9"):
        shelf.activate("9.8")
    assert (tmp_path / "active.json").read_bytes() == before
    assert shelf.current().card.version == "9.9"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_model_damaged_while_it_answers_answers_in_no_process_until_it_is_whole_again(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.activate("9.9")
    assert shelf.current().card.version == "9.9"
    path = tmp_path / "9.9" / "calibration.json"
    whole = path.read_bytes()
    path.write_bytes(b"{}")
    refusals = []
    for process in (shelf, Shelf(tmp_path), shelf):
        with pytest.raises(ModelRefusedError, match=r"calibration\.json") as refused:
            process.current()
        refusals.append(str(refused.value))
    assert len(set(refusals)) == 1
    assert refusals[0] == shelf.problem()
    problems = {one.version: one.problem for one in shelf.all()}
    assert "SHA-256" in str(problems["9.9"])
    assert problems["9.10"] is None
    path.write_bytes(whole)
    assert shelf.current().card.version == "9.9"
    assert shelf.problem() is None


def test_damage_that_keeps_size_and_time_is_seen(shelf: Shelf, tmp_path: Path) -> None:
    shelf.activate("9.9")
    shelf.current()
    path = tmp_path / "9.9" / "model.onnx"
    before, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelRefusedError, match="SHA-256"):
        shelf.current()


def test_a_model_that_is_gone_while_it_answers_is_told(shelf: Shelf, tmp_path: Path) -> None:
    shelf.activate("9.9")
    shelf.current()
    shutil.rmtree(tmp_path / "9.9")
    with pytest.raises(ModelRefusedError, match=r"card\.json is refused: the file is not there"):
        shelf.current()
    assert shelf.rollback().card.version == VERSION
    assert shelf.current().card.version == VERSION


@pytest.mark.parametrize("content", ["", "{}", '{"version": "../x"}', "[1]", '{"version": "9.9", "more": 1}'])
def test_a_damaged_choice_is_told_and_mended_by_choosing(shelf: Shelf, tmp_path: Path, content: str) -> None:
    (tmp_path / "active.json").write_text(content)
    with pytest.raises(ModelRefusedError, match="tft-dash models activate"):
        shelf.current()
    assert not any(one.active for one in shelf.all())
    shelf.activate("9.10")
    assert shelf.current().card.version == "9.10"
    assert shelf.problem() is None


def test_a_choice_that_is_gone_is_told(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "active.json").write_text('{"version": "8.0"}')
    with pytest.raises(ModelRefusedError, match=r"card\.json is refused: the file is not there"):
        shelf.current()


def test_a_folder_under_another_versions_name_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "9.10").rename(tmp_path / "9.11")
    with pytest.raises(ModelRefusedError, match=r"Rename the folder to 9\.10"):
        shelf.activate("9.11")


def test_a_choice_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(StorageError, match="TFT_DASH_DATA"):
        Shelf(tmp_path / "models").activate(VERSION)
