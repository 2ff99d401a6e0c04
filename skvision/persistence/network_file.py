"""Save and load networks alone, as HDF5 or in Keras' own format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .._sklearn.network_estimator import NetworkEstimator
from .._system.atomic import written_whole

__all__ = ["load_network", "network_of", "network_summary", "save_network"]


def save_network(estimator: Any, path: str | os.PathLike[str]) -> Path:
    """Write the network of a classifier to a file that Keras can read.

    The file holds only the network. Its input is 8-bit RGB images (n, height, width, 3) of its
    own size, which it scales itself. Its output is probabilities in the order of ``classes_``,
    or of ImageNet's classes in Keras' order, which is that of their WordNet ids. The file lacks
    class names, parameters, and the averaging over ``predict_crops`` and
    ``predict_mirrored``: to save a classifier, use `skvision.save`.

    Parameters
    ----------
    estimator : classifier, Pipeline or search that ends in one, or keras.Model
        The network's owner, or your own model; a compiled model is saved with its optimiser
        (whose state Keras can read from ``.keras`` files only). The function saves a clone,
        so saving in one format doesn't affect the next.
    path : str or path-like
        ``NAME.hdf5``, ``NAME.h5`` or ``NAME.keras``. An existing file is replaced only once
        the new one is complete.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    ValueError
        If the file has another ending, or `estimator` has no network.
    NotFittedError
        If it has not been fitted.
    OSError
        If the file can't be written.

    References
    ----------
    The course's chapter on pretrained networks: save as HDF5, load later, print the summary.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn.datasets import load_digits
    >>> from skvision import MiniVGGClassifier, load_network, save_network
    >>> digits = load_digits(n_class=3)
    >>> net = MiniVGGClassifier(image_size=8, filters=(8,), epochs=1)
    >>> net = net.fit(digits.images / 16, digits.target)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_network(net, pathlib.Path(folder) / "digits.hdf5")
    ...     network = load_network(path)
    >>> network.input_shape, network.output_shape
    ((None, 8, 8, 3), (None, 3))
    """
    from ..networks.network_reader import with_known_suffix

    path = with_known_suffix(path)
    clone = _clone(network_of(estimator))
    with written_whole(path) as temporary:
        clone.save(temporary, overwrite=True)
    return path


def load_network(path: str | os.PathLike[str]) -> Any:
    """Read a network from a file of `save_network` or Keras.

    Parameters
    ----------
    path : str or path-like
        A ``.hdf5``, ``.h5`` or ``.keras`` file.

    Returns
    -------
    keras.Model
        The network; ``network.summary()`` prints its layers.

    Raises
    ------
    FileNotFoundError
        If the file doesn't exist.
    ValueError
        If the file is damaged, or holds code (a Lambda layer), which Keras' ``safe_mode``
        refuses.

    Warns
    -----
    UserWarning
        If the network can be read, but not its compile settings.

    Examples
    --------
    See `save_network`.
    """
    from ..networks.network_reader import read_network

    return read_network(path)


def network_summary(network: Any) -> str:
    """Return the table of layers that ``keras.Model.summary`` prints.

    Parameters
    ----------
    network : classifier, Pipeline or search that ends in one, or keras.Model
        The network whose layers to list.

    Returns
    -------
    str
        One row per layer: name, type, output shape, number of parameters.

    Examples
    --------
    >>> import keras
    >>> from skvision import network_summary
    >>> network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="out")])
    >>> "out (Dense)" in network_summary(network)
    True
    """
    lines: list[str] = []
    network_of(network).summary(print_fn=lambda line, **_: lines.append(line), line_length=80)
    return "\n".join(lines)


def network_of(estimator: Any) -> Any:
    """Return the Keras model of a classifier, a Pipeline or a search, or a model itself."""
    import keras

    found = estimator
    while not isinstance(found, keras.Model):
        if hasattr(found, "best_estimator_"):
            found = found.best_estimator_
        elif hasattr(found, "steps"):
            found = found.steps[-1][1]
        else:
            break
    if isinstance(found, NetworkEstimator):
        return found.build_network()
    if not isinstance(found, keras.Model):
        raise ValueError(
            "Expected a fitted classifier of skvision, a Pipeline or search that ends in one, or "
            f"a keras.Model. Received: {type(estimator).__name__}"
        )
    return found


def _clone(network: Any) -> Any:
    """Return a clone, since Keras modifies the objects that it saves.

    After ``model.save("x.h5")``, a ``.keras`` file of the same object loads with the wrong
    optimiser (Keras 3.15).
    """
    import keras

    clone = keras.models.clone_model(network)
    clone.set_weights(network.get_weights())
    if network.compiled:
        clone.compile_from_config(network.get_compile_config())
        clone.optimizer.build(clone.trainable_variables)
        for variable, value in zip(
            clone.optimizer.variables, network.optimizer.variables, strict=False
        ):
            variable.assign(value)
    return clone
