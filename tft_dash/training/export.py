"""From a fitted network to a folder that the web process loads without torch; it appears whole or not at all.

``python -m tft_dash.training.export WEIGHTS FOLDER`` makes a folder from weights alone, for a network whose fit was
recorded elsewhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from tft_dash import __version__
from tft_dash.errors import DataError, ModelRefusedError, StorageError, UsageError, shorten
from tft_dash.models.forecasting.artefact import Artefact, load_artefact
from tft_dash.models.forecasting.calibration import Calibration
from tft_dash.models.forecasting.card import (
    CALIBRATION_FILE,
    CARD_FILE,
    FORMAT,
    GOLDEN_TOLERANCE,
    GRAPH_FILE,
    OPSET,
    VOUCHED_FILES,
    WEIGHTS_FILE,
    ArtefactCard,
    Golden,
    Interval,
    TrainedOn,
    Transform,
    current_layout,
    current_thresholds,
)
from tft_dash.models.forecasting.golden import GoldenBatch, golden_batch
from tft_dash.models.forecasting.layout import INPUTS, TARGETS
from tft_dash.models.forecasting.runtime import INPUT_SHAPES, OUTPUT_SHAPES, Runtime
from tft_dash.schema import THRESHOLDS
from tft_dash.training.network import Forecaster, Shape

PARITY: Final = 1e-5
"""How far torch and ONNX Runtime may be apart, relative to each output's scale."""
PARITY_BATCHES: Final = (1, 2, 31, 32, 33, 100, 1000)
GOLDEN_SEED: Final = 20_240_101
GOLDEN_COUNT: Final = 3
_PACKAGES: Final = ("torch", "onnx", "onnxruntime", "numpy", "safetensors")


@dataclass(frozen=True, slots=True)
class Facts:
    """What only whoever fitted the network knows; see :class:`ArtefactCard`."""

    version: str
    trained_on: TrainedOn
    title: str = "Temporal Fusion Transformer"
    split: Mapping[str, str | int | float] = field(default_factory=dict)
    training: Mapping[str, str | int | float] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    alarm_threshold: float | None = None
    calibration: Calibration = field(default_factory=Calibration.identity)
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Exported:
    graph: bytes


