"""Networks alone to files and back: HDF5 or Keras' own format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .._sklearn.network_estimator import NetworkEstimator
from .._system.atomic import written_whole

__all__ = ["load_network", "network_of", "network_summary", "save_network"]


def save_network(estimator: Any, path: str | os.PathLike[str]) -> Path:
    """Write the network of a classifier to a file that Keras reads.

    The network is all that is written: it takes 8-bit RGB images (n, height,
    width, 3) of its own size, scales them by itself, and returns probabilities in
    the order of ``classes_``, or of ImageNet's classes in Keras' order, that of their
    WordNet ids. Class names and parameters stay behind, and with them
    the mean over ``predict_crops`` and ``predict_mirrored``: to keep a classifier, use
    `skvision.save`.

    Parameters
    ----------
    estimator : classifier, Pipeline or search that ends in one, or keras.Model
        What to write; a compiled model of your own with its optimiser (whose state
        Keras reads back from ``.keras`` files only). What is written is always a
        clone, so saving in one format has no effect on the next.
    path : str or path-like
        ``NAME.hdf5``, ``NAME.h5`` or ``NAME.keras``. A file that is there is
        replaced, by a whole file or not at all.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    ValueError
        If the file's ending is none of these, or there is no network in
        `estimator`.
    NotFittedError
        If it has not been fitted.
    OSError
        If the file can't be written.

    References
    ----------
    The lecture's chapter on ready-made networks: save as HDF5, load later, print
    the summary.

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
    """Read a network that `save_network` or Keras wrote.

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
        If there is no such file.
    ValueError
        If the file is damaged, or holds code (a Lambda layer), which is refused by
        Keras' ``safe_mode``.

    Warns
    -----
    UserWarning
        If the network can be read, but not how it was compiled.

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
        Whose layers to list.

    Returns
    -------
    str
        One row a layer: name, type, output shape, number of parameters.

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
    """The Keras model in a classifier, a Pipeline, a search, or the model itself."""
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
    """The network once more: Keras writes into the very objects that it saves.

    After ``model.save("x.h5")`` a ``.keras`` file of the same object comes back with
    the wrong optimiser (Keras 3.15).
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
