"""The library page's callbacks, and its page as it is opened."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from dash import ClientsideFunction, Dash, Input, Output, no_update

from tft_dash import ids
from tft_dash.callbacks.documents import author_of, guarded
from tft_dash.errors import DocumentError, UsageError
from tft_dash.library import Entry
from tft_dash.pages import scenarios
from tft_dash.scenarios.document import read_document
from tft_dash.services import Services

Request = Mapping[str, Any]
TARGETS: Final = (
    (ids.SCENARIOS_LIST, "children"),
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
        """The whole page."""
        return scenarios.layout(self._cards(), self._services.settings.base_path)

    def answer(self, request: object) -> list[Any]:
        """The values of :data:`TARGETS`."""
        asked: Request = request if isinstance(request, Mapping) else {}
        problems: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        answer = guarded(lambda: {"act": asked.get("act"), **self._act(asked, problems)}, asked.get("id"))
        if "error" in answer:
            return [no_update, scenarios.refused([("The change", (("", answer["error"]),))]), answer]
        shelf = scenarios.shelf(self._cards(), self._services.settings.base_path)
        return [shelf, scenarios.refused(problems), answer]

    def _cards(self) -> list[scenarios.Card]:
        library = self._services.library
        return [_card(entry) for entry in (*library.entries(), *library.entries(archived=True))]

    def _act(self, asked: Request, problems: list[tuple[str, tuple[tuple[str, str], ...]]]) -> dict[str, Any]:
        library, key, author = self._services.library, str(asked.get("key")), author_of(asked)
        act = asked.get("act")
        if act == "import":
            return {"added": self._import(asked, author, problems)}
        if act == "duplicate":
            return {"key": library.duplicate(key, author=author).key}
        if act in ("archive", "unarchive"):
            return {"key": library.archive(key, act == "archive").key}
        if act == "restore":
            return {"key": library.restore(key).key}
        if act == "delete":
            title = library.get(key).scenario.title
            library.delete(key)
            return {"key": key, "title": title}
        return self._rename(asked, key, author) if act == "rename" else {}

    def _rename(self, asked: Request, key: str, author: str) -> dict[str, Any]:
        version, name, title = asked.get("version"), asked.get("name"), asked.get("title")
        if not isinstance(version, int) or not isinstance(name, str) or not isinstance(title, str):
            raise UsageError("A scenario is renamed by its version, name and title; the request lacks one.")
        entry = self._services.library.rename(
            key, name=name.strip(), title=title.strip(), version=version, author=author
        )
        return {"key": entry.key}

    def _import(
        self, asked: Request, author: str, problems: list[tuple[str, tuple[tuple[str, str], ...]]]
    ) -> list[str]:
        """The keys of the files that are scenarios; what is wrong with the others goes to ``problems``."""
        files = asked.get("files")
        added = []
        for file in (files if isinstance(files, list) else [])[:FILES_AT_ONCE]:
            name = str(file.get("name")) if isinstance(file, Mapping) else "file"
            try:
                content = base64.b64decode(str(file.get("content")), validate=True)
                added.append(self._services.library.add(read_document(content, name), author=author).key)
            except DocumentError as error:
                problems.append((name, error.problems))
            except (binascii.Error, AttributeError):
                problems.append((name, (("", "did not arrive whole. Import it again."),)))
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
        ClientsideFunction("tft_dash", "libraryStart"),
        Output(ids.SCENARIOS_BEGUN, "data"),  # without an output Dash would not call it when the page appears
        Input(ids.SCENARIOS_START, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("tft_dash", "libraryDone"), Input(ids.SCENARIOS_ANSWER, "data"), prevent_initial_call=True
    )


def open_library(services: Services, **_query: str) -> Any:  # noqa: ANN401 - a Dash component
    """The page of all scenarios, as they are now."""
    return Shelving(services).page()


def _card(entry: Entry) -> scenarios.Card:
    shelf = "preset" if entry.preset else "archived" if entry.archived else "own"
    return scenarios.Card(entry.key, shelf, entry.version, entry.scenario, _changed(entry.updated, entry.author))


def _changed(when: datetime | None, author: str) -> str:
    if when is None:
        return ""
    words = f"saved {when.day} {when:%b %Y, %H:%M} UTC"
    return f"{words} by {author}" if author else words
