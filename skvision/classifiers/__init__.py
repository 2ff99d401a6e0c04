"""The classifiers: validate, describe, run, store.

It imports `skvision.feature_extraction`, `skvision.training` and what lies below them.
"""

# first: it says so where Keras can't start
from .. import networks  # noqa: F401  isort: skip
from .finetuned import FineTunedClassifier
from .imagenet import ImageNetClassifier
from .minivgg import MiniVGGClassifier

__all__ = ["FineTunedClassifier", "ImageNetClassifier", "MiniVGGClassifier"]
