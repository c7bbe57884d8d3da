"""Live sources as samples: what was said at their newest ticks, how old that is, and what their collectors do.

What a source said is told while it is current. Once its newest tick is stale there are no probabilities, risks and
figures any more, as there are none of a target that is down; its age and its collector's lag go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np

from tft_dash.alerts.alert import AlertState
from tft_dash.alerts.rules import Severity
from tft_dash.api.metrics.exposition import Family, Sample
from tft_dash.store.live import LiveState
from tft_dash.ticks import TickRecord

_EPOCH: Final = np.datetime64(0, "ms")
PHASES: Final = ("pending", "firing", "recovering")
MARKS: Final = ("no_data", "silenced", "acknowledged")
_DROPPED: Final = ("late", "duplicate", "future", "rejected")

FAMILIES: Final[Mapping[str, Family]] = {
    "tft_dash_live_collected": Family("Whether a collector leads the source at the moment."),
    "tft_dash_live_source_up": Family("Whether the source answered when it was last asked."),
    "tft_dash_live_stale": Family("Whether the newest tick is too old to be current; what it said is left out then."),
    "tft_dash_live_data_age_seconds": Family("Time since the newest recorded sample of any server."),
    "tft_dash_live_collector_lag_seconds": Family("How long the next tick has been due; 0 = all is recorded."),
    "tft_dash_live_step_seconds": Family("Time between two ticks."),
    "tft_dash_live_tick_timestamp_seconds": Family("Time of the newest recorded tick."),
    "tft_dash_live_answered_timestamp_seconds": Family("When the source last answered."),
    "tft_dash_live_ticks_total": Family("Ticks recorded since the source was first collected.", "counter"),
    "tft_dash_live_dropped_samples_total": Family("Samples that are in no tick, by reason.", "counter"),
    "tft_dash_live_leaders_total": Family("How often the source has got another leader.", "counter"),
    "tft_dash_live_model_info": Family("The model that judged the newest tick."),
    "tft_dash_live_servers": Family("Servers of the fleet: those that report, and those that are silent."),
    "tft_dash_live_probability": Family("P(incident in the fleet within the horizon), as issued."),
    "tft_dash_live_cpu_median_ratio": Family("Median CPU of the servers that report."),
    "tft_dash_live_latency_p95_seconds": Family("95th percentile of latency over the servers that report."),
    "tft_dash_live_error_mean_ratio": Family("Mean share of errors of the servers that report."),
    "tft_dash_live_server_risk": Family("Risk of a server, 0 to 1; only of those with the highest risk."),
    "tft_dash_live_server_probability": Family("P(incident of a server within the horizon), where the model says one."),
    "tft_dash_live_servers_untold": Family("Servers with a risk that is not among the highest, and is left out."),
    "tft_dash_alerts": Family("Alerts by severity and phase."),
    "tft_dash_alerts_marked": Family("Alerts that stand and have no data, are silenced, or are acknowledged."),
    "tft_dash_alert_tellings_waiting": Family("What receivers were not told yet."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one live source.

    :param state: None = it was never collected.
    :param record: its newest tick; None = there is none, or it is stale.
    :param alerts: where its alerts stand.
    :param waiting: what receivers were not told yet.
    """

    source: str
    state: LiveState | None
    record: TickRecord | None = None
    alerts: Sequence[AlertState] = ()
    waiting: int = 0


def live_samples(sources: Sequence[Told], servers: int) -> Iterator[Sample]:
    """The samples of these sources.

    :param servers: so many servers of each, those of the highest risk.
    """
    for told in sources:
        whose = {"source": told.source}
        if told.state is None:
            yield Sample("tft_dash_live_collected", whose, 0.0)
            continue
        yield from _of_state(whose, told.state)
        if told.record is not None:
            yield from _of_record(whose, told.record, servers)
        yield from _of_alerts(whose, told.alerts)
        yield Sample("tft_dash_alert_tellings_waiting", whose, float(told.waiting))


