"""`save` and `load`: whole estimators in a file that runs no code when it is read.

skops takes scikit-learn's estimators apart and puts them together, and refuses classes that
it does not know. Ours it knows by the table in `contents`; what is in them they hand over
as constructor parameters, JSON and arrays (`plain`), and networks are built anew from our
own tables. `archive` is the file around it.
"""

from __future__ import annotations

import copy
import inspect
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from sklearn.base import BaseEstimator

from .._sklearn.estimator import STATE_KEEPER, KeptState, installed_versions
from ..exceptions import ModelVersionWarning, UnsupportedModelError, first_line
from .archive import MANIFEST, damaged, open_archive, write_archive
from .contents import ESTIMATORS, trusted_types
from .description import describe
from .plain import PlainReader, PlainWriter

__all__ = ["FORMAT", "SAFE_SUFFIX", "load", "read_manifest", "save"]

#: raised whenever files are written that this version's `load` would not read
FORMAT = 2
#: the formats that `load` reads
FORMATS = (1, 2)
SAFE_SUFFIX = ".skv"


def save(estimator: Any, path: str | os.PathLike[str]) -> Path:
    """Write an estimator to a file that can be loaded safely.

    For any estimator of skvision, and for a Pipeline or a search that holds them together
    with scikit-learn's. The file holds constructor parameters and weights, never code.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.
    path : str or path-like
        ``NAME.skv``. A file that is there is replaced, by a whole file or not at all.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    UnsupportedModelError
        If it holds what can only be kept as code: a function, a class of your own; or what
        can't be loaded safely: decision trees, neighbours' trees. `joblib.dump` keeps those.
    ValueError
        If the file's ending is another.
    OSError
        If the file can't be written.

    See Also
    --------
    skvision.load : Reads it.
    skvision.save_network : Writes the network alone, for Keras.

    Notes
    -----
    Published weights are not in the file, but their network's name, as in a pickle; random
    weights, a weights file's and a network's of one's own are. The state of an optimiser is
    in it only after `partial_fit`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import skvision
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> net = skvision.MiniVGGClassifier(
    ...     image_size=8, filters=(8,), epochs=1, row_shape=(8, 8), random_state=0)
    >>> net = net.fit(X / 16, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = skvision.save(net, pathlib.Path(folder) / "digits.skv")
    ...     loaded = skvision.load(path)
    >>> bool((loaded.predict(X / 16) == net.predict(X / 16)).all())
    True
    """
    path = Path(path)
    if path.suffix.lower() != SAFE_SUFFIX:
        raise ValueError(f"A model file ends in {SAFE_SUFFIX}. Received: {path.name!r}")
    manifest = {
        "format": FORMAT,
        "versions": installed_versions(),
        "description": describe(estimator),
    }
    # JSON once more, so that the manifest is plain whatever was described
    manifest = json.loads(json.dumps(manifest, default=repr))
    write_archive(path, lambda file: _write_model(estimator, file), manifest)
    return path


