"""The building blocks of the network: gates, gated residual networks, variable selection, interpretable attention."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the usual name


class Gate(nn.Module):
    """Gated linear unit with a skip: ``norm(skip + dropout(x) · sigmoid)``."""

    def __init__(self, size: int, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(size, 2 * width)
        self.norm = nn.LayerNorm(width)

    def forward(self, values: Tensor, skip: Tensor) -> Tensor:
        found: Tensor = self.norm(skip + F.glu(self.linear(self.dropout(values)), dim=-1))
        return found


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
        found: Tensor = self.gate(self.second(F.elu(hidden)), self.skip(values))
        return found


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
        column = F.pad(column, (0, 1), value=1.0)
        # The first layer of a linear embedding of one number is itself linear in that number: one product for both.
        embedded = torch.bmm(column, torch.cat([self.embed_weight, self.embed_bias], dim=1))
        first = torch.cat([self.embed_weight @ self.first, self.embed_bias @ self.first + self.first_bias], dim=1)
        hidden = self.dropout(F.elu(torch.bmm(column, first)))
        seen = self.norm(embedded + self._gated(hidden)).reshape(self.variables, batch, steps, self.width)
        chosen = (seen * weights.permute(2, 0, 1).unsqueeze(-1)).sum(0)
        return chosen, weights

    def _gated(self, hidden: Tensor) -> Tensor:
        """A gated linear unit as two products: halves of one would be copied on the way back."""
        value, gate = (part.contiguous() for part in self.second.chunk(2, dim=-1))
        value_bias, gate_bias = self.second_bias.chunk(2, dim=-1)
        return torch.baddbmm(value_bias, hidden, value) * torch.sigmoid(torch.baddbmm(gate_bias, hidden, gate))


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
