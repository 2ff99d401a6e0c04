"""
Save and load a model
=====================

Three things can be saved: a training in progress (checkpoints), the classifier (a safe file),
and the network alone, as HDF5 for Keras.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.base import clone

from skvision import (
    MiniVGGClassifier,
    export_digits,
    load,
    load_image_folder,
    load_network,
    network_summary,
    save,
    save_network,
)

temporary = TemporaryDirectory()
out = Path(sys.argv[1] if len(sys.argv) > 1 else temporary.name)
X, y = load_image_folder(export_digits(out / "digits", n_per_class=30), return_X_y=True)

# %%
# The checkpoints hold the state of the training after each epoch. If the process is killed, the
# same call continues from there. After all epochs, the same call has nothing left to train.
net = MiniVGGClassifier(
    image_size=8, epochs=5, checkpoint_dir=out / "checkpoints", random_state=0
).fit(X, y)
again = clone(net).fit(X, y)
assert (again.predict_proba(X) == net.predict_proba(X)).all()
print(f"Accuracy on the training images: {net.score(X, y):.3f}")

# %%
# The classifier: parameters, classes and weights. Loading the file runs no code from it.
save(net, out / "digits.skv")
print(load(out / "digits.skv").predict(X[:3]))

# %%
# The network alone takes 8-bit RGB images of its size. Its file holds no class names.
save_network(net, out / "digits.hdf5")
network = load_network(out / "digits.hdf5")
print(network_summary(network))
images = np.zeros((1, *network.input_shape[1:]), "uint8")
for name, probability in zip(net.classes_, network.predict(images, verbose=0)[0], strict=True):
    print(f"{name} {probability:.3f}")
