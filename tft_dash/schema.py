"""The data contract: columns, units, ranges, states, thresholds, and the values that travel between layers.

Arrays are ``numpy``; the first axis is time (ticks), the second is servers. A missing value is NaN, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
CodeArray = NDArray[np.int8]

TIMESTAMP: Final = "timestamp"
SERVER_NAME: Final = "server_name"
PROFILE: Final = "profile"
STATE: Final = "state"
INCIDENT_PHASE: Final = "incident_phase"
PROBLEM_CHILD: Final = "problem_child"
GENERIC_PROFILE: Final = "generic"
SERVER_NAME_LIMIT: Final = 128

LABEL_COLUMNS: Final = (INCIDENT_PHASE, PROBLEM_CHILD)
"""Columns that only a drill has. A model never reads them, save one that says so on every screen."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured column.

    :param unit: as shown to people; ``""`` for a plain ratio.
    :param low: smallest value that can be.
    :param high: largest value that can be; ``inf`` where there is no bound.
    :param decimals: how many decimals a generated drill keeps and a page shows.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    decimals: int


METRICS: Final[tuple[Metric, ...]] = (
    Metric("cpu_pct", "CPU", "%", 0.0, 100.0, 2),
    Metric("mem_pct", "Memory", "%", 0.0, 100.0, 2),
    Metric("latency_ms", "Latency", "ms", 0.0, float("inf"), 1),
    Metric("error_rate", "Error rate", "", 0.0, 1.0, 4),
    Metric("disk_io_mb_s", "Disk I/O", "MB/s", 0.0, float("inf"), 2),
    Metric("net_in_mb_s", "Network in", "MB/s", 0.0, float("inf"), 2),
    Metric("net_out_mb_s", "Network out", "MB/s", 0.0, float("inf"), 2),
    Metric("gc_pause_ms", "GC pause", "ms", 0.0, float("inf"), 1),
)
METRIC_NAMES: Final = tuple(metric.name for metric in METRICS)
METRIC: Final[Mapping[str, Metric]] = {metric.name: metric for metric in METRICS}
COLUMNS: Final = (TIMESTAMP, SERVER_NAME, PROFILE, STATE, *METRIC_NAMES, INCIDENT_PHASE, PROBLEM_CHILD)

STATES: Final = ("online", "warning", "critical_issue", "offline")
"""A state's code is its place here; :data:`NO_STATE` stands for "nothing was reported"."""
ONLINE, WARNING, CRITICAL_ISSUE, OFFLINE = range(4)
NO_STATE: Final = -1
NO_STATE_WORD: Final = "no data"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Above ``warning`` a metric is a warning, above ``critical`` it is critical.

    :param sets_state: whether crossing it changes a server's derived state, or only draws a line.
    """

    warning: float
    critical: float
    sets_state: bool


THRESHOLDS: Final[Mapping[str, Threshold]] = {
    "cpu_pct": Threshold(75.0, 90.0, sets_state=True),
    "mem_pct": Threshold(80.0, 90.0, sets_state=True),
    "error_rate": Threshold(0.1, 0.3, sets_state=True),
    "latency_ms": Threshold(300.0, 800.0, sets_state=False),
}
"""The one table of thresholds: states, drawn lines, outcome labels and drivers all read it."""


@dataclass(frozen=True, slots=True)
class Band:
    """A named range of a risk or probability, up to and including ``upper``; its word stands beside its colour."""

    name: str
    word: str
    upper: float


HEALTH_BANDS: Final = (Band("green", "GREEN", 0.3), Band("yellow", "YELLOW", 0.7), Band("red", "RED", 1.0))
"""The fleet's health by P(incident in 30 min), and a cell's colour on the heat map by its risk."""

RISK_BANDS: Final = (
    Band("green", "normal", 0.2),
    Band("yellow", "elevated", 0.4),
    Band("orange", "high", 0.7),
    Band("red", "severe", 1.0),
)
"""A bar's colour among the top problem servers."""

UNKNOWN_BAND: Final = Band("unknown", "UNKNOWN", float("nan"))


def band_of(value: float, bands: tuple[Band, ...]) -> Band:
    """The band that ``value`` in [0, 1] falls into; :data:`UNKNOWN_BAND` for NaN."""
    for band in bands:
        if value <= band.upper:
            return band
    return UNKNOWN_BAND


def derive_states(metrics: Mapping[str, FloatArray]) -> CodeArray:
    """State codes from metrics alone, by :data:`THRESHOLDS`; any shape, the same for every metric.

    A cell without a single value gets :data:`NO_STATE`: nothing reported is not the same as offline.

    :raises ValueError: no metric is given.
    """
    if not metrics:
        raise ValueError("derive_states needs at least one metric")
    shape = next(iter(metrics.values())).shape
    seen = np.zeros(shape, bool)
    warning, critical = np.zeros(shape, bool), np.zeros(shape, bool)
    for name, values in metrics.items():
        seen |= ~np.isnan(values)
        threshold = THRESHOLDS.get(name)
        if threshold is not None and threshold.sets_state:
            warning |= values > threshold.warning
            critical |= values > threshold.critical
    codes = np.where(critical, CRITICAL_ISSUE, np.where(warning, WARNING, ONLINE))
    return np.where(seen, codes, NO_STATE).astype(np.int8)


