from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra 'train'")

import torch

from tft_dash.errors import DataError
from tft_dash.models.forecasting.layout import CONTEXT, NODES
from tft_dash.training.fitting.fit import Fit, rate_share
from tft_dash.training.fitting.losses import losses
from tft_dash.training.fitting.plan import Plan
from tft_dash.training.fitting.sampling import SHORTEST, Sampler, nodes_of
from tft_dash.training.histories import Histories
from tft_dash.training.network import Forecaster, Shape

PLAN = Plan(steps=6, batch=16, check_every=2, warm_steps=2, width=8)


def fit(histories: Histories, plan: Plan = PLAN, folder: Path | None = None, device: str = "cpu") -> Fit:
    train, valid = histories.usable([0, 1, 2, 3]), histories.usable([4, 5])
    return Fit(histories, train, valid, plan=plan, device=device, folder=folder, data_digest="d")


def weights(network: Forecaster) -> dict[str, torch.Tensor]:
    return network.state_dict()


def same(left: Forecaster, right: Forecaster) -> bool:
    return all(torch.equal(values, weights(right)[name]) for name, values in weights(left).items())


def test_the_same_seed_fits_the_same_network_and_another_one_another(histories: Histories) -> None:
    one, again = fit(histories).run(), fit(histories).run()
    other = fit(histories, dataclasses.replace(PLAN, seed=2)).run()
    assert same(one, again)
    assert not same(one, other)


def test_fitting_that_was_killed_goes_on_as_if_it_had_not_been(histories: Histories, tmp_path: Path) -> None:
    plan = dataclasses.replace(PLAN, dropout=0.1)
    whole = fit(histories, plan).run()

    broken = fit(histories, plan, tmp_path / "checkpoint")
    for _ in range(5):
        broken.step()
        if broken.progress.step % 2 == 0:
            broken._measure(0.0)
    torch.manual_seed(99)
    resumed = fit(histories, plan, tmp_path / "checkpoint")
    assert resumed.progress.step == 4
    assert same(whole, resumed.run())


def test_a_checkpoint_of_another_plan_or_a_damaged_one_is_refused(histories: Histories, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    fit(histories, PLAN, folder).run()
    with pytest.raises(DataError, match="other options"):
        fit(histories, dataclasses.replace(PLAN, rate=1e-3), folder)
    (folder / "tensors.safetensors").write_bytes(b"no tensors")
    with pytest.raises(DataError, match="damaged"):
        fit(histories, PLAN, folder)


def test_fitting_in_mixed_precision_comes_to_much_the_same(
    histories: Histories, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = dataclasses.replace(PLAN, steps=20)
    whole = fit(histories, plan)
    whole.run()
    # What a GPU does with the network, by this machine's processor: autocast chooses the same operations for bfloat16.
    monkeypatch.setattr(Fit, "_precision", lambda _self: torch.autocast("cpu", torch.bfloat16))
    mixed = fit(histories, plan)
    network = mixed.run()
    assert {values.dtype for values in network.state_dict().values() if values.is_floating_point()} == {torch.float32}
    assert not same(network, whole.average)
    assert mixed.progress.best == pytest.approx(whole.progress.best, rel=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_fitting_on_a_gpu_comes_to_much_the_same_and_is_gone_on_with(histories: Histories, tmp_path: Path) -> None:
    plan = dataclasses.replace(PLAN, steps=20)
    whole = fit(histories, plan)
    whole.run()
    there = fit(histories, plan, device="cuda")
    network = there.run()
    assert {(values.device.type, values.dtype) for values in network.parameters()} == {("cuda", torch.float32)}
    assert there.progress.best == pytest.approx(whole.progress.best, rel=0.02)
    half = fit(histories, plan, tmp_path / "checkpoint", device="cuda")
    for _ in range(10):
        half.step()
    half._measure(0.0)
    resumed = fit(histories, plan, tmp_path / "checkpoint", device="cuda")
    assert resumed.progress.step == 10
    resumed.run()
    assert resumed.progress.best == pytest.approx(there.progress.best, rel=0.02)


def test_fitting_makes_the_loss_smaller(histories: Histories) -> None:
    found = fit(histories, dataclasses.replace(PLAN, steps=40, check_every=20, batch=32))
    before = found._validation_loss()
    found.run()
    assert found.progress.best < before


def test_fitting_stops_when_nothing_gets_better(histories: Histories) -> None:
    found = fit(histories, dataclasses.replace(PLAN, steps=100, check_every=1, patience=3, rate=0.0, average=1.0))
    found.run()
    assert found.progress.step < 100
    assert found.progress.waited == 3


def test_the_rate_rises_and_falls_to_almost_nothing() -> None:
    plan = Plan(steps=1000, warm_steps=100)
    rates = [rate_share(step, plan) for step in range(1000)]
    assert rates[0] < 0.02
    assert max(rates) > 0.95
    assert rates[-1] < 0.03


def test_windows_before_crossings_are_drawn_more_often_and_weigh_less(histories: Histories) -> None:
    rows = histories.usable()
    plan = Plan(batch=4000)
    drawn = Sampler(histories, rows, plan, np.random.default_rng(1)).draw()
    near = histories.first[drawn.rows] <= plan.near_steps
    share = float((histories.first[rows] <= plan.near_steps).mean())
    assert near.mean() > 0.38
    weighted = float((drawn.weight * near).sum() / drawn.weight.sum())
    assert weighted == pytest.approx(share, rel=0.05)
    assert drawn.weight.mean() == pytest.approx(1.0, abs=0.02)


def test_some_windows_lack_their_older_part_and_some_lack_metrics(histories: Histories) -> None:
    plan = Plan(batch=2000)
    hidden = Sampler(histories, histories.usable(), plan, np.random.default_rng(1)).draw().hidden
    shortened = hidden[:, 0].all(1)
    assert shortened.mean() == pytest.approx(0.1, abs=0.03)
    assert (~hidden.all(2)).sum(1).min() >= min(SHORTEST, CONTEXT)
    dropped = hidden.all(1)
    assert dropped.mean() == pytest.approx(0.06, abs=0.02)


def test_a_node_is_the_first_by_which_a_crossing_has_come(histories: Histories) -> None:
    rows = histories.usable()
    node, first = nodes_of(histories, rows), histories.first[rows]
    assert ((first > NODES[-1]) == (node == len(NODES))).all()
    sooner = node < len(NODES)
    reached = np.array(NODES)[node[sooner]]
    assert (first[sooner] <= reached).all()
    assert (first[sooner][node[sooner] > 0] > np.array(NODES)[node[sooner][node[sooner] > 0] - 1]).all()


def test_the_hazards_likelihood_counts_only_until_the_crossing() -> None:
    network = Forecaster(Shape(width=8))
    quantiles, future = torch.zeros(1, 40, 4, 7), torch.full((1, 40, 4), float("nan"))
    logits = torch.zeros(1, 40)
    pinball, hazard = losses(network, quantiles, logits, future, torch.tensor([3]))
    assert float(pinball) == 0.0
    assert float(hazard) == pytest.approx(4 * np.log(2), rel=1e-5)
    logits[0, 10:] = 50.0
    assert float(losses(network, quantiles, logits, future, torch.tensor([3]))[1]) == pytest.approx(float(hazard))
