"""A checkpoint: tensors in safetensors, the rest in JSON; nothing in it is code. Written whole or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tft_dash.errors import DataError, StorageError, shorten

_TENSORS, _STATE = "tensors.safetensors", "state.json"


@dataclass
class Progress:
    """Where fitting stands.

    :ivar step: steps done.
    :ivar best: the smallest loss on the validation windows so far.
    :ivar waited: measurements since then.
    :ivar log: ``(step, training loss, validation loss)`` of every measurement.
    :ivar seconds: how long fitting has taken, without what was lost when it was stopped.
    """

    step: int = 0
    best: float = float("inf")
    waited: int = 0
    log: list[tuple[int, float, float]] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that fitting needs to go on as if it had not been stopped."""

    progress: Progress
    tensors: dict[str, dict[str, Tensor]]
    numpy_state: dict[str, Any]


def save_checkpoint(folder: Path, key: str, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint in ``folder``; whenever it is killed, the old one or the new one is there.

    :param key: digest of plan and data; only fitting with the same one may go on from it.
    :raises StorageError: it cannot be written.
    """
    work = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        _write(work, key, checkpoint)
        shutil.rmtree(_former(folder), ignore_errors=True)
        if folder.exists():
            folder.replace(_former(folder))
        work.replace(folder)
        shutil.rmtree(_former(folder), ignore_errors=True)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or shorten(str(error))
        raise StorageError(
            f"The checkpoint {shorten(str(folder), 200)} cannot be written: {reason}. Free some space there."
        ) from error


def _former(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.former")


def _write(work: Path, key: str, checkpoint: Checkpoint) -> None:
    flat = {f"{group}/{name}": tensor.detach().cpu().contiguous()
            for group, tensors in checkpoint.tensors.items() for name, tensor in tensors.items()}  # fmt: skip
    flat["torch_random"] = torch.get_rng_state()
    save_file(flat, work / _TENSORS)
    progress = checkpoint.progress
    state = {"key": key, "step": progress.step, "best": progress.best, "waited": progress.waited,
             "log": progress.log, "seconds": progress.seconds, "numpy": checkpoint.numpy_state}  # fmt: skip
    (work / _STATE).write_text(json.dumps(state))


def load_checkpoint(folder: Path, key: str) -> Checkpoint | None:
    """The checkpoint in ``folder``, None where there is none.

    :raises DataError: it belongs to another plan or other data, or is damaged.
    """
    if not folder.exists() and _former(folder).exists():
        _former(folder).replace(folder)
    if not (folder / _STATE).exists():
        return None
    try:
        state = json.loads((folder / _STATE).read_text())
        flat = load_file(folder / _TENSORS)
        log = [(int(a), float(b), float(c)) for a, b, c in state["log"]]
        found = Progress(int(state["step"]), float(state["best"]), int(state["waited"]), log, float(state["seconds"]))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DataError(f"The checkpoint {folder} is damaged. Remove the folder and train again.") from error
    if state["key"] != key:
        raise DataError(
            f"The checkpoint {folder} belongs to training with other options or other data. "
            "Give the same options to go on with it, another --output, or remove the folder."
        )
    torch.set_rng_state(flat.pop("torch_random"))
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in flat.items():
        group, _, rest = name.partition("/")
        groups.setdefault(group, {})[rest] = tensor
    return Checkpoint(found, groups, state["numpy"])
