"""Display classes over matplotlib, to judge data, models and augmentation.

The package may import all layers below the command line; it uses only public methods of
estimators. Computing is apart from drawing: `measures`, `predictions`, `selection` and
`projection` work without matplotlib.
"""

from .augmentation import AugmentationDisplay
from .calibration import CalibrationDisplay
from .confusion_matrix import ConfusionDisplay
from .embedding import EmbeddingDisplay
from .explanation import Explanation, explain
from .explanation_display import ExplanationDisplay
from .html_report import report
from .label_issues import find_label_issues
from .learning_rate import LearningRateDisplay, find_learning_rate
from .prediction_grid import PredictionDisplay
from .prediction_table import PredictionTable
from .search_results import SearchDisplay
from .selective import SelectiveDisplay
from .training_history import TrainingHistoryDisplay

__all__ = [
    "AugmentationDisplay",
    "CalibrationDisplay",
    "ConfusionDisplay",
    "EmbeddingDisplay",
    "Explanation",
    "ExplanationDisplay",
    "LearningRateDisplay",
    "PredictionDisplay",
    "PredictionTable",
    "SearchDisplay",
    "SelectiveDisplay",
    "TrainingHistoryDisplay",
    "explain",
    "find_label_issues",
    "find_learning_rate",
    "report",
]
