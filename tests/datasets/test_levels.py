"""A level of folders that isn't classes is refused, or gives a warning if it may be intended."""

from __future__ import annotations

import warnings

import pytest

from skvision import ImageAugmenter, augment_folder, load_image_folder

CAT_AND_DOG = ("cat/1.jpg", "dog/1.jpg")


def below(tops, names=CAT_AND_DOG):
    return [f"{top}/{name}" for top in tops for name in names]


def quiet(*args, **how):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_image_folder(*args, **how)


@pytest.mark.parametrize(
    "tops",
    [
        ("train", "val", "test"),
        ("Training", "Testing"),
        ("seg_train", "seg_test"),
        ("TRAIN", "VALID"),
        ("train2017", "val2017"),
        ("training_set", "test_set"),
        ("trainset", "testset"),
        ("TrainImages", "TestImages"),
        ("x-train", "x-dev"),
        ("1_train", "2_holdout"),
        ("Trainingsdaten", "Testdaten"),
        ("train", "hold-out"),
    ],
)
def test_parts_of_a_data_set(made, tops):
    data = made(*below(tops))
    with pytest.raises(ValueError, match="holds parts of a data set") as refused:
        load_image_folder(data)
    message = str(refused.value)
    assert f"Train on load_image_folder({str(data / tops[0])!r})" in message
    assert f"skvision train {data / tops[0]} --test {data / tops[-1]}" in message
    assert quiet(data / tops[0]).target_names == ["cat", "dog"]
    # as the user can declare it
    assert quiet(data, classes=tops).target_names == sorted(tops)


def test_the_advice_uses_the_test_part_for_evaluation(made):
    data = made(*below(("valid", "train", "test")))
    with pytest.raises(ValueError, match=rf"evaluate on '{data}/test'"):
        load_image_folder(data)


def test_a_command_for_names_with_spaces(made):
    data = made(*below(("Train Data", "Test Data")))
    with pytest.raises(ValueError, match=f"train '{data}/Train Data' --test '{data}/Test Data'"):
        load_image_folder(data)


def test_a_part_within_itself(made):
    data = made(*below(("seg_train/seg_train", "seg_test/seg_test")), "seg_pred/seg_pred/1.jpg")
    with pytest.raises(ValueError, match=rf"load_image_folder\('{data}/seg_train/seg_train'\)"):
        load_image_folder(data)


@pytest.mark.parametrize(
    "flat", ["test/1.jpg", "test1/1.jpg", "validation/a.png", "Unlabeled/1.jpg"]
)
def test_a_train_folder_beside_a_flat_one(made, flat):
    data = made(*below(["train"]), flat)
    with pytest.raises(ValueError, match=rf"Train on load_image_folder\('{data}/train'\)\."):
        load_image_folder(data)


def test_flat_parts_have_their_labels_elsewhere(made):
    data = made("train/cat.1.jpg", "train/dog.1.jpg", "test/1.jpg")
    with pytest.raises(ValueError, match=r"parts of a data set .*skvision\.load_image_table"):
        load_image_folder(data)


@pytest.mark.parametrize(
    "tops", [("fold1", "fold2", "fold3"), ("Fold_0", "Fold_1"), ("split 1", "split 2")]
)
@pytest.mark.parametrize("names", [CAT_AND_DOG, ["cat/1.jpg"], ["1.jpg"]])
def test_folds(made, tops, names):
    data = made(*below(tops, names))
    with pytest.raises(ValueError, match="parts of a data set") as refused:
        load_image_folder(data)
    if names == CAT_AND_DOG:
        joined = [data / top for top in tops]
        assert f"load_image_folder({list(map(str, joined))}) joins them" in str(refused.value)
        assert quiet(joined).target_names == ["cat", "dog"]


@pytest.mark.parametrize(
    "names",
    [
        below(["data"]),
        [*CAT_AND_DOG, *below(["data"])],
        [*CAT_AND_DOG, "bird/1.jpg", *below(["pets"])],
        [*CAT_AND_DOG, "old/Cat/1.jpg"],
    ],
)
def test_a_set_unpacked_into_itself(made, names):
    data = made(*names)
    with pytest.raises(ValueError, match=r"isn't a class: it holds class folders, (cat|Cat)"):
        load_image_folder(data)


def test_a_folder_around_the_set_is_named(made):
    data = made(*below(["Kaggle"]))
    with pytest.raises(ValueError, match=rf"Did you mean load_image_folder\('{data}/Kaggle'\)\?"):
        load_image_folder(data)
    data = made(*below(["train", "test"]), root=data / "more" / "set")
    with pytest.raises(ValueError, match=rf"Train on load_image_folder\('{data}/train'\)"):
        load_image_folder(data.parent)


