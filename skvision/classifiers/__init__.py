"""The classifiers and their shared base."""

from .imagenet import ImageNetClassifier
from .minivgg import MiniVGGClassifier

__all__ = ["ImageNetClassifier", "MiniVGGClassifier"]
