"""What ``skvision train --model`` can make: one table, one row a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ._constructor import Constructor, features, finetuned, minivgg

__all__ = ["MODELS", "Model", "Trainable"]


class Model(StrEnum):
    """The kinds of models, by the names that --model takes."""

    minivgg = "minivgg"
    features = "features"
    finetune = "finetune"


@dataclass(frozen=True)
class Trainable:
    """A row of the table.

    Parameters
    ----------
    about : str
        What it is, in a few words.
    constructor : callable
        Gives the arguments that it takes, without starting TensorFlow.
    make : callable
        Makes the estimator of them.
    defaults : mapping
        Arguments that the command line sets where the user doesn't.
    prefix : str, default=""
        What stands before an argument's name in the estimator's own parameters, unless
        it is one of the last step's.
    """

    about: str
    constructor: Callable[[], Constructor]
    make: Callable[[Mapping[str, Any]], Any]
    defaults: Mapping[str, Any]
    prefix: str = ""

    def path(self, name: str) -> str:
        """Where an argument is among the estimator's parameters."""
        in_head = name == "head" or name.startswith("head__")
        return name if in_head and self.prefix else f"{self.prefix}{name}"

    def candidates(self, name: str, values: Sequence[Any], seed: Any) -> Sequence[Any]:
        """Values of a search as the estimator's parameter takes them."""
        if self.path(name) != "head":
            return values
        from ..feature_extraction.pipeline import make_head

        return [make_head(value, seed) for value in values]


def _minivgg(arguments: Mapping[str, Any]) -> Any:
    from ..classifiers import MiniVGGClassifier

    return MiniVGGClassifier(**arguments)


def _finetuned(arguments: Mapping[str, Any]) -> Any:
    from ..classifiers import FineTunedClassifier

    return FineTunedClassifier(**arguments)


def _features(arguments: Mapping[str, Any]) -> Any:
    from ..feature_extraction.pipeline import make_feature_classifier

    of_head = {name: value for name, value in arguments.items() if name.startswith("head__")}
    others = {name: value for name, value in arguments.items() if name not in of_head}
    return make_feature_classifier(**others).set_params(**of_head)


MODELS: dict[Model, Trainable] = {
    Model.minivgg: Trainable(
        "a small network, trained from scratch",
        minivgg,
        _minivgg,
        {"random_state": 0, "verbose": 1},
    ),
    Model.features: Trainable(
        "a classifier of scikit-learn on the features of a ready-made network",
        features,
        _features,
        {"random_state": 0, "verbose": 1, "cache": True},
        prefix="features__",
    ),
    Model.finetune: Trainable(
        "a ready-made network under a new head, trained in two phases",
        finetuned,
        _finetuned,
        {"random_state": 0, "verbose": 1, "cache": True},
    ),
}
