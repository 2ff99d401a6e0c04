"""Independent seeds for all random draws of a fit, from one ``random_state``.

skvision sets no global seed: each draw has its own generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["Seeds"]


@dataclass(frozen=True)
class Seeds:
    """One seed per purpose, each from 0 to 2**31 - 1.

    Examples
    --------
    >>> from skvision.training import Seeds
    >>> Seeds.draw(0) == Seeds.draw(0)
    True
    """

    weights: int
    split: int
    order: int
    augmentation: int

    @classmethod
    def draw(cls, random_state: Any) -> Seeds:
        """Draw from an int, a RandomState or None, as scikit-learn accepts them."""
        entropy = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        words = np.random.SeedSequence(entropy).generate_state(4) >> 1
        return cls(*(int(word) for word in words))
