"""The loop around fit: batches, augmentation, seeding, schedules, checkpoints."""

from .augment import augment_function
from .checkpoint import Checkpoints, TrainingState
from .fit import Plan, train
from .history import joined
from .range_test import range_test
from .schedules import SCHEDULES
from .seeding import Seeds
from .split import split_validation
from .stream import BatchStream, FeatureStream, FeatureTable

__all__ = [
    "SCHEDULES",
    "BatchStream",
    "Checkpoints",
    "FeatureStream",
    "FeatureTable",
    "Plan",
    "Seeds",
    "TrainingState",
    "augment_function",
    "joined",
    "range_test",
    "split_validation",
    "train",
]
