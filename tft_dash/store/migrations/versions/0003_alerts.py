"""Alerts: what is remembered of each source, problems, changes, what people say, and what is told to whom.

Times are milliseconds since 1970, UTC.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_alerts"
down_revision = "0002_live"


def upgrade() -> None:
    """Make the tables."""
    _judged()
    _people()
    _outgoing()


def _judged() -> None:
    op.create_table(
        "alert_books",
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("stamp", sa.String(32), nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "alert_problems",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("life", sa.String(16), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("opened_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("resolved_ms", sa.BigInteger),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("alert_problems_by_time", "alert_problems", ["source", "opened_ms"])
    op.create_table(
        "alert_changes",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("change", sa.String(16), nullable=False),
        sa.Column("problem", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("alert_changes_by_time", "alert_changes", ["source", "time_ms"])
    op.create_index("alert_changes_by_problem", "alert_changes", ["problem"])


def _people() -> None:
    op.create_table(
        "alert_remarks",
        sa.Column("problem", sa.String(16), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "alert_silences",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("end_ms", sa.BigInteger, nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_by", sa.String(120), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "alert_acknowledgements",
        sa.Column("episode", sa.String(64), primary_key=True),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("problem", sa.String(16), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
    )
    op.create_index("alert_acknowledgements_by_source", "alert_acknowledgements", ["source"])


def _outgoing() -> None:
    op.create_table(
        "alert_tellings",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("receiver", sa.String(64), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("problem", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("wakes", sa.Integer, nullable=False),
        sa.Column("claim", sa.String(32), nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.Column("done_ms", sa.BigInteger),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("alert_tellings_by_receiver", "alert_tellings", ["receiver", "source", "state"])
    op.create_index("alert_tellings_by_problem", "alert_tellings", ["problem"])
    op.create_table(
        "alert_deliveries",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("telling", sa.String(200), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("receiver", sa.String(64), nullable=False),
        sa.Column("problem", sa.String(16), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("took_ms", sa.Integer, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
    )
    op.create_index("alert_deliveries_by_time", "alert_deliveries", ["at_ms"])
    op.create_index("alert_deliveries_by_problem", "alert_deliveries", ["problem"])
