"""The Temporal Fusion Transformer, after Lim, Arik, Loeff and Pfister (2021), with two heads.

What is as in the paper: gated residual networks, variable selection for the past and the static part, static
enrichment, one LSTM layer over past and future, interpretable multi-head attention (values shared by the heads),
gated skips, quantiles as outputs. What differs, and why:

- **Anchor.** The past is centred on its own mean over the window; the level enters the static part alone. The output
  is a learned mix of the recent value and the window's mean, plus what the network adds. Without it the network
  memorises the levels of the servers it was trained on.
- **Hazard head.** The probability of a crossing does not follow from marginal quantiles. One logit per horizon node
  gives the hazard of a first crossing in that interval; products give P(t), which can only grow with t.
- **Wide path.** Distances to the critical lines, slopes and spreads over several spans are given to the heads directly.

All scaling is inside: inputs are raw metrics with NaN for what is missing, outputs are in the metrics' own units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the usual name

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES, PROFILES, QUANTILES, TARGETS
from tft_dash.schema import THRESHOLDS

METRICS: Final = len(INPUTS)
_TARGET_PLACES: Final = [INPUTS.index(name) for name in TARGETS]
_LINES: Final = [INPUTS.index(name) for name in TARGETS]
_DAY_MINUTES: Final = 1440.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the network is."""

    width: int = 24
    heads: int = 2
    dropout: float = 0.15
    wide_hidden: int = 48


