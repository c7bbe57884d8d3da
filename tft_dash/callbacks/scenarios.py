"""The library page's callbacks, and its page as it is opened."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from dash import ClientsideFunction, Dash, Input, Output, no_update

from tft_dash import components, ids
from tft_dash.callbacks.documents import author_of, guarded
from tft_dash.errors import DocumentError, TftDashError, UsageError
from tft_dash.library import Entry
from tft_dash.pages import scenarios
from tft_dash.scenarios.document import read_document
from tft_dash.services import Services

Request = Mapping[str, Any]
TARGETS: Final = (
    (ids.SCENARIOS_CARDS, "data"),
    (ids.SCENARIOS_NOTE, "children"),
    (ids.SCENARIOS_ANSWER, "data"),
)
FILES_AT_ONCE: Final = 50


class Shelving:
    """Answers the library's requests.

    :param services: the library.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def page(self) -> Any:  # noqa: ANN401 - a Dash component
        """The whole page; the presets alone where the store cannot be opened."""
        base = self._services.settings.base_path
        try:
            return scenarios.layout(self._shelf(), base)
        except TftDashError as error:
            presets = scenarios.shelf([_card(entry) for entry in self._services.library.presets()], "")
            note = components.banner("The team's scenarios cannot be shown", str(error))
            return scenarios.layout(presets, base, note)

    def answer(self, request: object) -> list[Any]:
        """The values of :data:`TARGETS`."""
        asked: Request = request if isinstance(request, Mapping) else {}
        problems: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        shown: list[Any] = [no_update]

        def act() -> dict[str, Any]:
            done = {"act": asked.get("act"), **self._act(asked, problems)}
            if asked.get("act") != "look" or asked.get("stamp") != self._services.library.stamp():
                shown[0] = self._shelf()
            return done

        answer = guarded(act, asked.get("id"))
        note = scenarios.refused(problems) if asked.get("act") == "import" else no_update
        return [shown[0], note, answer]

    def _shelf(self) -> dict[str, Any]:
        # The stamp first: what is saved in between is then seen by the next look.
        stamp = self._services.library.stamp()
        return scenarios.shelf([_card(entry) for entry in self._services.library.whole()], stamp)

    def _act(self, asked: Request, problems: list[tuple[str, tuple[tuple[str, str], ...]]]) -> dict[str, Any]:
        library, key, author = self._services.library, str(asked.get("key")), author_of(asked)
        act = asked.get("act")
        if act == "import":
            return {"added": self._import(asked, author, problems)}
        if act == "duplicate":
            return _told(library.duplicate(key, author=author))
        if act in ("archive", "unarchive"):
            return _told(library.archive(key, act == "archive"))
        if act == "restore":
            return _told(library.restore(key))
        if act == "delete":
            title = library.get(key).scenario.title
            library.delete(key)
            return {"key": key, "title": title}
        return self._rename(asked, key, author) if act == "rename" else {}

    def _rename(self, asked: Request, key: str, author: str) -> dict[str, Any]:
        version, name, title = asked.get("version"), asked.get("name"), asked.get("title")
        if not isinstance(version, int) or not isinstance(name, str) or not isinstance(title, str):
            raise UsageError("A scenario is renamed by its version, name and title; the request lacks one.")
        library, new = self._services.library, {"name": name.strip(), "title": title.strip()}
        try:
            return _told(library.rename(key, **new, version=version, author=author))
        except DocumentError as error:
            told = [f"The {path.removeprefix('metadata.')} {words}" for path, words in error.problems]
            raise UsageError(" ".join(told)) from error

    def _import(
        self, asked: Request, author: str, problems: list[tuple[str, tuple[tuple[str, str], ...]]]
    ) -> list[str]:
        """The keys of the files that are scenarios; what is wrong with the others goes to ``problems``."""
        given = asked.get("files")
        files = given if isinstance(given, list) else []
        added = []
        for file in files[:FILES_AT_ONCE]:
            name = str(file.get("name")) if isinstance(file, Mapping) else "file"
            try:
                content = base64.b64decode(str(file.get("content")), validate=True)
                added.append(self._services.library.add(read_document(content, name), author=author).key)
            except DocumentError as error:
                problems.append((name, error.problems))
            except (binascii.Error, AttributeError):
                problems.append((name, (("", "It could not be read whole. Import it again."),)))
        if len(files) > FILES_AT_ONCE:
            words = f"At most {FILES_AT_ONCE} files are imported at a time. Import the others by themselves."
            problems.append((f"{len(files) - FILES_AT_ONCE} further files", (("", words),)))
        return added


def register_scenarios(app: Dash, services: Services) -> None:
    """Add the callbacks of the library to ``app``."""
    shelving = Shelving(services)

    @app.callback(
        [Output(*target) for target in TARGETS], Input(ids.SCENARIOS_REQUEST, "data"), prevent_initial_call=True
    )
    def answer(request: dict[str, Any]) -> list[Any]:
        return shelving.answer(request)

    app.clientside_callback(
        ClientsideFunction("tft_dash", "libraryShow"),
        Output(ids.SCENARIOS_BEGUN, "data"),  # without an output Dash would not call it when the page appears
        Input(ids.SCENARIOS_CARDS, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("tft_dash", "libraryDone"), Input(ids.SCENARIOS_ANSWER, "data"), prevent_initial_call=True
    )


def open_library(services: Services, **_query: str) -> Any:  # noqa: ANN401 - a Dash component
    """The page of all scenarios, as they are now."""
    return Shelving(services).page()


def _card(entry: Entry) -> scenarios.Card:
    marks = (("deleted", entry.deleted), ("preset", entry.preset), ("archived", entry.archived), ("own", True))
    shelf = next(name for name, is_so in marks if is_so)
    return scenarios.Card(entry.key, shelf, entry.version, entry.scenario, _changed(entry.updated, entry.author))


def _told(entry: Entry) -> dict[str, Any]:
    return {"key": entry.key, "title": entry.scenario.title}


def _changed(when: datetime | None, author: str) -> str:
    if when is None:
        return ""
    words = f"saved {when.day} {when:%b %Y, %H:%M} UTC"
    return f"{words} by {author}" if author else words
