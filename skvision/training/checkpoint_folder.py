"""The folder that keeps the checkpoints of a training, one folder in it for each phase."""

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
    """Where a training keeps its state, and what it is told apart by.

    Parameters
    ----------
    folder : str or path-like
        As the user passed it.
    every : int or None
        After how many steps of an epoch to write a checkpoint too.
    parameters : mapping of str to object
        The estimator's.
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
        """Return a phase's checkpoints, and what the newest holds; `identity` is the data's.

        Raises
        ------
        ValueError
            If it is of another training, or further than this one will be.
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

    def have_begun(self, phases: Sequence[Phase]) -> bool:
        """Whether one of these phases has checkpoints."""
        return any(Checkpoints.exist(self._of(phase.name)) for phase in phases)

    @property
    def seeds(self) -> Seeds | None:
        """The seeds of the training that is kept here; None where there is none."""
        found = (Checkpoints.seeds(self._of(name)) for name in self.phase_names)
        return next((seeds for seeds in found if seeds is not None), None)

    def _of(self, phase: str) -> Path:
        return Path(self.folder, phase)
