"""Formats that Pillow can't read: HEIC and DICOM, with and without their packages."""

from __future__ import annotations

import sys

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGLossless, RLELossless, generate_uid

from skvision import ImageDecodeError
from skvision.images import decode
from skvision.images.packages import image_suffixes

VALUES = np.array([[0, 100, 200], [300, 400, 1000]], dtype=np.uint16)


@pytest.fixture
def dicom(tmp_path):
    """Write a DICOM file of grey pixels; keywords are its elements, and None removes one."""

    def write(pixels=VALUES, syntax=ExplicitVRLittleEndian, **elements):
        data = pydicom.Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = syntax
        data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.Rows, data.Columns = pixels.shape[:2]
        data.SamplesPerPixel = pixels.shape[2] if pixels.ndim == 3 else 1
        if data.SamplesPerPixel > 1:
            data.PlanarConfiguration = 0
        data.BitsAllocated = data.BitsStored = 8 * pixels.itemsize
        data.HighBit = data.BitsStored - 1
        data.PixelRepresentation = int(pixels.dtype.kind == "i")
        data.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
        data.PixelData = pixels.tobytes()
        for name, value in elements.items():
            if value is None:
                del data[name]
            else:
                setattr(data, name, value)
        path = tmp_path / "scan.dcm"
        data.save_as(path, enforce_file_format=True)
        return path

    return write


def grey(path):
    pixels = decode(path)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels[..., :1].repeat(3, axis=2), pixels)
    return pixels[..., 0].tolist()


def test_a_window_and_a_slope(dicom):
    # values 2 * stored - 100; 0 at 100 and below, 1 at 500 and above
    path = dicom(RescaleSlope=2, RescaleIntercept=-100, WindowCenter=300.5, WindowWidth=401)
    assert grey(path) == [[0, 0, 128], [255, 255, 255]]


def test_the_first_of_several_windows(dicom):
    path = dicom(WindowCenter=[200.5, 0], WindowWidth=[401, 1])
    assert grey(path) == [[0, 64, 128], [191, 255, 255]]


@pytest.mark.parametrize(
    ("function", "center", "width", "expected"),
    [
        ("LINEAR_EXACT", 200, 400, [[0, 64, 128], [191, 255, 255]]),
        ("SIGMOID", 200, 400, [[30, 69, 128], [186, 225, 255]]),
        ("LINEAR", 250, 1, [[0, 0, 0], [255, 255, 255]]),
    ],
)
def test_windows_of_every_function(dicom, function, center, width, expected):
    path = dicom(WindowCenter=center, WindowWidth=width, VOILUTFunction=function)
    assert grey(path) == expected


def test_monochrome1_is_inverted(dicom):
    path = dicom(WindowCenter=200.5, WindowWidth=401, PhotometricInterpretation="MONOCHROME1")
    assert grey(path) == [[255, 191, 128], [64, 0, 0]]


@pytest.mark.parametrize(
    ("pixels", "elements", "expected"),
    [
        (np.array([[0, 128, 255]], np.uint8), {}, [[0, 128, 255]]),
        (
            np.array([[0, 2048, 4095]], np.uint16),
            {"BitsStored": 12, "HighBit": 11},
            [[0, 128, 255]],
        ),
        (np.array([[-32768, 0, 32767]], np.int16), {}, [[0, 128, 255]]),
    ],
)
def test_without_a_window_the_bits_are_the_scale(dicom, pixels, elements, expected):
    assert grey(dicom(pixels, **elements)) == expected


def test_colour_and_palette(dicom):
    rgb = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode(dicom(rgb)), rgb)
    table = {
        f"{colour}PaletteColorLookupTable{it}": value
        for colour, level in (("Red", 255), ("Green", 128), ("Blue", 0))
        for it, value in (
            ("Descriptor", [2, 0, 16]),
            ("Data", np.array([0, level * 257], np.uint16).tobytes()),
        )
    }
    path = dicom(np.array([[0, 1]], np.uint8), PhotometricInterpretation="PALETTE COLOR", **table)
    assert decode(path).tolist() == [[[0, 0, 0], [255, 128, 0]]]


