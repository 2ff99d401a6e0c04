"""The folder of a training's checkpoints, with one folder in it for each phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checkpoint import Checkpoints, TrainingState
from .checkpoint_setup import phase_setup
from .phases import Phase, prefixed
from .seeding import Seeds

__all__ = ["CheckpointFolder"]


@dataclass(frozen=True)
class CheckpointFolder:
    """The folder that keeps a training's state, and the parameters that identify the training.

    Parameters
    ----------
    folder : str or path-like
        The parameter ``checkpoint_dir``.
    every : int or None
        Number of steps after which to write a checkpoint within an epoch too.
    parameters : mapping of str to object
        The estimator's parameters.
    phase_names : tuple of str
        All phases that the estimator's parameters name, in order.
    """

    folder: Any
    every: int | None
    parameters: Mapping[str, Any]
    phase_names: tuple[str, ...]

    def open(
        self, phase: Phase, first_epoch: int, identity: Mapping[str, Any]
    ) -> tuple[Checkpoints, TrainingState | None]:
        """Return a phase's checkpoints and the newest state; `identity` describes the data.

        Raises
        ------
        ValueError
            If the folder belongs to another training, or to a longer one.
        """
        setup = phase_setup(self.parameters, phase, self.phase_names, first_epoch)
        checkpoints = Checkpoints(self._of(phase.name), {**setup, **identity}, self.every)
        state = checkpoints.load()
        if state is not None and state.epochs > phase.plan.epochs:
            name = prefixed(phase.name, "epochs")
            raise ValueError(
                f"checkpoint_dir={str(self.folder)!r} holds {state.epochs} epochs of this "
                f"training, more than {name}={phase.plan.epochs}. Set {name} to at least "
                f"{state.epochs}, or pass another folder."
            )
        return checkpoints, state

    def try_writing(self, phases: Sequence[Phase]) -> None:
        """Raise OSError if the checkpoints of these phases can't be written, before any work."""
        for phase in phases:
            Checkpoints(self._of(phase.name), {})

    def have_begun(self, phases: Sequence[Phase]) -> bool:
        """Return whether one of these phases has checkpoints."""
        return any(Checkpoints.exist(self._of(phase.name)) for phase in phases)

    @property
    def seeds(self) -> Seeds | None:
        """Seeds of the training in this folder; None if the folder holds none."""
        found = (Checkpoints.seeds(self._of(name)) for name in self.phase_names)
        return next((seeds for seeds in found if seeds is not None), None)

    def _of(self, phase: str) -> Path:
        return Path(self.folder, phase)
