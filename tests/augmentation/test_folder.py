"""`augment_folder`: names, manifest, seeds, refusals, and resuming after a kill."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from skvision import ImageAugmenter, ImageDecodeError, RandAugmenter, SkippedImageWarning
from skvision import augment_folder as augment
from skvision.augmentation import AugmentedImage, Draw
from skvision.images import decode

AUGMENTER = ImageAugmenter(rotation_range=40, noise_std=0.05, horizontal_flip=True)


@pytest.fixture
def animals(tmp_path):
    """Five cats and three dogs: PNG, JPEG, a nested folder, an EXIF rotation, odd names."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "animals"
    names = ("cat/a.png", "cat/a.jpg", "cat/b.JPG", "cat/more/c.bmp", "cat/a-1.png",
             "dog/d.jpeg", "dog/ü ,x.png", "dog/e.webp")  # fmt: skip
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        how = {"exif": exif} if name == "cat/b.JPG" and (exif := _turned()) else {}
        image.save(folder / name, **how)
    return folder


def _turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows(manifest):
    with open(manifest, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_originals_copies_and_manifest(animals, tmp_path):
    before = contents(animals)
    more = tmp_path / "more"
    manifest = augment(animals, more, AUGMENTER, sampling_strategy=7, random_state=0)
    listed = rows(manifest)
    assert list(listed[0]) == ["file", "source", "class", "parameters"]
    assert [row["class"] for row in listed].count("cat") == 7
    assert [row["class"] for row in listed].count("dog") == 7
    files = contents(more)
    assert set(files) == {row["file"] for row in listed} | {
        "manifest.csv",
        ".skvision-augment.json",
    }
    for row in listed:
        source, parameters = animals / row["source"], json.loads(row["parameters"])
        if not parameters:
            assert files[row["file"]] == source.read_bytes()
            continue
        # made from the named image by the recorded parameters
        made = decode(AugmentedImage(str(source), Draw.of(**parameters)))
        off = np.abs(decode(str(more / row["file"])).astype(int) - made)
        assert off.max() == 0 if row["file"].endswith(".png") else off.mean() < 25
        assert (more / row["file"]).parent == more / (row["source"].rsplit("/", 1)[0])
    assert contents(animals) == before


def test_names_show_the_source_and_never_collide(animals, tmp_path):
    manifest = augment(animals, tmp_path / "more", AUGMENTER, sampling_strategy=10, random_state=0)
    names = [row["file"] for row in rows(manifest)]
    assert len({name.casefold() for name in names}) == 20
    for row in rows(manifest):
        if row["parameters"] != "{}":
            stem = row["source"].rsplit(".", 1)[0]
            assert row["file"].startswith(f"{stem}-")
            kept = row["source"].lower().endswith((".jpg", ".jpeg"))
            assert row["file"].endswith(row["source"].rsplit(".", 1)[1] if kept else ".png")


def test_same_seed_same_bytes_for_any_number_of_threads(animals, tmp_path, monkeypatch):
    made = []
    for n in ("1", "4", "0"):
        monkeypatch.setenv("OMP_NUM_THREADS", n)
        how = {"sampling_strategy": 9, "random_state": np.int64(3)}
        made.append(contents(augment(animals, tmp_path / n, AUGMENTER, **how).parent))
    assert made[0] == made[1] == made[2]
    other = augment(
        animals, tmp_path / "other", AUGMENTER, sampling_strategy=9, random_state=4
    ).parent
    assert contents(other)["manifest.csv"] != made[0]["manifest.csv"]


def test_only_new(animals, tmp_path):
    manifest = augment(
        animals, tmp_path / "new", RandAugmenter(), sampling_strategy=7, include_originals=False
    )
    listed = rows(manifest)
    assert [row["class"] for row in listed].count("cat") == 2
    assert [row["class"] for row in listed].count("dog") == 4
    originals = set(contents(animals))
    assert not originals & {row["file"] for row in listed}


def test_auto(animals, tmp_path):
    listed = rows(augment(animals, tmp_path / "even", AUGMENTER, random_state=0))
    assert len(listed) == 10


@pytest.mark.parametrize("where", ["", "cat", "cat/new", "../animals/dog/x"])
def test_never_into_the_source(animals, where):
    before = contents(animals)
    with pytest.raises(ValueError, match="must stay unchanged"):
        augment(animals, animals / where, AUGMENTER, sampling_strategy=9)
    assert contents(animals) == before


def test_never_around_the_source_or_through_a_link(animals, tmp_path):
    with pytest.raises(ValueError, match="lies in"):
        augment(animals, animals.parent, AUGMENTER, sampling_strategy=9, resume=True)
    (tmp_path / "link").symlink_to(animals)
    with pytest.raises(ValueError, match="must stay unchanged"):
        augment(animals, tmp_path / "link" / "more", AUGMENTER, sampling_strategy=9)


def test_never_into_the_source_through_links_below_it(animals, tmp_path):
    (tmp_path / "linked").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "linked" / name).symlink_to(animals / name)
    before = contents(animals)
    with pytest.raises(ValueError, match="must stay unchanged"):
        augment(tmp_path / "linked", animals / "cat" / "new", AUGMENTER, sampling_strategy=9)
    more = tmp_path / "more"
    how = {"sampling_strategy": 9, "random_state": 0}
    augment(animals, more, AUGMENTER, **how)
    shutil.rmtree(more / "cat")
    (more / "cat").symlink_to(animals / "cat")
    with pytest.raises(ValueError, match="must stay unchanged"):
        augment(animals, more, AUGMENTER, **how, resume=True)
    assert contents(animals) == before


