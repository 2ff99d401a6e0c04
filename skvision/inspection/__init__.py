"""Pictures that tell whether to believe a model: Display classes over matplotlib."""

from .learning_rate import LearningRateDisplay, find_learning_rate

__all__ = ["LearningRateDisplay", "find_learning_rate"]
