"""scikit-learn's whole suite."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvision import MiniVGGClassifier

# scikit-learn excuses its own networks and linear models trained by stochastic gradient
# descent from this one (SGDClassifier, Perceptron): a sample twice in an epoch is two
# steps, a sample of weight 2 one.
EXCUSED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "sample_weight is not equivalent to repeating samples in SGD"
    )
}


@pytest.mark.slow
@parametrize_with_checks(
    [
        MiniVGGClassifier(
            image_size=(4, 4),
            filters=(8,),
            convs_per_block=1,
            dense_units=(32,),
            conv_dropout=0,
            dense_dropout=0,
            optimizer="adam",
            learning_rate=0.01,
            epochs=12,
            batch_size=16,
            row_shape=(1, -1),
            value_range=None,
            random_state=0,
        )
    ],
    expected_failed_checks=lambda estimator: EXCUSED,
)
def test_estimator_check(estimator, check):
    assert check(estimator) is None
