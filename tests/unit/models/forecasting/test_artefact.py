"""A model's folder is loaded when everything in it is what its card says, and refused in words otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.models.forecasting.folders import SHIPPED, VERSION, copied, with_card, with_file
from tft_dash.errors import ModelRefusedError
from tft_dash.models.forecasting.artefact import load_artefact, load_evidence
from tft_dash.models.forecasting.golden import golden_batch
from tft_dash.models.forecasting.layout import LATE, SOON
from tft_dash.models.forecasting.onnx_file import operator_sets, part_for
from tft_dash.models.forecasting.runtime import FEW, Runtime, open_session

OPSET_18 = b"B\x02\x10\x12"


def field(number: int, content: bytes | str) -> bytes:
    """A field of a protocol-buffers message."""
    inside = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2, len(inside)]) + inside


def foreign_graph() -> bytes:
    """A valid ONNX file of somebody else's: y = x, one float."""
    port = field(2, field(1, b"\x08\x01" + field(2, field(1, b"\x08\x01"))))
    node = field(1, "x") + field(2, "y") + field(4, "Identity")
    graph = field(1, node) + field(2, "g") + field(11, field(1, "x") + port) + field(12, field(1, "y") + port)
    return b"\x08\x08" + field(7, graph) + OPSET_18


def test_the_shipped_model_is_what_its_card_says() -> None:
    artefact = load_artefact(SHIPPED)
    assert artefact.card.version == VERSION
    assert artefact.card.trained_on.simulated
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 2**20


@pytest.mark.parametrize("name", ["card.json", "model.onnx", "model.safetensors", "calibration.json"])
def test_a_folder_that_lacks_a_file_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    folder = copied(tmp_path)
    (folder / name).unlink()
    with pytest.raises(ModelRefusedError, match=f"{name} is refused: the file is not there"):
        load_artefact(folder)


@pytest.mark.parametrize("name", ["model.onnx", "model.safetensors", "calibration.json"])
def test_a_file_that_was_changed_is_refused_by_its_digest(tmp_path: Path, name: str) -> None:
    folder = copied(tmp_path)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelRefusedError, match=f"{name} is refused: its SHA-256 is"):
        load_artefact(folder)


def truncated(folder: Path) -> None:
    (folder / "card.json").write_bytes((folder / "card.json").read_bytes()[:700])


def empty(folder: Path) -> None:
    (folder / "card.json").write_bytes(b"")


def no_text(folder: Path) -> None:
    (folder / "card.json").write_bytes(b"\xff\xfe\x00")


def changed(**parts: Any) -> Callable[[Path], object]:
    return lambda folder: with_card(folder, lambda card: card.update(parts))


def other_layout(name: str, value: Any) -> Callable[[Path], object]:
    return lambda folder: with_card(folder, lambda card: card["layout"].update({name: value}))


def other_threshold(folder: Path) -> None:
    with_card(folder, lambda card: card["thresholds"]["cpu_pct"].update(critical=95.0))


def lost_threshold(folder: Path) -> None:
    with_card(folder, lambda card: card["thresholds"].pop("latency_ms"))


def unvouched(folder: Path) -> None:
    with_card(folder, lambda card: card["files"].pop("model.onnx"))


def other_golden(name: str, place: int, by: float) -> Callable[[Path], object]:
    def move(card: dict[str, Any]) -> None:
        card["golden"]["outputs"][name][place] += by

    return lambda folder: with_card(folder, move)


def short_golden(folder: Path) -> None:
    with_card(folder, lambda card: card["golden"]["outputs"].update(chance=[0.1]))


def other_seed(folder: Path) -> None:
    with_card(folder, lambda card: card["golden"].update(seed=7))


def lenient(folder: Path) -> None:
    with_card(folder, lambda card: card["golden"].update(tolerance=1.0))


def half_calibrated(folder: Path) -> None:
    document = json.loads((folder / "calibration.json").read_text())
    del document["horizons"]["8h"]
    with_file(folder, "calibration.json", json.dumps(document).encode())


