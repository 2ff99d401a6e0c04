"""Display classes over matplotlib, to judge models and augmentation.

The package may import all layers below the command line; it uses only public methods of
estimators.
"""

from .augmentation import AugmentationDisplay
from .learning_rate import LearningRateDisplay, find_learning_rate

__all__ = ["AugmentationDisplay", "LearningRateDisplay", "find_learning_rate"]
