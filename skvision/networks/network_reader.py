"""Networks in files, read without running code from them."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import keras

from .._system.forks import backend_runs
from ..exceptions import first_line

__all__ = ["HDF5_SUFFIXES", "NETWORK_SUFFIXES", "read_network", "refuse_code", "with_known_suffix"]

HDF5_SUFFIXES = (".h5", ".hdf5")
NETWORK_SUFFIXES = (*HDF5_SUFFIXES, ".keras")


def with_known_suffix(path: Any) -> Path:
    """Return the path if it ends as a network's file does, else raise ValueError."""
    named = Path(path)
    if named.suffix.lower() not in NETWORK_SUFFIXES:
        raise ValueError(
            f"A network's file ends in {', '.join(NETWORK_SUFFIXES)}. Received: {named.name!r}"
        )
    return named


def read_network(path: Any) -> keras.Model:
    """Read a network; `skvision.load_network` lists the exceptions."""
    path = with_known_suffix(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no network file {path}.")
    backend_runs()
    try:
        if refuse_code(path) is None:
            raise ValueError("it holds only weights, without a network")
        return _loaded(path)
    except Exception as error:  # a damaged file raises anything
        raise ValueError(
            f"{path} is damaged, holds code, or isn't a network file of Keras: {first_line(error)}"
        ) from error


def _loaded(path: Path) -> keras.Model:
    try:
        return keras.models.load_model(path, safe_mode=True)
    except Exception as error:
        network = keras.models.load_model(path, safe_mode=True, compile=False)
        # from HDF5, Keras 3.15 can't read a loss that compile received as "mse"
        warnings.warn(
            f"{path} holds a network, but its compile settings can't be read: "
            f"{first_line(error)}. It can predict; call its compile() before you train it further."
        )
        return network


def refuse_code(path: Path) -> Any:
    """Refuse Lambda layers in the file's own description, independent of Keras' version.

    Returns the description; None if the file holds only weights.
    """
    if path.suffix.lower() in HDF5_SUFFIXES:
        import h5py

        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
    else:
        with zipfile.ZipFile(path) as archive:
            text = archive.read("config.json")
    if text is None:
        return None
    config = json.loads(text)
    if _mentions_lambda(config):
        raise ValueError("a Lambda layer in it holds code")
    return config


def _mentions_lambda(config: Any) -> bool:
    if isinstance(config, dict):
        return config.get("class_name") in ("Lambda", "__lambda__") or any(
            _mentions_lambda(value) for value in config.values()
        )
    return isinstance(config, list) and any(_mentions_lambda(value) for value in config)
