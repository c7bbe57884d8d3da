"""The card of a forecast model: what it is, what it was made from, how good it is, and what belongs to it.

``card.json`` vouches for every other file of the folder by its digest, and for the computation by a golden batch.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from tft_dash.models.forecasting import layout
from tft_dash.schema import METRIC, THRESHOLDS

FORMAT: Final = "tft-dash/model/1"
OPSET: Final = 18
GOLDEN_TOLERANCE: Final = 1e-4

CARD_FILE: Final = "card.json"
GRAPH_FILE: Final = "model.onnx"
WEIGHTS_FILE: Final = "model.safetensors"
CALIBRATION_FILE: Final = "calibration.json"
EVIDENCE_FILE: Final = "evidence.json"
VOUCHED_FILES: Final = (GRAPH_FILE, WEIGHTS_FILE, CALIBRATION_FILE)
"""The files that a card names with their digests; the evidence is measured later and carries its own."""

VERSION_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$"

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Interval = tuple[Finite, Finite | None, Finite | None]
"""An estimate and the bounds of its 95 % bootstrap interval."""


class CardPart(BaseModel):
    """A part of the card: nothing unknown, nothing that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TrainedOn(CardPart):
    """The histories that the model has learnt from.

    :param simulated: whether a generator made them; every page then says so.
    :param sources: simulator seeds or names of recordings.
    :param digest: SHA-256 of the histories; None where it was not taken.
    """

    simulated: bool
    description: str
    sources: tuple[str, ...] = ()
    digest: Digest | None = None


class Transform(CardPart):
    """How the graph scales a metric: linear, or the logarithm of the value plus an offset in its unit."""

    kind: Literal["linear", "log"]
    offset: Finite = 0.0


class Layout(CardPart):
    """What goes in and out of the graph, in which order and unit."""

    step_seconds: Finite
    context: int
    nodes: tuple[int, ...]
    quantiles: tuple[Finite, ...]
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    profiles: tuple[str, ...]
    units: dict[str, str]
    transforms: dict[str, Transform]


class Line(CardPart):
    """One row of the contract's table of thresholds."""

    warning: Finite
    critical: Finite
    sets_state: bool


class Golden(CardPart):
    """A batch made from a seed, and what the graph answers to it.

    :param input_digest: SHA-256 of the batch's bytes: whether it was made alike.
    """

    seed: int = Field(ge=0)
    count: int = Field(ge=1, le=16)
    tolerance: Finite = Field(gt=0, le=GOLDEN_TOLERANCE)
    input_digest: Digest
    outputs: dict[Literal["quantiles", "chance", "selection", "attention"], tuple[Finite, ...]]


class ArtefactCard(CardPart):
    """The whole of ``card.json``.

    :param split: how the histories were divided, in words and numbers.
    :param training: the plan: seed, steps, batch, rate, …
    :param versions: of Python and the packages that made it.
    :param scores: horizon and model → score → interval: the short table, every reference beside the model.
    :param alarm_threshold: P(30 min) of a server from which an alarm keeps to one false one per server-week.
    :param files: file name → SHA-256.
    """

    format: Literal["tft-dash/model/1"]
    name: Literal["tft"]
    version: str = Field(pattern=VERSION_PATTERN)
    title: str = Field(min_length=1, max_length=80)
    created: datetime
    trained_on: TrainedOn
    layout: Layout
    thresholds: dict[str, Line]
    split: dict[str, str | int | float]
    training: dict[str, str | int | float]
    versions: dict[str, str]
    parameters: int = Field(gt=0)
    scores: dict[str, dict[str, Interval]]
    alarm_threshold: Finite | None = Field(ge=0, le=1)
    golden: Golden
    files: dict[str, Digest]


def current_layout(transforms: dict[str, Transform]) -> Layout:
    """The layout that this program serves; ``transforms`` are the graph's own business."""
    return Layout(
        step_seconds=layout.STEP_SECONDS,
        context=layout.CONTEXT,
        nodes=layout.NODES,
        quantiles=layout.QUANTILES,
        inputs=layout.INPUTS,
        targets=layout.TARGETS,
        profiles=layout.PROFILES,
        units={name: METRIC[name].unit for name in layout.INPUTS},
        transforms=transforms,
    )


def current_thresholds() -> dict[str, Line]:
    """The contract's thresholds, as a card carries them."""
    return {
        name: Line(warning=row.warning, critical=row.critical, sets_state=row.sets_state)
        for name, row in THRESHOLDS.items()
    }
