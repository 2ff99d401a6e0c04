"""The phases of a training: the network, data and plan of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from ..images import ImageBatch
from ..networks import NetworkRecipe
from .plan import Plan
from .stream import FeatureTable

__all__ = ["Extraction", "Phase", "matched_phase", "phases_due", "prefixed"]


class Extraction(Protocol):
    """Turns images into the features that a phase trains on."""

    @property
    def image_size(self) -> tuple[int, int]:
        """Size (height, width) of its input."""

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Compute the features of batch after batch."""

    def table(
        self, images: ImageBatch, parts: Sequence[np.ndarray], resize: str, verbose: int
    ) -> FeatureTable:
        """Compute the features of the images in all `parts` (lists of positions) once."""


@dataclass(frozen=True)
class Phase:
    """A part of a training: one network, one plan.

    Parameters
    ----------
    recipe : NetworkRecipe
        The network to train.
    plan : Plan
        Epochs and learning rate.
    name : str, default=""
        Name of the phase in ``history_`` and prefix of its parameters; "" if the training
        has only one phase.
    given : sequence of ndarray, default=()
        Frozen weights of the estimator's network, which precede the weights that this phase
        trains.
    extraction : Extraction, default=None
        Computes the features that the network is trained on; None to train on images.
    identity : str, default=""
        Identity of the network's initial weights, for checkpoints.
    """

    recipe: NetworkRecipe
    plan: Plan
    name: str = ""
    given: Sequence[np.ndarray] = ()
    extraction: Extraction | None = None
    identity: str = ""

    @property
    def image_size(self) -> tuple[int, int]:
        """Size (height, width) of the phase's images."""
        if self.extraction is not None:
            return self.extraction.image_size
        height, width, _ = self.recipe.architecture.input_shape
        return height, width


def phases_due(
    phases: Sequence[Phase], done: int, *, continued: bool, partial: bool
) -> tuple[Phase, ...]:
    """Choose the phases that a fit trains.

    Parameters
    ----------
    phases : sequence of Phase
        All phases that the parameters describe.
    done : int
        Number of epochs that earlier fits have trained.
    continued : bool
        Whether to continue these fits.
    partial : bool
        Whether to train one epoch.

    Returns
    -------
    tuple of Phase
        All phases; in a warm start the last one; in a partial fit one epoch of the next one.
    """
    if not partial:
        return tuple(phases[-1:] if continued else phases)
    ends = np.cumsum([phase.plan.epochs for phase in phases])
    due = phases[min(int(np.searchsorted(ends, done, side="right")), len(phases) - 1)]
    return (replace(due, plan=replace(due.plan, epochs=1, is_part=True)),)


def prefixed(phase: str, parameter: str) -> str:
    """Return a phase's parameter name: ``warmup_epochs``, or ``epochs`` if there is one phase.

    Examples
    --------
    >>> from skvision.training.phases import prefixed
    >>> prefixed("warmup", "epochs"), prefixed("", "epochs")
    ('warmup_epochs', 'epochs')
    """
    return f"{phase}_{parameter}" if phase else parameter


def matched_phase(phase: Any, names: Sequence[str], estimator: str) -> str:
    """Return the phase that the user means; None is the only one.

    Parameters
    ----------
    phase : str or None
        The name that the user passed.
    names : sequence of str
        The phases of the estimator.
    estimator : str
        Its class, for the error.

    Returns
    -------
    str
        One of `names`.

    Raises
    ------
    ValueError
        If there is no such phase.
    """
    if phase is None and len(names) == 1:
        return names[0]
    if phase in names and phase:
        return str(phase)
    if len(names) == 1:
        raise ValueError(
            f"{estimator} trains in one phase: phase must be None. Received: {phase!r}"
        )
    raise ValueError(
        f"{estimator} trains in phases; phase must be one of {', '.join(map(repr, names))}. "
        f"Received: {phase!r}"
    )
