"""``/metrics``: what Prometheus scrapes. Every value comes from the store, or from a folder that all workers share, so
that it does not depend on which of them answers.
"""

from __future__ import annotations

from tft_dash.api.metrics.route import register_metrics

__all__ = ["register_metrics"]
