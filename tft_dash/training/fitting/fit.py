"""The loop: draw, step, average, measure now and then, keep the best, stop when nothing gets better."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES, TARGETS
from tft_dash.training.fitting.checkpoint import Checkpoint, Progress, load_checkpoint, save_checkpoint
from tft_dash.training.fitting.losses import losses
from tft_dash.training.fitting.plan import Plan
from tft_dash.training.fitting.sampling import Sampler, nodes_of
from tft_dash.training.histories import Histories, Rows
from tft_dash.training.network import Forecaster, Shape

SCALE_WINDOWS: Final = 4000
CHECK_WINDOWS: Final = 4096
CHECK_BATCH: Final = 512
LOWEST_RATE: Final = 0.02
LONGEST_GRADIENT: Final = 1.0
STATION: Final = 20
"""Steps between reports of the loss."""

Report = Callable[[int, int, float, float], None]
"""Called with steps done, steps in all, the training loss of late, the best validation loss."""


class Fit:
    """Fits one network.

    :param train: rows to learn from; ``valid``: rows of other servers, for early stopping.
    :param folder: where checkpoints are kept; None = nowhere.
    :param data_digest: of ``data``; with the plan it says which checkpoint may be gone on with.
    """

    def __init__(
        self, data: Histories, train: Rows, valid: Rows, *, plan: Plan, device: str = "cpu",
        folder: Path | None = None, data_digest: str = "",
    ) -> None:  # fmt: skip
        torch.manual_seed(plan.seed)
        self._rng = np.random.default_rng(plan.seed)
        self._data, self._plan, self._device, self._folder = data, plan, device, folder
        self._key = f"{plan.digest()}/{data_digest}"
        self._sampler = Sampler(data, train, plan, self._rng)
        self._checked = valid[self._rng.integers(len(valid), size=min(CHECK_WINDOWS, len(valid)))]
        self._gather = _Gather(data, device)
        self.network = Forecaster(Shape(width=plan.width, dropout=plan.dropout)).to(device)
        self.network.fit_scales(self._gather.windows(self._sampler.even(SCALE_WINDOWS)))
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.99)
        )
        self.average = copy.deepcopy(self.network).eval()
        self._best = _weights(self.average)
        self.progress = Progress()
        self._resume()

    def run(self, report: Report | None = None) -> Forecaster:
        """Fit to the end; returns the averaged network that was best on the validation windows.

        :raises FloatingPointError: the loss is no number any more.
        """
        plan, recent = self._plan, 0.0
        while self.progress.step < plan.steps and self.progress.waited < plan.patience:
            loss = self.step()
            recent = loss if not recent else 0.95 * recent + 0.05 * loss
            done = self.progress.step
            if done % plan.check_every == 0 or done == plan.steps:
                self._measure(recent)
            if report is not None and (done % STATION == 0 or done == plan.steps):
                report(done, plan.steps, recent, self.progress.best)
        self.average.load_state_dict(self._best)
        return self.average

    def step(self) -> float:
        """One step of the optimiser; returns the loss."""
        plan, drawn = self._plan, self._sampler.draw()
        for group in self._optimiser.param_groups:
            group["lr"] = plan.rate * rate_share(self.progress.step, plan)
        hidden = torch.from_numpy(drawn.hidden).to(self._device)
        windows = self._gather.windows(drawn.rows).masked_fill(hidden, float("nan"))
        weight = torch.from_numpy(drawn.weight).to(self._device)
        pinball, hazard = self._losses(self.network, drawn.rows, windows, drawn.profile)
        loss = ((pinball + hazard) * weight).mean()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), LONGEST_GRADIENT)
        self._optimiser.step()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss is no number at step {self.progress.step}")
        self._move_average()
        self.progress.step += 1
        return value

    def _losses(
        self, network: Forecaster, rows: Rows, windows: Tensor, profile: np.ndarray[Any, Any]
    ) -> tuple[Tensor, Tensor]:
        codes = torch.from_numpy(profile).to(self._device)
        minute = torch.from_numpy(self._data.minute[rows]).to(self._device)
        node = torch.from_numpy(nodes_of(self._data, rows)).to(self._device)
        with self._precision():
            answers = network(windows, codes, minute)
        return losses(network, answers[0].float(), answers[4].float(), self._gather.futures(rows), node)

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision where there is a GPU; bfloat16 needs no scaling of the loss."""
        return torch.autocast("cuda", torch.bfloat16) if self._device == "cuda" else contextlib.nullcontext()

    @torch.no_grad()
    def _move_average(self) -> None:
        keep = min(self._plan.average, (self.progress.step + 1) / (self.progress.step + 10))
        for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def _measure(self, recent: float) -> None:
        found = self._validation_loss()
        self.progress.log.append((self.progress.step, recent, found))
        if found < self.progress.best:
            self.progress.best, self.progress.waited, self._best = found, 0, _weights(self.average)
        else:
            self.progress.waited += 1
        if self._folder is not None:
            save_checkpoint(self._folder, self._key, self._checkpoint())

    @torch.no_grad()
    def _validation_loss(self) -> float:
        total = 0.0
        for at in range(0, len(self._checked), CHECK_BATCH):
            rows = self._checked[at : at + CHECK_BATCH]
            profile = self._data.profile[self._data.server_of(rows)]
            pinball, hazard = self._losses(self.average, rows, self._gather.windows(rows), profile)
            total += float((pinball + hazard).sum())
        return total / len(self._checked)

    def _checkpoint(self) -> Checkpoint:
        moments = {f"{place}.{name}": value for place, state in self._optimiser.state_dict()["state"].items()
                   for name, value in state.items()}  # fmt: skip
        groups = {"network": _weights(self.network), "average": _weights(self.average), "best": self._best,
                  "moments": moments}  # fmt: skip
        return Checkpoint(self.progress, groups, dict(self._rng.bit_generator.state))

    def _resume(self) -> None:
        found = load_checkpoint(self._folder, self._key) if self._folder is not None else None
        if found is None:
            return
        self.progress = found.progress
        self.network.load_state_dict(found.tensors["network"])
        self.average.load_state_dict(found.tensors["average"])
        self._best = {name: tensor.to(self._device) for name, tensor in found.tensors["best"].items()}
        state = self._optimiser.state_dict()
        state["state"] = {}
        for name, value in found.tensors["moments"].items():
            place, _, moment = name.partition(".")
            state["state"].setdefault(int(place), {})[moment] = value
        self._optimiser.load_state_dict(state)
        self._rng.bit_generator.state = found.numpy_state


