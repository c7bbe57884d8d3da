"""Fits the network: windows drawn with importance, two losses, an average of the weights, the best one kept."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES, QUANTILES, TARGETS
from tft_dash.training.histories import Histories
from tft_dash.training.network import Forecaster, Shape


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fit."""

    steps: int = 3000
    batch: int = 128
    rate: float = 3e-3
    decay: float = 1e-2
    near_share: float = 0.4
    near_steps: int = 36
    hazard_weight: float = 1.0
    pinball_weight: float = 1.0
    average: float = 0.998
    metric_dropout: float = 0.06
    seed: int = 1
    seconds: float = 0.0
    shape: Shape = Shape()


class Sampler:
    """Draws windows: a share of them from before a crossing, weighted so that nothing is biased."""

    def __init__(self, data: Histories, plan: Plan, rng: np.random.Generator) -> None:
        usable = data.usable()
        self.data, self.plan, self.rng = data, plan, rng
        self.all = np.flatnonzero(usable)
        near = usable & (data.first <= plan.near_steps)
        self.near = np.flatnonzero(near)
        self.is_near = near
        share = len(self.near) / len(self.all)
        q = plan.near_share
        self.weight_near = share / (q + (1 - q) * share)
        self.weight_far = 1.0 / (1 - q)

    def draw(self, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
        some = int(round(count * self.plan.near_share))
        flat = np.concatenate([self.rng.choice(self.near, some), self.rng.choice(self.all, count - some)])
        server, tick = np.divmod(flat, self.data.ticks)
        weight = np.where(self.is_near[server, tick], self.weight_near, self.weight_far)
        return server, tick, weight.astype(np.float32)


def losses(out: tuple[Tensor, ...], network: Forecaster, future: Tensor, node: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    quantiles, logits = out[0], out[4]
    truth, there = network._scaled_targets(future)
    levels = torch.tensor(QUANTILES, device=truth.device)
    scale = network.spread[[INPUTS.index(name) for name in TARGETS]]
    gap = (truth.unsqueeze(-1) - quantiles) / scale.view(1, 1, -1, 1)
    pin = torch.maximum(levels * gap, (levels - 1) * gap).mean(-1) * there
    pinball = ((pin.sum((1, 2)) / there.sum((1, 2)).clamp(min=1.0)) * weight).mean()
    places = torch.arange(len(NODES), device=node.device)
    risk = (places.unsqueeze(0) <= node.unsqueeze(1)).float()
    hit = (places.unsqueeze(0) == node.unsqueeze(1)).float()
    nll = F.binary_cross_entropy_with_logits(logits, hit, reduction="none") * risk
    return pinball, (nll.sum(1) * weight).mean()


def fit(data: Histories, plan: Plan, device: str = "cpu", say: Callable[[str], None] = print,
        check: Callable[[Forecaster], str] | None = None, every: int = 500) -> Forecaster:
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    network = Forecaster(plan.shape).to(device)
    sampler = Sampler(data, plan, rng)
    server, tick, _ = sampler.draw(4000)
    sample = np.concatenate([data.windows(*sampler_uniform(sampler, 4000))])
    network.fit_scales(torch.from_numpy(sample).to(device))
    store = torch.from_numpy(data.metrics).to(device) if device != "cpu" else None
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.99))
    average = copy.deepcopy(network).eval()
    begun = time.monotonic()
    total = plan.steps
    run = [0.0, 0.0]
    for step in range(total):
        warm = min(1.0, (step + 1) / 200)
        share = step / total
        if plan.seconds:
            share = min(1.0, (time.monotonic() - begun) / plan.seconds)
            if share >= 1.0:
                break
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        server, tick, weight = sampler.draw(plan.batch)
        node = torch.from_numpy(data.node[server, tick]).to(device)
        if store is None:
            window = torch.from_numpy(data.windows(server, tick))
            future = torch.from_numpy(data.futures(server, tick))
        else:
            s, t = torch.from_numpy(server).to(device), torch.from_numpy(tick).to(device)
            window = store[s[:, None], t[:, None] + (torch.arange(CONTEXT, device=device) - (CONTEXT - 1))]
            future = store[s[:, None], t[:, None] + torch.tensor(NODES, device=device)][:, :, [INPUTS.index(n) for n in TARGETS]]
        if plan.metric_dropout:
            gone = torch.from_numpy(rng.random((plan.batch, len(INPUTS))) < plan.metric_dropout).to(device)
            window = window.masked_fill(gone.unsqueeze(1), float("nan"))
        profile = data.profile[server].copy()
        profile[rng.random(plan.batch) < 0.1] = 0
        out = network(window, torch.from_numpy(profile).to(device), torch.from_numpy(data.minute[tick]).to(device))
        pinball, hazard = losses(out, network, future, node, torch.from_numpy(weight).to(device))
        loss = plan.pinball_weight * pinball + plan.hazard_weight * hazard
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        keep = min(plan.average, (step + 1) / (step + 10))
        with torch.no_grad():
            for mean, now in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        run[0] += float(pinball.detach()); run[1] += float(hazard.detach())
        if (step + 1) % every == 0:
            note = check(average) if check is not None else ""
            say(f"step {step + 1} {time.monotonic() - begun:.0f}s pinball {run[0] / every:.4f} hazard {run[1] / every:.4f} {note}")
            run = [0.0, 0.0]
    return average


def sampler_uniform(sampler: Sampler, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    flat = sampler.rng.choice(sampler.all, count)
    server, tick = np.divmod(flat, sampler.data.ticks)
    return server, tick
