"""Live sources in the store: who collects them, their ticks as issued, what is read of them, how long they are kept."""

from __future__ import annotations

from tft_dash.store.live.leases import LEASE_SECONDS, RENEW_SECONDS, Lease, Leases
from tft_dash.store.live.states import LiveState
from tft_dash.store.live.ticks import FleetHistory, LiveStore, Poll

__all__ = [
    "LEASE_SECONDS", "RENEW_SECONDS", "FleetHistory", "Lease", "Leases", "LiveState", "LiveStore", "Poll",
]  # fmt: skip
