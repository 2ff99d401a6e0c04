"""scikit-learn's whole suite."""

from __future__ import annotations

import keras
import pytest
from keras import layers
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvision import FineTunedClassifier, MiniVGGClassifier

# scikit-learn excuses its own networks and linear models trained by stochastic gradient
# descent from this one (SGDClassifier, Perceptron): a sample twice in an epoch is two
# steps, a sample of weight 2 one.
SAMPLE_WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "sample_weight is not equivalent to repeating samples in SGD"
    )
}
EXCUSED = {
    MiniVGGClassifier: SAMPLE_WEIGHTS,
    FineTunedClassifier: {
        **SAMPLE_WEIGHTS,
        "check_estimators_overwrite_params": (
            "joblib.hash of a Keras model differs from call to call, whatever is done to it"
        ),
    },
}


def body():
    """Four layers over a row of eight numbers."""
    drawn = keras.initializers.HeNormal
    return keras.Sequential(
        [
            keras.Input((1, 8, 1)),
            layers.Conv2D(
                8, (1, 3), padding="same", kernel_initializer=keras.initializers.HeNormal(1)
            ),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(32, "relu", kernel_initializer=drawn(2)),
        ],
        name="row",
    )


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
        ),
        FineTunedClassifier(
            body(),
            dense_units=(32,),
            dense_dropout=0,
            warmup_epochs=6,
            warmup_learning_rate=0.01,
            fine_tune_epochs=6,
            fine_tune_learning_rate=0.01,
            batch_size=16,
            engine="keras",
            row_shape=(1, -1),
            value_range=None,
            random_state=0,
        ),
    ],
    expected_failed_checks=lambda estimator: EXCUSED[type(estimator)],
)
def test_estimator_check(estimator, check):
    assert check(estimator) is None