def test_names_of_the_maximum_length(tmp_path):
    name = "写" * 83 + ".jpg"  # 253 bytes
    for label in ("cat", "dog"):
        (tmp_path / "animals" / label).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "animals" / label / name)
    manifest = augment(tmp_path / "animals", tmp_path / "more", AUGMENTER, sampling_strategy=12)
    files = [row["file"] for row in rows(manifest)]
    assert len(set(files)) == 24
    assert all((tmp_path / "more" / file).is_file() for file in files)


def test_a_folder_with_the_name_of_a_new_image(animals, tmp_path):
    (animals / "dog" / "d-1.jpeg").mkdir()
    Image.new("RGB", (4, 4)).save(animals / "dog" / "d-1.jpeg" / "f.png")
    manifest = augment(animals, tmp_path / "more", AUGMENTER, sampling_strategy=12, random_state=0)
    assert all((tmp_path / "more" / row["file"]).is_file() for row in rows(manifest))


@pytest.mark.parametrize("filling", [{"fill_mode": "constant", "cval": 200.0},
                                     {"fill_mode": "wrap"}, {"cval": 9.0}])  # fmt: skip
def test_the_manifest_records_the_filling(animals, tmp_path, filling):
    augmenter = ImageAugmenter(rotation_range=40, erase_fraction=0.3, **filling)
    manifest = augment(animals, tmp_path / "more", augmenter, sampling_strategy=9, random_state=0)
    made = [row for row in rows(manifest) if row["parameters"] != "{}"]
    assert made
    for row in made:
        parameters = json.loads(row["parameters"])
        assert filling.items() <= parameters.items()
        if row["file"].endswith(".png"):
            again = decode(AugmentedImage(str(animals / row["source"]), Draw.of(**parameters)))
            np.testing.assert_array_equal(again, decode(str(tmp_path / "more" / row["file"])))


def test_resume_notices_other_originals_and_a_damaged_record(animals, tmp_path):
    more = tmp_path / "more"
    how = {"sampling_strategy": 9, "random_state": 0, "resume": True}
    more.mkdir()
    # as left by a process that was killed while it wrote the record
    (more / "..skvision-augment.json.abc.part.json").write_text("{")
    augment(animals, more, AUGMENTER, **how)
    assert not list(more.glob(".*.part*"))
    Image.new("RGB", (16, 12)).save(animals / "cat" / "a.png")
    with pytest.raises(ValueError, match="begun by another call.*images"):
        augment(animals, more, AUGMENTER, **how)
    record = more / ".skvision-augment.json"
    for damaged in ("", "{", "{}", "[]", "null"):
        record.write_text(damaged)
        with pytest.raises(
            ValueError, match=r"\.skvision-augment\.json is damaged.*another folder"
        ):
            augment(animals, more, AUGMENTER, **how)


def test_resume_by_an_equivalent_augmenter(animals, tmp_path):
    how = {"sampling_strategy": 9, "random_state": 0}
    manifest = augment(animals, tmp_path / "more", ImageAugmenter(rotation_range=40), **how)
    done = contents(manifest.parent)
    augment(animals, manifest.parent, ImageAugmenter(rotation_range=40.0), **how, resume=True)
    assert contents(manifest.parent) == done


