"""The compare page's callbacks: the clientside gate, and the one that draws both sides at an instant."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, html, no_update

from tft_dash import components, ids
from tft_dash.callbacks.awaited import awaited
from tft_dash.callbacks.reporting import RETRIED_ERROR
from tft_dash.callbacks.wish import Wish, wish_of
from tft_dash.comparing import OVER, Comparison, IntArray
from tft_dash.errors import NotReadyError, TftDashError, UnknownNameError
from tft_dash.figures.compare import difference, lines, side, words
from tft_dash.figures.plot import blank
from tft_dash.frame import Frame
from tft_dash.pages.compare import phase_rows
from tft_dash.playback import position
from tft_dash.schema import Phase
from tft_dash.services import Services
from tft_dash.theme import theme_of

logger = logging.getLogger(__name__)

Target = tuple[str, str]
Drawing = dict[Target, Any]

COMPARISONS_KEPT: Final = 4
"""Of 40 MB each at most, and a thousandth of that as a rule."""

BANNER: Final = (ids.COMPARE_BANNER, "children")
ANSWER: Final = (ids.COMPARE_ANSWER, "data")
PHASES: Final = (ids.COMPARE_PHASES, "children")
TIME: Final = (ids.COMPARE_TIME, "children")
SUMMARY: Final = (ids.COMPARE_SUMMARY, "children")
NOTE: Final = (ids.COMPARE_NOTE, "children")
HEADS: Final = ((ids.COMPARE_A_HEAD, "children"), (ids.COMPARE_B_HEAD, "children"))
BODIES: Final = ((ids.COMPARE_A_BODY, "children"), (ids.COMPARE_B_BODY, "children"))
FIGURES: Final = ((ids.COMPARE_LINES, "figure"), (ids.COMPARE_DIFFERENCE, "figure"))
TARGETS: Final[tuple[Target, ...]] = (*HEADS, *BODIES, *FIGURES, PHASES, TIME, SUMMARY, NOTE, BANNER, ANSWER)
"""Everything that a request may change, in the order in which the callback returns it."""

SIDES: Final = ("A", "B")


class _SidesError(TftDashError):
    """One side or both cannot be shown; ``args`` are ``(side, message)`` each."""


class _WaitingError(TftDashError):
    """One side or both are being prepared."""

    def __init__(self, sides: Mapping[str, NotReadyError]) -> None:
        self.sides = sides
        super().__init__("\n".join(f"{name}: {error}" for name, error in sides.items()))


class Pairs:
    """Answers the compare page's requests.

    :param services: where comparisons and frames come from.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._made: OrderedDict[str, Comparison] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, request: object) -> list[Any]:
        """The values of :data:`TARGETS` for a request of the page; what need not change is ``no_update``."""
        drawing: Drawing = dict.fromkeys(TARGETS, no_update)
        drawing.update(self._reported(request if isinstance(request, Mapping) else {}))
        return [drawing[target] for target in TARGETS]

    def _reported(self, request: Mapping[str, Any]) -> Drawing:
        """What is drawn; what goes wrong in it as a banner, with the rest of the page alive."""
        drawing, number = _erased(request), request.get("id")
        try:
            return self._draw(wish_of(request), number)
        except _WaitingError as error:
            drawing.update(_waiting(error.sides))
            drawing[ANSWER] = {"id": number, "preparing": _preparing(*error.sides.values())}
        except NotReadyError as error:
            drawing[BANNER] = []
            drawing[ANSWER] = {"id": number, "preparing": _preparing(error)}
        except _SidesError as error:
            drawing[BANNER] = [components.banner(f"{name} cannot be shown", text) for name, text in error.args]
            drawing[ANSWER] = {"id": number, "error": "\n".join(text for _, text in error.args)}
        except TftDashError as error:
            drawing[BANNER] = components.banner("This cannot be compared", str(error))
            drawing[ANSWER] = {"id": number, "error": str(error)}
        except Exception:
            logger.exception("a request of the compare page failed: %r", request)
            drawing[BANNER] = components.banner("Something went wrong", RETRIED_ERROR)
            drawing[ANSWER] = {"id": number, "error": RETRIED_ERROR}
        return drawing

    def _draw(self, wish: Wish, number: object) -> Drawing:
        firsts = self._firsts(wish)
        pair, comparison = self._comparison(wish, firsts)
        finer = min((frame.source for frame in firsts), key=lambda about: about.step_seconds)
        tick_seconds = self._services.tick_seconds(finer)
        start = int(wish.seconds / comparison.step_seconds + 1e-6)
        playback = replace(wish.playback, tick=start)
        instant = position(playback, wish.now, ticks=comparison.instants, tick_seconds=tick_seconds)
        key = f"{pair} {wish.horizon} {wish.theme}"
        drawing: Drawing = {BANNER: [], TIME: _time(comparison, instant)}
        drawing[SUMMARY] = words.summary(comparison, wish.horizon, instant)
        ticks = comparison.ticks_a[instant], comparison.ticks_b[instant]
        for target, first, tick in zip(BODIES, firsts, ticks, strict=True):
            drawing[target] = side.over(first.source) if tick == OVER else self._body(first, int(tick))
        if key != wish.drawn:
            drawing.update(_about(firsts, comparison))
        drawing[ANSWER] = {
            "id": number,
            "key": key,
            "instant": instant,
            "instants": comparison.instants,
            "step_seconds": comparison.step_seconds,
            "tick_seconds": tick_seconds,
            "figures": None if key in wish.known else _figures(comparison, wish),
            "marks": _marks(comparison, wish.horizon, instant),
            "no_data": not np.any(~np.isnan([pair[instant] for pair in comparison.prob_30m])),
        }
        return drawing

    def _firsts(self, wish: Wish) -> list[Frame]:
        """Both sides' first frames: each side is prepared, and what is wrong with each is known."""
        firsts: list[Frame] = []
        faults: dict[str, TftDashError] = {}
        waiting: dict[str, NotReadyError] = {}
        for name, (source, model) in zip(SIDES, wish.names, strict=True):
            try:
                firsts.append(self._services.frame(source, model, 0))
            except UnknownNameError as error:
                found = awaited(self._services, source, error) if error.kind == "source" else error
                if isinstance(found, NotReadyError):
                    waiting[name] = found
                else:
                    faults[name] = found
            except NotReadyError as error:
                waiting[name] = error
            except TftDashError as error:
                faults[name] = error
        if faults:
            raise _SidesError(*((name, str(error)) for name, error in faults.items()))
        if waiting:
            raise _WaitingError(waiting)
        return firsts

    def _comparison(self, wish: Wish, firsts: Sequence[Frame]) -> tuple[str, Comparison]:
        """The comparison and what names it; made once for all who look at it."""
        key = " ".join(f"{one.source.name} {one.source.digest} {one.card.name} {one.card.version}" for one in firsts)
        with self._lock:
            known = self._made.get(key)
            if known is not None:
                self._made.move_to_end(key)
                return key, known
        (a, a_model), (b, b_model) = wish.names
        made = self._services.comparison(a, a_model, b, b_model)
        with self._lock:
            self._made[key] = made
            while len(self._made) > COMPARISONS_KEPT:
                self._made.popitem(last=False)
        return key, made

    def _body(self, first: Frame, tick: int) -> list[Any]:
        source, model = first.source.name, first.card.name
        address = urlencode({"source": source, "model": model, "tick": tick})
        frame = self._services.frame(source, model, tick)
        return side.body(frame, f"{self._services.settings.base_path}?{address}")


