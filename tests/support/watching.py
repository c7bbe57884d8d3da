"""A live source that is collected and judged by hand, and the receivers that are told of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from support.live import World
from tft_dash.alerting.couriers import Courier, Pace
from tft_dash.alerting.desk import AlertDesk
from tft_dash.alerting.judge import AlertJudge
from tft_dash.collecting.collector import Collector
from tft_dash.live.feeds.memory import ManualClock
from tft_dash.settings import Settings, load_settings
from tft_dash.store.engine import Store, store_url

HOT = {
    "alert": "Hot",
    "when": {"check": "metric", "metrics": ["cpu_pct"], "above": 90, "clear_at": 50},
    "severity": "critical",
    "runbook_url": "https://runbooks.example.com/hot",
    "annotations": {"summary": "{{ $labels.server_name }} is hot: {{ $value }}"},
}


def document(kind: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "tft-dash/v1", "kind": kind, "metadata": {"name": "test"}, "spec": spec}


class Watch:
    """A source, its collector with alerts, and its courier.

    :param ago: how many seconds ago the source's time begins; long ago = everything is back-filled.
    """

    def __init__(
        self,
        folder: Path,
        *receivers: Mapping[str, Any],
        rules: tuple[Mapping[str, Any], ...] = (HOT,),
        ago: float = 0.0,
        **environ: str,
    ) -> None:
        self.folder = folder
        self.tell(*receivers)
        (folder / "rules.yaml").write_text(json.dumps(document("AlertRules", rules=[*rules])))
        names = {"data": folder, "alert_receivers": folder / "receivers.yaml", "alert_rules": folder / "rules.yaml"}
        given = {f"TFT_DASH_{name.upper()}": str(value) for name, value in names.items()}
        self.settings: Settings = load_settings(environ={**given, **environ}, folder=folder)
        self.store = Store(store_url(self.settings))
        self._stores = [self.store]
        self.desk = AlertDesk(self.store, self.settings)
        self.world = World(self.store, clock=ManualClock(self.on_grid(-ago)))
        self.judge = AlertJudge(self.settings)
        self.collector = self.another()
        self.courier = self.another_courier()

    def on_grid(self, seconds: float = 0.0) -> np.datetime64:
        """The store's time, so many seconds on, as a time at which a tick ends."""
        at = self.desk.now_ms() + round(seconds * 1000)
        return np.datetime64(at - at % 5000, "ms")

    def tell(self, *receivers: Mapping[str, Any]) -> None:
        """These are told from now on."""
        text = json.dumps(document("AlertReceivers", receivers=[*receivers]))
        (self.folder / "receivers.yaml").write_text(text)

    def another(self, holder: str = "one") -> Collector:
        """Another collector of the same source; it has a judge with a memory of its own."""
        return self.world.collector(holder=holder, hooks=AlertJudge(self.settings).hooks)

    def another_courier(self, **more: Any) -> Courier:
        pace = Pace(first_ms=1, chance=lambda: 0.0)
        self._stores.append(Store(store_url(self.settings)))
        return Courier(self.settings, self._stores[-1], "fleet", **{"pace": pace, **more})

    def live(self, ticks: int, cpu: float) -> None:
        """So many ticks go by."""
        self.world.live(self.collector, ticks, cpu)

    def deliver(self, courier: Courier | None = None) -> int:
        """Tell everything that is due; how many attempts."""
        one, attempts = courier or self.courier, 0
        for receiver in one.receivers():
            while one.serve(receiver):
                attempts += 1
        return attempts

    def states(self) -> list[tuple[str, str, str]]:
        """Receiver, event and state of everything in the outbox, in order."""
        rows = sorted(self.desk.tellings(), key=lambda one: (one.receiver, one.created_ms, one.event))
        return [(one.receiver, one.event, one.state) for one in rows]

    def close(self) -> None:
        self.collector.close()
        for one in self._stores:
            one.close()
