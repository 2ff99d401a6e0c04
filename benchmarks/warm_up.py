"""The warm-up of a head against training it through the frozen network with plain Keras."""

from __future__ import annotations

import keras
from _common import pictures, report, seconds

from skvision import FineTunedClassifier
from skvision.networks.backbones import build_backbone

N, EPOCHS = 96, 10


def main() -> None:
    X, y = pictures(N, size=224)
    net = FineTunedClassifier(warmup_epochs=EPOCHS, unfreeze="none", random_state=0)
    net.fit(X[:32], y[:32])  # the first builds networks
    ours = seconds(lambda: net.fit(X, y))

    body = build_backbone("EfficientNetLite0")
    body.trainable = False
    plain = keras.Sequential(
        [
            body,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(256, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    plain.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    plain.fit(X[:32], y[:32], verbose=0)
    theirs = seconds(lambda: plain.fit(X, y, epochs=EPOCHS, verbose=0))
    report(
        f"warm-up without augmentation, {N} images, {EPOCHS} epochs, over plain Keras",
        f"{theirs / ours:.1f} times as fast ({ours:.1f} s, Keras {theirs:.1f} s)",
        ">= 10",
    )


if __name__ == "__main__":
    main()
