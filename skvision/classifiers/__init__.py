"""The classifiers.

The package imports `skvision.feature_extraction`, `skvision.training` and lower layers.
"""

# first, since it raises a clear error if Keras can't start
from .. import networks  # noqa: F401  isort: skip
from .conformal import ConformalImageClassifier
from .finetuned import FineTunedClassifier
from .imagenet import ImageNetClassifier
from .minivgg import MiniVGGClassifier

__all__ = [
    "ConformalImageClassifier",
    "FineTunedClassifier",
    "ImageNetClassifier",
    "MiniVGGClassifier",
]
