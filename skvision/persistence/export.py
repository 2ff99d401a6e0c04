"""Export a fitted classifier's network to other runtimes: ONNX, OpenVINO, TFLite, SavedModel."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._sklearn.network_estimator import NetworkEstimator
from .._system.atomic import written_whole
from .description import final_estimator
from .network_file import network_of

__all__ = ["EXPORT_FORMATS", "export_model"]


@dataclass(frozen=True)
class ExportFormat:
    """A row of the table.

    Parameters
    ----------
    keras : str
        Name of the format in `keras.Model.export`.
    suffix : str
        Ending of the file; "" for a folder.
    needs : tuple of str
        Packages that the conversion needs.
    extra : str
        The extra of skvision that installs them.
    beside : tuple of str, default=()
        Endings of files that are written beside it.
    """

    keras: str
    suffix: str
    needs: tuple[str, ...] = ()
    extra: str = ""
    beside: tuple[str, ...] = ()


EXPORT_FORMATS: dict[str, ExportFormat] = {
    "onnx": ExportFormat("onnx", ".onnx", ("onnx", "tf2onnx"), "onnx"),
    "openvino": ExportFormat("openvino", ".xml", ("openvino",), "fast", (".bin",)),
    "tflite": ExportFormat("litert", ".tflite"),
    "savedmodel": ExportFormat("tf_saved_model", ""),
}


def export_model(
    estimator: Any, path: str | os.PathLike[str], *, format: str | None = None
) -> tuple[Path, Path]:
    """Export a classifier's network to another runtime, with a description beside it.

    The exported network includes scaling and the averaging over ``predict_crops`` and
    ``predict_mirrored``; its input is RGB pixels from 0 to 255. Decoding and resizing are not
    included: a small JSON file beside the export describes how to prepare images, and lists
    the classes in the order of the probabilities.

    Parameters
    ----------
    estimator : classifier, Pipeline or search that ends in one
        A fitted estimator. Only the classifier of a Pipeline is exported.
    path : str or path-like
        ``NAME.onnx``, ``NAME.xml`` (OpenVINO, with ``NAME.bin``), ``NAME.tflite``, or a
        folder (TensorFlow's SavedModel). An existing export is replaced.
    format : {"onnx", "openvino", "tflite", "savedmodel"}, default=None
        Format of the export; None for that of the path's ending.

    Returns
    -------
    export : pathlib.Path
        The path.
    description : pathlib.Path
        ``NAME.onnx.json`` and so on.

    Raises
    ------
    ValueError
        If the format doesn't exist, the path has another ending, `estimator` has no
        network, or Keras' backend is not TensorFlow: then save the model, and export
        it by the command line with ``KERAS_BACKEND=tensorflow``.
    NotFittedError
        If it has not been fitted.
    ImportError
        If a converter is not installed; the message says how to install it.
    OSError
        If the files can't be written.

    Notes
    -----
    Exports use 32-bit floats. Probabilities agree with ``predict_proba`` within 0.001 if the
    runtime computes with 32-bit floats too (OpenVINO computes in bfloat16 unless you set
    ``INFERENCE_PRECISION_HINT="f32"``). The converters are Keras' own `Model.export`, and
    tf2onnx and OpenVINO: `pip install "skvision[onnx]"` and `pip install "skvision[fast]"`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn.datasets import load_digits
    >>> from skvision import MiniVGGClassifier, export_model
    >>> digits = load_digits(n_class=3)
    >>> net = MiniVGGClassifier(image_size=8, filters=(8,), epochs=1)
    >>> net = net.fit(digits.images / 16, digits.target)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path, description = export_model(net, pathlib.Path(folder, "digits.tflite"))
    ...     description.name
    'digits.tflite.json'
    """
    path = Path(path)
    row = EXPORT_FORMATS[_format(path, format)]
    network = network_of(estimator)
    _refuse_other_backends(path)
    classifier = final_estimator(estimator)
    if isinstance(classifier, NetworkEstimator):
        network = _mean_over(network, classifier.network_views())
    missing = [name for name in row.needs if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"Exporting to {path.name} needs {' and '.join(missing)}. Install it by: "
            f'pip install "skvision[{row.extra}]"'
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} to write {path.name} into.")
    # beside the target, so that each part can be renamed instead of copied
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        written = Path(folder) / path.name
        _keras_export(network, written, row)
        if row.suffix:
            for suffix in (*row.beside, row.suffix):
                os.replace(written.with_suffix(suffix), path.with_suffix(suffix))
        else:
            if path.exists():
                _refuse_other_folders(path)
                shutil.rmtree(path)
            os.replace(written, path)
    beside = path.with_name(f"{path.name}.json")
    with written_whole(beside) as temporary:
        text = json.dumps(_description(classifier, network, path), indent=2, ensure_ascii=False)
        temporary.write_text(f"{text}\n", encoding="utf-8")
    return path, beside


def _refuse_other_backends(path: Path) -> None:
    import keras

    if keras.config.backend() != "tensorflow":
        raise ValueError(
            f"Networks are exported through TensorFlow, but Keras runs on "
            f"{keras.config.backend()!r}. Save the model by skvision.save, then run: "
            f"KERAS_BACKEND=tensorflow skvision export MODEL.skv {path.name}"
        )


def _format(path: Path, format: str | None) -> str:
    """Return the format, after checking that the path has its ending."""
    if format is None:
        by_suffix = {row.suffix: name for name, row in EXPORT_FORMATS.items() if row.suffix}
        format = by_suffix.get(path.suffix.lower(), "?")
    if format not in EXPORT_FORMATS:
        known = ", ".join(f"{n} ({r.suffix or 'a folder'})" for n, r in EXPORT_FORMATS.items())
        raise ValueError(
            f"format must be one of {known}. Received: {format!r} for {path.name!r}."
            if format != "?"
            else f"The ending of {path.name!r} is not that of a format; pass format: {known}."
        )
    suffix = EXPORT_FORMATS[format].suffix
    if suffix and path.suffix.lower() != suffix:
        raise ValueError(f"A file of {format} ends in {suffix}. Received: {path.name!r}")
    return format


def _keras_export(network: Any, path: Path, row: ExportFormat) -> None:
    if row.keras == "openvino":
        from ..networks.openvino_compat import import_openvino

        import_openvino()  # without its telemetry, before Keras imports it
    import numpy as np

    # Keras can export to ONNX only after a call
    network(np.zeros((1, *network.input_shape[1:]), np.float32))
    with warnings.catch_warnings():
        # tf2onnx uses a name that NumPy plans to redefine
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        network.export(path if row.suffix == "" else str(path), format=row.keras, verbose=False)


def _mean_over(network: Any, views: list[Any]) -> Any:
    """Return a network that averages the outputs of `network` over the views."""
    import keras

    from ..networks import WHOLE

    if views == [WHOLE]:
        return network
    image = keras.Input(network.input_shape[1:], name="image")
    said = [network(each.of(image)) for each in views]
    mean = keras.ops.mean(keras.ops.stack(said), axis=0)
    return keras.Model(image, keras.layers.Identity(name="predictions")(mean))


def _refuse_other_folders(path: Path) -> None:
    """Raise FileExistsError for a folder that isn't a SavedModel, since its content is unknown."""
    if not (path / "saved_model.pb").is_file():
        raise FileExistsError(f"{path} exists and isn't a SavedModel. Pass another folder.")


def _description(classifier: Any, network: Any, path: Path) -> dict[str, Any]:
    from .. import __version__

    _, height, width, channels = network.input_shape
    resizing = {
        "stretch": "to the size, whatever the aspect ratio",
        "crop": "the largest centred part of the size's aspect ratio is cut out, then resized",
        "pad": "to fit within the size, then centred on black",
    }
    are_images = classifier.value_range is not None
    return {
        "file": path.name,
        "made_by": f"skvision {__version__}, {type(classifier).__name__}",
        "input": {
            "shape": ["batch", height, width, channels],
            "dtype": "float32",
            "channels": "RGB" if are_images else "as in training",
            "range": [0, 255] if are_images else None,
            "scaling": "inside the network: pass unscaled pixels",
        },
        # range of uint16 arrays and of files of more than 8 bits; null if each file has its own
        "pixel_range": getattr(classifier, "pixel_range_", None),
        "decoding": (
            "EXIF orientation applied; transparent images composited on white; grey repeated in "
            "three channels; 8 bits per channel"
        ),
        "resizing": {
            "policy": classifier.resize,
            "meaning": resizing[classifier.resize],
            "interpolation": "bilinear, antialiased, rounded to 8 bits",
        },
        "output": {
            "shape": ["batch", len(classifier.classes_)],
            "meaning": "probabilities, in the order of classes",
        },
        "classes": [str(name) for name in classifier.network_classes()],
    }
