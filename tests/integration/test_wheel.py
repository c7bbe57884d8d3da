"""An installed wheel works from any folder: assets and drills travel in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked into a folder of its own; the dependencies come from the running interpreter."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next((folder / "dist").glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_carries_assets_and_drills(installed: Path) -> None:
    shipped = installed / "tft_dash" / "_shipped"
    assert (shipped / "assets" / "tft_dash.js").is_file()
    assert (shipped / "demo_data" / "demo_dataset.parquet").is_file()
    assert (installed / "tft_dash" / "py.typed").is_file()


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