def _of_state(whose: Mapping[str, str], state: LiveState) -> Iterator[Sample]:
    yield Sample("tft_dash_live_collected", whose, float(state.collected))
    yield Sample("tft_dash_live_source_up", whose, float(state.answers))
    yield Sample("tft_dash_live_step_seconds", whose, state.step_seconds)
    yield Sample("tft_dash_live_ticks_total", whose, float(state.ticks))
    yield Sample("tft_dash_live_leaders_total", whose, float(state.epoch))
    for reason in _DROPPED:
        count = float(getattr(state.counts, reason))
        yield Sample("tft_dash_live_dropped_samples_total", {**whose, "reason": reason}, count)
    if state.answered is not None:
        yield Sample("tft_dash_live_answered_timestamp_seconds", whose, _seconds(state.answered - _EPOCH))
    if state.newest is not None:
        age = _seconds(state.now + state.clock_ahead - state.newest)
        yield Sample("tft_dash_live_data_age_seconds", whose, max(0.0, age))
    if state.latest_time is not None:
        yield Sample("tft_dash_live_tick_timestamp_seconds", whose, _seconds(state.latest_time - _EPOCH))
        yield Sample("tft_dash_live_collector_lag_seconds", whose, state.lag_seconds or 0.0)
        yield Sample("tft_dash_live_stale", whose, float(state.stale))


def _of_record(whose: Mapping[str, str], record: TickRecord, servers: int) -> Iterator[Sample]:
    model, _, version = record.model.partition(" ")
    yield Sample("tft_dash_live_model_info", {**whose, "model": model, "version": version}, 1.0)
    yield Sample("tft_dash_live_servers", {**whose, "state": "reporting"}, float(record.reporting))
    silent = len(record.servers) - record.reporting
    yield Sample("tft_dash_live_servers", {**whose, "state": "silent"}, float(silent))
    yield Sample("tft_dash_live_probability", {**whose, "horizon": "30m"}, record.prob_30m)
    yield Sample("tft_dash_live_probability", {**whose, "horizon": "8h"}, record.prob_8h)
    yield Sample("tft_dash_live_cpu_median_ratio", whose, record.cpu_median / 100.0)
    yield Sample("tft_dash_live_latency_p95_seconds", whose, record.latency_p95 / 1000.0)
    yield Sample("tft_dash_live_error_mean_ratio", whose, record.error_mean)
    yield from _of_servers(whose, record, servers)


def _of_servers(whose: Mapping[str, str], record: TickRecord, servers: int) -> Iterator[Sample]:
    order = np.argsort(-record.risk, kind="stable")  # NaN comes last
    known = int(np.count_nonzero(~np.isnan(record.risk)))
    for place in order[: min(servers, known)].tolist():
        server = {**whose, "server_name": record.servers[place], "profile": record.profiles[place]}
        yield Sample("tft_dash_live_server_risk", server, float(record.risk[place]))
        for horizon, values in (("30m", record.server_prob_30m), ("8h", record.server_prob_8h)):
            yield Sample("tft_dash_live_server_probability", {**server, "horizon": horizon}, float(values[place]))
    yield Sample("tft_dash_live_servers_untold", whose, float(max(0, known - servers)))


def _of_alerts(whose: Mapping[str, str], alerts: Sequence[AlertState]) -> Iterator[Sample]:
    """Zeros are told, too: a rule over a series that is not there never fires, and never ends."""
    phases = Counter((alert.severity, alert.phase) for alert in alerts)
    for severity in get_args(Severity):
        for phase in PHASES:
            labels = {**whose, "severity": severity, "phase": phase}
            yield Sample("tft_dash_alerts", labels, float(phases[severity, phase]))
    marked = {
        "no_data": [alert.no_data for alert in alerts if alert.active],
        "silenced": [bool(alert.silenced_by) for alert in alerts if alert.active],
        "acknowledged": [alert.acknowledged is not None for alert in alerts if alert.active],
    }
    for mark in MARKS:
        yield Sample("tft_dash_alerts_marked", {**whose, "mark": mark}, float(sum(marked[mark])))


def _seconds(span: np.timedelta64) -> float:
    return float(span / np.timedelta64(1, "ms")) / 1000.0