def load(path: str | os.PathLike[str]) -> Any:
    """Read an estimator that `save` wrote, without running any code from the file.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    estimator
        As it was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a byte of the file was changed, it is cut short, is of a later format, or holds
        anything that `save` does not write.

    Warns
    -----
    ModelVersionWarning
        If it was written with other versions of skvision, Keras, TensorFlow, scikit-learn
        or NumPy.

    Examples
    --------
    See `save`.
    """
    with open_archive(path) as archive:
        manifest = _manifest(archive, path)
        _warn_of_versions(path, manifest["versions"])
        try:
            assert archive.fp is not None
            return _read_model(archive.fp)
        except MemoryError:
            raise
        except Exception as error:  # a forged file raises anything
            raise damaged(path, error) from error


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file says of itself: format, versions, description. Nothing is loaded."""
    with open_archive(path) as archive:
        return _manifest(archive, path)


def _manifest(archive: Any, path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        manifest = json.loads(archive.read(MANIFEST))
        found, versions, description = (
            manifest[name] for name in ("format", "versions", "description")
        )
        if not (isinstance(versions, dict) and isinstance(description, dict)):
            raise TypeError(f"{MANIFEST} is not what it should be")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged(path, error) from error
    if found not in FORMATS:
        readable = " and ".join(map(str, FORMATS))
        raise ValueError(
            f"{path} has format {found!r}, this skvision reads {readable}. Load it with the "
            f"skvision that wrote it ({versions.get('skvision')}) or a later one."
        )
    return dict(manifest)


def _warn_of_versions(path: str | os.PathLike[str], written: Mapping[str, Any]) -> None:
    here = installed_versions()
    # Python's own version changes no number
    differ = [name for name in here if name != "python" and written.get(name) != here[name]]
    if differ:
        listed = ", ".join(f"{name} {written.get(name)} (here {here[name]})" for name in differ)
        warnings.warn(
            f"{path} was written with {listed}. It is loaded all the same; predictions may differ "
            "a little. Compare them on a few images, or install those versions.",
            ModelVersionWarning,
        )


def _write_model(estimator: Any, file: IO[bytes]) -> None:
    from skops import io
    from skops.io.exceptions import UnsupportedTypeException

    keeping = STATE_KEEPER.set(_Keeper)
    try:
        io.dump(_without_callbacks(estimator), file)
    except UnsupportedModelError:
        raise
    except (UnsupportedTypeException, TypeError, AttributeError, RecursionError) as error:
        raise UnsupportedModelError(
            f"A {type(estimator).__name__} with this in it can't be kept in a safe file: "
            f"{first_line(error)}. joblib.dump keeps it, for yourself."
        ) from error
    finally:
        STATE_KEEPER.reset(keeping)
    file.seek(0)
    unknown = sorted(set(io.get_untrusted_types(file=file)) - set(trusted_types()))
    if unknown:
        raise UnsupportedModelError(
            f"A safe file can't keep {', '.join(unknown)}: functions and classes of your own are "
            "code, and decision trees can't be loaded safely. Take it out (of a search, keep its "
            "best_estimator_), or keep the model by joblib.dump, for yourself."
        )
    file.seek(0)


def _without_callbacks(value: Any) -> Any:
    """scikit-learn's estimators without the callbacks that watch them fit: those are no model.

    Copies, where something holds callbacks; ours, which hand over no callbacks, as they are.
    """
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        parts = [_without_callbacks(each) for each in value]
        changed = any(part is not each for part, each in zip(parts, value, strict=True))
        return type(value)(parts) if changed else value
    if isinstance(value, dict) and type(value) is dict:
        kept = {key: _without_callbacks(each) for key, each in value.items()}
        return kept if any(kept[key] is not value[key] for key in value) else value
    if not isinstance(value, BaseEstimator) or isinstance(value, KeptState):
        return value
    bare = copy.copy(value)
    if hasattr(bare, "set_callbacks"):
        bare.set_callbacks()
    kept = _without_callbacks(vars(bare))
    if kept is vars(bare) and len(kept) == len(vars(value)):
        return value
    vars(bare).update(kept)
    return bare


def _read_model(file: IO[bytes]) -> Any:
    from sklearn.exceptions import InconsistentVersionWarning
    from skops import io

    file.seek(0)
    keeping = STATE_KEEPER.set(_Keeper)
    try:
        with warnings.catch_warnings():
            # said by ModelVersionWarning, once
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            return io.load(file, trusted=list(trusted_types()))
    finally:
        STATE_KEEPER.reset(keeping)


class _Keeper:
    """What skvision's estimators hand over to a safe file, and take back."""

    @staticmethod
    def put(estimator: Any, state: Mapping[str, Any]) -> dict[str, Any]:
        cls = type(estimator)
        if _full_name(cls) not in ESTIMATORS:
            raise UnsupportedModelError(
                f"{cls.__name__} is a class of your own, which a safe file can't keep. Use "
                "joblib.dump."
            )
        writer = PlainWriter()
        kept = {
            name: writer.plain(value, f"{cls.__name__}.{name}")
            for name, value in state.items()
            if _belongs(cls, name)
        }
        return {
            "json": json.dumps(kept),
            "arrays": writer.arrays,
            "objects": writer.objects,
        }

    @staticmethod
    def take(cls: type, state: Mapping[str, Any]) -> dict[str, Any]:
        reader = PlainReader(state["arrays"], state["objects"])
        kept = json.loads(state["json"])
        unknown = sorted(name for name in kept if not _belongs(cls, name))
        if unknown:
            raise ValueError(f"a {cls.__name__} has no {unknown[0]!r}")
        # a parameter that is newer than the file
        defaults = {
            parameter.name: parameter.default
            for parameter in inspect.signature(cls).parameters.values()
            if parameter.default is not parameter.empty
        }
        return defaults | {name: reader.value(plain) for name, plain in kept.items()}


def _belongs(cls: type, name: str) -> bool:
    """Whether an attribute is a constructor parameter or part of the fitted state."""
    private = ESTIMATORS[_full_name(cls)]
    parameters = inspect.signature(cls).parameters
    fitted = name.endswith("_") and not name.startswith("_")
    return fitted or name in private or name.partition("__")[0] in parameters


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
