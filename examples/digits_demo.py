"""
From a folder of images to a saved classifier
===============================================

The main job on data that needs no download: scikit-learn's handwritten digits as a folder
of PNG files, one subfolder per class. Then a network that comes with skvision names two
photos that come with scikit-learn. ``make demo`` runs this.
"""

import sys
from pathlib import Path

from sklearn.datasets import load_sample_images
from sklearn.model_selection import train_test_split

from skvision import (
    ImageNetClassifier,
    MiniVGGClassifier,
    export_digits,
    load,
    load_image_folder,
    save,
)

# %%
# A folder with one subfolder per class is all that you need.
out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
print("1. Read a folder of images, one subfolder per class.")
folder = export_digits(out / "digits")
X, y = load_image_folder(folder, validate=True, return_X_y=True)
print(f"   {folder}: {len(X)} images of {len(set(y))} classes, all readable\n")

# %%
# X is an array of file names. The images are decoded batch by batch.
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"2. Train a MiniVGG on {len(X_train)} of them; this takes about half a minute.")
net = MiniVGGClassifier(image_size=16, epochs=8, random_state=0, verbose=1)
net.fit(X_train, y_train)
accuracy = net.score(X_test, y_test)
print(f"   {accuracy:.1%} of the other {len(X_test)} images are classified correctly\n")

# %%
# The file keeps the network and its parameters. Loading it runs no code from it.
print("3. Save it, load it, and classify single files.")
model = save(net, out / "digits.skv")
loaded = load(model)
assert (loaded.predict_proba(X_test) == net.predict_proba(X_test)).all()
for file, probabilities in zip(X_test[:5], loaded.predict_proba(X_test[:5]), strict=True):
    best = probabilities.argmax()
    print(f"   {file}: {loaded.classes_[best]} {probabilities[best]:.3f}")
print(f"   The model is in {model}\n")

# %%
# Photos are a task for networks that learnt from a million photos. One comes with skvision.
print("4. Name two photos by a network that learnt ImageNet's 1,000 classes.")
photos = load_sample_images().filenames
names, scores = ImageNetClassifier().predict_top(photos, k=3)
for photo, best, probabilities in zip(photos, names, scores, strict=True):
    guesses = ", ".join(
        f"{name} {probability:.3f}" for name, probability in zip(best, probabilities, strict=True)
    )
    print(f"   {Path(photo).name}: {guesses}")

print("\nNext: skvision train YOUR_PHOTOS --model features --out model.skv")
