"""Inspects a file before anybody asks, so that the pages find their answers in the cache."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tft_dash.background import Background
from tft_dash.errors import TableError
from tft_dash.inspection.inspector import Inspector
from tft_dash.progress import Progress


def prepare(path: Path, cache: Path, progress: Progress) -> None:
    """Make the verdict, the columns' facts and the map of gaps of the recording at ``path``.

    What cannot be told of a table is no failure here: the page says why when it is asked.
    """
    inspector = Inspector(cache, Background(None))
    inspector.report(path)
    progress(0.5)
    with contextlib.suppress(TableError):
        inspector.columns(path)
        inspector.gaps(path)
    progress(1.0)
