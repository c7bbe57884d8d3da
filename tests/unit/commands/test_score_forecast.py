"""``tft-dash score --model tft``: what must not matter does not, to the last bit; the rest is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from tests.unit.models.forecasting.folders import copied
from tft_dash.cli import main
from tft_dash.schema import METRIC_NAMES

DRILL = Path(__file__).parents[3] / "demo_data" / "early-warning.parquet"
LABELS = ["state", "incident_phase", "problem_child"]
METRICS = list(METRIC_NAMES)
SERVERS = 10


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def drill() -> pd.DataFrame:
    """The hours around the first critical tick, with rows and values missing."""
    table = pd.read_parquet(DRILL).iloc[250 * SERVERS : 330 * SERVERS].reset_index(drop=True)
    random = np.random.default_rng(4)
    values = table[METRICS].to_numpy()
    table[METRICS] = np.where(random.random(values.shape) < 0.1, np.nan, values)
    return table[random.random(len(table)) > 0.05]


def score(recording: pd.DataFrame, folder: Path, cache: Path, name: str) -> tuple[Result, pd.DataFrame | None]:
    path, output = folder / f"{name}.parquet", folder / f"{name}-scores.parquet"
    recording.to_parquet(path)
    env = {"TFT_DASH_DATA": str(folder / "data"), "TFT_DASH_CACHE": str(cache)}
    arguments = ["score", str(path), "--model", "tft", "--output", str(output)]
    result = CliRunner(env=env).invoke(main, arguments, prog_name="tft-dash")
    if not output.exists():
        return result, None
    return result, pd.read_parquet(output).sort_values(["timestamp", "server_name"]).reset_index(drop=True)


def finer(table: pd.DataFrame) -> pd.DataFrame:
    """Ticks of a minute: each value five times, the last of them at its own time."""
    parts = [table.assign(timestamp=table["timestamp"] - pd.Timedelta(minutes=back)) for back in range(5)]
    return pd.concat(parts).sort_values(["timestamp", "server_name"], kind="stable")


@pytest.mark.parametrize("step", [lambda table: table, finer])
def test_labels_the_order_of_rows_and_names_and_the_future_change_nothing(
    drill: pd.DataFrame, step: Callable[[pd.DataFrame], pd.DataFrame], tmp_path: Path, cache: Path
) -> None:
    table = step(drill)
    first, wanted = score(table, tmp_path, cache, "whole")
    assert first.exit_code == 0, first.output
    assert wanted is not None
    assert wanted["server_prob_8h"].notna().any()
    assert (wanted["risk"] == 1.0).any()
    bare = table.drop(columns=LABELS)
    pd.testing.assert_frame_equal(score(bare, tmp_path, cache, "bare")[1], wanted)
    names = {name: f"x{SERVERS - place}" for place, name in enumerate(sorted(table["server_name"].unique()))}
    renamed = bare.assign(server_name=bare["server_name"].map(names)).sample(frac=1.0, random_state=1)
    renamed = renamed.sort_values("timestamp", kind="stable")
    _, found = score(renamed[list(reversed(renamed.columns))], tmp_path, cache, "renamed")
    assert found is not None
    back = found.assign(server_name=found["server_name"].map({new: old for old, new in names.items()}))
    back = back.sort_values(["timestamp", "server_name"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(back, wanted)
    end = table["timestamp"].unique()[-7]
    _, past = score(bare[bare["timestamp"] < end], tmp_path, cache, "cut")
    pd.testing.assert_frame_equal(past, wanted[wanted["timestamp"] < end].reset_index(drop=True))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.iloc[: 3 * SERVERS], "15 minutes long, and the forecast needs an hour of history"),
        (lambda table: table.assign(**dict.fromkeys(METRICS, np.nan)), "no readable value in any metric column"),
        (lambda table: table[table["timestamp"].isin(table["timestamp"].unique()[::2])], "longer than the forecast's"),
    ],
)
def test_what_it_cannot_answer_for_is_refused_in_words_and_nothing_is_written(
    change: Callable[[pd.DataFrame], pd.DataFrame], words: str, tmp_path: Path, cache: Path
) -> None:
    result, scores = score(change(pd.read_parquet(DRILL)), tmp_path, cache, "odd")
    assert (result.exit_code, scores) == (1, None)
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert [path.name for path in tmp_path.iterdir() if "scores" in path.name] == []


def test_one_server_and_metrics_that_never_move_get_calm_answers(
    drill: pd.DataFrame, tmp_path: Path, cache: Path
) -> None:
    one = drill[drill["server_name"] == drill["server_name"].iloc[0]].iloc[:40]
    still = one.assign(**{name: float(one[name].median()) for name in METRICS})
    for name, table in (("one", one), ("still", still)):
        result, scores = score(table, tmp_path, cache, name)
        assert result.exit_code == 0, result.output
        assert scores is not None
        told = scores["risk"].dropna()
        assert len(told) > 20
        assert told.between(0, 0.2).all()
        np.testing.assert_array_equal(scores["prob_30m"], scores["server_prob_30m"])


def test_a_damaged_active_model_is_told_and_nothing_is_written(
    drill: pd.DataFrame, tmp_path: Path, cache: Path
) -> None:
    folder = copied(tmp_path / "data" / "models", "9.9")
    (folder.parent / "active.json").write_text('{"version": "9.9"}')
    (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes()[:-9])
    result, scores = score(drill, tmp_path, cache, "refused")
    assert (result.exit_code, scores) == (1, None)
    assert "model.onnx is refused: its SHA-256 is" in result.stderr
