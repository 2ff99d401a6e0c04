"""What estimators share with scikit-learn: state, labels, callbacks, parameter routing.

It imports `skvision._system` and `skvision.exceptions` alone. No module is imported here:
`scikeras_bridge` loads Keras, the others don't.
"""
