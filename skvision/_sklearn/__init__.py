"""Common parts of all estimators: state, labels, callbacks, parameter routing.

The package imports only `skvision._system` and `skvision.exceptions`. This module imports
nothing, since only `scikeras_bridge` needs Keras.
"""
