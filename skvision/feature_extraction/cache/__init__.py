"""What is kept on disk: features, each computed once, and converted networks beside them.

It imports `skvision._system` alone, and no Keras.
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
