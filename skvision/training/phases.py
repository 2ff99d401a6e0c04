"""A training as a sequence of phases: what each trains, on what, for how long."""

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
    """What turns images into the features that a phase trains on."""

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) that it reads."""

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Compute the features of batch after batch."""

    def table(
        self, images: ImageBatch, parts: Sequence[np.ndarray], resize: str, verbose: int
    ) -> FeatureTable:
        """Compute the features of images once, those of all `parts` (lists of positions)."""


@dataclass(frozen=True)
class Phase:
    """A part of a training: one network, one plan.

    Parameters
    ----------
    recipe : NetworkRecipe
        The network that is trained.
    plan : Plan
        How long, and how fast.
    name : str, default=""
        What it is called in ``history_`` and what its parameters begin with; "" in a
        training of one phase.
    given : sequence of ndarray, default=()
        Weights of the estimator's network that come before those of this phase's, and
        stay as they are.
    extraction : Extraction, default=None
        What the network is trained on; None for images.
    identity : str, default=""
        What a network's first weights are, for checkpoints.
    """

    recipe: NetworkRecipe
    plan: Plan
    name: str = ""
    given: Sequence[np.ndarray] = ()
    extraction: Extraction | None = None
    identity: str = ""

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the images that it reads."""
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
        All that the parameters describe.
    done : int
        Epochs that earlier fits have trained.
    continued : bool
        Whether to continue these.
    partial : bool
        Whether to train one epoch.

    Returns
    -------
    tuple of Phase
        All of them; in a warm start the last; in a partial fit one epoch of the next due.
    """
    if not partial:
        return tuple(phases[-1:] if continued else phases)
    ends = np.cumsum([phase.plan.epochs for phase in phases])
    due = phases[min(int(np.searchsorted(ends, done, side="right")), len(phases) - 1)]
    return (replace(due, plan=replace(due.plan, epochs=1, is_part=True)),)


def prefixed(phase: str, parameter: str) -> str:
    """The parameter of a phase: ``warmup_epochs``, or ``epochs`` in a training of one phase.

    Examples
    --------
    >>> from skvision.training.phases import prefixed
    >>> prefixed("warmup", "epochs"), prefixed("", "epochs")
    ('warmup_epochs', 'epochs')
    """
    return f"{phase}_{parameter}" if phase else parameter


def matched_phase(phase: Any, names: Sequence[str], estimator: str) -> str:
    """Return the phase that is meant; None is the only one.

    Parameters
    ----------
    phase : str or None
        What the user passed.
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
