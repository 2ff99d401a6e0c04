"""skvision: image classification for users of scikit-learn.

Names are loaded at their first use: ``import skvision`` alone loads neither Keras nor
TensorFlow, so it is fast.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "AugmentationDisplay": "inspection",
    "AugmentedImage": "augmentation",
    "CalibrationDisplay": "inspection",
    "CheckpointWarning": "exceptions",
    "ConfusionDisplay": "inspection",
    "EmbeddingDisplay": "inspection",
    "Explanation": "inspection",
    "ExplanationDisplay": "inspection",
    "ConformalImageClassifier": "classifiers",
    "FeatureEngineWarning": "exceptions",
    "FineTunedClassifier": "classifiers",
    "ImageAugmenter": "augmentation",
    "ImageCheck": "inspection.check",
    "ImageDecodeError": "exceptions",
    "ImageNetClassifier": "classifiers",
    "ImageOverSampler": "augmentation",
    "LearningRateDisplay": "inspection",
    "MiniVGGClassifier": "classifiers",
    "ModelVersionWarning": "exceptions",
    "PixelRangeWarning": "exceptions",
    "PredictionDisplay": "inspection",
    "PredictionTable": "inspection",
    "PretrainedFeatureTransformer": "feature_extraction.transformer",
    "RandAugmenter": "augmentation",
    "SearchDisplay": "inspection",
    "SelectiveDisplay": "inspection",
    "SkippedImageWarning": "exceptions",
    "TrainingDivergedError": "exceptions",
    "TrainingHistoryDisplay": "inspection",
    "TrainingInterruptedWarning": "exceptions",
    "UnsupportedModelError": "exceptions",
    "augment_folder": "augmentation",
    "explain": "inspection",
    "check_images": "inspection.check",
    "export_digits": "datasets",
    "export_model": "persistence",
    "find_label_issues": "inspection",
    "find_learning_rate": "inspection",
    "make_feature_classifier": "feature_extraction.pipeline",
    "load": "persistence",
    "load_image_folder": "datasets",
    "load_image_table": "datasets",
    "load_network": "persistence",
    "network_summary": "persistence",
    "report": "inspection",
    "save": "persistence",
    "save_network": "persistence",
}

__all__ = [*_WHERE, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'skvision' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
