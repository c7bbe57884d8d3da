from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tft_dash.scenarios.files import generate_drill, is_current
from tft_dash.scenarios.library import load_scenario

DEMO_DATA = Path(__file__).parents[3] / "demo_data"
ARROW = f"parquet-cpp-arrow version {pa.__version__}"
"""Only the same Arrow writes the same Parquet bytes; another writes the same values."""
DRILLS = {"demo_dataset": "degrading", "early-warning": "early-warning"}


def test_exactly_these_drills_are_shipped() -> None:
    endings = (".csv", ".parquet", "_metadata.json", ".scenario.yaml")
    assert {path.name for path in DEMO_DATA.iterdir()} == {name + ending for name in DRILLS for ending in endings}


@pytest.mark.parametrize("name", DRILLS)
def test_a_shipped_drill_comes_from_its_preset(name: str) -> None:
    assert is_current(DEMO_DATA, name, load_scenario(DRILLS[name]))


@pytest.mark.parametrize("name", DRILLS)
def test_making_a_shipped_drill_again_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    files = generate_drill(load_scenario(DRILLS[name]), tmp_path, name)
    for path in files.paths:
        shipped = DEMO_DATA / path.name
        if path.suffix != ".parquet" or pq.read_metadata(shipped).created_by == ARROW:
            assert path.read_bytes() == shipped.read_bytes(), path.name
    assert pq.read_table(files.parquet).equals(pq.read_table(DEMO_DATA / f"{name}.parquet"))


@pytest.mark.parametrize("name", DRILLS)
def test_a_shipped_drill_holds_no_absolute_path_and_no_moment_of_making(name: str) -> None:
    facts = json.loads((DEMO_DATA / f"{name}_metadata.json").read_text("utf-8"))
    assert facts["start"] == "2026-01-05T09:00:00Z"
    assert "/" not in "".join(str(value) for key, value in facts.items() if key not in {"columns", "description"})
