"""From histories to a model folder: divide, fit, calibrate, measure beside the references, export."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tft_dash.errors import DataError, StorageError, TftDashError, UsageError, shorten
from tft_dash.models.forecasting.artefact import Artefact
from tft_dash.models.forecasting.calibration import Calibration
from tft_dash.models.forecasting.card import Interval, TrainedOn
from tft_dash.models.forecasting.runtime import Outputs
from tft_dash.progress import Progress, silent
from tft_dash.training.building import Crew, Gathered, Origin, gathered
from tft_dash.training.calibrating import counted_rows, fitted_calibration
from tft_dash.training.export import Facts, Served, write_artefact
from tft_dash.training.fitting.allocation import keep_freed_memory
from tft_dash.training.fitting.fit import Fit, Report
from tft_dash.training.fitting.plan import Plan
from tft_dash.training.fitting.timed import TimedFit
from tft_dash.training.fleets import digest_of, require_length
from tft_dash.training.histories import Histories, Rows
from tft_dash.training.measuring.alarms import AlarmJudge, alarms_of
from tft_dash.training.measuring.answers import Answers, Subject, asked
from tft_dash.training.measuring.evidence import HORIZONS
from tft_dash.training.measuring.predicting import chances, cores, raw_chances
from tft_dash.training.measuring.references import BOOSTING, References, outcomes
from tft_dash.training.measuring.scores import row_counts, scores_of
from tft_dash.training.network import Forecaster
from tft_dash.training.splitting import LEAST_DAYS, Split, split

CHECKPOINT: Final = "checkpoint"
CALIBRATION_ROWS: Final = 60_000
ALARM_SERVERS: Final = 12
UNBOUNDED_STEPS: Final = 1_000_000
"""When only time bounds the fit."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained.

    :param folder: where the model goes; its name is the version.
    :param minutes: how long fitting may take; None = as long as the plan's steps take.
    :param crew: who builds the histories.
    """

    folder: Path
    plan: Plan
    device: str
    trained_on: TrainedOn
    minutes: float | None = None
    crew: Crew = field(default_factory=Crew)


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


def train(origins: Sequence[Origin], order: Order, listener: Listener | None = None) -> Artefact:
    """Train the model; work that was stopped is gone on with.

    :raises DataError: the histories are not fit, or a checkpoint belongs to other work.
    :raises UsageError: the folder holds something, or somebody else is at this work.
    :raises StorageError: the folder cannot be written.
    """
    told = listener or Listener()
    facts = [origin.facts() for origin in origins]
    require_length(facts, LEAST_DAYS, "training")
    work = work_folder(order.folder)
    with _alone(work):
        torch.set_num_threads(cores())
        keep_freed_memory()
        servers = sum(about.servers for about in facts)
        told.say(f"Building the histories of {servers:,} {'server' if servers == 1 else 'servers'}")
        try:
            data = gathered(origins, facts, work / "histories", order.crew, told.progress)
            artefact = _trained(data, order, told)
        except TftDashError:
            if not (work / CHECKPOINT).exists():
                shutil.rmtree(work, ignore_errors=True)
            raise
    shutil.rmtree(work, ignore_errors=True)
    return artefact


def _trained(data: Gathered, order: Order, told: Listener) -> Artefact:
    history = data.history
    parts = split(history, order.plan.seed)
    digest = digest_of(history)
    told.say(
        f"{history.servers:,} servers, {history.days:.3g} days each, {history.incidents:,} incidents; "
        f"{len(parts.train_servers):,} servers to learn from, {len(parts.valid_servers):,} to stop and calibrate by, "
        f"{len(parts.test_servers):,} to measure on later days"
    )
    fit = _fit_of(history, parts, order, digest)
    if fit.progress.step:
        told.say(f"Going on after step {fit.progress.step:,}, from {work_folder(order.folder) / CHECKPOINT}")
    network = fit.run(told.report)
    made = "1 step was" if fit.progress.step == 1 else f"{fit.progress.step:,} steps were"
    told.say(f"{made} made{_why(fit, order)}")
    done = replace(order, trained_on=order.trained_on.model_copy(update={"digest": digest}))
    return write_artefact(order.folder, network.cpu(), _facts(_Fitted(data, parts, fit), done, told))


def _fit_of(history: Histories, parts: Split, order: Order, digest: str) -> Fit:
    folder = work_folder(order.folder) / CHECKPOINT
    if order.minutes is None:
        return Fit(history, parts.train, parts.valid, plan=order.plan, device=order.device, folder=folder,
                   data_digest=digest)  # fmt: skip
    return TimedFit(history, parts.train, parts.valid, plan=order.plan, seconds=order.minutes * 60,
                    device=order.device, folder=folder,
                    data_digest=f"{digest}/{order.minutes:g} minutes")  # fmt: skip


def _why(fit: Fit, order: Order) -> str:
    if fit.progress.waited >= order.plan.patience:
        return ": nothing got better any more"
    if order.minutes is not None and fit.progress.step < order.plan.steps:
        return f" in {fit.progress.seconds / 60:.1f} of {order.minutes:g} minutes"
    return ""


@contextlib.contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Nobody else may work in the folder meanwhile; a lock that a killed process held is free."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        file = (work / "lock").open("w")
    except OSError as error:
        raise StorageError(f"--output: {shorten(str(work), 200)} cannot be written: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"Another tft-dash train is at work in {shorten(str(work))}. Wait for it, or name another --output."
            ) from error
        yield


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Everything that was learnt from, divided, and what came of it."""

    data: Gathered
    parts: Split
    fit: Fit