def upside_down(folder: Path) -> None:
    document = json.loads((folder / "calibration.json").read_text())
    document["horizons"]["30m"]["slope"] = -1.0
    with_file(folder, "calibration.json", json.dumps(document).encode())


def graph_of(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda folder: with_file(folder, "model.onnx", change((folder / "model.onnx").read_bytes()))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (truncated, "card.json is refused: the document: Invalid JSON"),
        (empty, "card.json is refused: the document: Invalid JSON"),
        (no_text, "card.json is refused"),
        (changed(format="tft-dash/model/2"), "format: Input should be 'tft-dash/model/1'"),
        (changed(name="prophet"), "name: Input should be 'tft'"),
        (changed(version="../../etc"), "version: String should match"),
        (changed(surprise=1), "surprise: Extra inputs"),
        (changed(alarm_threshold=float("nan")), "card.json is refused"),
        (other_layout("step_seconds", 60.0), "layout.step_seconds is 60.0, and this program serves 300.0"),
        (other_layout("context", 48), "layout.context is 48"),
        (other_layout("inputs", ["cpu_pct"]), "layout.inputs"),
        (other_layout("quantiles", [0.1, 0.5, 0.9]), "layout.quantiles"),
        (other_threshold, "trained under other thresholds: cpu_pct 75 / 95, here 75 / 90"),
        (lost_threshold, "trained under other thresholds: latency_ms none, here 300 / 800"),
        (unvouched, "card.json does not vouch for it"),
        (other_golden("chance", 3, 2e-4), "its chance for the golden batch differ"),
        (other_golden("quantiles", 900, 0.5), "its quantiles for the golden batch differ"),
        (short_golden, "golden.outputs.chance has 1 values, expected 120"),
        (other_seed, "cannot be made again from its seed"),
        (lenient, "golden.tolerance"),
        (half_calibrated, "calibration.json is refused: it lacks one of the horizons"),
        (upside_down, "horizons.30m.slope: Input should be greater than"),
        (graph_of(lambda graph: graph.replace(OPSET_18, OPSET_18[:-1] + b"\x11")), "operator sets ai.onnx 17"),
        (graph_of(lambda graph: graph + field(8, field(1, "com.evil") + b"\x10\x01")), "com.evil 1"),
        (graph_of(lambda graph: graph.replace(b"attention", b"attentive")), "output attention is not there"),
        (graph_of(lambda graph: graph[: len(graph) // 2]), "it is no ONNX file"),
        (graph_of(lambda _: b"PK\x03\x04 not a graph"), "it is no ONNX file"),
        (graph_of(lambda _: OPSET_18), "ONNX Runtime cannot run it"),
        (graph_of(lambda _: foreign_graph()), "input metrics is not there"),
    ],
)
def test_what_does_not_match_is_refused_in_words(tmp_path: Path, harm: Callable[[Path], object], words: str) -> None:
    folder = copied(tmp_path)
    harm(folder)
    with pytest.raises(ModelRefusedError) as caught:
        load_artefact(folder)
    assert words in str(caught.value)
    assert caught.value.exit_status == 1


def test_a_card_that_is_a_folder_or_too_large_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "card.json").unlink()
    (folder / "card.json").mkdir()
    with pytest.raises(ModelRefusedError, match="cannot be read"):
        load_artefact(folder)
    with (copied(tmp_path, "2.0.0") / "model.onnx").open("r+b") as file:
        file.truncate(10**9)
    with pytest.raises(ModelRefusedError, match="larger than 64 MB"):
        load_artefact(tmp_path / "2.0.0")


def test_evidence_may_be_missing_but_not_damaged(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "evidence.json").unlink(missing_ok=True)
    assert load_evidence(folder) is None
    (folder / "evidence.json").write_text("{}")
    with pytest.raises(ModelRefusedError, match=r"evidence.json is refused"):
        load_evidence(folder)


def test_the_golden_batch_is_alike_everywhere_and_has_gaps() -> None:
    batch = golden_batch(5, 4)
    assert batch.digest == golden_batch(5, 4).digest
    assert batch.digest != golden_batch(6, 4).digest
    assert batch.digest == "908eef3b26943998e98cde7efb9bbdddfb9aac6809005a1957672d6bf4fb713f"
    assert 0.02 < np.isnan(batch.metrics).mean() < 0.1


def test_an_answer_does_not_depend_on_who_else_is_asked_about() -> None:
    runtime, batch = Runtime(load_artefact(SHIPPED)), golden_batch(5, 70)
    whole = runtime.run(batch.metrics, batch.profile, batch.minute)
    order = np.random.default_rng(1).permutation(70)
    for some in (order, order[:1], order[:33]):
        part = runtime.run(batch.metrics[some], batch.profile[some], batch.minute[some])
        for name in ("quantiles", "chance", "selection", "attention"):
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[some])
    one = runtime.run(batch.metrics[:1], batch.profile[:1], batch.minute[:1], at_once=FEW)
    np.testing.assert_array_equal(one.chance, whole.chance[:1])
    assert runtime.run(batch.metrics[:0], batch.profile[:0], batch.minute[:0]).chance.shape == (0, 40)
    assert (whole.chance[:, SOON] <= whole.chance[:, LATE]).all()


