"""The store's tables as they are now, all in one place; ``migrations`` says how they came to be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

from tft_dash.ticks import FLEET_SCALARS


class UtcTime(TypeDecorator[datetime]):
    """An instant with its zone, whatever the database makes of zones: written and read as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """As UTC; SQLite forgets the zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA: Final = MetaData()

LAYOUT: Final = Table("layout", METADATA, Column("version", Integer, primary_key=True, autoincrement=False))
"""One row: the number of the revision, for versions of the app from before there were any; they refuse more than 1."""

DOCUMENTS: Final = Table(
    "documents",
    METADATA,
    Column("kind", String(32), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("author", String(120), nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("updated", UtcTime, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
)

DOCUMENT_VERSIONS: Final = Table(
    "document_versions",
    METADATA,
    Column("kind", String(32), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("author", String(120), nullable=False),
    Column("saved", UtcTime, nullable=False),
    ForeignKeyConstraint(["kind", "key"], ["documents.kind", "documents.key"]),
)

RUNS: Final = Table(
    "runs",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("title", String(120), nullable=False),
    Column("scenario", String(64), nullable=False),
    Column("source", String(80), nullable=False),
    Column("body", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("author", String(120), nullable=False),
    Column("state", String(16), nullable=False),
    Column("progress", Float, nullable=False),
    Column("message", Text, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("started", UtcTime),
    Column("finished", UtcTime),
    Column("heartbeat", UtcTime),
    Column("runner", String(32), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("cancel", Boolean, nullable=False),
    Index("runs_by_state", "state", "number"),
)

LIVE_SOURCES: Final = Table(
    "live_sources",
    METADATA,
    Column("name", String(80), primary_key=True),
    Column("identity", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("place", Text, nullable=False),
    Column("step_ms", BigInteger, nullable=False),
    Column("delay_ms", BigInteger, nullable=False),
    Column("origin_ms", BigInteger),
    Column("latest", BigInteger, nullable=False),
    Column("latest_roster", BigInteger, nullable=False),
    Column("metrics", Text, nullable=False),
    Column("model", String(200), nullable=False),
    Column("polled_ms", BigInteger),
    Column("answered_ms", BigInteger),
    Column("problem", Text, nullable=False),
    Column("newest_ms", BigInteger),
    Column("late", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("future", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("rejections", Text, nullable=False),
    Column("holder", String(200), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
"""One row for every live source that was ever collected; times in milliseconds since 1970, UTC."""

LIVE_ROSTERS: Final = Table(
    "live_rosters",
    METADATA,
    Column("source", String(80), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("servers", Text, nullable=False),
    Column("profiles", Text, nullable=False),
)

LIVE_TICKS: Final = Table(
    "live_ticks",
    METADATA,
    Column("source", String(80), primary_key=True),
    Column("tick", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
    Column("model", String(200), nullable=False),
    Column("roster", BigInteger, nullable=False),
    *(Column(figure, Float(53)) for figure in FLEET_SCALARS),
    Column("reporting", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("duplicate", Integer, nullable=False),
    Column("future", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("stands_for", Integer, nullable=False),
    *(Column(f"{figure}_{how}", Float(53)) for figure in FLEET_SCALARS for how in ("mean", "max")),
    Column("size", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
"""A tick as it was recorded. Where its neighbours were thinned out since, it stands for several: then the means and
maxima of the fleet's figures over all of them are there, too. Times in milliseconds since 1970, UTC."""
