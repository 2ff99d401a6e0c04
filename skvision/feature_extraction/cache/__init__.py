"""Features on disk, each computed once: what is kept, the SQL behind it, where it lies.

It imports `skvision._system` alone, and no Keras.
"""

from .cache import CacheInfo, FeatureCache
from .store import FeatureCacheWarning

__all__ = ["CacheInfo", "FeatureCache", "FeatureCacheWarning"]
