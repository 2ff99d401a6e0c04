"""An optimiser as the user gives it -> a recipe that can be compared, kept and rebuilt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from .names import OPTIMIZERS, match_name

__all__ = ["OptimizerRecipe", "optimizer_class", "optimizer_recipe"]


@dataclass(frozen=True)
class OptimizerRecipe:
    """What rebuilds an optimiser, but for its learning rate.

    The learning rate is a variable of the compiled network: networks that differ
    only in it are one network, and a grid over learning rates compiles once.
    """

    optimizer_class: type[keras.optimizers.Optimizer]
    config: str  # JSON, so that recipes compare and hash

    def build(self) -> keras.optimizers.Optimizer:
        """Make a new optimiser."""
        return self.optimizer_class.from_config(json.loads(self.config))


def optimizer_class(optimizer: keras.optimizers.Optimizer) -> type[keras.optimizers.Optimizer]:
    """An optimiser's class as Keras names it.

    With PyTorch, ``keras.optimizers.SGD()`` makes an object of a class below that one, which
    other backends know nothing of.

    Examples
    --------
    >>> import keras
    >>> from skvision.networks.optimizers import optimizer_class
    >>> optimizer_class(keras.optimizers.SGD()) is keras.optimizers.SGD
    True
    """
    kind = type(optimizer)
    if not kind.__module__.startswith("keras."):  # a class of the user's own
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
        An instance is taken apart, never used: two fits share no state.
    learning_rate : float, keras.optimizers.schedules.LearningRateSchedule or None
        None for the optimiser's own default.
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
        If there is no such optimiser, or it has no such option.
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
    # NumPy's numbers, as a search draws them, become Python's
    text = json.dumps(config, sort_keys=True, default=lambda number: number.item())
    recipe = OptimizerRecipe(kind, text)
    if rate is None:
        _refuse_what_cannot_be_rebuilt(recipe)
    return recipe, rate


def _refuse_what_cannot_be_rebuilt(recipe: OptimizerRecipe) -> None:
    """Raise ValueError for a schedule whose class Keras can't find by its name."""
    try:
        recipe.build()
    except (TypeError, ValueError) as error:
        raise ValueError(
            "The learning-rate schedule can't be rebuilt from its configuration, as each fit "
            "must. A schedule of your own needs get_config() and the decorator "
            f"@keras.saving.register_keras_serializable(). Keras says: {error}"
        ) from error
