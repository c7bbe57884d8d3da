from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tft_dash.inspection.showing.sorting import stable_order

ROWS = 150_000
RNG = np.random.default_rng(5)
KEYS: dict[str, NDArray[np.generic]] = {
    "nothing": np.empty(0, np.float32),
    "one": np.array([3.0]),
    "flags": RNG.integers(0, 2, ROWS).astype(np.int8),
    "small numbers below zero": RNG.integers(-300, 300, ROWS).astype(np.int16),
    "ranks": RNG.integers(0, 60_000, ROWS).astype(np.uint16),
    "float32, few values": np.round(RNG.normal(0, 9, ROWS), 1).astype(np.float32),
    "float32, all different": RNG.normal(0, 9, ROWS).astype(np.float32),
    "float32, infinite": RNG.choice(np.array([-np.inf, -1.5, -0.0, 0.0, 2.5, np.inf], np.float32), 1_000),
    "float64, few values": np.round(RNG.normal(0, 9, ROWS), 1),
    "float64, many values that repeat": np.round(RNG.normal(0, 9, ROWS), 4),
    "float64, all different": RNG.normal(0, 9, ROWS),
    "int32, everywhere": RNG.integers(-(2**31), 2**31, ROWS).astype(np.int32),
    "int64, near each other": RNG.integers(2**60, 2**60 + 10**9, ROWS),
    "int64, everywhere": RNG.integers(-(2**63), 2**63 - 1, ROWS),
    "int64, both ends": np.array([2**63 - 1, -(2**63), 0, 2**63 - 1, -(2**63)]),
    "uint64, large": RNG.integers(2**63, 2**64 - 1, ROWS, dtype=np.uint64),
    "in order": np.sort(RNG.normal(0, 9, ROWS)),
    "in the opposite order": np.sort(RNG.normal(0, 9, ROWS))[::-1],
    "equal": np.full(ROWS, 4.0, np.float32),
}


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", KEYS)
def test_any_keys_come_in_order_and_equal_ones_keep_theirs(name: str, *, descending: bool) -> None:
    keys = KEYS[name]
    # The opposite order read backwards, of the keys read backwards, keeps the places of equal ones.
    backwards = len(keys) - 1 - np.argsort(keys[::-1], kind="stable")[::-1]
    expected = backwards if descending else np.argsort(keys, kind="stable")
    found = stable_order(keys, descending=descending)
    assert found.dtype == np.int32
    assert found.tolist() == expected.tolist()
