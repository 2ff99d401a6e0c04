"""`save` and `load`: whole estimators in a file that runs no code when it is read.

skops saves and restores scikit-learn's estimators, and refuses unknown classes. It knows
skvision's estimators by the table in `contents`; they pass their content as constructor
parameters, JSON and arrays (`plain`), and networks are built again from skvision's own
tables. `archive` writes the file itself.
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

#: raise it whenever files are written that this version's `load` couldn't read
FORMAT = 2
#: the formats that `load` can read
FORMATS = (1, 2)
SAFE_SUFFIX = ".skv"


def save(estimator: Any, path: str | os.PathLike[str]) -> Path:
    """Write an estimator to a file that can be loaded safely.

    It accepts any estimator of skvision, and a Pipeline or a search of them and of
    scikit-learn's estimators. The file holds constructor parameters and weights, never code.

    Parameters
    ----------
    estimator : estimator
        The estimator, fitted or not.
    path : str or path-like
        ``NAME.skv``. An existing file is replaced only once the new one is complete.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    UnsupportedModelError
        If it holds code (a function, a class of your own), or something that can't be
        loaded safely (decision trees, nearest neighbours' trees). Use `joblib.dump` for
        these.
    ValueError
        If the file has another ending.
    OSError
        If the file can't be written.

    See Also
    --------
    skvision.load : Reads the file.
    skvision.save_network : Writes the network alone, for Keras.

    Notes
    -----
    For published weights, the file holds only the network's name, as a pickle does. Random
    weights, weights from a file and those of your own network are in the file. The state of
    an optimiser is in it only after `partial_fit`.

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
    # through JSON, so that the manifest holds plain values only
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
        The saved estimator.

    Raises
    ------
    FileNotFoundError
        If the file doesn't exist.
    ValueError
        If a byte of the file was changed, it is truncated, has a later format, or holds
        anything that `save` doesn't write.

    Warns
    -----
    ModelVersionWarning
        If the file was written with other versions of skvision, Keras, TensorFlow,
        scikit-learn or NumPy.

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
    """Return a file's format, versions and description, without loading the model."""
    with open_archive(path) as archive:
        return _manifest(archive, path)


def _manifest(archive: Any, path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        manifest = json.loads(archive.read(MANIFEST))
        found, versions, description = (
            manifest[name] for name in ("format", "versions", "description")
        )
        if not (isinstance(versions, dict) and isinstance(description, dict)):
            raise TypeError(f"{MANIFEST} is invalid")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged(path, error) from error
    if found not in FORMATS:
        readable = " and ".join(map(str, FORMATS))
        raise ValueError(
            f"{path} has format {found!r}, but this skvision reads {readable}. Load it with the "
            f"skvision version that wrote it ({versions.get('skvision')}) or a later one."
        )
    return dict(manifest)


def _warn_of_versions(path: str | os.PathLike[str], written: Mapping[str, Any]) -> None:
    here = installed_versions()
    # Python's own version doesn't affect predictions
    differ = [name for name in here if name != "python" and written.get(name) != here[name]]
    if differ:
        listed = ", ".join(f"{name} {written.get(name)} (here {here[name]})" for name in differ)
        warnings.warn(
            f"{path} was written with {listed}. It was loaded; predictions may differ a little. "
            "Compare them on a few images, or install those versions.",
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
            f"This {type(estimator).__name__} can't be saved in a safe file: "
            f"{first_line(error)}. Save it by joblib.dump for your own use."
        ) from error
    finally:
        STATE_KEEPER.reset(keeping)
    file.seek(0)
    unknown = sorted(set(io.get_untrusted_types(file=file)) - set(trusted_types()))
    if unknown:
        raise UnsupportedModelError(
            f"A safe file can't hold {', '.join(unknown)}: functions and classes of your own are "
            "code, and decision trees can't be loaded safely. Remove it (save only the "
            "best_estimator_ of a search), or save the model by joblib.dump for your own use."
        )
    file.seek(0)


def _without_callbacks(value: Any) -> Any:
    """Return scikit-learn's estimators without their callbacks, which aren't part of a model.

    Estimators with callbacks are copied; skvision's estimators, which don't save callbacks, are
    returned unchanged.
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
            # ModelVersionWarning covers it, once
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            return io.load(file, trusted=list(trusted_types()))
    finally:
        STATE_KEEPER.reset(keeping)


class _Keeper:
    """Converts the state of skvision's estimators for a safe file, and back."""

    @staticmethod
    def put(estimator: Any, state: Mapping[str, Any]) -> dict[str, Any]:
        cls = type(estimator)
        if _full_name(cls) not in ESTIMATORS:
            raise UnsupportedModelError(
                f"{cls.__name__} is a class of your own, which a safe file can't hold. Use "
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
        # parameters that are newer than the file
        defaults = {
            parameter.name: parameter.default
            for parameter in inspect.signature(cls).parameters.values()
            if parameter.default is not parameter.empty
        }
        return defaults | {name: reader.value(plain) for name, plain in kept.items()}


def _belongs(cls: type, name: str) -> bool:
    """Return whether an attribute is a constructor parameter or part of the fitted state."""
    private = ESTIMATORS[_full_name(cls)]
    parameters = inspect.signature(cls).parameters
    fitted = name.endswith("_") and not name.startswith("_")
    return fitted or name in private or name.partition("__")[0] in parameters


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
