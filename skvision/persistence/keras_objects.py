"""Keras objects as configurations: only Keras' own classes, and none that holds code.

Keras looks up a class by the module and the name in a configuration, and `safe_mode` has been
bypassed more than once. So each configuration is first checked against a table, when it is
written and when it is read.
"""

from __future__ import annotations

from typing import Any

__all__ = ["check_keras_config", "keras_config", "keras_object"]

# modules of the classes that a configuration may name
_MODULES = (
    "keras",
    "keras.constraints",
    "keras.dtype_policies",
    "keras.initializers",
    "keras.layers",
    "keras.losses",
    "keras.models",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.quantizers",
    "keras.regularizers",
)
_FUNCTIONS = ("keras.activations", "keras.ops", "keras.losses")

# values, not classes
_VALUES = {"__keras_tensor__", "__numpy__", "__tensor__", "__ellipsis__", "__bytes__", "__slice__"}

# classes that hold code, or read files and modules by name
_REFUSED = {
    "FlaxLayer": "code",
    "HashedCrossing": "text processing",
    "IntegerLookup": "file names",
    "JaxLayer": "code",
    "Lambda": "code",
    "StringLookup": "file names",
    "TFSMLayer": "code",
    "TextVectorization": "file names",
    "TorchModuleWrapper": "code",
}


def keras_config(value: Any) -> dict[str, Any]:
    """Return the configuration of a layer, an optimiser, a schedule or a network.

    Raises
    ------
    ValueError
        If it can't be saved: a class of the user's own, or one that holds code.

    Examples
    --------
    >>> import keras
    >>> from skvision.persistence.keras_objects import keras_config
    >>> keras_config(keras.layers.RandomFlip("horizontal"))["class_name"]
    'RandomFlip'
    """
    from keras import saving

    from ..networks.keras_compat import for_any_backend

    config: dict[str, Any] = for_any_backend(saving.serialize_keras_object(value))
    # the training settings don't affect the outputs of a network
    config.pop("compile_config", None)
    check_keras_config(config)
    return config


def keras_object(config: dict[str, Any]) -> Any:
    """Check that a configuration is harmless, and make the object that it describes."""
    check_keras_config(config)
    from keras import saving

    return saving.deserialize_keras_object(config, safe_mode=True)


def check_keras_config(config: Any) -> None:
    """Raise ValueError if a configuration names other classes than Keras' harmless ones.

    Examples
    --------
    >>> from skvision.persistence.keras_objects import check_keras_config
    >>> check_keras_config({"module": "os", "class_name": "function", "config": "system"})
    Traceback (most recent call last):
        ...
    ValueError: os.function isn't one of Keras' own classes
    """
    if isinstance(config, list | tuple):
        for each in config:
            check_keras_config(each)
        return
    if not isinstance(config, dict):
        return
    if "class_name" in config:
        _check_class(config)
    for each in config.values():
        check_keras_config(each)


def _check_class(config: dict[str, Any]) -> None:
    name, module = config["class_name"], config.get("module")
    full_name = f"{module}.{name}"
    if isinstance(name, str) and name in _VALUES:
        return
    if not (isinstance(name, str) and isinstance(module, str)):
        raise ValueError(f"{full_name} isn't a class")
    if name in _REFUSED:
        raise ValueError(f"a layer {name} holds {_REFUSED[name]}")
    if name == "function":
        function = config.get("config")
        if module not in _FUNCTIONS or not isinstance(function, str) or not function.isidentifier():
            raise ValueError(f"{full_name} isn't one of Keras' own classes")
        return
    from ..networks.keras_compat import FUNCTIONAL_MODULE, OPERATION_MODULES

    known = module in (*_MODULES, FUNCTIONAL_MODULE) or module.startswith(OPERATION_MODULES)
    # only Functional and the operations are registered, by their plain names
    if not known or config.get("registered_name") not in (None, name):
        raise ValueError(f"{full_name} isn't one of Keras' own classes")
