"""The loop around fit: batches, augmentation, seeding, the validation split."""

from .augment import augment_function
from .fit import train
from .seeding import Seeds
from .split import split_validation
from .stream import BatchStream

__all__ = ["BatchStream", "Seeds", "augment_function", "split_validation", "train"]
