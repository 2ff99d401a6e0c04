"""What the shell offers when the user presses Tab; nothing of TensorFlow is loaded for it."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import typer

from ._constructor import minivgg
from ._trainable import MODELS, Model

__all__ = ["activations", "argument_names", "heads", "optimizers", "resize_policies"]

Completion = Callable[[str], list[str]]


def argument_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names for ``--set`` and ``--search`` of the model asked for, with an equals sign."""
    model = MODELS[Model(context.params.get("model") or Model.minivgg)]
    return [f"{name}=" for name in model.constructor().types if name.startswith(incomplete)]


def heads(incomplete: str) -> list[str]:
    """The words for ``--head``."""
    return _starting(incomplete, MODELS[Model.features].constructor().choices("head"))


def resize_policies(incomplete: str) -> list[str]:
    """The words for ``--resize``."""
    return _starting(incomplete, minivgg().choices("resize"))


def activations(incomplete: str) -> list[str]:
    """Keras' activations."""
    no_activations = {"deserialize", "get", "serialize", "glu"}
    names = [name for name in _keras_names("activations") if name.islower()]
    return _starting(incomplete, sorted(set(names) - no_activations))


def optimizers(incomplete: str) -> list[str]:
    """Keras' optimisers, without the base classes and wrappers."""
    names = [name for name in _keras_names("optimizers") if name[0].isupper()]
    return _starting(incomplete, sorted(name for name in names if "Optimizer" not in name))


def _keras_names(package: str) -> list[str]:
    """Names that ``keras.<package>`` imports, read from its text: importing it takes seconds."""
    keras = importlib.util.find_spec("keras")
    if keras is None or keras.origin is None:
        return []
    source = Path(keras.origin).parent / package / "__init__.py"
    if not source.is_file():
        return []
    return re.findall(r"\w+ as (\w+)", source.read_text(encoding="utf-8"))


def _starting(incomplete: str, words: list[str]) -> list[str]:
    """The words that begin so, whatever the case, as the library matches them."""
    return [
        incomplete + word[len(incomplete) :]  # shells drop what begins otherwise
        for word in words
        if word.lower().startswith(incomplete.lower())
    ]
