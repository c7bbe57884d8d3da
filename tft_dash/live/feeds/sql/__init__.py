"""The kind of live source that is a table or view of a database."""

from tft_dash.live.feeds.sql.feed import SqlFeed, open_sql

__all__ = ["SqlFeed", "open_sql"]
