"""An installed wheel works from any folder: assets and drills travel in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``pip install .`` into a folder of its own; the dependencies come from the running interpreter."""
    site = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--target", str(site)]
    command = [sys.executable, "-m", "pip", "install", ".", *options]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return site


def test_the_wheel_carries_assets_and_drills(installed: Path) -> None:
    shipped = installed / "tft_dash" / "_shipped"
    assert (shipped / "assets" / "tft_dash.js").is_file()
    assert (shipped / "demo_data" / "demo_dataset.parquet").is_file()
    assert (installed / "tft_dash" / "py.typed").is_file()


def test_the_wheel_carries_a_forecast_model_that_is_accepted(installed: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(installed), "TFT_DASH_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "tft_dash", "models"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "shipped\tactive" in done.stdout


@pytest.mark.parametrize("address", ["/api/v1/sources", "/assets/tft_dash.js", "/"])
def test_the_installed_app_answers_from_any_folder(installed: Path, tmp_path: Path, address: str) -> None:
    environ = {**os.environ, "PYTHONPATH": str(installed), "TFT_DASH_CACHE": str(tmp_path / "cache")}
    script = (
        "import tft_dash, sys; from tft_dash.cli import main; "
        f"assert tft_dash.__file__.startswith({str(installed)!r}), tft_dash.__file__; "
        f"main(['serve', '--get', {address!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environ, check=False, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout) > 100


def test_the_wheel_carries_the_revisions_of_the_store(installed: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(installed)}
    script = "from tft_dash.store.engine import Store; Store('sqlite:///store.sqlite').open()"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environ, check=False, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    carried = {path.name for path in (installed / "tft_dash/store/migrations/versions").glob("*.py")}
    assert carried == {path.name for path in (ROOT / "tft_dash/store/migrations/versions").glob("*.py")}
    assert (tmp_path / "store.sqlite").stat().st_size > 0
