"""An inspector that finishes what it begins, over a cache of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tft_dash.background import Background
from tft_dash.inspection.facts import ColumnFacts
from tft_dash.inspection.inspector import Inspector

Facts = Callable[[Path], dict[str, ColumnFacts]]


@pytest.fixture
def inspector(tmp_path: Path) -> Inspector:
    return Inspector(tmp_path / "cache", Background(None))


@pytest.fixture
def facts(inspector: Inspector) -> Facts:
    """The facts of a table's columns by name; of equal names the last."""
    return lambda path: {column.name: column for column in inspector.columns(path)}
