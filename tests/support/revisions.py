"""Revisions that the app does not have yet, and a store as the version before all revisions left it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import make_url

from tft_dash.store.migrations.revisions import Revisions
from tft_dash.store.schema import METADATA

SHIPPED = Revisions()

VERSION_1 = """
CREATE TABLE layout (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE documents (kind VARCHAR(32) NOT NULL, "key" VARCHAR(64) NOT NULL, version INTEGER NOT NULL,
  body TEXT NOT NULL, author VARCHAR(120) NOT NULL, created {time} NOT NULL, updated {time} NOT NULL,
  archived BOOLEAN NOT NULL, deleted BOOLEAN NOT NULL, PRIMARY KEY (kind, "key"));
CREATE TABLE document_versions (kind VARCHAR(32) NOT NULL, "key" VARCHAR(64) NOT NULL, version INTEGER NOT NULL,
  body TEXT NOT NULL, author VARCHAR(120) NOT NULL, saved {time} NOT NULL, PRIMARY KEY (kind, "key", version),
  FOREIGN KEY(kind, "key") REFERENCES documents (kind, "key"));
CREATE TABLE runs (number {serial} NOT NULL, id VARCHAR(32) NOT NULL, title VARCHAR(120) NOT NULL,
  scenario VARCHAR(64) NOT NULL, source VARCHAR(80) NOT NULL, body TEXT NOT NULL, rows INTEGER NOT NULL,
  author VARCHAR(120) NOT NULL, state VARCHAR(16) NOT NULL, progress FLOAT NOT NULL, message TEXT NOT NULL,
  created {time} NOT NULL, started {time}, finished {time}, heartbeat {time}, runner VARCHAR(32) NOT NULL,
  attempts INTEGER NOT NULL, cancel BOOLEAN NOT NULL, PRIMARY KEY (number), UNIQUE (id));
CREATE INDEX runs_by_state ON runs (state, number);
INSERT INTO layout VALUES (1);
INSERT INTO documents VALUES
  ('scenario', 'cascade', 2, '{{"seed":2}}', 'Ann', '2026-05-01 08:00:00', '2026-05-02 08:00:00', false, false),
  ('mapping', 'night', 1, '{{"layout":"long"}}', '', '2026-05-01 09:00:00', '2026-05-01 09:00:00', true, false);
INSERT INTO document_versions VALUES
  ('scenario', 'cascade', 1, '{{"seed":1}}', 'Ben', '2026-05-01 08:00:00'),
  ('scenario', 'cascade', 2, '{{"seed":2}}', 'Ann', '2026-05-02 08:00:00'),
  ('mapping', 'night', 1, '{{"layout":"long"}}', '', '2026-05-01 09:00:00');
INSERT INTO runs (id, title, scenario, source, body, rows, author, state, progress, message, created, runner, attempts,
  cancel) VALUES
  ('r1', 'Cascade', 'cascade', 's', '{{}}', 7, 'Ann', 'queued', 0, '', '2026-05-02 09:00:00', '', 0, false)
"""
"""What the app wrote when a store had a layout and no revision: two documents with three versions, and a run."""


def leave_version_1(url: str) -> None:
    """Make the store that an app from before all revisions has used."""
    sqlite = make_url(url).get_backend_name() == "sqlite"
    kinds = {"time": "DATETIME", "serial": "INTEGER"} if sqlite else {"time": "TIMESTAMPTZ", "serial": "SERIAL"}
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in VERSION_1.format(**kinds).split(";\n"):
            connection.exec_driver_sql(statement)
    engine.dispose()


def grown(folder: Path, **bodies: str) -> Revisions:
    """The shipped revisions and further ones in ``folder``: the name of each, and what it does, in lines."""
    shutil.copytree(SHIPPED.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = SHIPPED.newest
    for number, (word, body) in enumerate(bodies.items(), 9001):
        name = f"{number}_{word}"
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        head = f"import sqlalchemy as sa\nfrom alembic import op\nrevision = {name!r}\ndown_revision = {before!r}\n"
        (folder / f"{name}.py").write_text(f"{head}\ndef upgrade():\n{lines}")
        before = name
    return Revisions(folder)


def differences(connection: Connection) -> list[Any]:
    """What keeps the tables of a store from being those of ``schema.py``."""
    options = {"compare_type": True, "compare_server_default": True}
    found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)
    for table in METADATA.sorted_tables:
        if inspect(connection).has_table(table.name):
            key = inspect(connection).get_pk_constraint(table.name)["constrained_columns"]
            wanted = [column.name for column in table.primary_key]
            found += [("primary key", table.name, key, wanted)] if key != wanted else []
    return found


def rows(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement."""
    return [tuple(row) for row in connection.execute(text(statement))]
