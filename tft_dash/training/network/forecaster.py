"""The whole network: raw metrics in, quantiles and the chance of a first crossing out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the usual name

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES, PROFILES, QUANTILES, TARGETS
from tft_dash.schema import METRIC, THRESHOLDS
from tft_dash.training.network.facts import Past, Scales, slope_weights, squashed, wide_facts
from tft_dash.training.network.layers import Attention, Gate, GatedResidual, Selection
from tft_dash.training.network.patches import middles, patched, spread_out

METRICS: Final = len(INPUTS)
_PLACES: Final = [INPUTS.index(name) for name in TARGETS]
_STEP_MINUTES: Final = 5.0
_DAY_MINUTES: Final = 1440.0
_UNBOUNDED: Final = 1e9
_LEAST_SPREAD: Final = 0.05
"""Of a metric that hardly moves, on the transformed scale: what does move once must not count beyond measure."""
_CLOCKS: Final = 3
"""What stands beside the metrics in the variable selection: the hour as two numbers, and what is missing."""


def _is_logged(metric: str) -> bool:
    """Whether a metric is seen as its logarithm: those that grow by factors."""
    return metric not in ("cpu_pct", "mem_pct")


Answers = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the network is."""

    width: int = 24
    heads: int = 2
    dropout: float = 0.0
    wide_hidden: int = 48


