"""The classifiers and their shared base."""

# first: it says so where Keras can't start
from .. import networks  # noqa: F401  isort: skip
from .finetuned import FineTunedClassifier
from .imagenet import ImageNetClassifier
from .minivgg import MiniVGGClassifier

__all__ = ["FineTunedClassifier", "ImageNetClassifier", "MiniVGGClassifier"]