def state_word(code: int) -> str:
    """The contract's word for a state code; ``"no data"`` for :data:`NO_STATE`."""
    return NO_STATE_WORD if code == NO_STATE else STATES[code]


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive ticks of a fleet, as a model sees them; a whole recording is a long window.

    :param start: time of the first tick, UTC, millisecond resolution.
    :param step_seconds: time between ticks.
    :param metrics: metric name → (ticks, servers) float32; only the metrics that the source has.
    :param phases: the script's phase per tick; given only to a model whose card says that it reads labels.
    """

    start: np.datetime64
    step_seconds: float
    servers: tuple[str, ...]
    profiles: tuple[str, ...]
    metrics: Mapping[str, FloatArray]
    phases: tuple[str | None, ...] | None = None

    @property
    def ticks(self) -> int:
        """How many ticks the window spans."""
        return len(next(iter(self.metrics.values()))) if self.metrics else 0

    def until(self, ticks: int) -> Window:
        """The first ``ticks`` ticks, as views."""
        cut = {name: values[:ticks] for name, values in self.metrics.items()}
        phases = None if self.phases is None else self.phases[:ticks]
        return Window(self.start, self.step_seconds, self.servers, self.profiles, cut, phases)


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one or more consecutive ticks of a source.

    :param first_tick: number of the first tick; ticks of a recording count from 0.
    :param states: (ticks, servers) codes of :data:`STATES`, or :data:`NO_STATE`.
    :param cursor: what to pass as ``after`` to read on: the number of the last tick in here.
    :param exhausted: whether nothing can follow.
    """

    first_tick: int
    window: Window
    states: CodeArray
    cursor: int
    exhausted: bool

    @property
    def ticks(self) -> int:
        """How many ticks the batch spans; 0 when nothing was new."""
        return self.window.ticks


@dataclass(frozen=True, slots=True)
class Driver:
    """Why a server's risk is what it is: one metric, its value, and what it usually is on this server."""

    metric: str
    value: float
    usual: float

    @property
    def words(self) -> str:
        """As shown to people: ``error_rate 0.42, usually 0.003``."""
        value = f"{self.metric} {readable(self.value)}"
        return value if np.isnan(self.usual) else f"{value}, usually {readable(self.usual)}"


def readable(value: float) -> str:
    """A number with three significant digits and no exponent: ``0.42``, ``12.3``, ``1,250``."""
    if np.isnan(value):
        return "missing"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size == 0 or size < 0.0005:
        return "0"
    places = 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:.{places}f}".rstrip("0").rstrip(".")


DRIVERS_PER_SERVER: Final = 2
SERVER_FIELDS: Final = ("server_prob_30m", "server_prob_8h")


def _nothing() -> FloatArray:
    return np.zeros((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Assessments:
    """What a model says of every tick of a window.

    :param risk: (ticks, servers) float32 in [0, 1]; NaN where nothing can be said.
    :param driver_metric: (ticks, servers, 2) int8, index into :data:`METRICS`, strongest first; -1 = none.
    :param driver_usual: (ticks, servers, 2) float32, the metric's usual value on that server; NaN = unknown.
    :param prob_30m: (ticks,) float32, P(incident in the fleet within 30 minutes); NaN where nothing can be said.
    :param prob_8h: (ticks,) float32, the same within 8 hours; never below ``prob_30m``.
    :param server_prob_30m: (ticks, servers) float32, P(incident of the server within 30 minutes); NaN where the model
        has none. Left out by models that have none at all.
    :param server_prob_8h: (ticks, servers) float32, the same within 8 hours; never below ``server_prob_30m``.
    """

    risk: FloatArray
    driver_metric: CodeArray
    driver_usual: FloatArray
    prob_30m: FloatArray
    prob_8h: FloatArray
    server_prob_30m: FloatArray = field(default_factory=_nothing)
    server_prob_8h: FloatArray = field(default_factory=_nothing)

    def __post_init__(self) -> None:
        for name in SERVER_FIELDS:
            if getattr(self, name).shape != self.risk.shape:
                # One NaN shown everywhere: a model without such probabilities costs no memory for saying so.
                object.__setattr__(self, name, np.broadcast_to(np.float32(np.nan), self.risk.shape))

    @property
    def tells_servers(self) -> bool:
        """Whether the model has probabilities of single servers."""
        return self.server_prob_30m.size > 0 and any(self.server_prob_30m.strides)

    @property
    def ticks(self) -> int:
        """How many ticks are assessed."""
        return len(self.risk)


ASSESSMENT_FIELDS: Final = ("risk", "driver_metric", "driver_usual", "prob_30m", "prob_8h")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is and how far it can be trusted; the page names it beside every answer.

    :param calibrated: whether its probabilities were fitted to outcomes.
    :param uses_labels: whether it reads the script of a drill; then every screen says so.
    :param step_seconds: the step it was made for; None = any.
    :param context_ticks: how many ticks of history it needs before it can answer; 1 = none.
    :param metrics: the metrics it can use; it needs at least one of them.
    :param trained_on: what it learnt from, in words; "" = it learns no weights.
    :param simulated: whether that was simulated: its probabilities then say nothing of a real fleet.
    :param forecasts: whether it forecasts each server's metrics, too.
    :param digest: identifies the content of a model that is read from files.
    :param fitted: which fleet's history its probabilities were fitted to after that, in words; "" = none.
    """

    name: str
    title: str
    version: str
    summary: str
    calibrated: bool
    uses_labels: bool
    step_seconds: float | None
    context_ticks: int
    horizons_minutes: tuple[int, ...]
    metrics: tuple[str, ...]
    trained_on: str = ""
    simulated: bool = False
    forecasts: bool = False
    digest: str = ""
    fitted: str = ""

    @property
    def identity(self) -> str:
        """Equal where the answers are."""
        return " ".join((self.name, self.version, self.digest[:12])).rstrip()

    def as_dict(self) -> dict[str, Any]:
        """The card as plain values for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Phase:
    """A named span of a recording: ticks ``first`` to ``last``, both included."""

    name: str
    first: int
    last: int
