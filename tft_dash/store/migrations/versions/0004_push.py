"""Pushed samples: those that wait to be collected, and how each source is pushed. Times are milliseconds, UTC."""

import sqlalchemy as sa
from alembic import op

revision = "0004_push"
down_revision = "0003_alerts"

_METRICS = (
    "cpu_pct", "mem_pct", "latency_ms", "error_rate", "disk_io_mb_s", "net_in_mb_s", "net_out_mb_s", "gc_pause_ms",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "push_sources",
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("handed_ms", sa.BigInteger),
        sa.Column("pushed_ms", sa.BigInteger, nullable=False),
        sa.Column("history_since_ms", sa.BigInteger),
        sa.Column("history_ms", sa.BigInteger),
        sa.Column("pruned_ms", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.Column("allowance", sa.Float(53), nullable=False),
        sa.Column("allowed_ms", sa.BigInteger, nullable=False),
        sa.Column("late", sa.BigInteger, nullable=False),
        sa.Column("duplicate", sa.BigInteger, nullable=False),
        sa.Column("future", sa.BigInteger, nullable=False),
        sa.Column("rejections", sa.Text, nullable=False),
    )
    op.create_table(
        "push_samples",
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("time_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("server", sa.String(128), primary_key=True),
        sa.Column("profile", sa.String(128), nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        *(sa.Column(metric, sa.Float(53)) for metric in _METRICS),
    )
