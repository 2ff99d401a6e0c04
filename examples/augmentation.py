"""
More images from few
======================

A network memorises eight images per class. Augmentation shows it other versions of them in
every epoch: slightly rotated, shifted, larger or smaller.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.model_selection import train_test_split

from skvision import (
    AugmentationDisplay,
    ImageAugmenter,
    ImageOverSampler,
    MiniVGGClassifier,
    export_digits,
    load_image_folder,
)

# %%
# The handwritten digits as PNG files, or the folder of your own that the argument names.
temporary = TemporaryDirectory()
folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary.name)
if not any(folder.iterdir()):
    export_digits(folder, n_per_class=40)
X, y = load_image_folder(folder, return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=0.2, stratify=y, random_state=0
)

# %%
# These operations keep a digit the same digit. Mirroring would not.
augmenter = ImageAugmenter(
    rotation_range=15,
    width_shift_range=0.1,
    height_shift_range=0.1,
    zoom_range=0.15,
    random_state=0,
)
image = Path("augmentation.png")
AugmentationDisplay.from_estimator(augmenter, X_train).figure_.savefig(image)
print(f"Originals and augmented versions: {image}")

# %%
# Without augmentation; with copies made once; with other versions in each epoch.
X_more, y_more = ImageOverSampler(augmenter, 24, random_state=0).fit_resample(X_train, y_train)
settings = {"image_size": 8, "epochs": 20, "learning_rate_schedule": "cosine", "random_state": 0}
ways = {
    "no augmentation": (MiniVGGClassifier(**settings), X_train, y_train),
    "24 per class, made once": (MiniVGGClassifier(**settings), X_more, y_more),
    "new versions each epoch": (
        MiniVGGClassifier(**settings, augmentation=augmenter),
        X_more,
        y_more,
    ),
}
for way, (net, images, labels) in ways.items():
    net.fit(images, labels)
    print(f"{way:<24} accuracy {net.score(X_test, y_test):.3f} on {len(X_test)} unseen images")
