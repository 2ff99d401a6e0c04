"""
Features of a pretrained network
================================

Transfer learning by feature extraction: a bundled network, trained on a million photos,
describes each image by 1,280 numbers, and logistic regression classifies these. The cache
keeps the features, so a grid search computes each of them once.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.model_selection import GridSearchCV, train_test_split

from skvision import export_digits, load_image_folder, make_feature_classifier

# %%
# The handwritten digits as PNG files, or the folder of your own that the argument names.
temporary = TemporaryDirectory()
folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary.name)
if not any(folder.iterdir()):
    export_digits(folder, n_per_class=20)
X, y = load_image_folder(folder, return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# Three steps: features, scaling, a classifier. `cache=True` would keep the features permanently.
pipeline = make_feature_classifier(cache=Path(temporary.name) / "cache", random_state=0)
search = GridSearchCV(pipeline, {"head__C": [0.0001, 0.001, 0.01]}, cv=3).fit(X_train, y_train)
print(f"Best: {search.best_params_}")
print(f"Accuracy on {len(X_test)} held-out images: {search.score(X_test, y_test):.3f}")