@pytest.mark.parametrize("tops", [("monday", "tuesday"), ("10253", "9036"), ("amazon", "webcam")])
def test_recurring_class_names(made, tops):
    data = made(*below(tops), f"{tops[0]}/bird/1.jpg")
    with pytest.raises(ValueError, match="the same subfolders, cat and dog: those look like"):
        load_image_folder(data)


def test_recurring_class_names_two_levels_down(made):
    data = made(*below(["amazon/images", "webcam/images"]))
    with pytest.raises(ValueError, match=rf"load_image_folder\(\['{data}/amazon/images', "):
        load_image_folder(data)


@pytest.mark.parametrize("tops", [("patient1", "patient2"), ("batch_a", "batch_b")])
def test_one_recurring_name_in_numbered_folders(made, tops):
    data = made(*below(tops, ["cat/1.jpg"]), f"{tops[1]}/dog/1.jpg")
    with pytest.raises(ValueError, match="those look like the classes"):
        load_image_folder(data)


def test_parts_within_the_classes(made):
    data = made(*below(["cat", "dog"], ["train/1.jpg", "test/1.jpg"]))
    with pytest.raises(ValueError, match=rf"would be joined\. .*as in {data}/test/cat\."):
        load_image_folder(data)


@pytest.mark.parametrize(
    ("tops", "names"),
    [
        (("cats", "dogs"), ["phone/1.jpg"]),
        (("cats", "dogs"), ["phone/1.jpg", "camera/2.jpg"]),
        (("cats", "dogs"), ["images/1.jpg", "masks/1.png"]),
        (("cats", "dogs"), ["40X/1.jpg", "100X/1.jpg"]),
        (("cats", "dogs"), ["2023/1.jpg", "2024/1.jpg"]),
        (("cats", "dogs"), ["session1/1.jpg", "session2/1.jpg"]),
        (("0", "1"), ["phone/1.jpg", "web/2.jpg"]),
    ],
)
def test_possible_levels_of_classes_are_warned_of(made, tops, names):
    data = made(*below(tops, names))
    with pytest.warns(UserWarning, match="the same subfolders, .* whose images are joined"):
        found = load_image_folder(data)
    assert found.target_names == list(tops)
    assert quiet(data, classes=tops).target_names == list(tops)


def test_a_class_within_another_is_warned_of(made):
    data = made(*CAT_AND_DOG, "cat/Dog/2.jpg")
    with pytest.warns(UserWarning, match="cat/Dog counts as 'cat', although 'Dog' is a class too"):
        load_image_folder(data)


@pytest.mark.parametrize(
    "names",
    [
        # vehicles
        ["train/1.jpg", "car/1.jpg", "bus/1.jpg"],
        ["freight_train/1.jpg", "train_station/1.jpg"],
        # results of a test
        ["test_positive/1.jpg", "test_negative/1.jpg"],
        ["control/1.jpg", "test/1.jpg"],
        ["valid/1.jpg", "invalid/1.jpg"],
        # kinds within classes
        ["bird/owl/1.jpg", "bird/crow/1.jpg", "fish/cod/1.jpg", "fish/eel/1.jpg"],
        ["cat/cat/1.jpg", "dog/dog/1.jpg"],
        ["cat/1.jpg", "cat/more/2.jpg", "dog/1.jpg", "dog/more/2.jpg"],
        # parts of a machine
        ["part1/1.jpg", "part2/1.jpg"],
        ["c0/1.jpg", "c1/1.jpg"],
    ],
)
def test_classes_with_such_names_are_classes(made, names):
    expected = sorted({name.split("/")[0] for name in names})
    assert quiet(made(*names)).target_names == expected


def test_chosen_classes(made):
    data = made("cat/1.jpg", "dog/1.jpg", "bird/1.jpg", "test/1.jpg", "train/1.jpg")
    found = load_image_folder(data, classes=["cat", "dog"])
    assert found.target_names == ["cat", "dog"]
    assert str(data / "bird") in found.ignored
    with pytest.raises(ValueError, match="classes contains 'fish', but there is no such folder"):
        load_image_folder(data, classes=["cat", "fish"])
    with pytest.raises(TypeError, match="classes must be a list of names"):
        load_image_folder(data, classes="cat")


def test_augmented_copies_of_parts_are_refused_too(made, tmp_path):
    data = made(*below(["train", "test"]))
    more = tmp_path / "more"
    with pytest.raises(ValueError, match=r"parts of a data set.*pass sampling_strategy=\{name"):
        augment_folder(data, more, ImageAugmenter(rotation_range=9), sampling_strategy=4)
    assert not more.exists()
    # the user names the classes explicitly
    counts = {"train": 3, "test": 3}
    augment_folder(data, more, ImageAugmenter(rotation_range=9), sampling_strategy=counts)
    assert len(list(more.glob("*/*/*.jpg"))) == 6