def test_chances_asked_for_alone_are_the_same_to_the_last_bit_from_a_smaller_graph() -> None:
    artefact, batch = load_artefact(SHIPPED), golden_batch(7, 50)
    runtime = Runtime(artefact)
    whole = runtime.run(batch.metrics, batch.profile, batch.minute)
    np.testing.assert_array_equal(runtime.chance(batch.metrics, batch.profile, batch.minute), whole.chance)
    part = part_for(artefact.graph, "chance")
    session = open_session(part)
    assert len(part) < len(artefact.graph)
    assert [port.name for port in session.get_outputs()] == ["chance"]
    assert {port.name for port in session.get_inputs()} == {"metrics", "profile", "minute"}
    assert part_for(part, "chance") == part


def test_what_a_node_reads_within_a_graph_of_its_own_stays_and_what_nobody_needs_goes() -> None:
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content) % 128 | 128, len(content) // 128]) + content

    def node(reads: bytes, makes: bytes, held: bytes = b"") -> bytes:
        return field(1, field(1, reads) + field(1, b"") + field(2, makes) + field(2, b"") + held)

    within = field(5, field(6, node(b"outer", b"inner") + field(12, field(1, b"shared"))))
    wanted = [node(b"x", b"outer"), node(b"x", b"shared"), node(b"if", b"y", within), field(5, field(8, b"if"))]
    others = [node(b"y", b"z"), field(5, field(8, b"unused")), field(12, field(1, b"z")), field(13, field(1, b"y"))]
    ports = [field(11, field(1, b"x")), field(12, field(1, b"y"))]
    name = field(2, b"a name")
    part = part_for(name + field(7, b"".join([*wanted, *others, *ports])), "y")
    assert part.endswith(b"".join([*wanted, *ports]))
    assert b"unused" not in part


def test_a_part_of_a_damaged_graph_or_of_one_without_that_output_is_no_crash() -> None:
    graph = (SHIPPED / "model.onnx").read_bytes()
    with pytest.raises(ValueError, match="no node makes chances"):
        part_for(graph, "chances")
    for content in (b"\xff" * 40, graph[:-1], b"\x3a\x02\x08\x01"):
        with pytest.raises(ValueError, match=r"."):
            part_for(content, "chance")


def test_the_operator_sets_of_damaged_files_are_no_crash() -> None:
    graph = (SHIPPED / "model.onnx").read_bytes()
    assert operator_sets(graph) == {"": 18}
    for content in (b"\xff" * 40, b"\x08", graph[:-1], b"\x3a\xff\xff\xff\xff\x0f", b"\x43"):
        with pytest.raises(ValueError, match=r"."):
            operator_sets(content)
