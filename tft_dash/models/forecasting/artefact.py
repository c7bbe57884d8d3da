"""A forecast model's folder, read only when everything in it is what its card says. No pickle, no code, no torch.

::

    <version>/card.json           what it is; vouches for the files below by digest, for the answers by a golden batch
    <version>/model.onnx          the graph
    <version>/model.safetensors   the weights, for training on; not read here
    <version>/calibration.json    the last step of the probabilities
    <version>/evidence.json       how good it is, as measured; may be missing
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from tft_dash.errors import ModelRefusedError, shorten
from tft_dash.models.forecasting.calibration import Calibration
from tft_dash.models.forecasting.card import (
    CALIBRATION_FILE,
    CARD_FILE,
    EVIDENCE_FILE,
    GRAPH_FILE,
    OPSET,
    VOUCHED_FILES,
    ArtefactCard,
    current_layout,
    current_thresholds,
)
from tft_dash.models.forecasting.evidence import Evidence
from tft_dash.models.forecasting.golden import golden_batch
from tft_dash.models.forecasting.layout import LATE, SOON
from tft_dash.models.forecasting.onnx_file import operator_sets
from tft_dash.models.forecasting.runtime import INPUT_SHAPES, OUTPUT_SHAPES, Outputs, Runtime, open_session

LARGEST_FILE: Final = 64 * 2**20

_FETCH: Final = "Fetch the folder again from where it came, or train the model anew (tft-dash train)"
_ANOTHER: Final = "Take a model that was made for this version of tft_dash, or train one (tft-dash train)"
_Document = TypeVar("_Document", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Artefact:
    """A verified model.

    :param digest: SHA-256 of its card, and so of everything.
    :param graph: the content of ``model.onnx``.
    """

    folder: Path
    card: ArtefactCard
    calibration: Calibration
    digest: str
    graph: bytes


def load_artefact(folder: Path) -> Artefact:
    """The model in ``folder``.

    :raises ModelRefusedError: something is missing, damaged, foreign, or made for another layout or other thresholds.
    """
    content = _read(folder / CARD_FILE)
    card = _document(ArtefactCard, content, folder / CARD_FILE)
    files = {name: _vouched(folder / name, card) for name in VOUCHED_FILES}
    _demand_layout(card, folder / CARD_FILE)
    calibration = _document(Calibration, files[CALIBRATION_FILE], folder / CALIBRATION_FILE)
    if set(calibration.horizons) != {"30m", "8h"}:
        raise ModelRefusedError(folder / CALIBRATION_FILE, "it lacks one of the horizons 30m and 8h", _FETCH + ".")
    graph = files[GRAPH_FILE]
    _demand_graph(graph, folder / GRAPH_FILE)
    artefact = Artefact(folder, card, calibration, hashlib.sha256(content).hexdigest(), graph)
    _demand_answers(artefact, folder / GRAPH_FILE)
    return artefact


def load_evidence(folder: Path) -> Evidence | None:
    """What was measured of the model in ``folder``; None where nothing was.

    :raises ModelRefusedError: the document is damaged.
    """
    path = folder / EVIDENCE_FILE
    return _document(Evidence, _read(path), path) if path.exists() else None


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ModelRefusedError(path, f"it is larger than {LARGEST_FILE // 2**20} MB", _FETCH + ".")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelRefusedError(path, "the file is not there", _FETCH + ".") from error
    except OSError as error:
        advice = "Mend its permissions, or fetch the folder again."
        raise ModelRefusedError(path, f"it cannot be read ({error.strerror})", advice) from error


def _document(kind: type[_Document], content: bytes, path: Path) -> _Document:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ModelRefusedError(path, f"{shorten(where)}: {first['msg']}", _FETCH + ".") from error


def _vouched(path: Path, card: ArtefactCard) -> bytes:
    content = _read(path)
    wanted, found = card.files.get(path.name), hashlib.sha256(content).hexdigest()
    if wanted is None:
        raise ModelRefusedError(path, f"{CARD_FILE} does not vouch for it", _FETCH + ".")
    if found != wanted:
        words = f"its SHA-256 is {found[:12]}…, and {CARD_FILE} says {wanted[:12]}…: it was changed or damaged"
        raise ModelRefusedError(path, words, _FETCH + ".")
    return content


def _demand_layout(card: ArtefactCard, path: Path) -> None:
    expected = current_layout(card.layout.transforms)
    for name in type(expected).model_fields:
        wanted, found = getattr(expected, name), getattr(card.layout, name)
        if found != wanted:
            words = f"layout.{name} is {shorten(str(found))}, and this program serves {shorten(str(wanted))}"
            raise ModelRefusedError(path, words, _ANOTHER + ".")
    thresholds = current_thresholds()
    for name in sorted({*thresholds, *card.thresholds}):
        if card.thresholds.get(name) != thresholds.get(name):
            words = (
                f"it was trained under other thresholds: {name} {_line(card.thresholds.get(name))}, "
                f"here {_line(thresholds.get(name))}"
            )
            raise ModelRefusedError(path, words, "What it calls an incident is not what is called so here. Train anew.")


def _line(line: Any) -> str:  # noqa: ANN401 - a Line or None
    return "none" if line is None else f"{line.warning:g} / {line.critical:g}"


def _demand_graph(graph: bytes, path: Path) -> None:
    """A graph of the right operator set, with the inputs and outputs of the layout."""
    try:
        sets = operator_sets(graph)
    except ValueError as error:
        raise ModelRefusedError(path, f"it is no ONNX file ({error})", _FETCH + ".") from error
    versions = {("ai.onnx" if domain == "" else domain): version for domain, version in sets.items()}
    if versions != {"ai.onnx": OPSET}:
        found = ", ".join(f"{shorten(domain)} {version}" for domain, version in sorted(versions.items())) or "none"
        words = f"it needs the operator sets {found}, and this program runs ai.onnx {OPSET} alone"
        raise ModelRefusedError(path, words, _ANOTHER + ".")
    try:
        session = open_session(graph)
    except Exception as error:  # the runtime's errors have no common base; this is their edge
        words = f"ONNX Runtime cannot run it ({shorten(str(error), 160)})"
        raise ModelRefusedError(path, words, _FETCH + ".") from error
    _demand_ports("input", session.get_inputs(), INPUT_SHAPES, path)
    _demand_ports("output", session.get_outputs(), OUTPUT_SHAPES, path)


def _demand_ports(kind: str, ports: Any, expected: dict[str, Any], path: Path) -> None:  # noqa: ANN401 - untyped
    found = {port.name: (port.type, tuple(port.shape[1:])) for port in ports}
    fixed = [port.name for port in ports if not port.shape or isinstance(port.shape[0], int)]
    if found != expected or fixed:
        differing = sorted(
            name for name in {*found, *expected} if found.get(name) != expected.get(name) or name in fixed
        )
        words = "; ".join(
            f"{kind} {shorten(name)} is {_port(found.get(name), name in fixed)}, expected {_port(expected.get(name))}"
            for name in differing
        )
        raise ModelRefusedError(path, words, _ANOTHER + ".")


def _port(port: Any, is_fixed: bool = False) -> str:  # noqa: ANN401 - a pair or None
    if port is None:
        return "not there"
    axes = ", ".join(["one size" if is_fixed else "any size", *map(str, port[1])])
    return f"{port[0]} ({axes})"


def _demand_answers(artefact: Artefact, path: Path) -> None:
    """The golden batch gets the recorded answers, and they are possible ones."""
    golden = artefact.card.golden
    batch = golden_batch(golden.seed, golden.count)
    if batch.digest != golden.input_digest:
        words = "its golden batch cannot be made again from its seed"
        raise ModelRefusedError(path.with_name(CARD_FILE), words, _ANOTHER + ".")
    try:
        runtime = Runtime(artefact)
        answers = runtime.run(batch.metrics, batch.profile, batch.minute)
        alone = runtime.chance(batch.metrics, batch.profile, batch.minute)
    except Exception as error:  # the runtime's errors have no common base; this is their edge
        words = f"it fails on its golden batch ({shorten(str(error), 160)})"
        raise ModelRefusedError(path, words, _FETCH + ".") from error
    for name in OUTPUT_SHAPES:
        values = getattr(answers, name)
        recorded = np.array(golden.outputs.get(name, ()), np.float64)  # type: ignore[call-overload]
        if recorded.size != values.size:
            words = f"golden.outputs.{name} has {recorded.size} values, expected {values.size}"
            raise ModelRefusedError(path.with_name(CARD_FILE), words, _FETCH + ".")
        apart = np.abs(values.ravel() - recorded) / np.maximum(1.0, np.abs(recorded))
        if not np.nanmax(np.where(np.isnan(apart), np.inf, apart)) <= golden.tolerance:
            words = f"its {name} for the golden batch differ from the card's by up to {np.nanmax(apart):.2g}"
            raise ModelRefusedError(path, words, "It is another model, or this machine computes otherwise. Train anew.")
    if not np.abs(alone - answers.chance).max() <= golden.tolerance:
        raise ModelRefusedError(path, "its chances differ where they are asked for alone", "Train anew.")
    _demand_possible(answers, path)


def _demand_possible(answers: Outputs, path: Path) -> None:
    """Quantiles in order, chances in [0, 1] that never fall with time."""
    quantiles, chance = answers.quantiles, answers.chance
    if np.any(np.diff(quantiles, axis=-1) < 0.0):
        raise ModelRefusedError(path, "its quantiles cross", "Train anew.")
    impossible = np.any(chance < 0.0) or np.any(chance > 1.0) or np.any(np.diff(chance, axis=-1) < 0.0)
    if impossible or np.any(chance[:, SOON] > chance[:, LATE]):
        raise ModelRefusedError(path, "its chances fall with time or leave 0–1", "Train anew.")
