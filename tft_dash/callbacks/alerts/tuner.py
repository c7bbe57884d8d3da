"""The tuner's callbacks: the same computation as offline, over the same history, whichever worker answers."""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, Patch, State, ctx, no_update

from tft_dash import components, ids
from tft_dash.alerting.past import assessed_past, recorded_past
from tft_dash.alerting.ruling import Grouping
from tft_dash.alerts.rules import FLEET_CHECKS, Rule
from tft_dash.alerts.tuning.recorded import History, Incident, incidents_by_people, incidents_of, series_of
from tft_dash.alerts.tuning.tune import Tuner, Tuning, with_bar
from tft_dash.answering import BEST
from tft_dash.callbacks.reporting import OWN_ERROR
from tft_dash.errors import TftDashError, UnknownNameError, UsageError
from tft_dash.figures.alerts import tradeoff
from tft_dash.figures.plot import blank
from tft_dash.pages.alerts import frame, tuner
from tft_dash.services import Services
from tft_dash.sources.base import START
from tft_dash.theme import theme_of

logger = logging.getLogger(__name__)

CURVE_POINTS: Final = 49
KEPT: Final = 2
"""Histories kept by a process: a large one takes a hundred megabytes."""
_PEOPLE: Final = "people"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be tuned over what.

    :param last: the newest tick of a live source that counts; -1 = it is a recording.
    """

    source: str
    rule: str
    truth: str
    last: int = -1


class Past:
    """Histories, the last few of them; what was recorded up to a tick does not change."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: OrderedDict[Hashable, History] = OrderedDict()
        self._lock = threading.Lock()

    def tuner(self, asked: Asked) -> tuple[Rule, Tuner, History]:
        """The rule in force, and what judges it with other thresholds.

        :raises NotReadyError: the recording is being assessed.
        """
        rule, history = rule_named(self._services, asked.rule), self.history(asked)
        incidents = self._incidents(asked, history, fleet=rule.when.check in FLEET_CHECKS)
        terms = Grouping(self._services.settings).terms()
        return rule, Tuner(rule, history, incidents, terms), history

    def history(self, asked: Asked) -> History:
        """What was recorded of the source, or what its recording is judged to be."""
        live = asked.source in self._services.live_names()
        key: Hashable = (asked.source, asked.last)
        if not live:
            answering = self._services.answering(asked.source, BEST)
            key = (self._services.describe(asked.source).digest, answering.model.card.identity)
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
        made = recorded_past(self._services.live, asked.source, asked.last) if live else self._assessed(asked.source)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made

    def _assessed(self, name: str) -> History:
        source = self._services.source(name)
        said = self._services.monitor.assessed(source, self._services.answering(name, BEST).model).assessments
        window = source.read(START, said.ticks).window
        return assessed_past(name, window, said)

    def _incidents(self, asked: Asked, history: History, *, fleet: bool) -> tuple[Incident, ...]:
        if asked.truth != _PEOPLE:
            return incidents_of(history, fleet=fleet)
        first, last = int(history.times[0]), int(history.times[-1])
        kept = self._services.alerts.problems([asked.source], first_ms=first, last_ms=last, limit=10_000)
        return incidents_by_people([(one.problem, one.remarks) for one in kept], fleet=fleet)


def open_tuner(services: Services, **query: str) -> Any:  # noqa: ANN401 - a Dash component
    """The page."""
    try:
        found = services.alerts.rules()
        live = services.live_names()
        others = [name for name in services.source_names() if name not in live]
        names = [rule.alert for rule in found.rules.spec.rules if _movable(rule)]
        return tuner.layout(services.settings.base_path, [*live, *others], names, found.version, query.get("source"))
    except TftDashError as error:
        banner = components.banner("The tuner cannot be opened", str(error))
        return frame.page(services.settings.base_path, "tuner", "Tuner", None, [banner], name=False)


def _movable(rule: Rule) -> bool:
    """Whether it has one threshold: a rule on several metrics has one for each."""
    return not rule.when.check.endswith("_silent") and len(rule.when.metrics) == 1