class Forecaster(nn.Module):
    """The network.

    ``forward(metrics, profile, minute)``: metrics (batch, 96, 8) in their units, NaN = missing; profile (batch,) codes;
    minute (batch,) of the week at the last step, UTC. Returns quantiles (batch, nodes, targets, quantiles) on the
    transformed scale (:meth:`raw` gives units), P(first crossing by node) (batch, nodes), selection weights (batch,
    variables) over the window, attention (batch, steps) of the past, and the hazard's logits (batch, nodes).
    """

    logged: Tensor
    offset: Tensor
    unit: Tensor
    usual: Tensor
    spread: Tensor
    lines: Tensor
    future: Tensor
    past: Tensor
    slope: Tensor

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        size = shape or Shape()
        self._buffers_in_place()
        self._tft_layers(size)
        self._heads(size)

    def _buffers_in_place(self) -> None:
        """Scales, which :meth:`fit_scales` fills, and constants; all travel with the weights."""
        self.register_buffer("logged", torch.tensor([_is_logged(name) for name in INPUTS]))
        self.register_buffer("offset", torch.tensor([0.002 if name == "error_rate" else 1.0 for name in INPUTS]))
        self.register_buffer("unit", torch.ones(METRICS))
        self.register_buffer("usual", torch.zeros(METRICS))
        self.register_buffer("spread", torch.ones(METRICS))
        self.register_buffer("lines", torch.zeros(2, len(TARGETS)))
        self.register_buffer("future", torch.tensor(NODES, dtype=torch.float32) * _STEP_MINUTES)
        self.register_buffer("past", (torch.arange(CONTEXT, dtype=torch.float32) - (CONTEXT - 1)) * _STEP_MINUTES)
        self.register_buffer("slope", slope_weights())

    def _tft_layers(self, size: Shape) -> None:
        width, dropout = size.width, size.dropout
        self.profile = nn.Embedding(len(PROFILES), width)
        self.static = GatedResidual(2 * METRICS, width, dropout)
        self.static_join = GatedResidual(width, width, dropout)
        self.for_selection = GatedResidual(width, width, dropout)
        self.for_state = GatedResidual(width, width, dropout)
        self.for_cell = GatedResidual(width, width, dropout)
        self.for_enrichment = GatedResidual(width, width, dropout)
        self.select = Selection(METRICS + _CLOCKS, width, dropout)
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

    def _heads(self, size: Shape) -> None:
        width, hidden, dropout = size.width, size.wide_hidden, size.dropout
        nothing = torch.zeros(1, CONTEXT, METRICS)
        facts = wide_facts(Past(nothing, nothing, nothing[:, 0], nothing), self._scales(), self.slope)[1].shape[-1]
        self.wide = nn.Sequential(nn.Linear(facts, hidden), nn.ELU(), nn.Dropout(dropout), nn.Linear(hidden, width))
        self.wide_norm = nn.LayerNorm(width)
        last = nn.Linear(2 * width, 1)
        self.hazard = nn.Sequential(nn.Linear(2 * width, 2 * width), nn.ELU(), nn.Dropout(dropout), last)
        self.hazard_wide = nn.Linear(width, len(NODES))
        self.mix = nn.Parameter(torch.zeros(len(NODES), len(TARGETS)))
        self.middle = nn.Linear(2 * width, len(TARGETS))
        self.steps = nn.Linear(2 * width, len(TARGETS) * (len(QUANTILES) - 1))
        nn.init.constant_(last.bias, -6.0)  # a crossing is rare: begin there
        nn.init.constant_(self.steps.bias, -0.5)

    def forward(self, metrics: Tensor, profile: Tensor, minute: Tensor) -> Answers:
        past = self._past(metrics)
        recent, facts = wide_facts(past, self._scales(), self.slope)
        levels = torch.cat([(past.mean - self.usual) / self.unit, past.there.mean(1)], dim=-1)
        static = self.static_join(self.profile(profile) + self.static(levels))
        known = self._clock(minute)
        values, there = patched(past.centred, past.there)
        inputs = [squashed(values), middles(known[:, :CONTEXT, :2]), 1.0 - there.mean(2, keepdim=True)]
        chosen, weights = self.select(torch.cat(inputs, dim=-1), self.for_selection(static))
        deep, attention = self._over_time(chosen, known[:, CONTEXT:], static)
        wide = self.wide_norm(self.wide(facts))
        joined = torch.cat([deep, wide.unsqueeze(1).expand(-1, len(NODES), -1)], dim=-1)
        logits = self.hazard(joined).squeeze(-1) + self.hazard_wide(wide)
        chance = 1.0 - torch.exp(torch.cumsum(F.logsigmoid(-logits), dim=1))
        quantiles = self._quantiles(joined, recent, past.mean)
        return quantiles, chance, weights.mean(1), attention, logits

    def _over_time(self, chosen: Tensor, ahead: Tensor, static: Tensor) -> tuple[Tensor, Tensor]:
        """LSTM over past and future, enrichment, attention: (batch, nodes, width), and attention to the past."""
        asked = self.known(ahead, static.unsqueeze(1)) + self.node
        state = (self.for_state(static).unsqueeze(0).contiguous(), self.for_cell(static).unsqueeze(0).contiguous())
        encoded, state = self.encoder(chosen, state)
        decoded, _ = self.decoder(asked, state)
        enriching = self.for_enrichment(static).unsqueeze(1)
        seen = self.enrich(self.lstm_gate(encoded, chosen), enriching)
        local = self.lstm_gate(decoded, asked)
        asking = self.enrich(local, enriching)
        answered, attention = self.attention(asking, torch.cat([seen, asking], dim=1))
        deep = self.out_gate(self.feed(self.attention_gate(answered, asking)), local)
        return deep, spread_out(attention.mean(1)[:, : seen.shape[1]])

    def _scales(self) -> Scales:
        return Scales(self.spread, self.unit, self.usual, self.lines[1])

    def _past(self, metrics: Tensor) -> Past:
        values, there = self._transformed(metrics, self.logged, self.offset)
        # In double precision: what is left of two large numbers would differ between torch and ONNX Runtime in digits
        # that a steep embedding makes large.
        exact, present = values.double(), there.double()
        mean = (exact * present).sum(1) / present.sum(1).clamp(min=1.0)
        centred = (exact - mean.unsqueeze(1)) * present / self.spread.double()
        return Past(values, there, mean.to(values.dtype), centred.to(values.dtype))

    @staticmethod
    def _transformed(metrics: Tensor, logged: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """On the transformed scale, 0 where missing; and what is there, as 0 or 1."""
        missing = torch.isnan(metrics)
        raw = torch.where(missing, torch.zeros_like(metrics), metrics).clamp(min=0.0)
        values = torch.where(logged, torch.log(raw + offset), raw)
        there = (~missing).to(values.dtype)
        return values * there, there

    def scaled_targets(self, future: Tensor) -> tuple[Tensor, Tensor]:
        """Targets (…, targets) in their units to the transformed scale, 0 where missing; and what is there."""
        return self._transformed(future, self.logged[_PLACES], self.offset[_PLACES])

    def target_spread(self) -> Tensor:
        """(targets,) what errors of the quantiles are measured in."""
        return self.spread[_PLACES]

    def _clock(self, minute: Tensor) -> Tensor:
        """(batch, past and future steps, 4): the hour as a circle, and the week as one."""
        at = minute.unsqueeze(1) + torch.cat([self.past, self.future]).unsqueeze(0)
        day, week = at * (2.0 * math.pi / _DAY_MINUTES), at * (2.0 * math.pi / (7 * _DAY_MINUTES))
        return torch.stack([torch.sin(day), torch.cos(day), torch.sin(week), torch.cos(week)], dim=-1)

    def _quantiles(self, joined: Tensor, recent: Tensor, mean: Tensor) -> Tensor:
        """Non-crossing by construction: the median, and cumulative positive steps to both sides."""
        scale = self.spread[_PLACES]
        share = torch.sigmoid(self.mix)
        anchor = share * recent[:, _PLACES].unsqueeze(1) + (1.0 - share) * mean[:, _PLACES].unsqueeze(1)
        middle = anchor + self.middle(joined) * scale
        raised: Tensor = F.softplus(self.steps(joined))
        steps = raised.reshape(-1, len(NODES), len(TARGETS), len(QUANTILES) - 1) * scale.unsqueeze(-1)
        half = len(QUANTILES) // 2
        above = middle.unsqueeze(-1) + torch.cumsum(steps[..., half:], dim=-1)
        below = middle.unsqueeze(-1) - torch.cumsum(steps[..., :half], dim=-1).flip(-1)
        return torch.cat([below, middle.unsqueeze(-1), above], dim=-1)

    def raw(self, scaled: Tensor) -> Tensor:
        """Targets (…, targets, quantiles) from the transformed scale to their own units, within their bounds."""
        offset = self.offset[_PLACES].unsqueeze(-1)
        # Neighbours on one scale together: an exponential is dear, and only logarithms need it.
        parts, at = [], 0
        for logged, names in groupby(TARGETS, key=_is_logged):
            end = at + len(list(names))
            part = scaled[..., at:end, :]
            parts.append(torch.exp(part) - offset[at:end] if logged else part)
            at = end
        plain = torch.cat(parts, dim=-2)
        bounds = [min(METRIC[name].high, _UNBOUNDED) for name in TARGETS]
        return torch.minimum(plain.clamp(min=0.0), torch.tensor(bounds, device=scaled.device).unsqueeze(-1))

    @torch.no_grad()
    def fit_scales(self, sample: Tensor) -> None:
        """Take scales from a sample of windows (windows, 96, 8), and the lines from the contract."""
        values, there = self._transformed(sample, self.logged, self.offset)
        mean = (values * there).sum(1) / there.sum(1).clamp(min=1.0)
        centred = (values - mean.unsqueeze(1)) * there
        count = there.sum((0, 1))
        spread = torch.sqrt((centred**2).sum((0, 1)) / count.clamp(min=1.0)).clamp(min=_LEAST_SPREAD)
        self.spread.copy_(torch.where(count > 0, spread, torch.ones_like(spread)))
        for place, known in enumerate((there.sum(1) > 0).T):
            if known.sum() > 1:  # a metric that no server has keeps 0 and 1
                self.usual[place] = mean[known, place].median()
                self.unit[place] = mean[known, place].std().clamp(min=_LEAST_SPREAD)
        for row, level in enumerate(("warning", "critical")):
            raw = torch.tensor([getattr(THRESHOLDS[name], level) for name in TARGETS], device=sample.device)
            self.lines[row] = self._transformed(raw, self.logged[_PLACES], self.offset[_PLACES])[0]
