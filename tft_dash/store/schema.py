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
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
)

from tft_dash.schema import METRIC_NAMES
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
    Column("clock_ms", BigInteger),
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

LIVE_JUDGED: Final = Table(
    "live_judged",
    METADATA,
    Column("source", String(80), primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("span", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)
"""How the forecasts for a live source held in six hours: sums, written once by its leader. ``span`` is since 1970."""

ALERT_BOOKS: Final = Table(
    "alert_books",
    METADATA,
    Column("source", String(80), primary_key=True),
    Column("stamp", String(32), nullable=False),
    Column("rules", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""What is remembered of a source's alerts between two ticks; ``stamp`` is another one after every write."""

ALERT_PROBLEMS: Final = Table(
    "alert_problems",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("source", String(80), nullable=False),
    Column("life", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("resolved_ms", BigInteger),
    Column("body", Text, nullable=False),
    Index("alert_problems_by_time", "source", "opened_ms"),
)

ALERT_CHANGES: Final = Table(
    "alert_changes",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("source", String(80), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("change", String(16), nullable=False),
    Column("problem", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Index("alert_changes_by_time", "source", "time_ms"),
    Index("alert_changes_by_problem", "problem"),
)

ALERT_REMARKS: Final = Table(
    "alert_remarks",
    METADATA,
    Column("problem", String(16), primary_key=True),
    Column("body", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

ALERT_SILENCES: Final = Table(
    "alert_silences",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("ended_by", String(120), nullable=False),
    Column("body", Text, nullable=False),
)
"""``end_ms`` is the end in force; in ``body`` stands the one that was planned."""

ALERT_ACKNOWLEDGEMENTS: Final = Table(
    "alert_acknowledgements",
    METADATA,
    Column("episode", String(64), primary_key=True),
    Column("source", String(80), nullable=False),
    Column("problem", String(16), nullable=False),
    Column("by", String(120), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("comment", Text, nullable=False),
    Index("alert_acknowledgements_by_source", "source"),
)

ALERT_TELLINGS: Final = Table(
    "alert_tellings",
    METADATA,
    Column("id", String(200), primary_key=True),
    Column("source", String(80), nullable=False),
    Column("receiver", String(64), nullable=False),
    Column("event", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("problem", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("wakes", Integer, nullable=False),
    Column("claim", String(32), nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),
    Column("words", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("alert_tellings_by_receiver", "receiver", "source", "state"),
    Index("alert_tellings_by_problem", "problem"),
)
"""The outbox: one row for each thing that a receiver is to be told of, once."""

ALERT_DELIVERIES: Final = Table(
    "alert_deliveries",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("telling", String(200), nullable=False),
    Column("source", String(80), nullable=False),
    Column("receiver", String(64), nullable=False),
    Column("problem", String(16), nullable=False),
    Column("event", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("status", Integer),
    Column("took_ms", Integer, nullable=False),
    Column("words", Text, nullable=False),
    Index("alert_deliveries_by_time", "at_ms"),
    Index("alert_deliveries_by_problem", "problem"),
)
"""The log: every attempt to tell."""

PUSH_SOURCES: Final = Table(
    "push_sources",
    METADATA,
    Column("source", String(80), primary_key=True),
    Column("handed_ms", BigInteger),
    Column("pushed_ms", BigInteger, nullable=False),
    Column("history_since_ms", BigInteger),
    Column("history_ms", BigInteger),
    Column("pruned_ms", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("allowance", Float(53), nullable=False),
    Column("allowed_ms", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("future", BigInteger, nullable=False),
    Column("rejections", Text, nullable=False),
)
"""One row for every source that was ever pushed. Samples up to ``handed_ms`` are with the collector; ``held`` rows wait
or were handed over a moment ago; the counts are those that the collector has not been told yet."""

PUSH_SAMPLES: Final = Table(
    "push_samples",
    METADATA,
    Column("source", String(80), primary_key=True),
    Column("time_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("server", String(128), primary_key=True),
    Column("profile", String(128), nullable=False),
    Column("state", SmallInteger, nullable=False),
    *(Column(metric, Float(53)) for metric in METRIC_NAMES),
)
"""One row for every server and instant, whatever it took to bring it."""

SHARED_FILES: Final = Table(
    "shared_files",
    METADATA,
    Column("place", String(32), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("stamp", String(32), nullable=False),
    Column("serial", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("files", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("watched_ms", BigInteger, nullable=False),
)
"""One row for every file, or folder of files, of the data folder that all hosts have; ``stamp`` is another one after
every change, ``serial`` a higher one: a store that was set back to an earlier state is known by it. One that was
removed stays as ``removed`` until every host can have seen it. Times since 1970, UTC."""

SHARED_PARTS: Final = Table(
    "shared_parts",
    METADATA,
    Column("stamp", String(32), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary(1 << 20), nullable=False),
)
"""Their bytes, one file after the other."""

SHARED_UPLOADS: Final = Table(
    "shared_uploads",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("worker", String(32), nullable=False),
    Column("beat_ms", BigInteger, nullable=False),
    Column("removed", Boolean, nullable=False),
)
"""Uploads that are no datasets yet: the small files beside what was received, and the host that works on it.
One that was discarded stays as ``removed`` until every host can have seen it."""
