from __future__ import annotations

from collections.abc import Iterator

import pytest

from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.training.histories import Histories, history_of


@pytest.fixture(scope="session")
def histories() -> Histories:
    """Six servers over six days, with incidents."""
    scenario = load_scenario("fleet-history").with_overrides(seed=5, fleet_size=6, duration_seconds=6 * 86_400)
    return history_of(simulate(scenario).window)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    torch = pytest.importorskip("torch", reason="training needs the extra 'train'")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
