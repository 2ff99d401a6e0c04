"""Images that tell whether to believe a model: Display classes over matplotlib.

It imports all rooms below the command line; of an estimator it uses public methods alone.
"""

from .augmentation import AugmentationDisplay
from .learning_rate import LearningRateDisplay, find_learning_rate

__all__ = ["AugmentationDisplay", "LearningRateDisplay", "find_learning_rate"]
