"""Three tables of everything that a file may hold. Add a new estimator to those that it needs."""

from __future__ import annotations

from functools import cache

from .._sklearn.compat import WRITTEN_TYPES, score_functions

__all__ = ["ESTIMATORS", "RECORDS", "trusted_types"]

_CLASSIFIER = ("_recipe", "_weights", "_state", "_steps", "_versions")

#: skvision's estimators and the private attributes of their fitted state. Constructor parameters
#: and attributes that end in an underscore are saved without an entry; an estimator must be able
#: to restore any other private attribute.
ESTIMATORS: dict[str, tuple[str, ...]] = {
    "skvision.augmentation.augmenter.ImageAugmenter": (),
    "skvision.augmentation.rand_augmenter.RandAugmenter": (),
    "skvision.augmentation.over_sampler.ImageOverSampler": (),
    "skvision.classifiers.conformal.ConformalImageClassifier": (),
    "skvision.classifiers.imagenet.ImageNetClassifier": (),
    "skvision.classifiers.finetuned.FineTunedClassifier": _CLASSIFIER,
    "skvision.classifiers.minivgg.MiniVGGClassifier": _CLASSIFIER,
    "skvision.feature_extraction.transformer.PretrainedFeatureTransformer": ("_recipe",),
}

#: dataclasses in these attributes and parameters, and their modules
RECORDS: dict[str, str] = {
    "FeatureRecipe": "skvision.feature_extraction.recipe",
    "FineTunedArchitecture": "skvision.networks.finetuned_architecture",
    "HeadArchitecture": "skvision.networks.finetuned_architecture",
    "LearningPart": "skvision.networks.finetuned_architecture",
    "MiniVGGArchitecture": "skvision.networks.minivgg_architecture",
    "Neighbourhood": "skvision.classifiers.neighbourhood",
    "NetworkRecipe": "skvision.networks.pool",
    "NetworkState": "skvision.networks.pool",
    "OptimizerRecipe": "skvision.networks.optimizers",
    "OwnNetwork": "skvision.networks.own_network",
}

# Harmless types that skops doesn't trust by default: data, and functions of numbers. Don't add
# decision trees and nearest neighbours' trees (scikit-learn doesn't check their indices and may
# read outside its memory) or SciPy's distributions (which execute text).
_OTHERS = ("imblearn.pipeline.Pipeline", *WRITTEN_TYPES)


@cache
def trusted_types() -> tuple[str, ...]:
    """Return the full names of types that a file may hold besides those that skops trusts.

    Examples
    --------
    >>> from skvision.persistence.contents import trusted_types
    >>> "sklearn.model_selection._split.StratifiedKFold" in trusted_types()
    True
    """
    from sklearn import model_selection
    from sklearn.feature_selection import chi2, f_classif, mutual_info_classif
    from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit
    from sklearn.utils import Bunch

    others = {Bunch, chi2, f_classif, mutual_info_classif}
    splitters = {
        value
        for value in vars(model_selection).values()
        if isinstance(value, type) and issubclass(value, BaseCrossValidator | BaseShuffleSplit)
    }
    named = (
        f"{each.__module__}.{each.__name__}" for each in score_functions() | splitters | others
    )
    return (*ESTIMATORS, *_OTHERS, *sorted(named))
