"""The only module that imports scikeras, with a list of its parts that skvision replaces.

skvision uses two parts of scikeras 0.13: the routing of ``optimizer__momentum`` to the
optimiser (`route_params`) and the encoding of labels (`ClassifierLabelEncoder`). scikeras gets
no more releases, so no other part of its ``KerasClassifier`` is inherited:

==================  =============================================================
part of scikeras    problem, and replacement
==================  =============================================================
its mixins          stand in the wrong order: since scikit-learn 1.6
                    ``is_classifier`` is False, and cross-validation silently
                    stops being stratified. scikit-learn's own, in its order.
data validation     refuses paths, and float64 after float32.
                    `skvision.images.validate_images`.
seeding             turns op determinism on and never off, so that every later
                    unseeded fit raises. `skvision.training.Seeds`.
the fit loop        accepts arrays only, and compiles again for each fit.
                    `skvision.training.train` with the pool.
class weights       multiply the caller's ``sample_weight`` in place.
                    `sample_weights` makes a new array.
``predict_proba``   squeezes the answer for a single sample to 1-D.
parameters          are all attributes. scikit-learn's own, and the routed
                    ones.
pickling            replaces ``keras.Model.__reduce__`` for the whole process.
                    Put back at import; estimators hold weights as arrays.
==================  =============================================================
"""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight

from .keras_words import unexpected_argument

__all__ = ["KerasClassifierBridge", "class_weights", "sample_weights"]

_PATCHED = (
    (keras.Model, "__reduce__"),
    (keras.Model, "__deepcopy__"),
    (keras.losses.Loss, "__reduce__"),
    (keras.metrics.Metric, "__reduce__"),
    (keras.optimizers.Optimizer, "__reduce__"),
)
_before = [vars(cls).get(name) for cls, name in _PATCHED]

from scikeras._utils import route_params  # noqa: E402
from scikeras.utils.transformers import ClassifierLabelEncoder  # noqa: E402

for (_class, _name), _method in zip(_PATCHED, _before, strict=True):
    if _method is not None:
        setattr(_class, _name, _method)
    elif _name in vars(_class):
        delattr(_class, _name)


class KerasClassifierBridge(ClassifierMixin, BaseEstimator):
    """A scikit-learn classifier with scikeras' parameter routing and label encoding.

    A subclass ends its constructor with ``**optimizer_options`` and
    ``self._store_routed(optimizer_options)``.
    """

    _routing_prefixes = ("optimizer",)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # tools that read the signature treat every name in it as a parameter, even that after **
        signature = inspect.signature(cls.__init__)
        cls.__signature__ = signature.replace(
            parameters=[
                parameter
                for name, parameter in signature.parameters.items()
                if name != "self" and parameter.kind is not parameter.VAR_KEYWORD
            ]
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters, the routed ones included.

        Parameters
        ----------
        deep : bool, default=True
            Whether to list those of nested estimators too.

        Returns
        -------
        dict
            Names and values.
        """
        return {**super().get_params(deep=deep), **self._routed()}

    def set_params(self, **params: Any) -> KerasClassifierBridge:
        """Set parameters, including routed ones such as ``optimizer__momentum``.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self : object
            The estimator.
        """
        own = {name: value for name, value in params.items() if not self._is_routed(name)}
        super().set_params(**own)
        self._store_routed({name: params[name] for name in params.keys() - own.keys()})
        return self

    def _store_routed(self, params: dict[str, Any]) -> None:
        for name, value in params.items():
            if not self._is_routed(name):
                raise unexpected_argument(self, "__init__", name, value)
            setattr(self, name, value)

    @classmethod
    def _is_routed(cls, name: str) -> bool:
        return name.startswith(tuple(f"{prefix}__" for prefix in cls._routing_prefixes))

    def _routed(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if self._is_routed(name)}

    def _routed_to(self, destination: str) -> dict[str, Any]:
        """Return the parameters ``destination__name`` as ``{name: value}``."""
        routed: dict[str, Any] = route_params(
            self._routed(), destination, pass_filter=(), strict=True
        )
        return routed

    def _encode_labels(self, y: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Learn the classes of the labels `known`; return the index of each label in y."""
        # the encoder's transformers would otherwise use the configured output container
        with config_context(transform_output="default"):
            encoder = ClassifierLabelEncoder(loss="sparse_categorical_crossentropy").fit(known)
            indices: np.ndarray = encoder.transform(y).astype(np.int64).ravel()
        self.classes_ = encoder.classes_
        return indices


def sample_weights(
    sample_weight: np.ndarray | None, class_weight: Any, targets: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Multiply sample and class weights into a new array.

    Parameters
    ----------
    sample_weight : ndarray of shape (n,) or None
        The argument of fit; it isn't modified.
    class_weight : dict, "balanced" or None
        As in scikit-learn.
    targets : ndarray of shape (n,), int
        Index in `classes` of each sample's class.
    classes : ndarray of shape (n_classes,)
        All labels; some may have no samples.

    Returns
    -------
    ndarray of shape (n,), float64

    Raises
    ------
    ValueError
        If a class weight is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision._sklearn.scikeras_bridge import sample_weights
    >>> classes = np.array(["cat", "dog"])
    >>> sample_weights(np.array([1.0, 2.0]), {"cat": 3}, np.array([0, 1]), classes)
    array([3., 2.])
    """
    weights = (
        np.ones(len(targets)) if sample_weight is None else np.array(sample_weight, np.float64)
    )
    product: np.ndarray = weights * class_weights(class_weight, targets, classes)[targets]
    return product


def class_weights(class_weight: Any, targets: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the weight of each class.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        As in scikit-learn.
    targets : ndarray of shape (n,), int
        Index in `classes` of each training sample's class.
    classes : ndarray of shape (n_classes,)
        All labels; some may have no samples.

    Returns
    -------
    ndarray of shape (n_classes,), float64

    Raises
    ------
    ValueError
        If a class weight is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision._sklearn.scikeras_bridge import class_weights
    >>> class_weights("balanced", np.array([0, 1, 1, 1]), np.array(["cat", "dog"])).round(2)
    array([2.  , 0.67])
    """
    if class_weight is None:
        return np.ones(len(classes))
    weights: np.ndarray = compute_class_weight(class_weight, classes=classes, y=classes[targets])
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(
            f"class_weight must hold finite numbers of at least 0. Received: {class_weight!r}"
        )
    return weights
