"""Which column names the server of a row, where none is called so: told from the rows themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_MOST: Final = 0.5
"""A column of servers has at most so many distinct values by row; beyond, it tells rows rather than servers."""


def guess_servers(sample: Mapping[str, pa.Array], names: Sequence[str], stamp: str) -> str | None:
    """The column that tells apart the rows of one time, or None when no column does, or none needs to.

    :param names: the columns that may.
    :param stamp: the column of times.
    """
    times = pc.dictionary_encode(sample[stamp]).indices
    rows = len(times)
    if rows < 2 or len(pc.unique(times)) == rows:
        return None
    for name in names:
        column = sample[name]
        if not pa.types.is_string(column.type) or column.null_count:
            continue
        words = pc.dictionary_encode(column)
        if not 2 <= len(words.dictionary) <= max(2, rows * _MOST) or _are_numbers(words.dictionary):
            continue
        pairs = pa.table({"time": times, "word": words.indices}).group_by(["time", "word"]).aggregate([])
        if pairs.num_rows == rows:
            return name
    return None


def _are_numbers(words: pa.Array) -> bool:
    return bool(pc.all(pc.match_substring_regex(words, r"^[\s\d.,:%+-]*$")).as_py())
