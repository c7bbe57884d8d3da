"""Model folders to do harm to."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tft_dash.models.forecasting.card import CARD_FILE
from tft_dash.models.forecasting.shelf import shipped_folder, shipped_versions

VERSION = shipped_versions()[-1]
SHIPPED = shipped_folder() / VERSION


def copied(place: Path, version: str = "1.0.0", change: Callable[[dict[str, Any]], None] | None = None) -> Path:
    """The shipped model as ``place / version``, with another card."""
    folder = place / version
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(SHIPPED, folder)

    def renamed(card: dict[str, Any]) -> None:
        card["version"] = version
        if change is not None:
            change(card)

    return with_card(folder, renamed)


def with_card(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The folder with a changed card."""
    card = json.loads((folder / CARD_FILE).read_text())
    change(card)
    (folder / CARD_FILE).write_text(json.dumps(card))
    return folder


def with_file(folder: Path, name: str, content: bytes) -> Path:
    """The folder with another file in place of ``name``, for which the card vouches."""
    (folder / name).write_bytes(content)
    return with_card(folder, lambda card: card["files"].update({name: hashlib.sha256(content).hexdigest()}))
