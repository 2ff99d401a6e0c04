"""Ways to feed keras.Model.fit, on the same array and network."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from _common import pictures, report, turns

from skvision import MiniVGGClassifier

N, EPOCHS, ROUNDS, BATCH = 960, 2, 4, 32
X, y = pictures(N)


def generator():
    rng = np.random.default_rng(0)
    for _ in range(EPOCHS):
        order = rng.permutation(N)
        for start in range(0, N, BATCH):
            chosen = order[start : start + BATCH]
            yield X[chosen], y[chosen]


class Dataset(keras.utils.PyDataset):
    def __len__(self):
        return N // BATCH

    def __getitem__(self, index):
        chosen = np.arange(index * BATCH, (index + 1) * BATCH)
        return X[chosen], y[chosen]


def main() -> None:
    network = MiniVGGClassifier(epochs=1, random_state=0).fit(X, y).model_
    network.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])

    def fit(data, **how):
        network.fit(data, epochs=EPOCHS, verbose=0, shuffle=False, **how)

    dataset = tf.data.Dataset.from_tensor_slices((X, y)).shuffle(N).batch(BATCH).prefetch(2)
    taken = turns(
        {
            "array": lambda: network.fit(X, y, batch_size=BATCH, epochs=EPOCHS, verbose=0),
            "generator": lambda: fit(generator(), steps_per_epoch=N // BATCH),
            "PyDataset": lambda: fit(Dataset()),
            "tf.data": lambda: fit(dataset),
        },
        ROUNDS,
    )
    for name in ("generator", "PyDataset", "tf.data"):
        ratios = np.array(taken[name]) / np.array(taken["array"])
        fastest = min(taken[name]) / min(taken["array"])
        report(f"feed: {name} over array", f"{np.median(ratios):.3f} (fastest {fastest:.3f})")


if __name__ == "__main__":
    main()