class Served(nn.Module):
    """The network as it is served: the four outputs of the layout, quantiles in the metrics' units."""

    def __init__(self, network: Forecaster) -> None:
        super().__init__()
        self.network = network

    def forward(self, metrics: Tensor, profile: Tensor, minute: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """See :mod:`tft_dash.models.forecasting.runtime`."""
        quantiles, chance, selection, attention = self.network(metrics, profile, minute)[:4]
        return self.network.raw(quantiles), chance, selection, attention


def write_artefact(folder: Path, network: Forecaster, facts: Facts) -> Artefact:
    """Export ``network`` into ``folder``, which must not be there, or be empty; verified before it appears.

    :raises UsageError: ``folder`` holds something.
    :raises DataError: torch and ONNX Runtime disagree.
    :raises StorageError: the folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{shorten(str(folder), 200)} is there already. Name a folder that is not, or remove it.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as place:
            work = Path(place) / folder.name
            work.mkdir()
            _fill(work, network, facts)
            load_artefact(work)
            if folder.exists():
                folder.rmdir()
            work.replace(folder)
    except OSError as error:
        raise StorageError(f"{shorten(str(folder), 200)} cannot be written: {error.strerror}.") from error
    return load_artefact(folder)


def _fill(work: Path, network: Forecaster, facts: Facts) -> None:
    served = Served(network).eval().cpu()
    _export(served, work / GRAPH_FILE)
    served.eval()  # exporting may set modes back; dropout must not wake up
    runtime = Runtime(_Exported((work / GRAPH_FILE).read_bytes()))
    demand_parity(served, runtime)
    weights = {name: values.detach().cpu().contiguous() for name, values in network.state_dict().items()}
    safetensors.torch.save_file(weights, work / WEIGHTS_FILE, {"format": "pt"})
    (work / WEIGHTS_FILE).chmod(0o644)  # the library lets nobody else read it
    (work / CALIBRATION_FILE).write_text(facts.calibration.model_dump_json(indent=2) + "\n")
    card = _card(network, facts, runtime, {name: _digest(work / name) for name in VOUCHED_FILES})
    (work / CARD_FILE).write_text(json.dumps(card.model_dump(mode="json"), ensure_ascii=False) + "\n")


def _export(served: Served, path: Path) -> None:
    example = tuple(torch.from_numpy(values) for values in _feed(golden_batch(1, 2)).values())
    names = (*INPUT_SHAPES, *OUTPUT_SHAPES)
    with warnings.catch_warnings():
        # This exporter writes an LSTM as one operator; the newer one unrolls it into a loop twice as large and slow.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            served,
            example,
            str(path),
            opset_version=OPSET,
            input_names=list(INPUT_SHAPES),
            output_names=list(OUTPUT_SHAPES),
            dynamic_axes={name: {0: "batch"} for name in names},
            dynamo=False,
        )


def demand_parity(served: Served, runtime: Runtime, batches: tuple[int, ...] = PARITY_BATCHES) -> float:
    """The largest difference between torch and ONNX Runtime, relative to each output's scale.

    A quantile's scale is its metric's critical line; for all others it is 1.

    :raises DataError: it is above :data:`PARITY`.
    """
    scales = {name: np.ones(1) for name in OUTPUT_SHAPES}
    scales["quantiles"] = np.array([max(1.0, THRESHOLDS[name].critical) for name in TARGETS])[:, None]
    worst = 0.0
    for count in batches:
        batch = golden_batch(count, count)
        feed = _feed(batch)
        with torch.no_grad():
            expected = served(*(torch.from_numpy(values) for values in feed.values()))
        found = runtime.run(batch.metrics, batch.profile, batch.minute)
        for name, values in zip(OUTPUT_SHAPES, expected, strict=True):
            apart = np.abs(values.numpy() - getattr(found, name)) / np.maximum(scales[name], np.abs(values.numpy()))
            worst = max(worst, float(apart.max()))
            if not worst <= PARITY:
                raise DataError(
                    f"torch and ONNX Runtime differ by {worst:.2g} in {name} for a batch of {count}; at most "
                    f"{PARITY:g} is allowed. Nothing was written. Try other versions of torch and onnxruntime."
                )
    return worst


def _feed(batch: GoldenBatch) -> dict[str, np.ndarray[Any, Any]]:
    return {"metrics": batch.metrics, "profile": batch.profile, "minute": batch.minute}


def _card(network: Forecaster, facts: Facts, runtime: Runtime, files: dict[str, str]) -> ArtefactCard:
    versions = {name: installed(name) for name in _PACKAGES}
    return ArtefactCard(
        format=FORMAT,
        name="tft",
        version=facts.version,
        title=facts.title,
        created=facts.created or datetime.now(UTC).replace(microsecond=0),
        trained_on=facts.trained_on,
        layout=current_layout(_transforms(network)),
        thresholds=current_thresholds(),
        split=dict(facts.split),
        training=dict(facts.training),
        versions={"python": platform.python_version(), "tft_dash": __version__, **versions},
        parameters=sum(values.numel() for values in network.parameters()),
        scores={name: dict(row) for name, row in facts.scores.items()},
        alarm_threshold=facts.alarm_threshold,
        golden=_golden(runtime),
        files=files,
    )


def _golden(runtime: Runtime) -> Golden:
    batch = golden_batch(GOLDEN_SEED, GOLDEN_COUNT)
    answers = runtime.run(batch.metrics, batch.profile, batch.minute)
    return Golden(
        seed=GOLDEN_SEED,
        count=GOLDEN_COUNT,
        tolerance=GOLDEN_TOLERANCE,
        input_digest=batch.digest,
        outputs={
            name: tuple(float(f"{value:.7g}") for value in values.ravel())
            for name in OUTPUT_SHAPES
            for values in (getattr(answers, name),)
        },
    )


def _transforms(network: Forecaster) -> dict[str, Transform]:
    logged, offset = network.get_buffer("logged").tolist(), network.get_buffer("offset").tolist()
    return {
        name: Transform(kind="log", offset=float(f"{shift:.6g}")) if is_log else Transform(kind="linear")
        for name, is_log, shift in zip(INPUTS, logged, offset, strict=True)
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_weights(path: Path, shape: Shape) -> Forecaster:
    """A network of ``shape`` with the weights in ``path``, a safetensors file: no pickle is ever opened.

    :raises ModelRefusedError: the weights are not of such a network, or the file is damaged.
    """
    network = Forecaster(shape)
    try:
        network.load_state_dict(safetensors.torch.load_file(path))
    except (OSError, RuntimeError, ValueError, safetensors.SafetensorError) as error:
        words = f"its weights cannot be read ({shorten(str(error), 160)})"
        raise ModelRefusedError(path, words, "Give the weights of a network of this shape.") from error
    return network.eval()


def _shell() -> None:
    parser = argparse.ArgumentParser(description="Make a model folder from a fitted network's weights.")
    parser.add_argument("weights", type=Path, help="a safetensors file")
    parser.add_argument("folder", type=Path, help="its name becomes the version")
    parser.add_argument("--width", type=int, default=Shape().width)
    parser.add_argument("--calibration", type=Path)
    parser.add_argument("--description", required=True, help="what it was trained on")
    parser.add_argument("--simulated", action="store_true")
    given = parser.parse_args()
    network = load_weights(given.weights, Shape(width=given.width, dropout=0.0))
    calibration = (
        Calibration.model_validate_json(given.calibration.read_text()) if given.calibration else Calibration.identity()
    )
    trained_on = TrainedOn(simulated=given.simulated, description=given.description)
    write_artefact(given.folder, network, Facts(given.folder.name, trained_on, calibration=calibration))


if __name__ == "__main__":
    _shell()
