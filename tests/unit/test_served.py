"""Sources by name, those that lie elsewhere among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.local_store import LocalStore
from support.recordings import fleet_table, write_parquet

from tft_dash.errors import NotReadyError, UnreachableError
from tft_dash.served import ServedSources
from tft_dash.services import Services
from tft_dash.settings import load_settings

Open = Callable[..., ServedSources]
SPEC = "prod=s3://user:hush@bucket/fleet.parquet"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    write_parquet(tmp_path / "store/bucket/fleet.parquet", fleet_table(3))
    return LocalStore(tmp_path / "store")


@pytest.fixture
def opened(tmp_path: Path, store: LocalStore) -> Iterator[ServedSources]:
    settings = load_settings({"data": tmp_path / "data", "cache": tmp_path / "cache"}, environ={}, folder=tmp_path)
    services = Services(settings)
    options = {"object-store": {"look_seconds": 0.0, "ask": (store.look, store.copy)}}
    served = ServedSources(
        (SPEC,), tmp_path / "cache", services.uploads, services.recordings, look_seconds=0.0, options=options
    )
    yield served
    served.close()
    services.close()


def test_a_source_that_lies_elsewhere_is_shown_by_its_address_without_its_password(opened: ServedSources) -> None:
    place = opened.place("prod")
    assert (place.path, place.shown) == (None, "s3://***@bucket/fleet.parquet")


def test_its_path_is_that_of_the_copy_once_there_is_one(opened: ServedSources, store: LocalStore) -> None:
    with pytest.raises(NotReadyError, match="Copying s3"):
        opened.path("prod")
    opened.source("prod").prepare()
    assert opened.path("prod").name == "fleet.parquet"
    assert opened.path("prod").is_file()


def test_why_there_is_no_copy_is_told_in_the_place_of_a_path(opened: ServedSources, store: LocalStore) -> None:
    store.fail()
    with pytest.raises(UnreachableError):
        opened.source("prod").describe()
    with pytest.raises(UnreachableError, match="no connection"):
        opened.path("prod")


def test_it_is_watched_beside_the_requests_and_opened_anew_when_it_changed(
    opened: ServedSources, store: LocalStore, tmp_path: Path
) -> None:
    first = opened.source("prod")
    assert first.describe().ticks == 3
    assert opened.source("prod") is first
    write_parquet(tmp_path / "store/bucket/fleet.parquet", fleet_table(5))
    assert opened.source("prod") is first  # nobody has looked
    first.watch()  # type: ignore[attr-defined]
    assert opened.source("prod").describe().ticks == 5
    store.fail()
    opened.source("prod").watch()  # type: ignore[attr-defined]
    assert "Not looked at since" in opened.remarks("prod")[0]
    assert opened.source("prod").describe().ticks == 5