def _facts(fitted: _Fitted, order: Order, told: Listener) -> Facts:
    """Calibrate on the validation servers, measure on the test servers."""
    data, parts, fit = fitted.data, fitted.parts, fitted.fit
    history = data.history
    predictor = TorchPredictor(fit.average.cpu(), "cpu")
    told.say("Calibrating")
    rows = counted_rows(history, parts.valid, CALIBRATION_ROWS)
    fitted_on = f"{len(parts.valid_servers)} servers that the network did not learn from"
    calibration = fitted_calibration(
        *raw_chances(predictor, history, rows, told.progress), outcomes(history, rows),
        fitted_on=fitted_on, incidents=history.incidents_of(parts.valid_servers),
    )  # fmt: skip
    told.say("Measuring beside the references")
    references = References(data, parts.train)
    subject = Subject(predictor, calibration, order.folder.name, "", order.trained_on.simulated)
    found = asked(subject, data, parts.test, references, told.progress)
    bound = {} if order.minutes is None else {"minutes": order.minutes}
    training = {**order.plan.as_dict(), **bound, "device": order.device, "threads": torch.get_num_threads(),
                "steps_done": fit.progress.step, "validation_loss": round(fit.progress.best, 6)}  # fmt: skip
    return Facts(
        version=order.folder.name, trained_on=order.trained_on, split=parts.as_dict(), training=training,
        scores=_scores(found), alarm_threshold=_alarm_threshold(history, parts, predictor, calibration),
        calibration=calibration,
    )  # fmt: skip


def _scores(found: Answers) -> dict[str, dict[str, Interval]]:
    """The short table of the card: every model at both horizons, where something happened."""
    table: dict[str, dict[str, Interval]] = {}
    for place, horizon in enumerate(HORIZONS):
        if not row_counts(found.forecasts(BOOSTING, place))[1]:
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
    chosen = alarms_of(AlarmJudge(part, seen).curve(chance))[0].chosen
    return None if chosen is None else chosen.threshold


def plan_for(device: str, seed: int, **chosen: int | None) -> Plan:
    """The plan that was found best; a GPU takes larger batches.

    :param chosen: fields of the plan; None = as it is.
    """
    plan = Plan(seed=seed, batch=256 if device == "cuda" else 128)
    return replace(plan, **{name: value for name, value in chosen.items() if value is not None})
