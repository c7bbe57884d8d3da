"""A checkpoint: tensors in safetensors, the rest in JSON; nothing in it is code. Written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tft_dash.errors import DataError

_TENSORS, _STATE = "tensors.safetensors", "state.json"


@dataclass
class Progress:
    """Where fitting stands.

    :ivar step: steps done.
    :ivar best: the smallest loss on the validation windows so far.
    :ivar waited: measurements since then.
    :ivar log: ``(step, training loss, validation loss)`` of every measurement.
    """

    step: int = 0
    best: float = float("inf")
    waited: int = 0
    log: list[tuple[int, float, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that fitting needs to go on as if it had not been stopped."""

    progress: Progress
    tensors: dict[str, dict[str, Tensor]]
    numpy_state: dict[str, Any]


def save_checkpoint(folder: Path, key: str, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint in ``folder``.

    :param key: digest of plan and data; only fitting with the same one may go on from it.
    """
    work = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    flat = {f"{group}/{name}": tensor.detach().cpu().contiguous()
            for group, tensors in checkpoint.tensors.items() for name, tensor in tensors.items()}  # fmt: skip
    flat["torch_random"] = torch.get_rng_state()
    save_file(flat, work / _TENSORS)
    progress = checkpoint.progress
    state = {"key": key, "step": progress.step, "best": progress.best, "waited": progress.waited,
             "log": progress.log, "numpy": checkpoint.numpy_state}  # fmt: skip
    (work / _STATE).write_text(json.dumps(state))
    shutil.rmtree(folder, ignore_errors=True)
    work.replace(folder)


def load_checkpoint(folder: Path, key: str) -> Checkpoint | None:
    """The checkpoint in ``folder``, None where there is none.

    :raises DataError: it belongs to another plan or other data, or is damaged.
    """
    if not (folder / _STATE).exists():
        return None
    try:
        state = json.loads((folder / _STATE).read_text())
        flat = load_file(folder / _TENSORS)
        found = Progress(int(state["step"]), float(state["best"]), int(state["waited"]),
                         [(int(a), float(b), float(c)) for a, b, c in state["log"]])  # fmt: skip
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
