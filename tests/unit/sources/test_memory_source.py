"""The source that stands in for all others in tests."""

from __future__ import annotations

import numpy as np
import pytest

from tft_dash.errors import TableError
from tft_dash.schema import OFFLINE, ONLINE, Window
from tft_dash.sources.memory import DEFAULT_START, MemorySource

VALUES = {"cpu_pct": [[1.0, 2.0], [3.0, 95.0]]}


def test_servers_profiles_and_states_are_made_up_where_they_are_not_given() -> None:
    source = MemorySource.from_arrays(VALUES)
    assert source.describe().servers == ("server-001", "server-002")
    assert source.describe().profiles == ("generic", "generic")
    assert source.read(-1, 2).states.tolist() == [[0, 0], [0, 2]]


def test_given_states_are_kept() -> None:
    states = np.array([[OFFLINE, ONLINE], [ONLINE, ONLINE]], np.int8)
    assert (MemorySource.from_arrays(VALUES, states=states).read(-1, 2).states == states).all()


def test_equal_content_has_an_equal_digest_and_other_content_another() -> None:
    one, same, other = (MemorySource.from_arrays({"cpu_pct": [[value]]}) for value in (1.0, 1.0, 2.0))
    assert one.describe().digest == same.describe().digest != other.describe().digest


def test_what_is_given_stays_changeable_for_its_owner() -> None:
    values = np.ones((2, 2), np.float32)
    MemorySource.from_arrays({"cpu_pct": values})
    values[0, 0] = 2


@pytest.mark.parametrize(
    ("metrics", "servers", "words"),
    [
        ({}, ("a",), "needs metrics, ticks and servers"),
        ({"cpu_pct": np.zeros((0, 2))}, ("a", "b"), "needs metrics, ticks and servers"),
        ({"cpu_pct": np.zeros((2, 2)), "mem_pct": np.zeros((2, 3))}, ("a", "b"), "mem_pct of shape"),
        ({"cpu_pct": np.zeros((2, 2))}, ("a", "b", "c"), "cpu_pct of shape"),
    ],
)
def test_shapes_that_disagree_are_refused(metrics: dict[str, np.ndarray], servers: tuple[str, ...], words: str) -> None:
    window = Window(DEFAULT_START, 5.0, servers, ("generic",) * len(servers), metrics)
    with pytest.raises(TableError, match=words):
        MemorySource(window)


def test_too_few_profiles_or_phases_are_refused() -> None:
    with pytest.raises(TableError, match="1 profiles; give 2"):
        MemorySource.from_arrays(VALUES, profiles=("web",))
    with pytest.raises(TableError, match="1 phases; give 2"):
        MemorySource.from_arrays(VALUES, phases=("calm",))
