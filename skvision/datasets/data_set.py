"""Check file names and labels of any source, and return them as a Bunch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .left_out import warn_of_copies, warn_of_skipped
from .unreadable import find_unreadable

__all__ = ["as_bunch", "check_on_error", "readable"]


def check_on_error(on_error: str) -> None:
    """Raise ValueError if `on_error` isn't an accepted value."""
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip'. Received: {on_error!r}")


def readable(
    files: Sequence[str],
    labels: np.ndarray,
    on_error: str,
    meanwhile: Callable[[], object] | None = None,
) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Decode all images; warn of those that are left out, and of copies with two labels.

    Parameters
    ----------
    files : sequence of str
        The images.
    labels : ndarray of shape (n_images,)
        The class of each.
    on_error : {"raise", "skip"}
        Treatment of unreadable images.
    meanwhile : callable, default=None
        Called while they are decoded, as `find_unreadable` does.

    Returns
    -------
    kept : ndarray of shape (n_images,), bool
        Whether each image can be decoded.
    skipped : list of tuple (str, str)
        Name and reason of the others.
    """
    errors = find_unreadable(files, warn=True, meanwhile=meanwhile)
    if errors and on_error == "raise":
        raise errors[0]
    skipped = [(error.source, error.reason) for error in errors]
    bad = {source for source, _ in skipped}
    kept = np.array([file not in bad for file in files], dtype=bool)
    if skipped:
        warn_of_skipped(skipped, {str(each) for each in set(labels) - set(labels[kept])})
    warn_of_copies([file for file in files if file not in bad], labels[kept].tolist())
    return kept, skipped


def as_bunch(files: Sequence[str], labels: np.ndarray, place: str, **entries: Any) -> Any:
    """Return the Bunch of `load_image_folder`; `place` describes the source of the images."""
    # it imports scikit-learn, which takes seconds; decoding comes before it
    from .labelled_images import LabelledImages

    data = np.array(files, dtype=object)
    names = np.unique(labels).tolist()
    return LabelledImages(
        data=data,
        target=labels,
        target_names=names,
        filenames=data,
        **entries,
        DESCR=(
            f"{len(data)} images of {len(names)} classes in {place}; "
            f"{len(entries['ignored'])} other files ignored, {len(entries['skipped'])} unreadable "
            "images skipped."
        ),
    )
