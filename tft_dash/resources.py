"""Files that travel with the package: assets and the shipped drills.

They lie at the top level of a checkout and inside the package in a wheel.
"""

from __future__ import annotations

from pathlib import Path

from tft_dash.errors import UnreachableError

_PACKAGE = Path(__file__).parent


def assets_folder() -> Path:
    """Style sheets, fonts and the clientside script."""
    return _shipped("assets")


def demo_data_folder() -> Path:
    """The shipped drills; read-only."""
    return _shipped("demo_data")


def _shipped(name: str) -> Path:
    for folder in (_PACKAGE / "_shipped" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise UnreachableError(f"The installation lacks its folder '{name}'. Install tft-dash again.")