def test_a_folder_that_is_not_empty(animals, tmp_path):
    more = tmp_path / "more"
    more.mkdir()
    (more / "x").touch()
    with pytest.raises(FileExistsError, match="is not empty.*--resume"):
        augment(animals, more, AUGMENTER, sampling_strategy=9)
    with pytest.raises(ValueError, match="no record of the call that made them"):
        augment(animals, more, AUGMENTER, sampling_strategy=9, resume=True, random_state=0)
    with pytest.raises(NotADirectoryError, match="is a file"):
        augment(animals, more / "x", AUGMENTER, sampling_strategy=9)
    assert [path.name for path in more.iterdir()] == ["x"]


def test_bad_parameters(animals, tmp_path):
    more = tmp_path / "more"
    with pytest.raises(ValueError, match="'cat' has 5 images, more than its target of 4"):
        augment(animals, more, AUGMENTER, sampling_strategy=4)
    with pytest.raises(ValueError, match="augmenter must be"):
        augment(animals, more, "rotate")
    with pytest.raises(ValueError, match="zoom_range"):
        augment(animals, more, ImageAugmenter(zoom_range=2))
    with pytest.raises(ValueError, match="sampling_strategy must be a whole number"):
        augment(animals, more, AUGMENTER, sampling_strategy=9.0)
    with pytest.raises(ValueError, match="path of one folder"):
        augment([animals, animals], more, AUGMENTER, sampling_strategy=9)
    with pytest.raises(ValueError, match="resume=True needs the random_state"):
        augment(animals, more, AUGMENTER, resume=True)
    with pytest.raises(ValueError, match="on_error"):
        augment(animals, more, AUGMENTER, on_error="ignore")
    with pytest.raises(FileNotFoundError, match="no folder"):
        augment(tmp_path / "nowhere", more, AUGMENTER)
    (animals / "empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no images"):
        augment(animals, more, AUGMENTER, sampling_strategy=9)
    assert not more.exists()


