"""How the forecasts for live sources held, by spans of six hours."""

import sqlalchemy as sa
from alembic import op

revision = "0005_live_judged"
down_revision = "0004_push"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "live_judged",
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("model", sa.String(200), primary_key=True),
        sa.Column("span", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
    )
