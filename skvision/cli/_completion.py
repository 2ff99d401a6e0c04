"""Shell completion, without loading TensorFlow."""

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
    """Return the names for ``--set`` and ``--search`` of the chosen model, with an equals sign."""
    model = MODELS[Model(context.params.get("model") or Model.minivgg)]
    return [f"{name}=" for name in model.constructor().types if name.startswith(incomplete)]


def heads(incomplete: str) -> list[str]:
    """Return the words for ``--head``."""
    return _starting(incomplete, MODELS[Model.features].constructor().choices("head"))


def resize_policies(incomplete: str) -> list[str]:
    """Return the words for ``--resize``."""
    return _starting(incomplete, minivgg().choices("resize"))


def activations(incomplete: str) -> list[str]:
    """Return the names of Keras' activations."""
    no_activations = {"deserialize", "get", "serialize", "glu"}
    names = [name for name in _keras_names("activations") if name.islower()]
    return _starting(incomplete, sorted(set(names) - no_activations))


def optimizers(incomplete: str) -> list[str]:
    """Return the names of Keras' optimisers, without base classes and wrappers."""
    names = [name for name in _keras_names("optimizers") if name[0].isupper()]
    return _starting(incomplete, sorted(name for name in names if "Optimizer" not in name))


def _keras_names(package: str) -> list[str]:
    """Return names that ``keras.<package>`` imports, from its text, since importing is slow."""
    keras = importlib.util.find_spec("keras")
    if keras is None or keras.origin is None:
        return []
    source = Path(keras.origin).parent / package / "__init__.py"
    if not source.is_file():
        return []
    return re.findall(r"\w+ as (\w+)", source.read_text(encoding="utf-8"))


def _starting(incomplete: str, words: list[str]) -> list[str]:
    """Return the words that begin with `incomplete`, in upper or lower case."""
    return [
        incomplete + word[len(incomplete) :]  # shells drop words with another beginning
        for word in words
        if word.lower().startswith(incomplete.lower())
    ]
