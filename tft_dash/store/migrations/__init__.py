"""How the tables of the store came to be, step by step: Alembic revisions, run forward when a store is opened.

A new table, or a change of one, takes three steps:

1. Change ``store/schema.py``: it says what the tables are now.
2. Add one file to ``versions/``, named by its revision: the next number and what it brings, in at most 32 characters,
   e.g. ``0002_live_ticks.py``. Inside, ``revision`` is that name, ``down_revision`` that of the file before it, and
   ``upgrade()`` makes the change; it spells its columns out and imports no table of ``schema.py``, which goes on to
   change while a revision never does. Its times are ``sa.DateTime(timezone=True)``. There is no way back:
   ``downgrade()`` is left out.
3. Run ``pytest tests/unit/store tests/integration/test_postgresql.py``: they compare what the revisions make with
   ``schema.py``, in SQLite and in PostgreSQL, and print each difference.

::

    import sqlalchemy as sa
    from alembic import op

    revision = "0002_live_ticks"
    down_revision = "0001_documents_and_runs"


    def upgrade() -> None:
        op.create_table(
            "live_ticks",
            sa.Column("source", sa.String(80), primary_key=True),
            sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        )

- The whole way is one transaction, in SQLite too: no ``commit``, no ``CREATE INDEX CONCURRENTLY``.
- What SQLite cannot alter goes through ``with op.batch_alter_table("documents") as batch:``. It copies the table, while
  foreign keys are not enforced; they are checked before the transaction ends.
- A new column that may not be null has a ``server_default``, or is filled in the same revision: there are rows already.
  In PostgreSQL a constant default does not rewrite the table, so that hosts which still read are not held up.
- Hosts of the version before may go on reading for a while; they write nothing any more. So add first, and remove a
  column one version later.
- A revision that has reached others is never changed, renamed or removed; the next one mends it.
- The tables ``alembic_version`` and ``layout`` are not touched by hand: they say where a store is.
"""
