"""Features that ready-made networks compute, the engines that compute them, their cache.

Nothing is imported here: the cache alone needs no Keras.
"""
