"""Features of networks: the transformer, the engines that compute them, the cache.

The package imports `skvision.persistence`, `skvision.training`, `skvision.networks` and lower
layers. This module imports nothing, since the cache alone needs no Keras.
"""
