"""Features that networks compute: the transformer, the engines that compute, the cache that keeps.

It imports `skvision.persistence`, `skvision.training`, `skvision.networks` and what lies below
them. Nothing is imported here: the cache alone needs no Keras.
"""
