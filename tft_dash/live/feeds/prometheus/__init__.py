"""The kind of live source that is asked in PromQL."""

from tft_dash.live.feeds.prometheus.feed import PrometheusFeed, open_prometheus

__all__ = ["PrometheusFeed", "open_prometheus"]
