"""Convert values of parameters and fitted attributes to JSON and arrays, and back.

A value stays unchanged if JSON has its type, else it becomes a dictionary with one entry that
names its type: ``{"tuple": [8, 8]}``. Reading creates only the types in these tables.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit

from ..exceptions import UnsupportedModelError, first_line
from .contents import RECORDS
from .keras_objects import check_keras_config, keras_config, keras_object

__all__ = ["PlainReader", "PlainWriter"]

_JSON_TYPES = (type(None), bool, int, float, str)
_OF_SKOPS = (
    BaseEstimator,
    BaseCrossValidator,
    BaseShuffleSplit,
    np.random.RandomState,
    np.random.Generator,
)


class PlainWriter:
    """Converts values to JSON; collects arrays and objects in `arrays` and `objects`.

    Examples
    --------
    >>> from skvision.persistence.plain import PlainReader, PlainWriter
    >>> writer = PlainWriter()
    >>> writer.plain((8, None), "image_size")
    {'tuple': [8, None]}
    >>> PlainReader(writer.arrays, writer.objects).value({"tuple": [8, None]})
    (8, None)
    """

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        #: objects that skops converts: estimators, random states and splitters of scikit-learn
        self.objects: list[Any] = []
        # networks, so that one that occurs twice is written once
        self._networks: list[tuple[Any, dict[str, Any]]] = []

    def plain(self, value: Any, where: str) -> Any:
        """Return the value as JSON; `where` names it in errors."""
        kind = type(value)
        if kind in _JSON_TYPES:
            return value
        if kind is list:
            return [self.plain(each, where) for each in value]
        if isinstance(value, tuple):
            return {"tuple": [self.plain(each, where) for each in value]}
        if kind is dict:
            pairs = value.items()
            return {"dict": [[self.plain(k, where), self.plain(v, where)] for k, v in pairs]}
        if isinstance(value, np.ndarray) and value.dtype == object:
            items = [self.plain(each, where) for each in value.ravel().tolist()]
            return {"objects": [list(value.shape), items]}
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind != "V":
            self.arrays.append(np.asarray(value))
            return {"scalar" if isinstance(value, np.generic) else "array": len(self.arrays) - 1}
        if isinstance(value, PurePath):
            return {"path": str(value)}
        if isinstance(value, _OF_SKOPS):
            self.objects.append(value)
            return {"object": len(self.objects) - 1}
        if RECORDS.get(kind.__name__) == kind.__module__:
            try:
                _check(value)
            except ValueError as error:
                raise _unsupported(value, where, f": {first_line(error)}") from error
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            plain = {name: self.plain(each, where) for name, each in fields.items()}
            return {"record": [kind.__name__, plain]}
        return self._keras(value, where)

    def _keras(self, value: Any, where: str) -> Any:
        import keras

        from ..networks import OPTIMIZERS

        try:
            if value in OPTIMIZERS.values():
                return {"optimizer": value.__name__}
            if isinstance(value, keras.Model):
                return self._network(value, where)
            if isinstance(value, _described_by_keras()):
                return {"keras": keras_config(value)}
        except Exception as error:  # Keras can't describe the object
            raise _unsupported(value, where, f": {first_line(error)}") from error
        raise _unsupported(value, where, "")

    def _network(self, network: Any, where: str) -> Any:
        for known, plain in self._networks:
            if known is network:
                return plain
        weights = self.plain(network.get_weights(), where)
        plain = {"network": [keras_config(network), weights]}
        self._networks.append((network, plain))
        return plain


def _unsupported(value: Any, where: str, reason: str) -> UnsupportedModelError:
    what = value.__name__ if isinstance(value, type) else type(value).__name__
    name = where.rpartition(".")[2]
    return UnsupportedModelError(
        f"{where} holds a {what}, which a safe file can't hold{reason}. Remove it "
        f"(set_params({name}=None), if it is needed for training only), or save the model by "
        "joblib.dump for your own use."
    )


def _described_by_keras() -> tuple[type, ...]:
    import keras

    return (
        keras.layers.Layer,
        keras.optimizers.Optimizer,
        keras.optimizers.schedules.LearningRateSchedule,
    )


class PlainReader:
    """Converts JSON back to values, the inverse of `PlainWriter`.

    Parameters
    ----------
    arrays, objects : sequence
        The objects that the writer collected.
    """

    def __init__(self, arrays: Sequence[np.ndarray], objects: Sequence[Any]) -> None:
        self._arrays = arrays
        self._objects = objects
        self._networks: dict[str, Any] = {}

    def value(self, plain: Any) -> Any:
        """Return the value of a JSON form; raise ValueError if its type is unknown."""
        if isinstance(plain, list):
            return [self.value(each) for each in plain]
        if not isinstance(plain, dict):
            return plain
        readers: dict[str, Callable[[Any], Any]] = {
            "tuple": lambda items: tuple(self.value(items)),
            "dict": lambda pairs: {self.value(k): self.value(v) for k, v in pairs},
            "objects": self._object_array,
            "array": lambda index: self._arrays[index],
            "scalar": lambda index: self._arrays[index][()],
            "path": Path,
            "object": lambda index: self._objects[index],
            "record": self._record,
            "optimizer": self._optimizer,
            "keras": keras_object,
            "network": self._network,
        }
        ((kind, content),) = plain.items()
        if kind not in readers:
            raise ValueError(f"it holds a value of the unknown kind {kind!r}")
        return readers[kind](content)

    def _object_array(self, content: Any) -> np.ndarray:
        shape, items = content
        array = np.empty(len(items), object)
        array[:] = self.value(items)
        return array.reshape(shape)

    def _record(self, content: Any) -> Any:
        name, fields = content
        if name not in RECORDS:
            raise ValueError(f"it holds the unknown record {name!r}")
        values = {field: self.value(plain) for field, plain in fields.items()}
        if name in _UPDATES:
            values = _UPDATES[name](values)
        record = getattr(importlib.import_module(RECORDS[name]), name)(**values)
        _check(record)
        return record

    def _optimizer(self, name: str) -> Any:
        from ..networks import OPTIMIZERS

        return OPTIMIZERS[name]

    def _network(self, content: Any) -> Any:
        key = json.dumps(content)
        if key not in self._networks:
            config, weights = content
            network = keras_object(config)
            network.set_weights(self.value(weights))
            self._networks[key] = network
        return self._networks[key]


def _check_optimizer(recipe: Any) -> None:
    check_keras_config(json.loads(recipe.config))


def _check_body(architecture: Any) -> None:
    if architecture.config:
        check_keras_config(json.loads(architecture.config))


def _check_own_network(own: Any) -> None:
    if own.classes:
        raise ValueError(f"a layer {sorted(own.classes)[0]} is code, or holds code")
    check_keras_config(json.loads(own.config))


def _check_features(recipe: Any) -> None:
    if recipe.own is None and recipe.weights not in ("imagenet", None):
        raise ValueError("it names a weights file instead of holding weights")


# checks of records whose texts have an effect later
_CHECKS: dict[str, Callable[[Any], None]] = {
    "FeatureRecipe": _check_features,
    "FineTunedArchitecture": _check_body,
    "OptimizerRecipe": _check_optimizer,
    "OwnNetwork": _check_own_network,
}


def _check(record: Any) -> None:
    """Raise ValueError for a record that must not be used."""
    check = _CHECKS.get(type(record).__name__)
    if check is not None:
        check(record)


def _with_own_network(values: dict[str, Any]) -> dict[str, Any]:
    """Convert the user's own network of format 1, which holds it as a network."""
    from ..networks import OwnNetwork

    own = values["own"]
    return (
        values
        if own is None or isinstance(own, OwnNetwork)
        else values | {"own": OwnNetwork.of(own)}
    )


# conversions of records that earlier formats wrote with other fields
_UPDATES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "FeatureRecipe": _with_own_network,
}
