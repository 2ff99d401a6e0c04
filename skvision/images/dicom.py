"""Decode DICOM files of medical devices to the grey levels or colours that a viewer shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageFile
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.pixels.utils import pixel_array

__all__ = ["DicomImageFile", "windowed"]

#: items of enhanced files that other files have at the top level
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_IN_GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")


class DicomImageFile(ImageFile.ImageFile):
    """The single frame of a DICOM file, with its slope and its window, as 8-bit grey or RGB.

    Opening reads only the header; `load` decodes. Without a window, black and white are the ends
    of the range of the file's bits, never the minimum and maximum of one image.
    """

    format = "DICOM"
    format_description = "DICOM image"

    def _open(self) -> None:
        self._dataset = dataset = dcmread(self.fp)  # type: ignore[arg-type]
        if "PixelData" not in dataset:
            raise ValueError("it is a DICOM file without an image of whole numbers")
        frames = int(dataset.get("NumberOfFrames") or 1)
        if frames > 1:
            raise ValueError(
                f"it is a DICOM file of {frames} frames, but skvision reads single frames only; "
                "save each frame as an image"
            )
        for groups in _GROUPS:
            for group in dataset.get(groups, ())[:1]:
                for name in _IN_GROUPS:
                    for item in group.get(name, ())[:1]:
                        dataset.update(item)
        self._size = int(dataset.Columns), int(dataset.Rows)
        is_colour = dataset.get("SamplesPerPixel", 1) > 1 or _is_palette(dataset)
        self._mode = "RGB" if is_colour else "L"

    def load(self) -> Any:
        """Decode the pixels, once."""
        if self._im is None:
            self.im = Image.fromarray(_eight_bits(self._dataset)).im
            del self._dataset
        return super().load()


def _is_palette(dataset: Dataset) -> bool:
    return bool(dataset.get("PhotometricInterpretation") == "PALETTE COLOR")


def _eight_bits(dataset: Dataset) -> np.ndarray:
    try:
        pixels = pixel_array(dataset)
    except RuntimeError as error:  # pydicom has no decoder installed
        syntax = dataset.file_meta.TransferSyntaxUID.name
        raise ValueError(
            f"its pixels are compressed as {syntax}, and no decoder for that is installed: "
            "pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg, or save it uncompressed"
        ) from error
    if _is_palette(dataset):
        colours = apply_color_lut(pixels, dataset)
        return (colours >> 8 * (colours.itemsize - 1)).astype(np.uint8)
    highest = 2 ** int(dataset.BitsStored) - 1
    if pixels.ndim == 3:
        return _as_bytes(pixels / highest)
    shown = _shown(pixels, dataset, highest)
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":  # the lowest is white
        shown = 1 - shown
    return _as_bytes(shown)


def _shown(pixels: np.ndarray, dataset: Dataset, highest: int) -> np.ndarray:
    """Return grey from 0 (black) to 1 (white)."""
    values = apply_modality_lut(pixels, dataset).astype(float)  # integers would overflow
    center, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if center is not None and width is not None:
        return windowed(values, center, width, dataset.get("VOILUTFunction", "LINEAR"))
    if dataset.get("VOILUTSequence"):
        bits = dataset.VOILUTSequence[0].LUTDescriptor[2]
        return np.asarray(apply_voi(values.astype(int), dataset) / (2**bits - 1))
    signed = bool(dataset.PixelRepresentation)
    ends = np.array([[0, highest]]) - ((highest + 1) // 2 if signed else 0)
    low, high = sorted(apply_modality_lut(ends, dataset).ravel().tolist())
    return np.asarray((values - low) / (high - low))


def _first(value: Any) -> float | None:
    """Return the first of several windows, the default of viewers."""
    if value is None or value == "":
        return None
    return float(value if isinstance(value, str | int | float) else np.ravel(value)[0])


def windowed(values: np.ndarray, center: float, width: float, function: str) -> np.ndarray:
    """Map values through a window to 0 (black) to 1 (white).

    It follows DICOM PS3.3, sections C.11.2.1.2 and C.11.2.1.3.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images.dicom import windowed
    >>> windowed(np.array([-160, 40, 239, 1000]), 40, 400, "LINEAR").round(3).tolist()
    [0.0, 0.501, 1.0, 1.0]
    """
    least = 1 if function == "LINEAR" else 0
    if width < least or (width == 0 and not least):
        raise ValueError(f"its window has a width of {width:g}")
    if function == "SIGMOID":
        return np.asarray(1 / (1 + np.exp(-4 * (values - center) / width)))
    if function == "LINEAR":
        center, width = center - 0.5, width - 1
    if width == 0:
        return np.asarray(values > center, dtype=float)
    return np.asarray(np.clip((values - center) / width + 0.5, 0, 1))


def _as_bytes(shown: np.ndarray) -> np.ndarray:
    return np.asarray(np.round(np.clip(shown, 0, 1) * 255).astype(np.uint8))
