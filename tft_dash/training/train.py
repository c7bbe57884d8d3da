"""From histories to a model folder: divide, fit, calibrate, measure beside the references, export."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tft_dash.errors import DataError
from tft_dash.models.forecasting.artefact import Artefact
from tft_dash.models.forecasting.calibration import Calibration
from tft_dash.models.forecasting.card import Interval, TrainedOn
from tft_dash.models.forecasting.runtime import Outputs
from tft_dash.progress import Progress, silent
from tft_dash.training.calibrating import counted_rows, fitted_calibration
from tft_dash.training.export import Facts, Served, write_artefact
from tft_dash.training.fitting.fit import Fit, Report
from tft_dash.training.fitting.plan import Plan
from tft_dash.training.fleets import Fleet, digest_of, require_length
from tft_dash.training.histories import Histories, Rows, opened, save
from tft_dash.training.measuring.alarms import AlarmJudge, alarms_of
from tft_dash.training.measuring.evidence import HORIZONS, Measured, Subject, measured
from tft_dash.training.measuring.predicting import chances, cores, raw_chances
from tft_dash.training.measuring.references import BOOSTING, References, outcomes
from tft_dash.training.measuring.scores import scores_of
from tft_dash.training.network import Forecaster
from tft_dash.training.splitting import LEAST_DAYS, Split, split

CALIBRATION_ROWS: Final = 60_000
ALARM_SERVERS: Final = 12
PACE_STEPS: Final = 30
"""Steps by which the pace is measured when fitting is bounded by time."""
_FIRST_STEPS: Final = 5
_LEAST_STEPS: Final = 100

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained.

    :param folder: where the model goes; its name is the version.
    :param minutes: how long fitting may take; None = as long as the plan's steps take.
    """

    folder: Path
    plan: Plan
    device: str
    trained_on: TrainedOn
    minutes: float | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told how far training is.

    :param say: a sentence for people.
    :param progress: share of a stage that takes long.
    :param report: the loss, now and then.
    """

    say: Say = field(default=lambda _words: None)
    progress: Progress = silent
    report: Report | None = None


class TorchPredictor:
    """A network's answers, without going through a file."""

    def __init__(self, network: Forecaster, device: str) -> None:
        self._served = Served(network).eval().to(device)
        self._device = device

    @torch.no_grad()
    def run(self, metrics: NDArray[np.float32], profile: NDArray[np.int64], minute: NDArray[np.float32]) -> Outputs:
        """Everything."""
        inputs = (
            torch.from_numpy(np.ascontiguousarray(values)).to(self._device) for values in (metrics, profile, minute)
        )
        return Outputs(*(values.cpu().numpy() for values in self._served(*inputs)))

    def chance(
        self, metrics: NDArray[np.float32], profile: NDArray[np.int64], minute: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(windows, nodes) the chances alone."""
        return self.run(metrics, profile, minute).chance


def work_folder(folder: Path) -> Path:
    """Where a model's histories and checkpoints are kept until it is done."""
    return folder.with_name(f"{folder.name}.training")


def demand_device(device: str) -> None:
    """Refuse a device that is not there.

    :raises DataError: no CUDA, or a torch that was built without it.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise DataError(
            "--device cuda: torch sees no CUDA device here (none, no driver, or a torch without CUDA). "
            "Take --device cpu, or install a torch with CUDA on a machine with a GPU."
        )


def train(fleets: Iterable[Fleet], order: Order, listener: Listener | None = None) -> Artefact:
    """Train the model; work that was stopped is gone on with.

    :raises DataError: the histories are not fit, or a checkpoint belongs to other work.
    :raises UsageError: the folder holds something.
    """
    told = listener or Listener()
    torch.set_num_threads(cores())
    work = work_folder(order.folder)
    kept, history = _collected(fleets, work / "histories")
    parts = split(history, order.plan.seed)
    digest = digest_of(history)
    told.say(
        f"{history.servers} servers, {history.days:.3g} days each, {history.incidents} incidents; "
        f"{len(parts.train_servers)} servers to learn from, {len(parts.valid_servers)} to stop and calibrate by, "
        f"{len(parts.test_servers)} to measure on later days"
    )
    plan = _bounded(history, parts, order, work)
    fit = Fit(history, parts.train, parts.valid, plan=plan, device=order.device,
              folder=work / "checkpoint", data_digest=digest)  # fmt: skip
    if fit.progress.step:
        told.say(f"Going on after step {fit.progress.step} of {plan.steps}")
    network = fit.run(told.report)
    done = replace(order, plan=plan, trained_on=order.trained_on.model_copy(update={"digest": digest}))
    artefact = write_artefact(order.folder, network.cpu(), _facts(_Fitted(kept, history, parts, fit), done, told))
    shutil.rmtree(work, ignore_errors=True)
    return artefact


def _collected(fleets: Iterable[Fleet], folder: Path) -> tuple[list[Fleet], Histories]:
    """The fleets, and their histories as memory-mapped files."""
    kept, places = [], []
    for number, fleet in enumerate(fleets):
        require_length([fleet], LEAST_DAYS, "training")
        places.append(folder / f"{number:04d}")
        save(fleet.history, places[-1])
        kept.append(fleet)
    return kept, opened(places, folder / "all")


def _bounded(history: Histories, parts: Split, order: Order, work: Path) -> Plan:
    """The plan with as many steps as fit into the minutes; measured once, and kept for when work is gone on with."""
    if order.minutes is None:
        return order.plan
    kept = work / "steps"
    if kept.exists():
        return replace(order.plan, steps=int(kept.read_text()))
    trial = Fit(history, parts.train, parts.valid, plan=order.plan, device=order.device)
    begun = 0.0
    for step in range(_FIRST_STEPS + PACE_STEPS):
        if step == _FIRST_STEPS:
            begun = time.monotonic()
        trial.step()
    pace = (time.monotonic() - begun) / PACE_STEPS
    steps = max(_LEAST_STEPS, int(order.minutes * 60 / pace / 1.05))  # measuring takes a twentieth
    work.mkdir(parents=True, exist_ok=True)
    kept.write_text(str(steps))
    return replace(order.plan, steps=steps)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Everything that was learnt from, divided, and what came of it."""

    fleets: Sequence[Fleet]
    history: Histories
    parts: Split
    fit: Fit


def _facts(fitted: _Fitted, order: Order, told: Listener) -> Facts:
    """Calibrate on the validation servers, measure on the test servers."""
    history, parts, fit = fitted.history, fitted.parts, fitted.fit
    predictor = TorchPredictor(fit.average.cpu(), "cpu")
    told.say("Calibrating")
    rows = counted_rows(history, parts.valid, CALIBRATION_ROWS)
    fitted_on = f"{len(parts.valid_servers)} servers that the network did not learn from"
    calibration = fitted_calibration(
        *raw_chances(predictor, history, rows, told.progress), outcomes(history, rows),
        fitted_on=fitted_on, incidents=history.part(parts.valid_servers).incidents,
    )  # fmt: skip
    told.say("Measuring beside the references")
    references = References(history, parts.train, fitted.fleets)
    subject = Subject(predictor, calibration, order.folder.name, "", order.trained_on.simulated)
    found = measured(subject, history, parts.test, (references, fitted.fleets), told.progress)
    training = {**order.plan.as_dict(), "device": order.device, "threads": torch.get_num_threads(),
                "steps_done": fit.progress.step, "validation_loss": round(fit.progress.best, 6)}  # fmt: skip
    return Facts(
        version=order.folder.name, trained_on=order.trained_on, split=parts.as_dict(), training=training,
        scores=_scores(found), alarm_threshold=_alarm_threshold(history, parts, predictor, calibration),
        calibration=calibration,
    )  # fmt: skip


def _scores(found: Measured) -> dict[str, dict[str, Interval]]:
    """The short table of the card: every model at both horizons, where something happened."""
    table: dict[str, dict[str, Interval]] = {}
    for place, horizon in enumerate(HORIZONS):
        if not found.forecasts(BOOSTING, place).truth.any():
            continue
        for name in found.said:
            scores = scores_of(found.forecasts(name, place))
            row = {"brier_skill": scores.brier_skill, "auc": scores.auc, "calibration_error": scores.calibration_error}
            table[f"{horizon} {name}"] = {
                score: (value[0], value[1], value[2]) for score, value in row.items() if value[0] is not None
            }
    return table


def _alarm_threshold(
    history: Histories, parts: Split, predictor: TorchPredictor, calibration: Calibration
) -> float | None:
    """The lowest threshold on P(30 min) that keeps false alarms bearable on the validation servers."""
    part = history.part(parts.valid_servers[:ALARM_SERVERS])
    rows: Rows = part.usable()
    seen = np.zeros(part.rows, bool)
    seen[rows] = True
    chance = np.full(part.rows, np.nan)
    chance[rows] = chances(predictor, calibration, part, rows)[0]
    chosen = alarms_of(AlarmJudge(part, seen), chance)[0].chosen
    return None if chosen is None else chosen.threshold


def plan_for(device: str, seed: int, steps: int | None) -> Plan:
    """The plan that was found best; a GPU takes larger batches."""
    plan = Plan(seed=seed, batch=256 if device == "cuda" else 128)
    return plan if steps is None else replace(plan, steps=steps)
