"""How the pages of alerts write times, severities, lives and outcomes: never by colour alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from dash import html

from tft_dash import components
from tft_dash.alerts.problem import Problem, Reading
from tft_dash.schema import METRIC, readable

SEVERITY_ICONS: Final = {"critical": "health-red", "warning": "health-yellow", "info": "info"}
_STATES: Final = {"critical": "bad", "warning": "warning", "info": "unknown"}
LIFE_WORDS: Final = {"open": "Open", "recovering": "Recovering", "resolved": "Over"}
OUTCOME_WORDS: Final = {
    "true": "True: there was a problem",
    "false": "False: there was none",
    "unclear": "Unclear",
}
SHORT_OUTCOMES: Final = {"true": "true", "false": "false alarm", "unclear": "unclear"}


def severity_mark(severity: str) -> html.Span:
    """A severity as an icon and its word."""
    icon = components.icon(SEVERITY_ICONS.get(severity, "info"))
    return html.Span([icon, html.Span(severity)], className=f"state-mark state-{_STATES.get(severity, 'unknown')}")


def life_mark(problem: Problem) -> html.Span:
    """Whether a problem is open, recovering or over."""
    icon, state = {
        "open": ("alert", "bad"),
        "recovering": ("hourglass", "working"),
        "resolved": ("health-green", "good"),
    }[problem.life]
    return html.Span(
        [components.icon(icon), html.Span(LIFE_WORDS[problem.life])], className=f"state-mark state-{state}"
    )


def moment(time_ms: int | None) -> str:
    """A time to the second, in UTC."""
    if time_ms is None:
        return "—"
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def clock(time_ms: int) -> str:
    """The time of day alone, where the day stands nearby."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%H:%M:%S")


def time_tag(time_ms: int, words: str) -> Any:  # noqa: ANN401 - a Dash component
    """Words for a time, which machines can read and whose whole stands behind them."""
    exact = datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return html.Time(words, dateTime=exact, title=moment(time_ms))


def length(span_ms: float) -> str:
    """A length of time in its largest two units: ``48 s``, ``12 min``, ``3 h 05 min``, ``2 d 4 h``."""
    seconds = max(round(span_ms / 1000), 0)
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def ago(time_ms: int, now_ms: int) -> str:
    """How long ago, or how far ahead."""
    span = now_ms - time_ms
    return f"{length(span)} ago" if span >= 0 else f"in {length(-span)}"


def metric_name(name: str) -> str:
    """A metric's name for people; the name itself for an unknown one."""
    return METRIC[name].label if name in METRIC else name


def with_unit(metric: str, value: float) -> str:
    """A metric's value with its unit."""
    unit = METRIC[metric].unit if metric in METRIC else ""
    gap = "" if unit in ("", "%") else " "
    return f"{readable(value)}{gap}{unit}"


def usual_words(driver: Reading) -> str:
    """What a driver's value is held against: what is usual, then the contract's lines."""
    usual = "what is usual is not known yet"
    if driver.usual is not None:
        usual = f"usually {with_unit(driver.metric, driver.usual)}"
    lines = [
        f"{word} from {with_unit(driver.metric, line)}"
        for word, line in (("warning", driver.warning), ("critical", driver.critical))
        if line is not None
    ]
    return "; ".join([usual, ", ".join(lines)] if lines else [usual])


def driver_words(driver: Reading) -> str:
    """A driver in a few words, for a list."""
    usual = "" if driver.usual is None else f" (usually {with_unit(driver.metric, driver.usual)})"
    return f"{metric_name(driver.metric)} {with_unit(driver.metric, driver.value)}{usual}"


def risk_words(risk: float | None) -> str:
    """A risk in percent; a dash where none was told."""
    return "—" if risk is None else f"{100 * risk:.0f}%"
