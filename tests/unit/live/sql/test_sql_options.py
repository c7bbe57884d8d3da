from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.exc import OperationalError

from tft_dash.errors import SourceUnreachableError, UsageError
from tft_dash.importing.mapping import MappingError
from tft_dash.live.feeds.sql import open_sql
from tft_dash.live.feeds.sql.connecting import database_errors


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("sqlite:////x.db", {}, r"Which table is read\?"),
        ("sqlite:////x.db", {"table": ""}, "table= is empty"),
        ("sqlite:////x.db", {"table": "m", "tabel": "x"}, "Did you mean 'table'"),
        ("sqlite:////x.db", {"table": "m", "mode": "rw"}, "no option 'mode'"),
        ("sqlite://", {"table": "m"}, "A SQLite source is a file"),
        ("sqlite:///:memory:", {"table": "m"}, "A SQLite source is a file"),
        ("sqlite+aiosqlite:////x.db", {"table": "m"}, "aiosqlite|asynchronous"),
        ("mysql+pymysql://u:hunter2@h/d", {"table": "m"}, "needs the Python package 'pymysql'"),
        ("postgresql+nothing://u:hunter2@h/d", {"table": "m"}, "no kind of database"),
        ("postgresql+psycopg://u@h/d", {"table": "m", "step": "soon"}, "step=soon"),
        ("postgresql+psycopg://u@h/d", {"table": "m", "mapping": "/nowhere"}, "mapping=/nowhere: no such file"),
    ],
)
def test_impossible_options_are_refused_before_anything_is_asked(url: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        open_sql(url, options)
    assert "hunter2" not in str(caught.value)


def test_a_mapping_whose_times_a_database_cannot_compare_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "mapping.yaml"
    spec = "{timestamp: {from: a, clock: b, format: day-first}, columns: {cpu_pct: {from: c}}}"
    document.write_text(f"{{apiVersion: tft-dash/v1, kind: Mapping, metadata: {{name: own}}, spec: {spec}}}")
    with pytest.raises(MappingError) as caught:
        open_sql("sqlite:////x.db", {"table": "m", "mapping": str(document)})
    assert [path for path, _ in caught.value.problems] == ["spec.timestamp.format", "spec.timestamp.clock"]


def test_a_password_that_a_driver_repeats_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    options = {"table": "m", "password_file": str(tmp_path / "password")}
    configuration = open_sql("postgresql+psycopg://me:hunter1@h/d", options).configuration
    assert configuration.password is not None
    configuration.password.read()
    with pytest.raises(SourceUnreachableError, match="wrong") as caught, database_errors(configuration):
        raise OperationalError("SELECT 1", {}, Exception("wrong: hunter1 or hunter2"))
    assert "hunter" not in str(caught.value)


def test_an_option_that_the_driver_does_not_have_is_told() -> None:
    feed = open_sql("postgresql+psycopg://reader@127.0.0.1:1/fleet", {"table": "metrics", "plugin": "foo"})
    with pytest.raises(SourceUnreachableError, match=r"cannot be read: .*plugins:foo"):
        feed.fetch(np.datetime64("2026-03-01", "ms"), np.datetime64("2026-03-02", "ms"))
