"""
A learning rate in one short training
=====================================

The learning-rate range test (L. N. Smith, 2015) trains one step at each of a hundred rising
rates. Rates are good where the loss falls, and too large where it rises again. This example
then trains with the suggestion and with a rate far below it, to check the suggestion.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.base import clone
from sklearn.model_selection import train_test_split

from skvision import MiniVGGClassifier, export_digits, find_learning_rate, load_image_folder

# %%
# The handwritten digits as PNG files, or the folder of your own that the argument names.
temporary = TemporaryDirectory()
folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary.name)
if not any(folder.iterdir()):
    export_digits(folder, n_per_class=60)
X, y = load_image_folder(folder, return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# The test trains a clone: `net` stays as it is.
net = MiniVGGClassifier(image_size=8, epochs=6, random_state=0)
found = find_learning_rate(net, X_train, y_train)
print(f"Suggestion: {found.suggestion:.2g}")
image = Path("learning_rate.png")
found.plot().figure_.savefig(image)
print(f"The curve is in {image}")

# %%
for rate in (found.suggestion / 100, found.suggestion):
    trained = clone(net).set_params(learning_rate=rate).fit(X_train, y_train)
    print(f"learning rate {rate:.2g}: accuracy {trained.score(X_test, y_test):.3f}")
