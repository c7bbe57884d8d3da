from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tft_dash.inspection.spread import BINS, spread_of

ROWS = 200_000
RNG = np.random.default_rng(3)
COLUMNS: dict[str, NDArray[np.float64]] = {
    "few values": np.round(RNG.gamma(2.0, 9, ROWS), 1),
    "all different": RNG.normal(0, 50, ROWS),
    "in order already": np.sort(RNG.normal(0, 50, ROWS)),
    "two zeros": RNG.choice([-0.0, 0.0, 1.0], ROWS),
    "one value": np.full(ROWS, 7.5),
    "some missing": np.where(RNG.random(ROWS) < 0.3, np.nan, np.round(RNG.random(ROWS), 2)),
    "some infinite": np.where(RNG.random(ROWS) < 0.1, np.inf, np.round(RNG.random(ROWS), 2)),
}


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("name", COLUMNS)
def test_it_is_exact_whichever_way_is_taken(name: str, kind: type[np.floating[np.float64]]) -> None:
    values = COLUMNS[name].astype(kind)
    there = values[~np.isnan(values)]
    finite = there[np.isfinite(there)]
    found = spread_of(values.copy())
    assert found.present == len(there)
    assert found.distinct == len(np.unique(there))
    assert (found.low, found.high) == (finite.min(), finite.max())
    expected = np.quantile(finite.astype(np.float64), [0.5, 0.99])
    np.testing.assert_allclose([found.p50, found.p99], expected, rtol=1e-6)
    assert sum(found.counts) == len(finite)
    assert len(found.counts) == len(found.edges) - 1 <= BINS
    edges = np.asarray(found.edges).astype(kind)
    edges[[0, -1]] = -np.inf, np.inf
    assert list(found.counts) == np.histogram(finite, edges)[0].tolist()


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_nothing_has_no_spread(values: list[float]) -> None:
    found = spread_of(np.array(values, np.float32))
    assert (found.present, found.distinct, found.low, len(found.counts)) == (0, 0, None, 0)
