"""Display classes over matplotlib, to judge models and augmentation.

The package may import all layers below the command line; it uses only public methods of
estimators.
"""

from .augmentation import AugmentationDisplay
from .explanation import Explanation, explain
from .explanation_display import ExplanationDisplay
from .learning_rate import LearningRateDisplay, find_learning_rate

__all__ = [
    "AugmentationDisplay",
    "Explanation",
    "ExplanationDisplay",
    "LearningRateDisplay",
    "explain",
    "find_learning_rate",
]
