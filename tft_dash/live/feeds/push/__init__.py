"""Samples that are pushed to the app: they wait in the store until the collector fetches them."""

from __future__ import annotations

from tft_dash.live.feeds.push.feed import open_push

__all__ = ["open_push"]