def register_compare(app: Dash, services: Services) -> None:
    """Add the callbacks of the compare page to ``app``."""
    pairs = Pairs(services)
    app.clientside_callback(
        ClientsideFunction("tft_dash", "compareGate"),
        Output(ids.COMPARE_REQUEST, "data"),
        Input(ids.COMPARE_CLOCK, "n_intervals"),
        Input(ids.COMPARE_VIEW, "data"),
        Input(ids.COMPARE_CATALOGUE, "data"),
    )

    @app.callback(
        [Output(*target) for target in TARGETS], Input(ids.COMPARE_REQUEST, "data"), prevent_initial_call=True
    )
    def answer(request: dict[str, Any]) -> list[Any]:
        return pairs.answer(request)

    app.clientside_callback(ClientsideFunction("tft_dash", "compareLand"), Input(ids.COMPARE_ANSWER, "data"))


def _waiting(sides: Mapping[str, NotReadyError]) -> Drawing:
    """The words of what each side waits for, in its place."""
    places = dict(zip(SIDES, BODIES, strict=True))
    return {BANNER: [], **{places[name]: side.waiting(error.what) for name, error in sides.items()}}


def _preparing(*errors: NotReadyError) -> dict[str, Any]:
    """Of several the one that is least far."""
    slowest = min(errors, key=lambda error: error.progress)
    return {"message": slowest.what, "progress": slowest.progress}


def _erased(request: Mapping[str, Any]) -> Drawing:
    """A page of dashes: what it showed is of another time or of other recordings."""
    figures = dict.fromkeys(FIGURES, blank(theme_of(request.get("theme"))))
    empty: Drawing = {target: [] for target in (*HEADS, PHASES, SUMMARY, NOTE)}
    return {**figures, **empty, **dict.fromkeys(BODIES, side.blank()), TIME: "—"}


def _figures(comparison: Comparison, wish: Wish) -> dict[str, Any]:
    theme = theme_of(wish.theme)
    return {
        ids.COMPARE_LINES: lines.figure(comparison, wish.horizon, theme),
        ids.COMPARE_DIFFERENCE: difference.figure(comparison, wish.horizon, theme),
    }


def _marks(comparison: Comparison, horizon: str, instant: int) -> dict[str, Any]:
    return {
        ids.COMPARE_LINES: lines.marks(comparison, horizon, instant),
        ids.COMPARE_DIFFERENCE: difference.marks(comparison, horizon, instant),
    }


def _about(firsts: Sequence[Frame], comparison: Comparison) -> Drawing:
    """What changes only with the recordings or the models."""
    a, b = (first.source for first in firsts)
    rows = [("A", _phases(a.phases, comparison.ticks_a)), ("B", _phases(b.phases, comparison.ticks_b))]
    if a.digest == b.digest:
        rows = [("both", rows[0][1])]
    heads = [side.head(first.source, first.card, first.instead) for first in firsts]
    buttons = phase_rows(rows, comparison.instants)
    return {**dict(zip(HEADS, heads, strict=True)), PHASES: buttons, NOTE: words.note(comparison, a, b)}


def _phases(phases: Sequence[Phase], ticks: IntArray) -> list[Phase]:
    """The phases in instants of the common clock."""
    going = ticks[ticks != OVER]
    found = []
    for phase in phases:
        first, after = np.searchsorted(going, [phase.first, phase.last + 1])
        if after > first:
            found.append(Phase(phase.name, int(first), int(after) - 1))
    return found


def _time(comparison: Comparison, instant: int) -> list[Any]:
    whole = float(comparison.seconds[-1])
    passed = components.duration(float(comparison.seconds[instant]), whole)
    return [html.Span(f"{passed} of {components.duration(whole)}", className="clock-elapsed")]
