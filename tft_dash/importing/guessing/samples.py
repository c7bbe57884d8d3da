"""The first rows of a foreign file, by which its columns are judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from tft_dash.errors import TableError, shorten
from tft_dash.importing.foreign import Foreign
from tft_dash.importing.parts import LONGEST_COLUMN_NAME

SAMPLE_ROWS: Final = 50_000
_SAMPLE_COLUMNS: Final = 400


def take_sample(foreign: Foreign) -> dict[str, pa.Array]:
    """The first rows of the first columns; a name that a mapping cannot hold is passed over."""
    readable = [name for name in foreign.columns if name not in foreign.unusable]
    names = [name for name in readable if len(name) <= LONGEST_COLUMN_NAME][:_SAMPLE_COLUMNS]
    found: dict[str, list[pa.Array]] = {name: [] for name in names}
    rows = 0
    for block in foreign.blocks(names) if names else ():
        for name in names:
            found[name].append(block.columns[name])
        rows += block.rows
        if rows >= SAMPLE_ROWS:
            break
    return {name: pa.concat_arrays(parts) if parts else pa.nulls(0) for name, parts in found.items()}


def demand_hope(name: str, foreign: Foreign, sample: Mapping[str, pa.Array]) -> None:
    """Refuse what no mapping can make a table of.

    :raises TableError: says what to do.
    """
    where = shorten(name)
    if len(foreign.unusable) == len(foreign.columns):
        kinds = [f"{shorten(column, 40)} is of type {shorten(kind, 60)}" for column, kind in foreign.unusable.items()]
        raise TableError(
            f"{where} has no column that can be read: {', '.join(kinds[:3])}. Write it with a plain column for each "
            "value."
        )
    if len(foreign.columns) == 1:
        raise TableError(
            f"{where} has one column only, where a metrics table has times and values. If spaces separate its values, "
            "write it with commas, semicolons, tabs or bars."
        )
    if sample and not len(next(iter(sample.values()))):
        raise TableError(f"{where} has a header and no rows. Export it again, with its values.")
