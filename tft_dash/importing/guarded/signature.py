"""What tells that two foreign files have the same columns, so that a mapping for one is offered for the other."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tft_dash.importing.foreign import open_foreign
from tft_dash.importing.mapping import Mapping


def signature_of(path: Path, mapping: Mapping) -> tuple[str, tuple[str, ...]]:
    """The signature of the file's header, read in the dialect of ``mapping``, and the columns' names."""
    columns = open_foreign(path, mapping.spec.csv).columns
    text = json.dumps(sorted(columns), ensure_ascii=True)
    return f"columns-{hashlib.sha256(text.encode()).hexdigest()[:24]}", columns
