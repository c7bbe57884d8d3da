"""The drift watch of a live source on the pages and at ``/metrics``: what its collector has judged, by any worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app.conftest import MakeClient
from app.test_callbacks import ask, text_of
from app.test_drift import watch
from app.test_models import page
from support.held import MODEL, changed, judged, recorded, simulated

from tft_dash.assessing import assess_source
from tft_dash.sources.memory import MemorySource
from tft_dash.store.engine import Store

SOURCE = "fleet=push://fleet?step=300s&model=tft"
DAY_TICKS, DAYS = 288, 5


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which a fleet is recorded that changes on its fourth day."""
    folder = tmp_path_factory.mktemp("filled")
    window = changed(simulated(3001, DAYS, 3), 3 * DAY_TICKS, noise=0.7)
    store = Store(f"sqlite:///{folder}/store.sqlite")
    recorded(store, window, assess_source(MemorySource(window, name="fleet"), MODEL, folder).assessments)
    store.close()
    return folder / "store.sqlite"


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "store.sqlite").write_bytes(filled.read_bytes())
    opened = Store(f"sqlite:///{tmp_path}/data/store.sqlite")
    yield opened
    opened.close()


def test_every_worker_tells_of_drift_once_the_collector_has_judged(make_client: MakeClient, store: Store) -> None:
    one, two = make_client(SOURCE), make_client(SOURCE)
    assert 'tft_dash_forecast_watch_ready{source="fleet"} 0' in one.get("/metrics").text
    assert "Nothing was judged yet" in text_of(watch(one, "fleet")["models-drift-words"]["children"])
    judged(store)
    for client in (one, two):
        text = client.get("/metrics").text
        assert 'tft_dash_forecast_watch_ready{source="fleet"} 1' in text
        (state,) = (line for line in text.splitlines() if "drift_state" in line and line.endswith(" 1"))
        assert 'state="drifting"' in state
        assert "fleet" in page(client)
        found = watch(client, "fleet")
        assert "Drifting" in text_of(found["models-drift-words"]["children"])
        assert found["models-drift-plots"]["hidden"] is False
    assert watch(one, "fleet") == watch(two, "fleet")


def test_the_live_monitor_warns_from_the_tick_at_which_it_was_known(make_client: MakeClient, store: Store) -> None:
    judged(store)
    client = make_client(SOURCE)
    place = {"source": "fleet", "model": "best"}
    early = ask(client, tick=2 * DAY_TICKS, **place)
    assert early["monitor-drift"]["children"] == []
    late = ask(client, tick=DAYS * DAY_TICKS - 1, **place)
    assert "forecast drifts" in text_of(late["monitor-drift"]["children"])


def test_a_live_source_without_a_forecast_is_not_offered_and_says_why(make_client: MakeClient, store: Store) -> None:
    del store
    client = make_client("other=push://other?step=5s")
    assert "models-drift-source" not in page(client)
    assert "not been collected" in text_of(watch(client, "other")["models-drift-words"]["children"])
