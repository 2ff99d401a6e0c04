"""The classifiers and their shared base."""

from .minivgg import MiniVGGClassifier

__all__ = ["MiniVGGClassifier"]