def rule_named(services: Services, name: str) -> Rule:
    """A rule in force.

    :raises UnknownNameError: there is none of that name.
    """
    rules = services.alerts.rules().rules.spec.rules
    found = next((rule for rule in rules if rule.alert == name), None)
    if found is None:
        raise UnknownNameError("rule", name, [rule.alert for rule in rules])
    if not _movable(found):
        raise UsageError(f"The rule '{name}' has no single threshold. Choose another one.")
    return found


def scale_of(rule: Rule, history: History) -> tuner.Scale:
    """The threshold's room: from 1 to 99% for a probability or risk, else what was measured."""
    fire = rule.when.bars(rule.when.metrics[0])[0]
    if rule.when.check != "metric":
        return tuner.Scale(0.01, 0.99, 0.01, fire)
    values = series_of(rule, history)[0].values
    known = values[np.isfinite(values)]
    if not len(known):
        raise UsageError(f"The history of '{history.source}' has no value of what '{rule.alert}' looks at.")
    low, high = min(float(known.min()), fire), max(float(known.max()), fire)
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-6) / 100))
    return tuner.Scale(math.floor(low / step) * step, math.ceil(high / step) * step, step, fire)


def register_tuner(app: Dash, services: Services) -> None:
    """Add the callbacks of the page to ``app``."""
    past = Past(services)
    app.clientside_callback(
        ClientsideFunction("tft_dash", "alertsTheme"),
        Output(ids.ALERTS_TUNE_THEME, "data"),
        Input(ids.ALERTS_TUNE_SOURCE, "id"),
    )

    @app.callback(
        Output(ids.ALERTS_TUNE_BAR, "min"),
        Output(ids.ALERTS_TUNE_BAR, "max"),
        Output(ids.ALERTS_TUNE_BAR, "step"),
        Output(ids.ALERTS_TUNE_BAR, "value"),
        Output(ids.ALERTS_TUNE_EXACT, "value"),
        Output(ids.ALERTS_TUNE_CURVE, "figure"),
        Output(ids.ALERTS_TUNE_RESULT, "children"),
        Output(ids.ALERTS_TUNE_ABOUT, "data"),
        Input(ids.ALERTS_TUNE_THEME, "data"),
        Input(ids.ALERTS_TUNE_SOURCE, "value"),
        Input(ids.ALERTS_TUNE_RULE, "value"),
        Input(ids.ALERTS_TUNE_TRUTH, "value"),
        State(ids.ALERTS_TUNE_ABOUT, "data"),
        prevent_initial_call=True,
    )
    def begin(theme: object, source: object, rule: object, truth: object, about: object) -> list[Any]:
        return begun(past, services, Asked(str(source), str(rule), str(truth)), theme, _mapping(about))

    @app.callback(
        Output(ids.ALERTS_TUNE_RESULT, "children", allow_duplicate=True),
        Output(ids.ALERTS_TUNE_BAR, "value", allow_duplicate=True),
        Output(ids.ALERTS_TUNE_EXACT, "value", allow_duplicate=True),
        Output(ids.ALERTS_TUNE_CURVE, "figure", allow_duplicate=True),
        Input(ids.ALERTS_TUNE_BAR, "value"),
        Input(ids.ALERTS_TUNE_EXACT, "value"),
        State(ids.ALERTS_TUNE_ABOUT, "data"),
        prevent_initial_call=True,
    )
    def slide(bar: object, exact: object, about: object) -> list[Any]:
        slid = ctx.triggered_id == ids.ALERTS_TUNE_BAR
        return tuned(past, _mapping(about), bar if slid else exact, slid=slid)

    @app.callback(
        Output(ids.ALERTS_SAID, "children", allow_duplicate=True),
        Output(ids.ALERTS_TUNE_ABOUT, "data", allow_duplicate=True),
        Input(ids.ALERTS_TUNE_SAVE, "n_clicks"),
        State(ids.ALERTS_TUNE_EXACT, "value"),
        State(ids.ALERTS_TUNE_ABOUT, "data"),
        State(ids.ALERTS_NAME, "value"),
        prevent_initial_call=True,
    )
    def save(clicks: object, bar: object, about: object, name: object) -> list[Any]:
        if not clicks:
            return [no_update, no_update]
        return saved(services, _mapping(about), bar, name if isinstance(name, str) else "")


