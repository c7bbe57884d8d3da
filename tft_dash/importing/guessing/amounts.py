"""Whether the values of a column can be what its name says, and in which unit they are."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tft_dash.importing.guessing.words import RATE_WORDS, kind_of, plain_word
from tft_dash.importing.units import numbers_of, own_unit
from tft_dash.schema import METRIC_NAMES, STATE, STATES

Values = NDArray[np.float64]

_LARGEST_PERCENT: Final = 110.0
_FEW: Final = 5
"""So few values do not tell a counter."""


def is_numeric(values: pa.Array, decimal: str) -> bool:
    """Whether most of what stands in a column is numbers."""
    values = values.slice(0, 5000)
    if pa.types.is_timestamp(values.type) or pa.types.is_boolean(values.type) or pa.types.is_date(values.type):
        return False
    _, text = numbers_of(values, decimal)
    present = len(values) - values.null_count
    return present == 0 or text is None or float(text.sum()) < 0.5 * present


def can_hold(column: str, values: pa.Array, decimal: str) -> bool:
    """Whether a column's values are of the kind that its name says."""
    if column in METRIC_NAMES:
        return is_numeric(values, decimal)
    if column == STATE:
        words = set(values.slice(0, 1000).drop_null().to_pylist())
        return bool(words) and words <= set(STATES)
    return True


def reason_against(metric: str, name: str, values: Values, servers: pa.Array | None) -> str:
    """Why numbers are not what their column's name says, in words; empty when they may be.

    :param values: (rows,) the sample's; NaN = missing.
    :param servers: (rows,) whose they are; None = of one server.
    """
    if plain_word(name) == metric:
        return ""
    known = values[np.isfinite(values)]
    if len(known) and kind_of(metric) == "percent":
        return _no_share(metric, name, known)
    if kind_of(metric) == "rate" and not RATE_WORDS.search(plain_word(name)) and _only_grows(values, servers):
        return "never falls: it counts since a start, and is no rate; export its rate per second"
    return ""


def _no_share(metric: str, name: str, known: Values) -> str:
    low, high = float(known.min()), float(known.max())
    if low < 0:
        return f"goes down to {low:.3g}, which no share does"
    # A container's CPU counts every core; its middle tells.
    top = float(np.median(known)) if metric == "cpu_pct" else high
    if top > _LARGEST_PERCENT:
        return f"goes up to {high:.3g}, which is neither per cent nor a fraction"
    if plain_word(name) in ("error", "errors", "errs", "failures") and high > 1 and not (known % 1).any():
        return "counts errors, where the contract has their share of requests"
    return ""


def _only_grows(values: Values, servers: pa.Array | None) -> bool:
    codes = np.zeros(len(values), np.int64)
    if servers is not None:
        codes = pc.fill_null(pc.dictionary_encode(servers).indices, -1).to_numpy(zero_copy_only=False)
    known = np.isfinite(values)
    values, codes = values[known], codes[known]
    order = np.argsort(codes, kind="stable")
    steps = np.diff(values[order])[np.diff(codes[order]) == 0]
    return len(steps) >= _FEW and bool((steps >= 0).all()) and float((steps > 0).mean()) > 0.5


def unit_by_values(metric: str, values: NDArray[Any]) -> tuple[str, str]:
    """The unit that values speak for, and the words for it; empty words where they say nothing.

    :param values: known ones only.
    """
    own, kind = own_unit(metric), kind_of(metric)
    if not len(values):
        return own, ""
    low, high, middle = (float(np.min(values)), float(np.max(values)), float(np.median(values)))
    if kind == "percent":
        unit = "fraction" if high <= 1.0 else "percent"
        span = f"because its values run from {low:.3g} to {high:.3g}"
        return unit, span if unit != own or high <= 5 else ""
    if kind == "time":
        unit = "s" if middle < 2 and metric == "latency_ms" else "us" if middle > 100_000 else "ms"
        return unit, f"because its middle value is {middle:.3g}"
    unit = "B/s" if middle > 50_000 else own
    return unit, f"because its middle value is {middle:.3g}" if unit != own else ""
