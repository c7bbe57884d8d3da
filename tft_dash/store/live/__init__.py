"""Live sources in the store: who collects them, their ticks as issued, what is read of them, how long they are kept."""

from __future__ import annotations

from tft_dash.store.live.judged import JUDGED_SPAN_MS, JudgedSpans
from tft_dash.store.live.leases import LEASE_SECONDS, RENEW_SECONDS, Lease, Leases, LiveFacts
from tft_dash.store.live.recording import Hooks, OnSilence, OnTick, Poll, Rejections
from tft_dash.store.live.states import LiveState
from tft_dash.store.live.ticks import FleetHistory, LiveStore, forget_live

__all__ = [
    "JUDGED_SPAN_MS", "LEASE_SECONDS", "RENEW_SECONDS", "FleetHistory", "Hooks", "JudgedSpans", "Lease", "Leases",
    "LiveFacts", "LiveState", "LiveStore", "OnSilence", "OnTick", "Poll", "Rejections", "forget_live",
]  # fmt: skip
