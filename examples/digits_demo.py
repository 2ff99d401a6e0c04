"""
From a folder of images to a saved classifier
===============================================

The main job on data that needs no download: scikit-learn's handwritten digits,
laid out as a folder of PNG files, one subfolder a class. ``make demo`` runs this.
"""

import sys
from pathlib import Path

from sklearn.model_selection import train_test_split

from skvision import (
    MiniVGGClassifier,
    export_digits,
    load,
    load_image_folder,
    make_feature_classifier,
    save,
)

# %%
# A folder with one subfolder a class is all that is needed.
out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
folder = export_digits(out / "digits")
X, y = load_image_folder(folder, validate=True, return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"{len(X)} images of {len(set(y))} classes in {folder}")

# %%
# X is a list of file names; images are decoded batch by batch.
net = MiniVGGClassifier(image_size=16, epochs=8, random_state=0, verbose=1)
net.fit(X_train, y_train)
print(f"Accuracy on {len(X_test)} images kept back: {net.score(X_test, y_test):.4f}")

# %%
# Keep it, load it back, use it on single files.
model = save(net, out / "digits.skv")
loaded = load(model)
assert (loaded.predict_proba(X_test) == net.predict_proba(X_test)).all()
for file, label, probabilities in zip(
    X_test[:5], loaded.predict(X_test[:5]), loaded.predict_proba(X_test[:5]), strict=True
):
    print(f"{file}: {label} {probabilities.max():.3f}")
print(f"Model: {model}")

# %%
# The other way: a ready-made network, which comes with skvision, describes each image by
# 1,280 numbers, and logistic regression learns from a quarter of the images what they mean.
features = make_feature_classifier(cache=out / "features", random_state=0)
_, X_few, _, y_few = train_test_split(X_train, y_train, stratify=y_train, random_state=0)
features.fit(X_few, y_few)
score = features.score(X_test, y_test)
print(f"Accuracy of features of a ready-made network, from {len(X_few)} images: {score:.4f}")
print(f"Model: {save(features, out / 'features.skv')}")
