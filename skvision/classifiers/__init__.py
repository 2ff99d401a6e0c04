"""The classifiers and their shared base."""

from .finetuned import FineTunedClassifier
from .imagenet import ImageNetClassifier
from .minivgg import MiniVGGClassifier

__all__ = ["FineTunedClassifier", "ImageNetClassifier", "MiniVGGClassifier"]