def rate_share(step: int, plan: Plan) -> float:
    """The share of the full rate at a step: up over the warm steps, then down a cosine."""
    warm = min(1.0, (step + 1) / plan.warm_steps)
    return warm * (LOWEST_RATE + (1.0 - LOWEST_RATE) * 0.5 * (1.0 + math.cos(math.pi * step / plan.steps)))


def _weights(network: Forecaster) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


class _Gather:
    """Cuts windows and futures out of the histories; on a GPU out of a copy that lies there."""

    def __init__(self, data: Histories, device: str) -> None:
        self._data, self._device = data, device
        self._store = torch.from_numpy(np.array(data.metrics)).to(device) if device != "cpu" else None
        self._before = torch.arange(CONTEXT, device=device) - (CONTEXT - 1)
        self._after = torch.tensor(NODES, device=device)
        self._targets = [INPUTS.index(name) for name in TARGETS]

    def windows(self, rows: Rows) -> Tensor:
        if self._store is None:
            return torch.from_numpy(self._data.windows(rows))
        return self._store[torch.from_numpy(rows).to(self._device)[:, None] + self._before]

    def futures(self, rows: Rows) -> Tensor:
        if self._store is None:
            return torch.from_numpy(self._data.futures(rows))
        return self._store[torch.from_numpy(rows).to(self._device)[:, None] + self._after][:, :, self._targets]