def test_a_look_up_table_instead_of_a_window(dicom):
    table = pydicom.Dataset()
    table.LUTDescriptor = [4, 0, 8]
    table.LUTData = np.array([0, 10, 250, 255], np.uint16).tobytes()
    path = dicom(np.array([[0, 1, 2, 3]], np.uint16), VOILUTSequence=[table])
    assert grey(path) == [[0, 10, 250, 255]]


def test_a_window_in_functional_groups(dicom):
    window, slope, group = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
    window.WindowCenter, window.WindowWidth = 200.5, 401
    slope.RescaleSlope, slope.RescaleIntercept = 2, 0
    group.FrameVOILUTSequence = [window]
    group.PixelValueTransformationSequence = [slope]
    path = dicom(SharedFunctionalGroupsSequence=[group], NumberOfFrames=1)
    assert grey(path) == [[0, 128, 255], [255, 255, 255]]


def test_run_lengths_are_decoded(dicom):
    path = dicom(np.array([[0, 128, 255]], np.uint8))
    data = pydicom.dcmread(path)
    data.compress(RLELossless)
    data.save_as(path)
    assert grey(path) == [[0, 128, 255]]


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"NumberOfFrames": 30}, "30 frames, but skvision reads single frames only"),
        ({"PixelData": None}, "without an image"),
        ({"WindowCenter": 1, "WindowWidth": 0}, "its window has a width of 0"),
        ({"Rows": 60000, "Columns": 60000}, "60,000 x 60,000 pixels"),
    ],
)
def test_dicom_files_without_a_single_image_are_refused(dicom, elements, message):
    with pytest.raises(ImageDecodeError, match=message):
        decode(dicom(**elements))


def test_the_error_of_a_missing_decoder_names_the_compression(dicom):
    path = dicom(syntax=JPEGLossless, PixelData=encapsulate([b"\xff\xd8\xff\xd9"]))
    with pytest.raises(ImageDecodeError, match="JPEG Lossless.*pip install pylibjpeg"):
        decode(path)


def test_heic_is_read_if_its_package_is_installed(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    image = Image.new("RGB", (32, 16), (200, 100, 50))
    path = tmp_path / "IMG_0001.HEIC"
    pillow_heif.from_pillow(image).save(path, quality=100)
    for brand in (b"heic", b"mif1"):
        content = path.read_bytes()
        pixels = decode(content[:8] + brand + content[12:])
        assert pixels.shape == (16, 32, 3)
        assert np.abs(pixels.astype(int) - (200, 100, 50)).max() < 6
    # Pillow's own list of formats belongs to the user
    assert "HEIF" not in Image.OPEN


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_the_error_of_a_missing_package_has_the_pip_command(brand, dicom, monkeypatch):
    for module in ("pillow_heif", "pydicom"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImageDecodeError, match=r'HEIC file.*pip install "skvision\[heic\]"'):
        decode(b"\0\0\0\x18ftyp" + brand + bytes(200))
    with pytest.raises(ImageDecodeError, match=r'DICOM file.*pip install "skvision\[dicom\]"'):
        decode(dicom())
    assert not image_suffixes() & {".heic", ".dcm"}


def test_suffixes_are_those_of_formats_that_pillow_decodes(monkeypatch):
    Image.init()
    found = image_suffixes()
    assert found >= {".jpg", ".jpeg", ".png", ".webp", ".avif", ".jp2", ".j2k", ".tga"}
    assert found >= {".psd", ".ico", ".qoi", ".mpo", ".ppm"}
    assert not found & {".pdf", ".h5", ".hdf", ".mpg", ".eps", ".svg", ".wmf", ".grib"}
    monkeypatch.setitem(Image.OPEN, "MINE", (lambda file, name: None, None))
    monkeypatch.setitem(Image.EXTENSION, ".mine", "MINE")
    assert ".mine" in image_suffixes()
    monkeypatch.setattr("PIL.features.check", lambda name: name != "avif")
    assert image_suffixes() & {".avif", ".webp"} == {".webp"}
