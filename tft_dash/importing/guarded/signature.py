"""What tells that two foreign files have the same columns, so that a mapping for one is offered for the other."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tft_dash.importing.foreign import open_foreign
from tft_dash.importing.guessing.words import REQUEST_WORDS, metric_for, plain_word
from tft_dash.importing.mapping import Mapping


def signature_of(path: Path, mapping: Mapping) -> tuple[str, tuple[str, ...]]:
    """The signature of the file's header, read in the dialect of ``mapping``, and the columns' names."""
    columns = open_foreign(path, mapping.spec.csv).columns
    parts = sorted(columns)
    if not any(metric_for(name) for name in columns):
        # The same two columns hold CPU in one file and latency in another: its name tells which.
        parts.append(_measured(path.stem))
    text = json.dumps(parts, ensure_ascii=True)
    return f"columns-{hashlib.sha256(text.encode()).hexdigest()[:24]}", columns


def _measured(stem: str) -> str:
    """What a file's name says that it measures; empty when it says nothing."""
    return metric_for(stem) or ("requests" if REQUEST_WORDS.search(plain_word(stem)) else "")
