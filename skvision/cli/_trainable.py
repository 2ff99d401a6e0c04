"""The models of ``skvision train --model``: a table with one row per model."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from .._sklearn.sizes import as_image_size
from ..backbone_table import BACKBONES, backbone_name
from ._constructor import Constructor, features, finetuned, minivgg

if TYPE_CHECKING:
    from .._sklearn.network_estimator import ReadAs

__all__ = ["MODELS", "Model", "Trainable"]


class Model(StrEnum):
    """The kinds of models, by the names that --model accepts."""

    minivgg = "minivgg"
    features = "features"
    finetune = "finetune"


@dataclass(frozen=True)
class Trainable:
    """A row of the table.

    Parameters
    ----------
    about : str
        A short description.
    constructor : callable
        Returns its arguments, without starting TensorFlow.
    make : callable
        Makes the estimator from arguments.
    defaults : mapping
        Arguments that the command line sets by default.
    prefix : str, default=""
        Prefix of an argument's name in the parameters of the estimator, unless it belongs to
        the last step.
    """

    about: str
    constructor: Callable[[], Constructor]
    make: Callable[[Mapping[str, Any]], Any]
    defaults: Mapping[str, Any]
    prefix: str = ""

    def path(self, name: str) -> str:
        """Return the name of an argument among the parameters of the estimator."""
        in_head = name == "head" or name.startswith("head__")
        return name if in_head and self.prefix else f"{self.prefix}{name}"

    def reads_as(self, arguments: Mapping[str, Any]) -> ReadAs | None:
        """Return how the estimator of these arguments will read images, without TensorFlow.

        It is only for decoding the images early. The estimator decides, and checks its arguments.

        Returns
        -------
        ReadAs or None
            None if only the estimator knows, since its backbone is a file or a size is wrong.
        """
        from .._sklearn.network_estimator import ReadAs

        defaults = self.constructor().defaults
        said = {name: ast.literal_eval(defaults[name]) for name in _READING if name in defaults}
        said.update((name, arguments[name]) for name in said if name in arguments)
        size = said["image_size"]
        is_keyed = any(said.get(name) not in (None, False) for name in ("cache", "checkpoint_dir"))
        try:
            if size is None:
                size = BACKBONES[backbone_name(said["backbone"])].size
            return ReadAs(as_image_size(size), said["resize"], said["value_range"], is_keyed)
        except ValueError:
            return None

    def candidates(self, name: str, values: Sequence[Any], seed: Any) -> Sequence[Any]:
        """Return the values of a search in the form of the estimator's parameter."""
        if self.path(name) != "head":
            return values
        from ..feature_extraction.pipeline import make_head

        return [make_head(value, seed) for value in values]


#: the arguments that say how images are read
_READING = ("backbone", "image_size", "resize", "value_range", "cache", "checkpoint_dir")


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
        "a classifier of scikit-learn on the features of a pretrained network",
        features,
        _features,
        {"random_state": 0, "verbose": 1, "cache": True},
        prefix="features__",
    ),
    Model.finetune: Trainable(
        "a pretrained network under a new head, trained in two phases",
        finetuned,
        _finetuned,
        {"random_state": 0, "verbose": 1, "cache": True},
    ),
}
