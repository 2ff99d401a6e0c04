"""Model files and folders of images, as the commands read and write them."""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ..exceptions import PixelRangeWarning
from ._errors import message
from ._start import start_quietly

__all__ = [
    "MODEL_SUFFIXES",
    "chunks",
    "is_safe_file",
    "load_model",
    "model_writer",
    "read_folders",
    "read_test_folders",
]

T = TypeVar("T")

# Images that are predicted between two moves of the progress bar.
CHUNK = 128


#: the safe format, and the one that keeps what the safe one can't
MODEL_SUFFIXES = (".skv", ".joblib")


def is_safe_file(path: Path) -> bool:
    """Whether a file's name says that it can be loaded without running code."""
    return path.suffix.lower() == MODEL_SUFFIXES[0]


def load_model(path: Path, trust: bool, method: str = "predict") -> Any:
    """Read a model file; a joblib file with ``--trust`` only, since reading it runs code.

    `method` is what the command will ask of the model.
    """
    path = path.expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"There is no model file {path}. Looked in {Path.cwd()}.")
    if not (trust or is_safe_file(path)):
        raise ValueError(
            f"{path} is a joblib file, and loading one can run any code that is in it. Add "
            "--trust if you made it yourself or trust who did."
        )
    start_quietly()
    model = _load_safely(path) if is_safe_file(path) else _load_joblib(path)
    if not hasattr(model, method):
        lacking = {"predict": "can't predict", "predict_proba": "gives no probabilities"}
        raise ValueError(f"{path} holds a {type(model).__name__}, which {lacking[method]}.")
    return model


def _load_safely(path: Path) -> Any:
    from ..persistence import load

    return load(path)


def _load_joblib(path: Path) -> Any:
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:  # a damaged pickle raises anything
        raise ValueError(
            f"{path} is damaged or no model file of skvision: {type(error).__name__}: {error}"
        ) from error


def _write(model: Any, path: Path) -> None:
    if is_safe_file(path):
        from ..persistence import save

        save(model, path)
    else:
        import joblib

        joblib.dump(model, path)


@contextmanager
def model_writer(path: Path) -> Iterator[Callable[[Any], None]]:
    """Try `path` at once; write the model that the block hands over at its end.

    A model that can't be written there goes to the temporary directory: an hour's
    training must not be lost to a full disk. The error says where it is. One that a safe
    file can't keep goes to a joblib file beside it.
    """
    from .._system.atomic import written_whole
    from ..exceptions import UnsupportedModelError

    models: list[Any] = []
    try:
        with written_whole(path) as temporary:
            yield models.append
            _write(models[0], temporary)
    except UnsupportedModelError as error:
        beside = path.with_suffix(MODEL_SUFFIXES[1])
        with written_whole(beside) as temporary:
            _write(models[0], temporary)
        raise ValueError(f"The model is saved as {beside}, not as {path}: {error}") from error
    except OSError as error:
        if not models:
            raise
        reason = error.strerror or error
        try:
            spare = Path(tempfile.mkdtemp(prefix="skvision-")) / path.name
            with written_whole(spare) as temporary:
                _write(models[0], temporary)
        except OSError as second:
            raise OSError(
                f"The model could not be written to {path} ({reason}), nor to the temporary "
                f"directory ({message(second)}). It is lost; make room, or name another --out."
            ) from error
        raise OSError(
            f"The model could not be written to {path} ({reason}), but it is saved as {spare}. "
            "Move it to where you want it."
        ) from error


def read_folders(folders: Sequence[Path], skip_unreadable: bool, classes: str | None = None) -> Any:
    """List and check the images of class folders, as `skvision.load_image_folder` does."""
    from ..datasets import load_image_folder

    with _scale_left_to_fit():
        return load_image_folder(
            list(folders),
            validate=True,
            on_error="skip" if skip_unreadable else "raise",
            classes=_names(classes),
        )


@contextmanager
def _scale_left_to_fit() -> Iterator[None]:
    """Don't warn of the images' scale: fit does, which knows whether ``value_range`` names it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PixelRangeWarning)
        yield


def read_test_folders(
    folders: Sequence[Path],
    known: Sequence[str],
    skip_unreadable: bool,
    classes: str | None = None,
) -> Any:
    """List and check images to measure a model on; some of its classes `known` are enough."""
    from ..datasets.folders import labelled_images

    with _scale_left_to_fit():
        return labelled_images(
            list(folders),
            validate=True,
            on_error="skip" if skip_unreadable else "raise",
            known=known,
            classes=_names(classes),
        )


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


def chunks(items: Sequence[T], description: str) -> Iterator[Sequence[T]]:
    """Cut `items` into chunks, with a progress bar on standard error.

    Without one where standard output is a terminal too: results that appear there
    show the progress, and would be mixed up with the bar.
    """
    from .._system.progress import progress

    starts = range(0, len(items), CHUNK)
    for start in progress(starts, description, verbose=not sys.stdout.isatty()):
        yield items[start : start + CHUNK]
