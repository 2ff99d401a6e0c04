"""Planted faults are found, one by one, and a clean folder has none."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageFilter

import skvision
from skvision import ImageCheck, check_images
from skvision.inspection.check import CHECKS
from skvision.inspection.check.figures import RECORD, packed, unpacked
from skvision.inspection.check.shortcuts import advantage

from ...made_photos import made_photo

CODES = [check.code for check in CHECKS]


@pytest.fixture(scope="module")
def tiles():
    return [made_photo(k) for k in range(30)]


@pytest.fixture(scope="module")
def clean(tiles, tmp_path_factory):
    """A folder of two classes without faults; tests must not change it."""
    folder = tmp_path_factory.mktemp("clean")
    for k, image in enumerate(tiles[:24]):
        place = folder / ("left" if k % 4 < 2 else "right")
        place.mkdir(exist_ok=True)
        image.save(place / f"{k:02}.png")
    return folder


@pytest.fixture
def folder(clean, tmp_path):
    return shutil.copytree(clean, tmp_path / "animals")


def drawing(size):
    """A teal box on white."""
    image = Image.new("RGB", size, "white")
    image.paste("teal", (20, 30, 90, 110))
    return image


def found(check, code):
    """The findings of a code as (message, names of files)."""
    return [
        (each.message, [str(file).replace("\\", "/").split("/")[-1] for file in check.files(each)])
        for each in check.findings
        if each.code == code
    ]


def test_a_clean_folder_has_no_findings(clean):
    check = check_images(clean)
    assert check.findings == []
    assert {code: check.status(code) for code in CODES} == {
        **dict.fromkeys(CODES, "passed"),
        # twelve images of each class are too few to tell
        **dict.fromkeys(["leak", "burst", "shortcut", "label"], "not applicable"),
    }
    assert "against=" in repr(check)


def test_unreadable_files(folder):
    whole = (folder / "left" / "00.png").read_bytes()
    (folder / "left" / "empty.png").write_bytes(b"")
    (folder / "left" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "left" / "page.jpg").write_bytes(b"<html>not found</html>")
    check = check_images(folder)
    names = [names for _, names in found(check, "unreadable")]
    assert sorted(names) == [["cut.png"], ["empty.png"], ["page.jpg"]]
    assert any("empty" in message for message, _ in found(check, "unreadable"))
    assert {each.code for each in check.findings} == {"unreadable"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda image: Image.new("RGB", image.size), "all black"),
        (lambda image: Image.new("RGB", image.size, "white"), "all white"),
        (lambda image: Image.new("RGB", image.size, "teal"), "of one colour"),
        (lambda image: image.point(lambda level: level // 5), "very dark"),
        (lambda image: image.point(lambda level: 246 + level // 30), "very bright"),
        (lambda image: image.filter(ImageFilter.GaussianBlur(5)), "very blurred"),
        (lambda image: image.convert("L").convert("RGB"), "without colour"),
        (lambda image: image.convert("CMYK"), "mode CMYK"),
        (lambda image: image.crop((0, 0, 125, 20)), "unusually long"),
        (lambda image: image.resize((20, 20)), "unusually small"),
        (lambda image: image.resize((900, 900)), "unusually large"),
        (lambda image: drawing(image.size), "poor in detail"),
    ],
)
def test_odd_images(folder, tiles, make, words):
    make(tiles[26]).save(folder / "left" / "odd.tiff")
    messages = found(check_images(folder), "odd")
    assert [names for _, names in messages] == [["odd.tiff"]]
    assert words in messages[0][0]


def test_a_wrong_ending_is_odd(folder, tiles):
    tiles[26].save(folder / "left" / "odd.jpg", "PNG")
    assert found(check_images(folder), "odd") == [
        ("It is a PNG file, although its name ends in .jpg.", ["odd.jpg"])
    ]


def test_what_many_images_have_is_not_odd(tiles):
    dark = [image.point(lambda level: level // 5) for image in tiles]
    check = check_images(dark)
    assert check.status("odd") == "passed"


def test_exact_and_near_duplicates(folder, tiles):
    tiles[20].save(folder / "left" / "same.bmp")
    tiles[8].resize((100, 90)).save(folder / "left" / "small.png")
    check = check_images(folder)
    assert found(check, "exact-duplicate") == [
        ("2 images have the same pixels.", ["20.png", "same.bmp"])
    ]
    assert found(check, "near-duplicate") == [
        ("2 images show one photo (resized).", ["08.png", "small.png"])
    ]
    assert check.status("two-labels") == "passed"


def test_one_photo_with_two_labels(folder, tiles):
    tiles[20].save(folder / "right" / "same.png")
    tiles[8].transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "right" / "mirrored.png")
    check = check_images(folder)
    assert sorted(found(check, "two-labels")) == [
        ("One photo has the labels left and right (equal pixels).", ["20.png", "same.png"]),
        ("One photo has the labels left and right (mirrored).", ["08.png", "mirrored.png"]),
    ]


def test_leaks(clean, tiles, tmp_path):
    for name, image in {
        "other": tiles[27],
        "same": tiles[4],
        "less": tiles[8].crop((5, 5, 120, 135)),
    }.items():
        image.save(tmp_path / f"{name}.png")
    check = check_images(tmp_path, against=clean)
    assert sorted(names for _, names in found(check, "leak")) == [
        ["less.png", "08.png"],
        ["same.png", "04.png"],
    ]
    leak = next(each for each in check.findings if each.code == "leak")
    assert (len(leak.places), len(leak.against)) == (1, 1)
    # copies of one side are no leaks, and the other side has no findings of its own
    assert check.status("near-duplicate") == "passed"


def photo_at(path, image, second, camera="Acme"):
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = camera
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = (
        f"2024:05:17 10:00:{second:02}"
    )
    image.save(path, exif=exif, quality=95)


def test_bursts(tiles, tmp_path):
    for k, second in enumerate((1, 2, 5, 40, 50, 58)):
        photo_at(tmp_path / f"{k}.jpg", tiles[k], second)
    photo_at(tmp_path / "other.jpg", tiles[9], 2, "Other")
    check = check_images(tmp_path)
    assert [names for _, names in found(check, "burst")] == [["0.jpg", "1.jpg", "2.jpg"]]
    files = sorted(map(str, tmp_path.iterdir()))
    assert check_images(files, groups=["a"] * 7).status("burst") == "passed"
    ((message, _),) = found(check_images(files, groups=list("abcdefg")), "burst")
    assert "groups a, b and c" in message


def test_shortcuts_by_size_and_brightness():
    draw = np.random.default_rng(0)
    y = np.repeat(["cat", "dog"], 40)
    images = [
        Image.fromarray(draw.integers(0, 200, (30 + 10 * (k >= 40), 40, 3), dtype=np.uint8))
        for k in range(80)
    ]
    messages = [message for message, _ in found(check_images(images, y), "shortcut")]
    assert messages == [
        "The size in pixels alone tells the class of 100% of the images right, where chance is 50%."
    ]
    assert check_images(images, np.tile(["cat", "dog"], 40)).status("shortcut") == "passed"
    groups = np.arange(80) // 2
    assert check_images(images, y, groups=groups).status("shortcut") == "found"


def test_shortcuts_by_format_camera_and_compression(tiles, tmp_path):
    for k in range(60):
        place = tmp_path / ("cat" if k % 2 else "dog")
        place.mkdir(exist_ok=True)
        image = tiles[k % 30].rotate(0 if k < 30 else 180)
        if k % 2:
            photo_at(place / f"{k}.jpg", image, k % 60, "Acme")
        else:
            image.save(place / f"{k}.png")
    messages = " ".join(message for message, _ in found(check_images(tmp_path), "shortcut"))
    for words in ("The file format", "The camera", "The compression"):
        assert words in messages


def test_chance_alone_is_no_shortcut():
    assert advantage(50, 100, 2) == (0.0, False)
    assert advantage(30, 100, 2) == (0.0, False)
    assert advantage(900, 1000, 10)[1]


def test_uneven_classes(folder, tiles):
    (folder / "empty").mkdir()
    (folder / "few").mkdir()
    tiles[25].save(folder / "few" / "1.png")
    (folder / "lost").mkdir()
    (folder / "lost" / "1.png").write_bytes(b"")
    messages = [message for message, _ in found(check_images(folder), "uneven")]
    assert sum("empty holds no images" in each for each in messages) == 1
    assert sum("'lost' can be read" in each for each in messages) == 1
    assert sum("'few' has 1 image;" in each for each in messages) == 1
    assert sum("12 times as many as 'few'" in each for each in messages) == 1


def test_one_class_only(tiles):
    check = check_images(tiles[:6], ["cat"] * 6)
    assert [message for message, _ in found(check, "uneven")] == ["There is only one class, 'cat'."]
    assert check.status("two-labels") == check.status("shortcut") == "not applicable"


def test_copies_in_two_groups_are_named(tiles):
    check = check_images([tiles[0], tiles[0], tiles[2]], groups=["rex", "bello", "rex"])
    assert found(check, "exact-duplicate") == [
        (
            "2 images have the same pixels; they are in the groups bello and rex, which a split by "
            "groups separates.",
            ["0", "1"],
        )
    ]


def test_arrays_have_no_headers(digits):
    X, y = digits
    check = check_images(X[:60], y[:60])
    assert check.status("unreadable") == check.status("burst") == "not applicable"
    assert check.status("uneven") == "passed"
    frame = check.frame()
    assert list(frame) == ["code", "message", "score", "files"]
    scores = np.asarray(frame["score"])
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("scale", [None, (0, 1000)])
def test_arrays_of_floats_need_a_scale(scale):
    X = np.random.default_rng(0).random((3, 16, 16)) * 1000
    with pytest.raises(ValueError, match="value_range"):
        check_images(X)
    assert check_images(X, value_range=scale).findings == []


def test_images_of_one_colour_only():
    check = check_images(np.full((3, 16, 16, 3), 200, np.uint8))
    assert {each.code for each in check.findings} == {"odd", "exact-duplicate"}
    different = np.stack([np.full((16, 16, 3), level, np.uint8) for level in (10, 20, 30)])
    assert {each.code for each in check_images(different).findings} == {"odd"}


def test_nothing_can_be_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    check = check_images(tmp_path, against=[Image.new("L", (9, 9))])
    assert [each.code for each in check.findings] == ["unreadable"]
    assert check.status("odd") == check.status("near-duplicate") == "not applicable"
    assert check.status("leak") == "not applicable"
    with pytest.raises(ValueError, match="nothing to plot"):
        check.plot()
    assert "the file is empty" in check.html()


def test_bad_input(clean, tmp_path):
    with pytest.raises(ValueError, match="are the same folder"):
        check_images(clean, against=str(clean) + "/")
    with pytest.raises(ValueError, match="lie in one another"):
        check_images(clean, against=clean / "left")
    files = sorted(map(str, (clean / "left").iterdir()))
    with pytest.raises(ValueError, match="1 files that X holds too"):
        check_images(files[:3], against=files[2:])
    with pytest.raises(ValueError, match="groups holds 1 values"):
        check_images(files, groups=["a"])
    with pytest.raises(ValueError, match="y holds 1 values"):
        check_images(files, ["a"])
    with pytest.raises(ValueError, match="Don't pass y"):
        check_images(clean, ["a"])
    with pytest.raises(ValueError, match="holds no images|no images"):
        check_images(tmp_path)
    with pytest.raises(FileNotFoundError):
        check_images(tmp_path / "none")
    check = check_images(files[:2])
    with pytest.raises(ValueError, match="code must be one of 'unreadable'"):
        check.status("nonsense")
    with pytest.raises(ValueError, match="n_findings"):
        check.plot(n_findings=0)


def test_the_second_check_decodes_nothing(folder, tmp_path, monkeypatch):
    (folder / "left" / "empty.png").write_bytes(b"")
    (folder / "left" / "page.jpg").write_bytes(b"<html>")
    first = check_images(folder, cache=tmp_path / "cache", verbose=1)
    opened = []
    decode = skvision.inspection.check.survey.decode_described
    monkeypatch.setattr(
        skvision.inspection.check.survey,
        "decode_described",
        lambda source, size: opened.append(source) or decode(source, size),
    )
    second = check_images(folder, cache=tmp_path / "cache")
    # the cache keeps no reasons of damaged files
    assert {name.split("/")[-1] for name in opened} == {"page.jpg"}
    assert second.findings == first.findings
    assert np.array_equal(
        second.subject.images.survey.thumbnails, first.subject.images.survey.thumbnails
    )


def test_records_survive_packing():
    record = np.frombuffer(np.random.default_rng(0).bytes(3 * RECORD.itemsize), RECORD)
    assert unpacked(packed(record), RECORD).tobytes() == record.tobytes()


def test_plots(clean, tiles, tmp_path):
    images = [*tiles[:5], tiles[0], tiles[1].resize((90, 90)), Image.new("RGB", (50, 40))]
    check = check_images(images, against=clean)
    assert isinstance(check, ImageCheck)
    figure = check.plot().figure_
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    assert any(title.startswith("exact-duplicate: 2 images") for title in titles)
    assert any("all black" in panel.get_xlabel() for panel in figure.axes)
    assert len(check.plot(code="odd", n_findings=1).figure_.axes) == 4
    html = check._repr_html_()
    assert html.count("<figure>") >= 8
    assert check.page().startswith("<!DOCTYPE html>")


def test_names_are_escaped(tiles, tmp_path):
    name = tmp_path / "<b>&.png"
    Image.new("RGB", (9, 9)).save(name)
    html = check_images([str(name)]).html()
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;.png" in html