def begun(past: Past, services: Services, asked: Asked, theme: object, about: Mapping[str, Any]) -> list[Any]:
    """The slider, the curve and the result for another source, rule or truth."""
    shown = theme_of(theme)
    try:
        state = services.live_state(asked.source) if asked.source in services.live_names() else None
        asked = Asked(asked.source, asked.rule, asked.truth, -1 if state is None else state.latest)
        rule, judge, history = past.tuner(asked)
        scale = scale_of(rule, history)
        bars = [round(float(bar), 6) for bar in np.linspace(scale.low, scale.high, CURVE_POINTS)]
        found = [judge.tune(with_bar(rule, bar)) for bar in bars]
        figure = tradeoff.figure(bars, found, scale.value, shown)
        result = tuner.result(
            judge.tune(rule), f"{rule.alert} as it is in force, with its threshold at {scale.value:g}:"
        )
    except TftDashError as error:
        banner = components.banner("It cannot be tuned; choose again in a moment", str(error), kind="info")
        return [*[no_update] * 5, blank(shown), banner, dict(about)]
    except Exception:
        logger.exception("tuning failed: %r", asked)
        return [*[no_update] * 5, blank(shown), components.banner("Something went wrong", OWN_ERROR), dict(about)]
    kept = {"version": about.get("version", 0), "source": asked.source, "rule": asked.rule, "truth": asked.truth,
            "last": asked.last, "bar": scale.value, "theme": theme}  # fmt: skip
    return [scale.low, scale.high, scale.step, scale.value, scale.value, figure, result, kept]


def tuned(past: Past, about: Mapping[str, Any], bar: object, *, slid: bool) -> list[Any]:
    """What another threshold would have done."""
    chosen = _number(bar)
    if chosen is None or "rule" not in about:
        return [no_update] * 4
    asked = Asked(about["source"], about["rule"], about["truth"], about["last"])
    try:
        rule, judge, _ = past.tuner(asked)
        found: Tuning = judge.tune(rule if chosen == about.get("bar") else _moved(rule, chosen))
    except TftDashError as error:
        return [components.banner("It cannot be tuned", str(error)), no_update, no_update, no_update]
    except Exception:
        logger.exception("tuning failed: %r", asked)
        return [components.banner("Something went wrong", OWN_ERROR), no_update, no_update, no_update]
    change = Patch()
    change["layout"]["shapes"] = [tradeoff.mark(chosen, theme_of(about.get("theme")))]
    result = tuner.result(found, f"{rule.alert} with its threshold at {chosen:g}:")
    return [result, no_update if slid else chosen, chosen if slid else no_update, change]


def saved(services: Services, about: Mapping[str, Any], bar: object, name: str) -> list[Any]:
    """The threshold put in force."""
    chosen = _number(bar)
    if chosen is None or "rule" not in about:
        return [frame.said("Choose a rule and a threshold first.", good=False), no_update]
    try:
        found = services.alerts.rules().rules
        moved = _moved(rule_named(services, about["rule"]), chosen)
        rules = tuple(moved if rule.alert == moved.alert else rule for rule in found.spec.rules)
        made = found.model_copy(update={"spec": found.spec.model_copy(update={"rules": rules})})
        stored = services.alerts.save_rules(made, version=int(about.get("version") or 0), author=name)
    except TftDashError as error:
        return [frame.said(str(error), good=False), no_update]
    except Exception:
        logger.exception("saving the threshold of %r failed", about.get("rule"))
        return [frame.said(OWN_ERROR, good=False), no_update]
    words = (
        f"The threshold of {moved.alert} is {chosen:g} from the next tick on: version {stored.version} of the rules."
    )
    return [frame.said(words), {**about, "version": stored.version}]


def _moved(rule: Rule, bar: float) -> Rule:
    """The rule with a threshold that somebody typed: one that is no share is refused, never quietly another one."""
    if rule.when.check != "metric" and not 0 <= bar <= 1:
        raise UsageError(f"The threshold of '{rule.alert}' must be from 0 to 1 (0.6 is 60%), not {bar:g}.")
    return with_bar(rule, bar)


def _number(value: object) -> float | None:
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
