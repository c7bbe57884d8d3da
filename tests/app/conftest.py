"""The app over the shipped drills, asked through Flask's client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tft_dash.app import create_app
from tft_dash.services import Services
from tft_dash.settings import load_settings

MakeClient = Callable[..., FlaskClient]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Derived files, shared by the tests of a run."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def make_client(cache: Path, tmp_path: Path) -> Iterator[MakeClient]:
    """A client of a fresh app over the named sources and settings."""
    opened: list[Services] = []

    def make(*sources: str, **flags: object) -> FlaskClient:
        given = {"cache": cache, "data": tmp_path / "data", "sources": sources or None, **flags}
        settings = load_settings(given, environ={}, folder=tmp_path)
        services = Services(settings, wait_seconds=None, look_seconds=0.0)
        opened.append(services)
        return create_app(services).server.test_client()

    yield make
    for services in opened:
        services.close()


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    """A client of the app over the shipped drills."""
    return make_client()
