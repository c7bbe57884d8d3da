"""From a network to a model folder: whole or not at all, and the same answers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra 'train'")

import torch

from tft_dash.errors import DataError, ModelRefusedError, StorageError, UsageError
from tft_dash.models.forecasting.card import TrainedOn
from tft_dash.models.forecasting.golden import golden_batch
from tft_dash.models.forecasting.runtime import Runtime
from tft_dash.training import export
from tft_dash.training.network import Forecaster, Shape

TINY = Shape(width=4, heads=2, dropout=0.3, wide_hidden=4)
FACTS = export.Facts("0.0.1", TrainedOn(simulated=True, description="nothing"))


@pytest.fixture
def network() -> Forecaster:
    """A small network that has learnt nothing, in the middle of its training."""
    torch.manual_seed(1)
    return Forecaster(TINY).train()


def test_the_folder_answers_as_the_network_does_with_dropout_asleep(tmp_path: Path, network: Forecaster) -> None:
    artefact = export.write_artefact(tmp_path / "0.0.1", network, FACTS)
    batch = golden_batch(9, 5)
    with torch.no_grad():
        wanted = export.Served(network.eval())(*map(torch.from_numpy, (batch.metrics, batch.profile, batch.minute)))
    found = Runtime(artefact).run(batch.metrics, batch.profile, batch.minute)
    np.testing.assert_allclose(found.chance, wanted[1].numpy(), atol=1e-5)
    np.testing.assert_allclose(found.quantiles, wanted[0].numpy(), rtol=1e-5, atol=1e-3)
    assert {path.name for path in tmp_path.iterdir()} == {"0.0.1"}
    assert all(os.access(path, os.R_OK) and path.stat().st_mode & 0o044 for path in artefact.folder.iterdir())
    card = json.loads((artefact.folder / "card.json").read_text())
    assert card["trained_on"]["simulated"] is True
    assert set(card["versions"]) >= {"python", "torch", "onnx", "numpy", "tft_dash"}


def test_the_weights_can_be_taken_up_again(tmp_path: Path, network: Forecaster) -> None:
    folder = export.write_artefact(tmp_path / "0.0.1", network, FACTS).folder
    again = export.load_weights(folder / "model.safetensors", TINY)
    for name, values in network.state_dict().items():
        assert torch.equal(values, again.state_dict()[name])
    with pytest.raises(ModelRefusedError, match="of this shape"):
        export.load_weights(folder / "model.safetensors", Shape(width=8))
    with pytest.raises(ModelRefusedError, match="cannot be read"):
        export.load_weights(folder / "card.json", TINY)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, network: Forecaster) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        export.write_artefact(tmp_path, network, FACTS)
    with pytest.raises(StorageError, match="cannot be written"):
        export.write_artefact(tmp_path / "mine.txt" / "0.0.1", network, FACTS)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_runtime_that_disagrees_leaves_nothing_behind(
    tmp_path: Path, network: Forecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PARITY", 0.0)
    with pytest.raises(DataError, match="torch and ONNX Runtime differ"):
        export.write_artefact(tmp_path / "0.0.1", network, FACTS)
    assert list(tmp_path.iterdir()) == []
