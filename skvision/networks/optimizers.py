"""Turn the parameter ``optimizer`` into a recipe that can be compared, saved and rebuilt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from .._sklearn.matching import match_name
from .names import OPTIMIZERS

__all__ = ["OptimizerRecipe", "optimizer_class", "optimizer_recipe"]


@dataclass(frozen=True)
class OptimizerRecipe:
    """The class and configuration of an optimiser, without its learning rate.

    The learning rate is a variable of the compiled network. Networks that differ only in
    the learning rate share one recipe, so a grid over learning rates compiles once.
    """

    optimizer_class: type[keras.optimizers.Optimizer]
    config: str  # JSON, so that recipes compare and hash

    def build(self) -> keras.optimizers.Optimizer:
        """Build a new optimiser."""
        return self.optimizer_class.from_config(json.loads(self.config))


def optimizer_class(optimizer: keras.optimizers.Optimizer) -> type[keras.optimizers.Optimizer]:
    """Return an optimiser's public class.

    With PyTorch, ``keras.optimizers.SGD()`` creates an object of a subclass that other
    backends don't have.

    Examples
    --------
    >>> import keras
    >>> from skvision.networks.optimizers import optimizer_class
    >>> optimizer_class(keras.optimizers.SGD()) is keras.optimizers.SGD
    True
    """
    kind = type(optimizer)
    if not kind.__module__.startswith("keras."):  # the user's own class
        return kind
    return next((each for each in kind.__mro__ if each in OPTIMIZERS.values()), kind)


def optimizer_recipe(
    optimizer: str | type[keras.optimizers.Optimizer] | keras.optimizers.Optimizer,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule | None,
    options: Mapping[str, Any],
) -> tuple[OptimizerRecipe, float | None]:
    """Turn the constructor arguments into a recipe and a learning rate.

    Parameters
    ----------
    optimizer : str, keras.optimizers.Optimizer class or instance
        Only the configuration of an instance is used, so two fits never share its state.
    learning_rate : float, keras.optimizers.schedules.LearningRateSchedule or None
        None for the optimiser's default.
    options : mapping
        Further arguments of the optimiser (``momentum``, ``clipnorm``, ...).

    Returns
    -------
    recipe : OptimizerRecipe
    learning_rate : float or None
        None if the optimiser has a learning-rate schedule of its own.

    Raises
    ------
    ValueError
        If the optimiser or one of its options doesn't exist.
    """
    if isinstance(optimizer, keras.optimizers.Optimizer):
        kind, config = optimizer_class(optimizer), optimizer.get_config()
        name = kind.__name__
    else:
        if isinstance(optimizer, type) and issubclass(optimizer, keras.optimizers.Optimizer):
            kind, name = optimizer, optimizer.__name__
        else:
            name = match_name(optimizer, OPTIMIZERS, "optimizer")
            kind = OPTIMIZERS[name]
        config = kind().get_config()
    unknown = sorted(set(options) - set(config))
    if unknown:
        raise ValueError(
            f"Optimizer {name} has no option {unknown[0]!r}. It has: {', '.join(sorted(config))}."
        )
    config = {**config, **options}
    config.pop("name", None)  # Keras counts instances in it: "sgd_3"
    if isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule):
        config["learning_rate"] = keras.optimizers.schedules.serialize(learning_rate)
    elif learning_rate is not None:
        config["learning_rate"] = learning_rate
    if isinstance(config["learning_rate"], Mapping):  # a schedule, serialised by Keras
        rate = None
    else:
        rate = float(config["learning_rate"])
        config["learning_rate"] = 0.0
    # a search may draw NumPy numbers; convert them to Python's
    text = json.dumps(config, sort_keys=True, default=lambda number: number.item())
    recipe = OptimizerRecipe(kind, text)
    if rate is None:
        _refuse_what_cannot_be_rebuilt(recipe)
    return recipe, rate


def _refuse_what_cannot_be_rebuilt(recipe: OptimizerRecipe) -> None:
    """Raise ValueError if Keras can't find the class of a schedule by its name."""
    try:
        recipe.build()
    except (TypeError, ValueError) as error:
        raise ValueError(
            "The learning-rate schedule can't be rebuilt from its configuration, but each fit "
            "must rebuild it. A schedule of your own needs get_config() and the decorator "
            f"@keras.saving.register_keras_serializable(). Error of Keras: {error}"
        ) from error
