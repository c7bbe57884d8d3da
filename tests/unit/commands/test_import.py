"""The command that makes a table of the contract from a foreign file."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from tft_dash.commands.importing import import_file


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text("Time;Host;CPU\n24.11.2026 08:00:00;web-1;12,5\n24.11.2026 08:01:00;web-1;13,5\n")
    return path


def imported(*arguments: object) -> Result:
    return CliRunner().invoke(import_file, [*map(str, arguments)])


def test_a_proposed_mapping_can_be_given_back(export: Path, tmp_path: Path) -> None:
    proposed = imported(export, "--propose")
    assert proposed.exit_code == 0
    (tmp_path / "mapping.yaml").write_text(proposed.stdout)
    done = imported(export, "--mapping", tmp_path / "mapping.yaml", "--output-dir", tmp_path / "made", "--name", "shop")
    assert done.exit_code == 0
    assert pq.read_table(tmp_path / "made" / "shop.parquet").to_pydict()["cpu_pct"] == [12.5, 13.5]
    assert (tmp_path / "made" / "shop.mapping.yaml").read_text() == proposed.stdout


def test_a_complete_proposal_is_used_without_a_mapping(export: Path, tmp_path: Path) -> None:
    assert imported(export, "--output-dir", tmp_path / "made").exit_code == 0
    assert (tmp_path / "made" / "export.parquet").is_file()


def test_an_incomplete_proposal_writes_nothing_and_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "sensor.csv"
    path.write_text("timestamp,value\n2026-11-24T08:00:00Z,5\n")
    done = imported(path, "--output-dir", tmp_path / "made")
    assert done.exit_code == 1
    assert "have no metric" in str(done.exception) + done.output
    assert not (tmp_path / "made" / "sensor.parquet").exists()


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", ""])
def test_a_name_that_could_leave_the_folder_is_refused(export: Path, tmp_path: Path, name: str) -> None:
    done = imported(export, "--output-dir", tmp_path / "made", "--name", name)
    assert done.exit_code != 0
    assert "cannot be called" in str(done.exception) + done.output
    assert not (tmp_path / "x.parquet").exists()
