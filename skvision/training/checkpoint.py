"""Checkpoints: the whole state of a training, saved after each epoch or more often.

A checkpoint is one ``.npz`` file of plain arrays and a JSON text; reading one runs no
code. It is written under a temporary name and then renamed, and the last two are kept,
so that a process killed at any moment leaves a readable one.
"""

from __future__ import annotations

import json
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .._system.atomic import reason_of, written_whole
from ..exceptions import CheckpointWarning
from ..networks import NetworkState
from .seeding import Seeds

__all__ = ["Checkpoints", "TrainingState"]

FORMAT = 3
KEPT = 2
_NAMES = "epoch-*.npz"

# exceptions that reading a truncated or altered file raises
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class TrainingState:
    """The state of a training after an epoch, or in the middle of one."""

    seeds: Seeds
    #: figures by name, one number per epoch
    history: dict[str, list[float]]
    network: NetworkState
    #: the estimator's weights if training ends here, if they differ from the last epoch's:
    #: those of the best epoch, or those that a callback set at the end
    best_weights: list[np.ndarray]
    #: number of completed steps of the next epoch
    steps: int = 0
    #: that epoch's figures so far: the variables of Keras' metrics, by name
    metrics: dict[str, np.ndarray] = field(default_factory=dict)
    #: weights of the last complete epoch, if the network is further
    last_weights: list[np.ndarray] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """Number of complete epochs."""
        return len(self.history.get("loss", ()))


class Checkpoints:
    """The checkpoints of one training, in a folder of their own.

    Parameters
    ----------
    folder : str or path-like
        Created if it doesn't exist.
    setup : mapping of str to JSON value
        Everything that the training depends on. A checkpoint of another setup is refused.
    every : int, default=None
        Number of steps after which to write a checkpoint within an epoch too; None writes
        after epochs only.
    """

    def __init__(self, folder: Any, setup: Mapping[str, Any], every: int | None = None) -> None:
        self.every = every
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise NotADirectoryError(
                f"checkpoint_dir={str(folder)!r} is a file. Pass a folder; it is created if "
                "it doesn't exist."
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # before hours of training; a complete one may lie in a folder that is read-only
            if not self.exist(self.folder):
                with tempfile.TemporaryFile(dir=self.folder):
                    pass
        except OSError as error:
            raise type(error)(
                f"checkpoint_dir={str(folder)!r} can't be written: {error.strerror}. Pass a "
                "folder that can be written, or None to keep no checkpoints."
            ) from error
        # compare in the form that a file gives back: tuples become lists
        self.setup: dict[str, Any] = json.loads(json.dumps(setup))
        self._writable = True

    @staticmethod
    def exist(folder: Path) -> bool:
        """Return whether a folder holds a checkpoint."""
        return any(folder.glob(_NAMES))

    @staticmethod
    def seeds(folder: Path) -> Seeds | None:
        """Return the seeds of the training in a folder, of any setup; None if it has none."""
        for path in sorted(folder.glob(_NAMES), reverse=True):
            # load() warns of damaged files
            with suppress(*_DAMAGED, TypeError), np.load(path, allow_pickle=False) as arrays:
                return Seeds(**_text(arrays)["seeds"])
        return None

    def load(self) -> TrainingState | None:
        """Read the newest checkpoint; return None if there is none.

        Raises
        ------
        ValueError
            If it was written by a training with another setup.

        Warns
        -----
        CheckpointWarning
            If a checkpoint is damaged; the one before it is used.
        """
        for path in sorted(self._files(), reverse=True):
            try:
                setup, state = _read(path)
            except _DAMAGED as error:
                warnings.warn(
                    f"The checkpoint {path} can't be read and is ignored: {error}",
                    CheckpointWarning,
                )
                continue
            self._compare(setup)
            return state
        return None

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint and remove all but the last two.

        Warns
        -----
        CheckpointWarning
            If it can't be written. The warning comes once, and training continues.
        """
        # the order of names is the order of age
        part = f".step-{state.steps:06d}" if state.steps else ""
        try:
            with written_whole(self.folder / f"epoch-{state.epochs:06d}{part}.npz") as temporary:
                _write(temporary, self.setup, state)
            for old in sorted(self._files())[:-KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            if self._writable:
                warnings.warn(
                    f"checkpoint_dir can't be written after epoch {state.epochs}: "
                    f"{reason_of(error)} ({self.folder}). Training continues; if it is "
                    "killed, it starts again from the last checkpoint. Free some space, or make "
                    "the folder writable: the next epoch tries again.",
                    CheckpointWarning,
                )
            self._writable = False
        else:
            self._writable = True

    def _files(self) -> list[Path]:
        return list(self.folder.glob(_NAMES))

    def _compare(self, setup: Mapping[str, Any]) -> None:
        names = sorted({*setup, *self.setup})
        changed = [
            f"{name} was {setup.get(name)!r} and is {self.setup.get(name)!r}"
            for name in names
            if setup.get(name) != self.setup.get(name)
        ]
        if changed:
            raise ValueError(
                f"checkpoint_dir={str(self.folder)!r} holds a training with another setup: "
                f"{'; '.join(changed)}. Undo the change to continue it, or pass another folder "
                "(or an empty one) to start again."
            )


def _write(path: Path, setup: Mapping[str, Any], state: TrainingState) -> None:
    text = json.dumps(
        {
            "format": FORMAT,
            "setup": setup,
            "seeds": asdict(state.seeds),
            "history": state.history,
            "steps": state.steps,
            "metrics": list(state.metrics),
        }
    )
    arrays: dict[str, Any] = {
        f"{kind}_{index:05d}": array
        for kind, group in _groups(state).items()
        for index, array in enumerate(group)
    }
    with open(path, "wb") as file:
        np.savez(file, text=np.array(text), **arrays)


def _groups(state: TrainingState) -> dict[str, list[np.ndarray]]:
    network = state.network
    return {
        "weights": network.weights,
        "optimizer": network.optimizer,
        "dropout": network.dropout,
        "best": state.best_weights,
        "metrics": list(state.metrics.values()),
        "last": state.last_weights,
    }


def _read(path: Path) -> tuple[dict[str, Any], TrainingState]:
    with np.load(path, allow_pickle=False) as arrays:
        text = _text(arrays)
        groups: dict[str, list[np.ndarray]] = {
            kind: [arrays[name] for name in sorted(arrays.files) if name.startswith(f"{kind}_")]
            for kind in ("weights", "optimizer", "dropout", "best", "metrics", "last")
        }
    best, metrics, last = (groups.pop(kind) for kind in ("best", "metrics", "last"))
    state = TrainingState(
        Seeds(**text["seeds"]),
        text["history"],
        NetworkState(**groups),
        best,
        steps=text["steps"],
        metrics=dict(zip(text["metrics"], metrics, strict=True)),
        last_weights=last,
    )
    return text["setup"], state


def _text(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the content of a checkpoint besides arrays."""
    text: dict[str, Any] = json.loads(str(arrays["text"]))
    if text["format"] != FORMAT:
        raise ValueError(f"it has format {text['format']}, but this skvision reads {FORMAT}")
    return text
