"""The cache on disk: features, each computed once, and converted networks.

The package imports only `skvision._system`, and no Keras.
"""

from .cache import Batches, CacheInfo, FeatureCache
from .kept_networks import KeptNetwork, kept_networks
from .store import FeatureCacheWarning

__all__ = [
    "Batches",
    "CacheInfo",
    "FeatureCache",
    "FeatureCacheWarning",
    "KeptNetwork",
    "kept_networks",
]
