"""Pictures that tell whether to believe a model: Display classes over matplotlib."""

from .augmentation import AugmentationDisplay
from .learning_rate import LearningRateDisplay, find_learning_rate

__all__ = ["AugmentationDisplay", "LearningRateDisplay", "find_learning_rate"]
