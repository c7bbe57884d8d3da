"""The Temporal Fusion Transformer, after Lim, Arik, Loeff and Pfister (2021), with two heads.

What is as in the paper: gated residual networks, variable selection for the past and the static part, static
enrichment, one LSTM layer over past and future, interpretable multi-head attention (values shared by the heads),
gated skips, quantiles as outputs. What differs, and why:

- **Anchor.** The past is centred on its own mean over the window; the level enters the static part alone. The output
  is a learned mix of the recent value and the window's mean, plus what the network adds. Without it the network
  memorises the levels of the servers it was trained on.
- **Hazard head.** The probability of a crossing does not follow from marginal quantiles. One logit per horizon node
  gives the hazard of a first crossing in that interval; products give P(t), which can only grow with t.
- **Patches.** The last two hours are read step by step, what is older as means of three steps: half of the work for the
  same answers.
- **Wide path.** Distances to the critical lines, slopes and spreads over several spans are given to the heads directly.

All scaling is inside: inputs are raw metrics with NaN for what is missing, outputs are in the metrics' own units.
"""

from tft_dash.training.network.forecaster import Forecaster, Shape

__all__ = ["Forecaster", "Shape"]
