"""A server brings its store forward before it listens, and does not begin on one of a newer version."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from support.revisions import SHIPPED, grown, leave_version_1, rows
from support.serving import free_port, running

from tft_dash.store.engine import Store

COMMANDS = {
    "tft-dash": ["-m", "tft_dash", "serve", "--workers", "2"],
    "gunicorn": ["-m", "gunicorn", "--config", "python:tft_dash.gunicorn_conf", "tft_dash.wsgi:server"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_does_not_begin_on_a_newer_store_and_says_why(command: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    later = grown(tmp_path / "later", alerts='op.create_table("a", sa.Column("id", sa.Integer, primary_key=True))')
    Store(url, later).open()
    places = {"TFT_DASH_DATA": str(tmp_path), "TFT_DASH_CACHE": str(tmp_path), "TFT_DASH_PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, *COMMANDS[command]],
        cwd=tmp_path, env={**os.environ, **places}, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 3
    assert f"is at revision '9001_alerts', this version knows those up to '{SHIPPED.newest}'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_brings_an_old_store_forward_before_it_listens(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.sqlite"
    leave_version_1(url)
    with running("serve", folder=tmp_path, TFT_DASH_STORE=url), create_engine(url).connect() as connection:
        assert rows(connection, "SELECT version_num FROM alembic_version") == [(SHIPPED.newest,)]
        assert connection.execute(text("SELECT count(*) FROM documents")).scalar() == 2


def test_a_server_begins_though_its_store_cannot_be_reached(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("")
    with running("serve", folder=tmp_path, TFT_DASH_STORE=f"sqlite:///{tmp_path}/in-the-way/store.sqlite"):
        pass
