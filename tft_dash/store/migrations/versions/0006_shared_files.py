"""Files that every host of a portal has, and the uploads that are on their way to be datasets."""

import sqlalchemy as sa
from alembic import op

revision = "0006_shared_files"
down_revision = "0005_live_judged"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "shared_files",
        sa.Column("place", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("stamp", sa.String(32), nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("watched_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "shared_parts",
        sa.Column("stamp", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("payload", sa.LargeBinary(1 << 20), nullable=False),
    )
    op.create_table(
        "shared_uploads",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("worker", sa.String(32), nullable=False),
        sa.Column("beat_ms", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
    )
