"""Live sources: who collects them, their servers, their ticks as issued. Times are milliseconds since 1970, UTC."""

import sqlalchemy as sa
from alembic import op

revision = "0002_live"
down_revision = "0001_documents_and_runs"

_FIGURES = ("prob_30m", "prob_8h", "cpu_median", "latency_p95", "error_mean")


def upgrade() -> None:
    """Make the tables."""
    _sources()
    op.create_table(
        "live_rosters",
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("servers", sa.Text, nullable=False),
        sa.Column("profiles", sa.Text, nullable=False),
    )
    _ticks()


def _sources() -> None:
    op.create_table(
        "live_sources",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("step_ms", sa.BigInteger, nullable=False),
        sa.Column("delay_ms", sa.BigInteger, nullable=False),
        sa.Column("origin_ms", sa.BigInteger),
        sa.Column("latest", sa.BigInteger, nullable=False),
        sa.Column("latest_roster", sa.BigInteger, nullable=False),
        sa.Column("metrics", sa.Text, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("polled_ms", sa.BigInteger),
        sa.Column("answered_ms", sa.BigInteger),
        sa.Column("clock_ms", sa.BigInteger),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("newest_ms", sa.BigInteger),
        sa.Column("late", sa.BigInteger, nullable=False),
        sa.Column("duplicate", sa.BigInteger, nullable=False),
        sa.Column("future", sa.BigInteger, nullable=False),
        sa.Column("rejected", sa.BigInteger, nullable=False),
        sa.Column("rejections", sa.Text, nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )


def _ticks() -> None:
    op.create_table(
        "live_ticks",
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("tick", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("issued_ms", sa.BigInteger, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("roster", sa.BigInteger, nullable=False),
        *(sa.Column(figure, sa.Float(53)) for figure in _FIGURES),
        sa.Column("reporting", sa.Integer, nullable=False),
        sa.Column("late", sa.Integer, nullable=False),
        sa.Column("duplicate", sa.Integer, nullable=False),
        sa.Column("future", sa.Integer, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
        sa.Column("stands_for", sa.Integer, nullable=False),
        *(sa.Column(f"{figure}_{how}", sa.Float(53)) for figure in _FIGURES for how in ("mean", "max")),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
