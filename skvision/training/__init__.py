"""A training, from its description to its result: `TrainingSpec` and `TrainingData` -> `run`.

The package imports `skvision.networks`, `skvision.augmentation`, `skvision.images` and lower
layers. Higher layers pass the code that turns images into features, as an `Extraction`.
"""

# first, since it hides the messages of Keras' backend
from .. import networks  # noqa: F401  isort: skip
from .augmenting import augment_function
from .averages import SETTLED
from .checkpoint import Checkpoints, TrainingState
from .checkpoint_folder import CheckpointFolder
from .history import joined
from .learning_rate_range import losses_at_rates
from .phases import Extraction, Phase, matched_phase, phases_due, prefixed
from .plan import Plan, named_schedule
from .run import run
from .schedules import SCHEDULES
from .seeding import Seeds
from .spec import Listeners, TrainingData, TrainingResult, TrainingSpec
from .split import split_validation
from .stream import BatchStream, FeatureStream, FeatureTable

__all__ = [
    "SCHEDULES",
    "SETTLED",
    "BatchStream",
    "CheckpointFolder",
    "Checkpoints",
    "Extraction",
    "FeatureStream",
    "FeatureTable",
    "Listeners",
    "Phase",
    "Plan",
    "Seeds",
    "TrainingData",
    "TrainingResult",
    "TrainingSpec",
    "TrainingState",
    "augment_function",
    "joined",
    "losses_at_rates",
    "matched_phase",
    "named_schedule",
    "phases_due",
    "prefixed",
    "run",
    "split_validation",
]
