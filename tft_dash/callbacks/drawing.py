"""From a page's request to what its components show: whole figures at first, afterwards what the page lacks."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any, Final
from zlib import crc32

import numpy as np
import orjson
from dash import Patch, no_update
from dash.development.base_component import Component

from tft_dash import components, ids
from tft_dash.answering import BEST
from tft_dash.callbacks import live as live_source
from tft_dash.callbacks.alerts.marking import marks_up_to
from tft_dash.callbacks.drawn import Drawn, drawn_of, key_of, theme_name, was_asked
from tft_dash.callbacks.forecasts import Forecasts
from tft_dash.callbacks.reporting import RETRIED_ERROR
from tft_dash.errors import NotReadyError, SourceUnreachableError, TftDashError, shorten
from tft_dash.figures import FIGURES, kpi, moment, rolling
from tft_dash.figures import server as server_panel
from tft_dash.figures.forecast import panel as forecast_panel
from tft_dash.figures.plot import blank
from tft_dash.frame import Frame, SourceDescription
from tft_dash.pages.models import drift
from tft_dash.playback import decode, position
from tft_dash.schema import NO_STATE
from tft_dash.services import Services
from tft_dash.theme import Theme, theme_of

logger = logging.getLogger(__name__)

Target = tuple[str, str]
Drawing = dict[Target, Any]

LARGEST: Final = 1e15
DRAWINGS_KEPT: Final = 256
"""Of about 30 kB each at most (140 kB with the record of a model's probabilities), and a tenth of that as a rule."""

PANEL_HIDDEN: Final = (ids.MONITOR_SERVER_PANEL, "hidden")
PANEL_FIGURE: Final = (ids.MONITOR_SERVER_FIGURE, "figure")
BANNER: Final = (ids.MONITOR_BANNER, "children")
ANSWER: Final = (ids.MONITOR_ANSWER, "data")
SUMMARY: Final = (ids.MONITOR_SUMMARY, "children")
DRIFT: Final = (ids.MONITOR_DRIFT, "children")
TIME: Final = (ids.MONITOR_TIME, "children")
NOTICES: Final = (ids.MONITOR_NOTICES, "children")
ROLLING_NOTE: Final = (ids.MONITOR_ROLLING_NOTE, "children")
ABOUT_TARGETS: Final[tuple[Target, ...]] = (
    (ids.MONITOR_PHASES, "children"),
    (ids.MONITOR_JUMP, "options"),
    (ids.MONITOR_SERVER, "options"),
    (ids.MONITOR_MODEL_NOTE, "children"),
    (ids.MONITOR_SIMULATED, "hidden"),
    NOTICES,
)
PANEL_TARGETS: Final[tuple[Target, ...]] = (
    PANEL_HIDDEN,
    PANEL_FIGURE,
    (ids.MONITOR_SERVER_TITLE, "children"),
    (ids.MONITOR_SERVER_MODEL, "children"),
    (ids.MONITOR_SERVER_FACTS, "children"),
    (ids.MONITOR_SERVER_DRIVERS, "children"),
    *forecast_panel.TARGETS,
)
TARGETS: Final[tuple[Target, ...]] = (
    *kpi.TARGETS,
    *((module.id, "figure") for module in FIGURES),
    *PANEL_TARGETS,
    *ABOUT_TARGETS,
    TIME,
    ROLLING_NOTE,
    SUMMARY,
    DRIFT,
    BANNER,
    ANSWER,
)
"""Everything that a request may change, in the order in which the callback returns it."""


class Drawings:
    """Answers the page's requests; what two viewers need alike is made once, down to its bytes.

    :param services: where frames come from.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._made: OrderedDict[Hashable, tuple[Drawing, list[Any]]] = OrderedDict()
        self._forecasts = Forecasts(services)
        self._models_page = f"{services.settings.base_path}models"
        self._lock = threading.Lock()

    def answer(self, request: object) -> list[Any]:
        """The values of :data:`TARGETS` for a request of the page; what need not change is ``no_update``."""
        drawing: Drawing = dict.fromkeys(TARGETS, no_update)
        drawing.update(_reported(self._draw, request if isinstance(request, Mapping) else {}))
        return [drawing[target] for target in TARGETS]

    def _draw(self, request: Mapping[str, Any]) -> Drawing:
        playback = decode(request)
        state = self._services.live_state(playback.source, seen=int(_number(request.get("seen"), -1)))
        about = self._services.describe(playback.source)
        tick_seconds = self._services.tick_seconds(about)
        ticks = (about.ticks or 1) if state is None else state.ticks
        live, now = state is not None, _number(request.get("now"))
        asked = position(playback, now, ticks=ticks, tick_seconds=tick_seconds, live=live)
        toward = 0 if playback.follow else _number(request.get("toward"))
        if live and toward:
            asked = self._services.kept_tick(playback.source, asked, back=toward < 0)
        frame = self._services.frame(playback.source, playback.model, asked)
        theme, server = _text(request.get("theme")), _text(request.get("server"))
        key = key_of(frame, theme, asked=playback.model != BEST)
        drawn = drawn_of(request.get("drawn"), key)
        drawing, told = self._shared((key, frame.tick, server, drawn), frame)
        current = drawn is not None and drawn.roster == frame.source.digest
        answer = {
            "id": request.get("id"),
            "key": key,
            "roster": frame.source.digest,
            "tick": frame.tick,
            "asked": asked,
            "source": playback.source,
            "server": server if server in frame.source.servers else None,
            "no_data": bool(np.isnan(frame.risk).all() and np.all(frame.states == NO_STATE)),
            "about": None if current else _facts(frame.source, tick_seconds),
        }
        drawing = {**drawing, **self._drift(frame, request.get("drawn"), answer)}
        if state is None:
            return {**drawing, BANNER: told, ANSWER: answer}
        drawing.pop(NOTICES, None)  # they are told with the banners
        answer["live"] = live_source.facts(state, self._services.oldest_tick(playback.source))
        resting = not playback.playing and not playback.follow
        spoken = [*live_source.banners(state, frame, asked, resting=resting), *told]
        return {**drawing, **_spoken(spoken, live_source.notices(state), request, answer), ANSWER: answer}

    def _drift(self, frame: Frame, drawn: object, answer: dict[str, Any]) -> Drawing:
        """The warning that forecasts drift, unless the page shows it. Not shared: it becomes known at some moment."""
        point = self._services.drift_at(frame)
        told = drift.told(point) and f"{frame.source.name} {frame.card.identity} {drift.told(point)}"
        answer["drift"] = told
        if isinstance(drawn, Mapping) and drawn.get("drift", "") == told:
            return {}
        return {DRIFT: drift.notice(point, self._models_page)}

    def _shared(self, key: tuple[str, int, str | None, Drawn | None], frame: Frame) -> tuple[Drawing, list[Any]]:
        """What every viewer with this key gets, as JSON that is written already; and what is told above it."""
        with self._lock:
            known = self._made.get(key)
            if known is not None:
                self._made.move_to_end(key)
                return known
        name, _, server, drawn = key
        theme = theme_of(theme_name(name))
        frame = replace(frame, record=self._forecasts.record(frame.card), marks=marks_up_to(self._services, frame))
        told = [moment.model_banner(frame, asked=was_asked(name))]
        drawing = _figures(frame, theme, drawn)
        drawing.update(self._panel(frame, theme, server, drawn, told))
        if drawn is None or drawn.roster != frame.source.digest:
            drawing.update(_about(frame))
        made = {target: _written(value) for target, value in drawing.items()}, [each for each in told if each]
        with self._lock:
            self._made[key] = made
            while len(self._made) > DRAWINGS_KEPT:
                self._made.popitem(last=False)
        return made

    def _panel(self, frame: Frame, theme: Theme, name: str | None, drawn: Drawn | None, told: list[Any]) -> Drawing:
        """The chosen server's panel, or a closed one; why it is closed is added to ``told``."""
        if not name:
            return {PANEL_HIDDEN: True} if drawn is None or drawn.server else {}
        if name not in frame.source.servers:
            told.append(_no_server(frame, name))
            return {PANEL_HIDDEN: True}
        server = frame.source.servers.index(name)
        trace = self._services.trace(frame, server)
        same = drawn is not None and drawn.server == name
        change = server_panel.patch(frame, trace) if same else server_panel.figure(frame, trace, theme)
        ahead = self._forecasts.panel(frame, trace, None if same else theme)
        return {PANEL_HIDDEN: False, PANEL_FIGURE: change, **server_panel.texts(frame, server), **ahead}


def _reported(make: Callable[[Mapping[str, Any]], Drawing], request: Mapping[str, Any]) -> Drawing:
    """What ``make`` draws; what goes wrong in it as a banner, with the rest of the page alive."""
    drawing: Drawing = _erased(request)
    number = request.get("id")
    try:
        return make(request)
    except SourceUnreachableError as error:
        drawing.update(_erased(request, always=True))
        drawing[BANNER] = components.banner("There is nothing to show yet", str(error), kind="info")
        drawing[ANSWER] = {"id": number, "waiting": str(error)}
    except NotReadyError as error:
        drawing[BANNER] = []
        drawing[ANSWER] = {"id": number, "preparing": {"message": error.what, "progress": error.progress}}
    except TftDashError as error:
        drawing[BANNER] = components.banner("This cannot be shown", str(error))
        drawing[ANSWER] = {"id": number, "error": str(error)}
    except Exception:
        logger.exception("a request of the live monitor failed: %r", request)
        drawing[BANNER] = components.banner("Something went wrong", RETRIED_ERROR)
        drawing[ANSWER] = {"id": number, "error": RETRIED_ERROR}
    return drawing


def _erased(request: Mapping[str, Any], *, always: bool = False) -> Drawing:
    """Nothing where the page still shows another source or model than it asks for: old data never stands as current.

    :param always: whether nothing is shown of the same source, either.
    """
    drawn = request.get("drawn")
    wanted = f"{request.get('source')} {request.get('model')}"
    if not isinstance(drawn, Mapping) or (drawn.get("shows") == wanted and not always):
        return {}
    empty = {(module.id, "figure"): blank(theme_of(request.get("theme"))) for module in FIGURES}
    about = dict(zip(ABOUT_TARGETS, ([], [], [], [], True, []), strict=True))
    return {**kpi.blank(), **empty, **about, TIME: "—", SUMMARY: [], DRIFT: [], PANEL_HIDDEN: True}


def _figures(frame: Frame, theme: Theme, drawn: Drawn | None) -> Drawing:
    """The tiles, the figures, the clock and the end summary; nothing when the page shows this tick already."""
    if drawn is not None and drawn.tick == frame.tick:
        return {}
    drawing: Drawing = {**kpi.texts(frame), TIME: moment.clock(frame), ROLLING_NOTE: rolling.note(frame)}
    ended = frame.tick + 1 == frame.source.ticks and not frame.source.live
    drawing[SUMMARY] = moment.summary(frame) if ended else []
    for module in FIGURES:
        anew = drawn is None or (module.by_server and drawn.roster != frame.source.digest)
        change = None if anew or drawn is None else module.patch(frame, drawn.tick)
        drawing[module.id, "figure"] = module.figure(frame, theme) if change is None else change
    return drawing


def _about(frame: Frame) -> Drawing:
    """What changes only with the source or the model."""
    about = frame.source
    phases = [{"label": phase.name, "value": str(phase.first)} for phase in about.phases]
    values = (
        components.phase_segments(about.phases, about.ticks or 1),
        phases,
        [components.entry(name) for name in about.servers],
        components.model_note(frame.card, instead=frame.instead),
        not about.simulated,
        [] if about.live else components.notices((*about.notices, *frame.remarks), aged=frame.aged),
    )
    return dict(zip(ABOUT_TARGETS, values, strict=True))


def _facts(about: SourceDescription, tick_seconds: float) -> dict[str, Any]:
    """What the browser must know of the source to run its clock."""
    return {
        "source": about.name,
        "ticks": about.ticks,
        "start_ms": int(about.start.astype("datetime64[ms]").astype(np.int64)),
        "step_ms": round(about.step_seconds * 1000),
        "tick_seconds": tick_seconds,
        "servers": list(about.servers),
        "phases": [{"name": phase.name, "first": phase.first, "last": phase.last} for phase in about.phases],
    }


def _spoken(
    banners: list[Any], notices: tuple[str, ...], request: Mapping[str, Any], answer: dict[str, Any]
) -> Drawing:
    """The banners and notes of a live source, unless the page has the same: no reader is interrupted by nothing new."""
    notes = components.notices(notices)
    answer["told"] = crc32(orjson.dumps([banners, notes], default=_plain))
    if request.get("told") == answer["told"] and isinstance(request.get("drawn"), Mapping):
        return {}
    return {BANNER: banners, NOTICES: notes}


def _no_server(frame: Frame, name: str) -> Any:  # noqa: ANN401 - a Dash component
    words = f"'{frame.source.name}' has no server '{shorten(name)}'"
    if frame.source.live:
        words += f" at {moment.stamp(frame.timestamp)} UTC: it came later, or had left"
    return components.banner("No such server", f"{words}. Choose one from the list.")


def _number(value: object, missing: float = 0.0) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < LARGEST else missing


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _written(value: Any) -> orjson.Fragment:  # noqa: ANN401 - figures, components and plain values
    """``value`` as JSON text, which Dash then copies instead of walking through it for every viewer."""
    return orjson.Fragment(orjson.dumps(value, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY))


def _plain(value: Any) -> Any:  # noqa: ANN401 - Dash's components and patches
    if isinstance(value, Component | Patch):
        return value.to_plotly_json()
    raise TypeError(f"{type(value).__name__} is not JSON")
