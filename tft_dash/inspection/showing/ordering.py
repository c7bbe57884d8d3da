"""The positions of the rows that a view shows, in its order; kept in the cache, so that a page is a slice."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tft_dash.artefacts import exclusive
from tft_dash.inspection.showing.filtering import find_column, matching
from tft_dash.inspection.showing.sorting import stable_order
from tft_dash.inspection.stored.kinds import TEXT, numbers_of
from tft_dash.inspection.stored.rowfile import RowFile, StoredColumn
from tft_dash.inspection.stored.whole import write_whole
from tft_dash.inspection.views import Filter, Sort, View

VIEWS_KEPT: Final = 16
"""How many orders and views of a recording lie in the cache; the least recently used goes first."""

Positions = NDArray[np.int32]


def positions_of(rows: RowFile, view: View) -> Positions | None:
    """The rows' positions in the view's order; None = all rows in the file's order.

    :raises UsageError: a filter or sort does not fit its column.
    """
    if not view.filters and not view.sorts:
        return None
    for name in (*(one.column for one in view.filters), *(one.column for one in view.sorts)):
        find_column(rows, name)
    if not rows.rows:
        return np.empty(0, np.int32)
    known = _load(_place(rows, view))
    if known is not None:
        return known
    if not view.filters:
        return _kept(rows, view, lambda: _sorted(rows, view.sorts))
    # Before the lock is taken, which is the same for every view.
    order = positions_of(rows, View((), view.sorts))
    return _kept(rows, view, lambda: _filtered(rows, view.filters, order))


def is_arranged(rows: RowFile, view: View) -> bool:
    """Whether :func:`positions_of` has its answer at hand."""
    return not rows.rows or not (view.filters or view.sorts) or _place(rows, view).exists()


def _filtered(rows: RowFile, filters: Sequence[Filter], order: Positions | None) -> Positions:
    mask = np.ones(rows.rows, bool)
    for condition in filters:
        mask &= matching(rows, condition)
    return np.flatnonzero(mask).astype(np.int32) if order is None else np.asarray(order[mask[order]])


def _sorted(rows: RowFile, sorts: tuple[Sort, ...]) -> Positions:
    """Stable, from the last sort to the first, so that ties keep the order of the sort after."""
    order: Positions | None = None
    for sort in reversed(sorts):
        column = find_column(rows, sort.column)
        order = _by_column(rows, column, descending=sort.descending, before=order)
    return np.arange(rows.rows, dtype=np.int32) if order is None else order


def _by_column(rows: RowFile, column: StoredColumn, *, descending: bool, before: Positions | None) -> Positions:
    keys, there = _keys(rows, column)
    if before is not None:
        keys, there = keys[before], there[before]
    if bool(there.all()):
        order = stable_order(keys, descending=descending)
    else:
        good = np.flatnonzero(there).astype(np.int32)
        order = good[stable_order(keys[good], descending=descending)]
        order = np.concatenate([order, np.flatnonzero(~there).astype(np.int32)])
    return order if before is None else before[order]


def _keys(rows: RowFile, column: StoredColumn) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """(rows,) numbers in the order of the column's values, and where there is a value."""
    if column.kind == TEXT and column.coded:
        return _word_keys(rows, column)
    if column.kind == TEXT:
        return _text_keys(rows, column)
    first = next(rows.chunks(column.field), None)
    kind = pa.int8() if first is None else first.type
    there = rows.whole(column.field, lambda chunk: chunk.is_valid().to_numpy(zero_copy_only=False), bool)
    if pa.types.is_timestamp(kind) or pa.types.is_boolean(kind):
        whole = pa.int8() if pa.types.is_boolean(kind) else pa.int64()
        return rows.whole(column.field, lambda chunk: _integers(pc.cast(chunk, whole)), whole.to_pandas_dtype()), there
    if pa.types.is_integer(kind):
        return rows.whole(column.field, _integers, kind.to_pandas_dtype()), there
    narrow = pa.types.is_float32(kind)
    return rows.whole(column.field, numbers_of, np.float32 if narrow else np.float64), there


def _integers(chunk: pa.Array) -> NDArray[Any]:
    return pc.fill_null(chunk, 0).to_numpy(zero_copy_only=False)


def _word_keys(rows: RowFile, column: StoredColumn) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Texts by letters, whatever their case; the words are ranked once."""
    words = rows.words(column.field).to_pylist()
    ranked = sorted(range(len(words)), key=lambda place: (words[place].casefold(), words[place]))
    # Small numbers are sorted several times faster.
    ranks = np.empty(len(words) + 1, np.uint16 if len(words) < np.iinfo(np.uint16).max else np.uint32)
    ranks[ranked] = np.arange(len(words))
    codes = rows.codes(column.field)
    return ranks[codes], codes >= 0


def _text_keys(rows: RowFile, column: StoredColumn) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Ranks of plain texts, equal for equal texts."""
    texts = pa.chunked_array([pc.utf8_lower(chunk) for chunk in rows.chunks(column.field)])
    ranks = pc.rank(texts, tiebreaker="dense").to_numpy().astype(np.uint32)
    there: NDArray[np.bool_] = texts.is_valid().to_numpy()
    return ranks, there


def _kept(rows: RowFile, view: View, make: Callable[[], Positions]) -> Positions:
    """What ``make`` gives, from the cache if somebody else has made it."""
    path = _place(rows, view)
    try:
        path.parent.mkdir(exist_ok=True)
        # One at a time: sorts of many rows need much memory.
        with exclusive(path.parent / ".lock"):
            known = _load(path)
            return _save(path, make()) if known is None else known
    except PermissionError:
        return make()


def _place(rows: RowFile, view: View) -> Path:
    key = hashlib.sha256(orjson.dumps(view.as_dict())).hexdigest()[:32]
    return rows.folder / "views" / f"{key}.npy"


def _load(path: Path) -> Positions | None:
    try:
        positions: Positions = np.load(path, mmap_mode="r")
        os.utime(path)
    except (OSError, ValueError, EOFError):
        return None
    return np.asarray(positions)


def _save(path: Path, positions: Positions) -> Positions:
    # Only a short cut: where there is no room the rows are put in order again next time.
    with contextlib.suppress(OSError):
        write_whole(path, lambda file: np.save(file, positions))
        _forget_old(path.parent)
    return positions


def _forget_old(folder: Path) -> None:
    found = sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in found[VIEWS_KEPT:]:
        path.unlink(missing_ok=True)
