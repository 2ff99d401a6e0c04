"""The loop around fit: batches, augmentation, seeding, schedules, checkpoints."""

from .augmenting import augment_function
from .checkpoint import Checkpoints, TrainingState
from .history import joined
from .learning_rate_range import losses_at_rates
from .loop import Plan, train
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
    "losses_at_rates",
    "split_validation",
    "train",
]
