"""Independent seeds for all that is random in a fit, from one ``random_state``.

No global seed is set and no global switch turned: every draw in skvision comes
from a generator of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["Seeds"]


@dataclass(frozen=True)
class Seeds:
    """One seed a purpose, each from 0 to 2**31 - 1.

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
        """Draw from an int, a RandomState or None, as scikit-learn takes them."""
        entropy = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        words = np.random.SeedSequence(entropy).generate_state(4) >> 1
        return cls(*(int(word) for word in words))