def test_unreadable_images(animals, tmp_path):
    (animals / "cat" / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(ImageDecodeError, match=r"broken\.jpg"):
        augment(animals, tmp_path / "more", AUGMENTER, sampling_strategy=9)
    assert not (tmp_path / "more").exists()
    with pytest.warns(SkippedImageWarning, match="1 unreadable image"):
        manifest = augment(
            animals, tmp_path / "more", AUGMENTER, sampling_strategy=9, on_error="skip"
        )
    assert len(rows(manifest)) == 18
    for name in ("a.png", "a.jpg", "b.JPG", "more/c.bmp", "a-1.png"):
        (animals / "cat" / name).write_bytes(b"x")
    with pytest.raises(ValueError, match="None of the images of class 'cat'"):
        augment(animals, tmp_path / "none", AUGMENTER, sampling_strategy=9, on_error="skip")


def test_resume_of_complete_folders_and_of_other_calls(animals, tmp_path):
    more = tmp_path / "more"
    how = {"sampling_strategy": 9, "random_state": 0}
    augment(animals, more, AUGMENTER, **how)
    done = contents(more)
    augment(animals, more, AUGMENTER, **how, resume=True)
    assert contents(more) == done
    removed = more / "cat" / "a-2.png"
    removed.unlink()
    augment(animals, more, AUGMENTER, **how, resume=True)
    assert contents(more) == done
    with pytest.raises(ValueError, match="begun by another call: 18 files then, and now 20 files"):
        augment(animals, more, AUGMENTER, sampling_strategy=10, random_state=0, resume=True)
    with pytest.raises(ValueError, match="begun by another call.*seed"):
        augment(animals, more, AUGMENTER, sampling_strategy=9, random_state=1, resume=True)
    with pytest.raises(
        ValueError, match=r"begun by another call: .* then, and now .*rotation_range=41"
    ):
        augment(animals, more, ImageAugmenter(rotation_range=41), **how, resume=True)
    assert contents(more) == done


def test_resume_by_other_versions_is_refused(animals, tmp_path, monkeypatch):
    how = {"sampling_strategy": 9, "random_state": 0}
    more = augment(animals, tmp_path / "more", AUGMENTER, **how).parent
    monkeypatch.setattr("cv2.__version__", "4.0.0")
    with pytest.raises(ValueError, match=r"operations \d+ with OpenCV .* then.*OpenCV 4\.0\.0"):
        augment(animals, more, AUGMENTER, **how, resume=True)


def test_noise_without_a_scale_is_in_levels(animals, tmp_path):
    grey = tmp_path / "grey" / "cat"
    grey.mkdir(parents=True)
    Image.new("RGB", (64, 64), (128, 128, 128)).save(grey / "a.png")
    augmenter = ImageAugmenter(noise_std=5, value_range=None)
    how = {"sampling_strategy": 2, "random_state": 0}
    written = augment(tmp_path / "grey", tmp_path / "more", augmenter, **how).parent
    item = augmenter.fit_transform([str(grey / "a.png")])[0]
    for source in (str(written / "cat" / "a-1.png"), item):
        assert abs(decode(source).astype(float).std() - 5) < 0.3


COMMAND = ("--per-class", "40", "--rotation", "40", "--noise", "0.1", "--seed", "5", "--jobs", "1")


@pytest.mark.slow
@pytest.mark.parametrize("kills", [2])
def test_killed_and_resumed(digits_folder, tmp_path, kills):
    """A real process, killed twice, gives the same result in the end."""

    def start(*more):
        words = ("augment", digits_folder, tmp_path / "killed", *COMMAND, *more)
        return subprocess.Popen(
            [sys.executable, "-m", "skvision", *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    killed = tmp_path / "killed"
    n_before = 0
    for kill in range(kills):
        process = start(*(["--resume"] if kill else []))
        deadline = time.monotonic() + 60
        while len(list(killed.glob("*/*.png"))) < n_before + 25 and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.communicate()
        n_after = len(list(killed.glob("*/[!.]*.png")))
        assert n_before < n_after < 400, "it was killed before or after its work"
        assert not (killed / "manifest.csv").exists()
        n_before = n_after
    # as left by a kill in the middle of a file
    (killed / "one" / ".x.png.abc.part.png").write_bytes(b"half")
    last = start("--resume")
    output, errors = last.communicate(timeout=120)
    assert last.returncode == 0, errors
    assert "400 images" in output
    augmenter = ImageAugmenter(rotation_range=40.0, noise_std=0.1, random_state=5)
    whole = augment(
        digits_folder, tmp_path / "whole", augmenter, sampling_strategy=40, random_state=5
    )
    assert contents(killed) == contents(whole.parent)


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (errno.EACCES, PermissionError, "Permission denied"),
        (errno.EPERM, PermissionError, "not permitted"),
        (errno.EROFS, OSError, "Read-only file system"),
    ],
)
@pytest.mark.parametrize("refusing", ["pathlib.Path.mkdir", "tempfile.mkstemp"])
def test_a_folder_that_cannot_be_written(
    animals, tmp_path, monkeypatch, code, kind, said, refusing
):
    """With the errors of systems, also for users without restrictions."""
    more = tmp_path / "more"

    def refuse(self=more, *_, dir=None, **__):
        raise OSError(code, os.strerror(code), str(dir or self))

    monkeypatch.setattr(refusing, refuse)
    with pytest.raises(kind, match=f"^{more} can't be written: .*{said}. Pass another folder"):
        augment(animals, more, AUGMENTER, sampling_strategy=9)


def test_a_read_only_place_is_refused_before_decoding(animals, tmp_path, monkeypatch):
    (animals / "cat" / "broken.jpg").write_bytes(b"no image")
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    said = f"more/deep can't be written: {tmp_path} is read-only. Pass another"
    with pytest.raises(PermissionError, match=said):
        augment(animals, tmp_path / "more" / "deep", AUGMENTER, sampling_strategy=9)


def test_an_error_of_an_original_names_the_original(animals, tmp_path, monkeypatch):
    def refuse(source, destination):
        raise PermissionError(13, "Permission denied", source)

    monkeypatch.setattr(shutil, "copyfile", refuse)
    with pytest.raises(PermissionError, match=r"Permission denied: .*animals/cat/a"):
        augment(animals, tmp_path / "more", AUGMENTER, sampling_strategy=9)


def test_a_destination_in_the_users_own_folder(animals, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    manifest = augment("~/animals", "~/more", AUGMENTER, sampling_strategy=5)
    assert manifest == tmp_path / "more" / "manifest.csv"
