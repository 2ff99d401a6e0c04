"""Read and write model files, and read folders of images, for the commands."""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..exceptions import PixelRangeWarning
from ._start import start_quietly

if TYPE_CHECKING:
    from .._sklearn.network_estimator import ReadAs

__all__ = [
    "MODEL_SUFFIXES",
    "chunks",
    "is_safe_file",
    "load_model",
    "model_writer",
    "read_folders",
    "read_test_folders",
    "reads_as",
]

T = TypeVar("T")

# number of images between two updates of the progress bar
CHUNK = 128


#: the safe format, and the format for models that a safe file can't hold
MODEL_SUFFIXES = (".skv", ".joblib")


def is_safe_file(path: Path) -> bool:
    """Return whether a file's ending is that of the safe format, which runs no code."""
    return path.suffix.lower() == MODEL_SUFFIXES[0]


def load_model(path: Path, trust: bool, method: str = "predict") -> Any:
    """Read a model file; a joblib file only with ``--trust``, since reading it can run code.

    `method` is the method that the command needs.
    """
    path = path.expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"There is no model file {path}. Looked in {Path.cwd()}.")
    if not (trust or is_safe_file(path)):
        raise ValueError(
            f"{path} is a joblib file, and loading it can run any code from it. Add --trust if you "
            "made the file yourself or trust its source."
        )
    start_quietly()
    model = _load_safely(path) if is_safe_file(path) else _load_joblib(path)
    if not hasattr(model, method):
        lacking = {"predict": "can't predict", "predict_proba": "can't predict probabilities"}
        raise ValueError(f"{path} holds a {type(model).__name__}, which {lacking[method]}.")
    return model


def _load_safely(path: Path) -> Any:
    from ..persistence import load

    return load(path)


def _load_joblib(path: Path) -> Any:
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(
            f"{path} is damaged or isn't a model file of skvision: {type(error).__name__}: {error}"
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
    """Check `path` first; at the end of the block write the model that it passes.

    A model that can't be written there is saved in the temporary directory, so that a full
    disk doesn't destroy a long training; the error names the file. A model that a safe file
    can't hold is saved as a joblib file beside it.
    """
    from .._system.atomic import reason_of, written_whole
    from ..exceptions import UnsupportedModelError

    models: list[Any] = []
    try:
        with written_whole(path) as temporary:
            yield models.append
            _write(models[0], temporary)
    except UnsupportedModelError as error:
        beside = path.with_suffix(MODEL_SUFFIXES[1])
        with model_writer(beside) as write:
            write(models[0])
        raise ValueError(f"The model is saved as {beside}, not as {path}: {error}") from error
    except OSError as error:
        if not models:
            raise
        reason = reason_of(error)
        try:
            spare = Path(tempfile.mkdtemp(prefix="skvision-")) / path.name
            with written_whole(spare) as temporary:
                _write(models[0], temporary)
        except OSError as second:
            raise OSError(
                f"The model could not be written to {path} ({reason}), nor to the temporary "
                f"directory ({reason_of(second)}). It is lost; free space, or pass another --out."
            ) from error
        raise OSError(
            f"The model could not be written to {path} ({reason}), but it is saved as {spare}. "
            "Move it to a permanent place."
        ) from error


def read_folders(
    folders: Sequence[Path],
    skip_unreadable: bool,
    classes: str | None,
    read_as: Callable[[], ReadAs | None],
    at_least: int = 2,
    meanwhile: Callable[[], object] | None = None,
    group_by: str | None = None,
) -> Any:
    """List and check the images of class folders, as `skvision.load_image_folder` does.

    `read_as` says how they will be read afterwards, so that each is decoded once. `at_least` is
    the minimum number of classes; with 0 any folder of images will do. `meanwhile` is called
    while they are decoded. `group_by` is an expression that finds groups in file names.
    """
    from ..datasets.folders import Expected, labelled_images

    with _scale_left_to_fit():
        return labelled_images(
            list(folders),
            on_error="skip" if skip_unreadable else "raise",
            expected=Expected(classes=_names(classes), at_least=at_least),
            groups=group_by,
            read_as=read_as,
            meanwhile=meanwhile,
        )


@contextmanager
def _scale_left_to_fit() -> Iterator[None]:
    """Don't warn of the images' scale, since fit does, and it knows ``value_range``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PixelRangeWarning)
        yield


def read_test_folders(
    folders: Sequence[Path],
    known: Sequence[str],
    skip_unreadable: bool,
    classes: str | None,
    read_as: Callable[[], ReadAs | None],
    group_by: str | None = None,
) -> Any:
    """List and check images for an evaluation; they may lack some of the `known` classes."""
    from ..datasets.folders import Expected, labelled_images

    with _scale_left_to_fit():
        return labelled_images(
            list(folders),
            on_error="skip" if skip_unreadable else "raise",
            expected=Expected(known, _names(classes)),
            groups=group_by,
            read_as=read_as,
        )


def reads_as(model: Any) -> ReadAs | None:
    """Return how a model, or the first of its steps that does, reads images; None if unknown."""
    from .._sklearn.chosen import chosen_estimator
    from .._sklearn.network_estimator import ReadsImages

    if hasattr(model, "predict_set"):  # each of its estimators reads images in one way
        model = model.estimators_[0]
    model = chosen_estimator(model)
    for _, step in getattr(model, "steps", [("", model)]):
        if isinstance(step, ReadsImages):
            return step.reads_images_as()
    return None


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


def chunks(items: Sequence[T], description: str) -> Iterator[Sequence[T]]:
    """Cut `items` into chunks, with a progress bar on standard error.

    Without a bar if standard output is a terminal too: the results there show the progress,
    and the bar would mix with them.
    """
    from .._system.progress import progress

    starts = range(0, len(items), CHUNK)
    for start in progress(starts, description, verbose=not sys.stdout.isatty()):
        yield items[start : start + CHUNK]