class Gate(nn.Module):
    """Gated linear unit with a skip: ``norm(skip + dropout(x) · sigmoid)``."""

    def __init__(self, size: int, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(size, 2 * width)
        self.norm = nn.LayerNorm(width)

    def forward(self, values: Tensor, skip: Tensor) -> Tensor:
        return self.norm(skip + F.glu(self.linear(self.dropout(values)), dim=-1))


class GatedResidual(nn.Module):
    """Gated residual network: two layers, a context, a gate, a skip."""

    def __init__(self, size: int, width: int, dropout: float, context: int = 0) -> None:
        super().__init__()
        self.first = nn.Linear(size, width)
        self.context = nn.Linear(context, width, bias=False) if context else None
        self.second = nn.Linear(width, width)
        self.skip = nn.Identity() if size == width else nn.Linear(size, width)
        self.gate = Gate(width, width, dropout)

    def forward(self, values: Tensor, context: Tensor | None = None) -> Tensor:
        hidden = self.first(values)
        if self.context is not None and context is not None:
            hidden = hidden + self.context(context)
        return self.gate(self.second(F.elu(hidden)), self.skip(values))


class Selection(nn.Module):
    """Variable selection over time: weights per variable from all of them and the static context.

    Each variable is a scalar per step with its own small embedding and residual network, done for all at once.
    """

    def __init__(self, variables: int, width: int, dropout: float) -> None:
        super().__init__()
        self.variables, self.width = variables, width
        self.embed_weight = nn.Parameter(torch.randn(variables, 1, width) * 0.5)
        self.embed_bias = nn.Parameter(torch.zeros(variables, 1, width))
        self.first = nn.Parameter(torch.randn(variables, width, width) / math.sqrt(width))
        self.first_bias = nn.Parameter(torch.zeros(variables, 1, width))
        self.second = nn.Parameter(torch.randn(variables, width, 2 * width) / math.sqrt(width))
        self.second_bias = nn.Parameter(torch.zeros(variables, 1, 2 * width))
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.weigh = GatedResidual(variables, width, dropout, context=width)
        self.score = nn.Linear(width, variables)

    def forward(self, values: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """``values`` (batch, steps, variables), ``context`` (batch, width) → (batch, steps, width) and the weights."""
        batch, steps = values.shape[0], values.shape[1]
        scores = self.score(self.weigh(values, context.unsqueeze(1)))
        weights = torch.softmax(scores, dim=-1)
        column = values.permute(2, 0, 1).reshape(self.variables, -1, 1)
        embedded = column * self.embed_weight + self.embed_bias
        hidden = F.elu(torch.bmm(embedded, self.first) + self.first_bias)
        gated = F.glu(torch.bmm(self.dropout(hidden), self.second) + self.second_bias, dim=-1)
        seen = self.norm(embedded + gated).reshape(self.variables, batch, steps, self.width)
        chosen = (seen * weights.permute(2, 0, 1).unsqueeze(-1)).sum(0)
        return chosen, weights


class Attention(nn.Module):
    """Interpretable multi-head attention: every head has its own queries and keys, all share the values."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, self.size)
        self.out = nn.Linear(self.size, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, asking: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """``asking`` (batch, nodes, width), ``seen`` (batch, steps, width) → the same as asking, and weights."""
        queries = self.query(asking).unflatten(-1, (self.heads, self.size)).transpose(1, 2)
        keys = self.key(seen).unflatten(-1, (self.heads, self.size)).transpose(1, 2)
        weights = torch.softmax(queries @ keys.transpose(2, 3) / math.sqrt(self.size), dim=-1)
        mean = weights.mean(1)
        return self.out(self.dropout(mean) @ self.value(seen)), mean


class Forecaster(nn.Module):
    """The whole network.

    ``forward(metrics, profile, minute)``: metrics (batch, 96, 8) in their units, NaN = missing; profile (batch,) codes;
    minute (batch,) of the week at the last step, UTC. Returns quantiles (batch, nodes, targets, quantiles) in the
    targets' units, P(first crossing by node) (batch, nodes), selection weights (batch, variables) over the window, and
    attention (batch, steps) of the past.
    """

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        size = shape or Shape()
        width, dropout = size.width, size.dropout
        self.register_buffer("logged", torch.tensor([name not in ("cpu_pct", "mem_pct") for name in INPUTS]))
        self.register_buffer("offset", torch.tensor([0.002 if name == "error_rate" else 1.0 for name in INPUTS]))
        self.register_buffer("unit", torch.ones(METRICS))
        self.register_buffer("usual", torch.zeros(METRICS))
        self.register_buffer("spread", torch.ones(METRICS))
        self.register_buffer("lines", torch.zeros(2, len(_LINES)))
        self.register_buffer("future", torch.tensor(NODES, dtype=torch.float32) * 5.0)
        self.register_buffer("past", (torch.arange(CONTEXT, dtype=torch.float32) - (CONTEXT - 1)) * 5.0)
        self.register_buffer("slope", _slope_weights())
        self.profile = nn.Embedding(len(PROFILES), width)
        self.static = GatedResidual(2 * METRICS, width, dropout)
        self.static_join = GatedResidual(width, width, dropout)
        self.for_selection = GatedResidual(width, width, dropout)
        self.for_state = GatedResidual(width, width, dropout)
        self.for_cell = GatedResidual(width, width, dropout)
        self.for_enrichment = GatedResidual(width, width, dropout)
        self.select = Selection(METRICS + 3, width, dropout)
        self.known = GatedResidual(4, width, dropout, context=width)
        self.node = nn.Parameter(torch.randn(len(NODES), width) * 0.3)
        self.encoder = nn.LSTM(width, width, batch_first=True)
        self.decoder = nn.LSTM(width, width, batch_first=True)
        self.lstm_gate = Gate(width, width, dropout)
        self.enrich = GatedResidual(width, width, dropout, context=width)
        self.attention = Attention(width, size.heads, dropout)
        self.attention_gate = Gate(width, width, dropout)
        self.feed = GatedResidual(width, width, dropout)
        self.out_gate = Gate(width, width, dropout)
        facts = self._wide_size()
        self.wide = nn.Sequential(
            nn.Linear(facts, size.wide_hidden), nn.ELU(), nn.Dropout(dropout), nn.Linear(size.wide_hidden, width)
        )
        self.wide_norm = nn.LayerNorm(width)
        self.wide_first = nn.Linear(facts, size.wide_hidden)
        self.hazard = nn.Sequential(
            nn.Linear(2 * width, 2 * width), nn.ELU(), nn.Dropout(dropout), nn.Linear(2 * width, 1)
        )
        self.hazard_wide = nn.Linear(width, len(NODES))
        self.mix = nn.Parameter(torch.zeros(len(NODES), len(TARGETS)))
        self.middle = nn.Linear(2 * width, len(TARGETS))
        self.steps = nn.Linear(2 * width, len(TARGETS) * (len(QUANTILES) - 1))
        nn.init.constant_(self.hazard[-1].bias, -6.0)
        nn.init.constant_(self.steps.bias, -0.5)

    def forward(self, metrics: Tensor, profile: Tensor, minute: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        values, there = self._scaled(metrics)
        count = there.sum(1).clamp(min=1.0)
        mean = (values * there).sum(1) / count
        centred = (values - mean.unsqueeze(1)) * there / self.spread
        recent, wide = self._wide_facts(values, there, mean, centred)
        static = self.static_join(
            self.profile(profile) + self.static(torch.cat([(mean - self.usual) / self.unit, there.mean(1)], dim=-1))
        )
        known = self._clock(minute)
        past = torch.cat([_squashed(centred), known[:, :CONTEXT, :2], 1.0 - there.mean(2, keepdim=True)], dim=-1)
        chosen, weights = self.select(past, self.for_selection(static))
        ahead = self.known(known[:, CONTEXT:], static.unsqueeze(1)) + self.node
        state = (self.for_state(static).unsqueeze(0).contiguous(), self.for_cell(static).unsqueeze(0).contiguous())
        encoded, state = self.encoder(chosen, state)
        decoded, _ = self.decoder(ahead, state)
        enriching = self.for_enrichment(static).unsqueeze(1)
        seen = self.enrich(self.lstm_gate(encoded, chosen), enriching)
        asking = self.lstm_gate(decoded, ahead)
        asked = self.enrich(asking, enriching)
        answered, attention = self.attention(asked, torch.cat([seen, asked], dim=1))
        deep = self.out_gate(self.feed(self.attention_gate(answered, asked)), asking)
        facts = self.wide_norm(self.wide(wide))
        joined = torch.cat([deep, facts.unsqueeze(1).expand(-1, len(NODES), -1)], dim=-1)
        logits = self.hazard(joined).squeeze(-1) + self.hazard_wide(facts)
        quantiles = self._quantiles(joined, recent, mean)
        survival = torch.cumsum(F.logsigmoid(-logits), dim=1)
        chance = 1.0 - torch.exp(survival)
        return quantiles, chance, weights.mean(1), attention.mean(1)[:, :CONTEXT], logits

    def _scaled(self, metrics: Tensor) -> tuple[Tensor, Tensor]:
        """On the transformed scale, 0 where missing; and what is there, as 0 or 1."""
        missing = torch.isnan(metrics)
        raw = torch.where(missing, torch.zeros_like(metrics), metrics).clamp(min=0.0)
        values = torch.where(self.logged, torch.log(raw + self.offset), raw)
        there = (~missing).to(values.dtype)
        return values * there, there

    def _wide_facts(self, values: Tensor, there: Tensor, mean: Tensor, centred: Tensor) -> tuple[Tensor, Tensor]:
        """The recent value of each metric, and the facts of the wide path."""
        found = []
        recent = mean
        for span in (96, 48, 24, 12, 6, 3, 1):
            part, here = values[:, -span:], there[:, -span:]
            count = here.sum(1)
            level = torch.where(count > 0, (part * here).sum(1) / count.clamp(min=1.0), recent)
            if span < 96:
                found.append((level - mean) / self.spread)
            if span == 3:
                near = level
            recent = level
        slopes = [(centred[:, -span:] * self.slope[-span:, place : place + 1]).sum(1)
                  for place, span in enumerate((6, 12, 24, 48))]  # fmt: skip
        square = (centred * centred * there).sum(1) / there.sum(1).clamp(min=1.0)
        late = (centred[:, -24:] ** 2 * there[:, -24:]).sum(1) / there[:, -24:].sum(1).clamp(min=1.0)
        top, bottom = centred.amax(1), centred.amin(1)
        lines = values[:, :, _LINES]
        over = (lines > self.lines[1]).to(values.dtype) * there[:, :, _LINES]
        margin = (self.lines[1] - near[:, _LINES]) / self.unit[_LINES]
        last = (self.lines[1] - recent[:, _LINES]) / self.unit[_LINES]
        highest = (self.lines[1] - torch.where(there > 0, values, mean.unsqueeze(1))[:, :, _LINES].amax(1)) / self.unit[_LINES]
        critical = over.amax(1)
        since = (over * torch.linspace(0.0, 1.0, CONTEXT, device=values.device).view(1, -1, 1)).amax(1)
        level = (mean - self.usual) / self.unit
        lacking = 1.0 - torch.cat([there[:, -6:].mean(1), there.mean(1)], dim=-1)
        facts = torch.cat([*found, *slopes, square.sqrt(), late.sqrt(), top, bottom, 4 * margin, 4 * last, 4 * highest,
                           critical, since, over.mean(1), level, lacking], dim=-1)  # fmt: skip
        return near, _squashed(facts)

    def _wide_size(self) -> int:
        with torch.no_grad():
            values = torch.zeros(1, CONTEXT, METRICS)
            return int(self._wide_facts(values, values, values[:, 0], values)[1].shape[-1])

    def _clock(self, minute: Tensor) -> Tensor:
        """(batch, past and future steps, 4): the hour as a circle, and the week as one."""
        at = minute.unsqueeze(1) + torch.cat([self.past, self.future]).unsqueeze(0)
        day, week = at * (2.0 * math.pi / _DAY_MINUTES), at * (2.0 * math.pi / (7 * _DAY_MINUTES))
        return torch.stack([torch.sin(day), torch.cos(day), torch.sin(week), torch.cos(week)], dim=-1)

    def _quantiles(self, joined: Tensor, recent: Tensor, mean: Tensor) -> Tensor:
        """Non-crossing by construction: the median, and cumulative positive steps to both sides; in raw units."""
        scale = self.spread[_TARGET_PLACES]
        share = torch.sigmoid(self.mix)
        anchor = share * recent[:, _TARGET_PLACES].unsqueeze(1) + (1.0 - share) * mean[:, _TARGET_PLACES].unsqueeze(1)
        middle = anchor + self.middle(joined) * scale
        steps = F.softplus(self.steps(joined)).unflatten(-1, (len(TARGETS), len(QUANTILES) - 1)) * scale.unsqueeze(-1)
        half = len(QUANTILES) // 2
        above = middle.unsqueeze(-1) + torch.cumsum(steps[..., half:], dim=-1)
        below = middle.unsqueeze(-1) - torch.cumsum(steps[..., :half], dim=-1).flip(-1)
        return torch.cat([below, middle.unsqueeze(-1), above], dim=-1)

    def raw(self, scaled: Tensor) -> Tensor:
        """Targets (…, targets, quantiles) from the transformed scale to their own units, within their bounds."""
        logged = self.logged[_TARGET_PLACES].unsqueeze(-1)
        offset = self.offset[_TARGET_PLACES].unsqueeze(-1)
        plain = torch.where(logged, torch.exp(torch.where(logged, scaled, torch.zeros_like(scaled))) - offset, scaled)
        high = torch.tensor([100.0, 100.0, 1e9, 1.0], device=scaled.device).unsqueeze(-1)
        return torch.minimum(plain.clamp(min=0.0), high)

    def _scaled_targets(self, future: Tensor) -> tuple[Tensor, Tensor]:
        """Targets in raw units to the transformed scale; 0 where missing, and what is there."""
        missing = torch.isnan(future)
        raw = torch.where(missing, torch.zeros_like(future), future).clamp(min=0.0)
        values = torch.where(self.logged[_TARGET_PLACES], torch.log(raw + self.offset[_TARGET_PLACES]), raw)
        return values, (~missing).to(values.dtype)

    def fit_scales(self, sample: Tensor) -> None:
        """Take scales from a sample of windows (windows, 96, 8)."""
        values, there = self._scaled(sample)
        count = there.sum(1).clamp(min=1.0)
        mean = (values * there).sum(1) / count
        centred = (values - mean.unsqueeze(1)) * there
        spread = torch.sqrt((centred**2).sum((0, 1)) / there.sum((0, 1)).clamp(min=1.0))
        known = there.sum(1) > 0
        middle = torch.stack([mean[known[:, place], place].median() for place in range(METRICS)])
        unit = torch.stack([mean[known[:, place], place].std() for place in range(METRICS)])
        self.spread.copy_(spread.clamp(min=1e-3))
        self.usual.copy_(middle)
        self.unit.copy_(unit.clamp(min=1e-3))
        for row, level in enumerate(("warning", "critical")):
            raw = torch.tensor([getattr(THRESHOLDS[name], level) for name in TARGETS], dtype=torch.float32)
            logged, offset = self.logged[_LINES].cpu(), self.offset[_LINES].cpu()
            self.lines[row] = torch.where(logged, torch.log(raw + offset), raw).to(self.lines.device)


def _squashed(values: Tensor) -> Tensor:
    """Large values bent in: as they are near 0, logarithmic far out."""
    return torch.sign(values) * torch.log1p(values.abs())


def _slope_weights() -> Tensor:
    """(96, 4) weights of least-squares slopes over the last 6, 12, 24 and 48 steps, per span."""
    weights = torch.zeros(CONTEXT, 4)
    for place, span in enumerate((6, 12, 24, 48)):
        times = torch.arange(span, dtype=torch.float32) - (span - 1) / 2
        weights[-span:, place] = times / (times**2).sum() * span
    return weights
