"""
Which learning rate?
====================

The learning rate matters more than any other argument. With a small rate a network learns
too slowly, with a large one its loss jumps. A grid search over powers of ten finds a good
rate.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.model_selection import GridSearchCV, train_test_split

from skvision import MiniVGGClassifier, export_digits, load_image_folder

# %%
# The handwritten digits as PNG files, or the folder of your own that the argument names.
temporary = TemporaryDirectory()
folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary.name)
if not any(folder.iterdir()):
    export_digits(folder, n_per_class=60)
X, y = load_image_folder(folder, return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# All candidates share one compiled network, because they differ only in a number.
search = GridSearchCV(
    MiniVGGClassifier(image_size=8, epochs=8, random_state=0),
    {"learning_rate": [1.0, 0.1, 0.01, 0.001]},
    cv=3,
)
search.fit(X_train, y_train)

for rate, score in zip(
    search.cv_results_["param_learning_rate"], search.cv_results_["mean_test_score"], strict=True
):
    print(f"learning rate {rate:<6} accuracy {score:.3f} {'#' * round(score * 40)}")
print(f"Best: {search.best_params_}; accuracy on unseen images {search.score(X_test, y_test):.3f}")
