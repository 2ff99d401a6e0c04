"""
Fine-tuning: a network learns new classes
=========================================

Transfer learning, method 2. A small network learns the digits 0 to 4. With a new head it then
learns the digits 5 to 9 from few images of each. To fine-tune the bundled network, which is
trained on photos, leave `backbone` out.
"""

from tempfile import TemporaryDirectory

import numpy as np
from sklearn.model_selection import train_test_split

from skvision import FineTunedClassifier, MiniVGGClassifier, export_digits, load_image_folder

# %%
# The handwritten digits as PNG files. The first five are for the first network.
with TemporaryDirectory() as folder:
    export_digits(folder, n_per_class=60)
    X, y = load_image_folder(folder, return_X_y=True)
    first = np.isin(y, ["zero", "one", "two", "three", "four"])
    old = MiniVGGClassifier(image_size=16, filters=(16, 32), epochs=10, random_state=0)
    old.fit(X[first], y[first])

    # %%
    # Two phases: the new head warms up, then all layers learn at a small rate.
    X_train, X_test, y_train, y_test = train_test_split(
        X[~first], y[~first], train_size=100, stratify=y[~first], random_state=0
    )
    net = FineTunedClassifier(
        old, dense_units=(64,), warmup_epochs=20, fine_tune_epochs=10, layer_decay=0.7,
        random_state=0,
    )  # fmt: skip
    net.fit(X_train, y_train)
    for phase in ("warmup", "fine_tune"):
        last = len(net.history_["phase"]) - 1 - net.history_["phase"][::-1].index(phase)
        print(f"{phase}: loss {net.history_['loss'][last]:.3f}")
    print(f"Accuracy on {len(y_test)} held-out images: {net.score(X_test, y_test):.3f}")
