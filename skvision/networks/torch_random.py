"""Restore PyTorch's global generator, from which Keras draws in each pass over batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

__all__ = ["torch_random_kept"]


@contextmanager
def torch_random_kept() -> Iterator[None]:
    """Restore the state of PyTorch's global generator after the block, if Keras uses PyTorch.

    Examples
    --------
    >>> from skvision.networks.torch_random import torch_random_kept
    >>> with torch_random_kept():
    ...     pass
    """
    if keras.config.backend() != "torch":
        yield
        return
    import torch

    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)
