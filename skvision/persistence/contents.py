"""What a file may hold: three tables. A new estimator joins by a line in each that it needs."""

from __future__ import annotations

from functools import cache

from .._sklearn.compat import WRITTEN_TYPES, score_functions

__all__ = ["ESTIMATORS", "RECORDS", "trusted_types"]

_CLASSIFIER = ("_recipe", "_weights", "_state", "_steps", "_versions")

#: skvision's estimators -> the private attributes that belong to their fitted state. Constructor
#: parameters and attributes that end in an underscore are kept without being named; any other
#: private attribute is taken for something that the estimator makes again by itself.
ESTIMATORS: dict[str, tuple[str, ...]] = {
    "skvision.augmentation.augmenter.ImageAugmenter": (),
    "skvision.augmentation.rand_augmenter.RandAugmenter": (),
    "skvision.augmentation.over_sampler.ImageOverSampler": (),
    "skvision.classifiers.imagenet.ImageNetClassifier": (),
    "skvision.classifiers.finetuned.FineTunedClassifier": _CLASSIFIER,
    "skvision.classifiers.minivgg.MiniVGGClassifier": _CLASSIFIER,
    "skvision.feature_extraction.transformer.PretrainedFeatureTransformer": ("_recipe",),
}

#: dataclasses that such attributes and parameters are made of -> their module
RECORDS: dict[str, str] = {
    "FeatureRecipe": "skvision.feature_extraction.recipe",
    "FineTunedArchitecture": "skvision.networks.finetuned_architecture",
    "HeadArchitecture": "skvision.networks.finetuned_architecture",
    "LearningPart": "skvision.networks.finetuned_architecture",
    "MiniVGGArchitecture": "skvision.networks.minivgg_architecture",
    "NetworkRecipe": "skvision.networks.pool",
    "NetworkState": "skvision.networks.pool",
    "OptimizerRecipe": "skvision.networks.optimizers",
    "OwnNetwork": "skvision.networks.own_network",
}

# What skops does not know to be harmless by itself: data, and functions of numbers. Not here,
# for good: decision trees and nearest neighbours' trees (scikit-learn follows their indices
# without looking, out of its memory if need be) and SciPy's distributions (which run text).
_OTHERS = ("imblearn.pipeline.Pipeline", *WRITTEN_TYPES)


@cache
def trusted_types() -> tuple[str, ...]:
    """Full names of all that a file may hold besides what skops trusts by itself.

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
