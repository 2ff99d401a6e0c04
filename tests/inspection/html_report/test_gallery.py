"""Which images a page shows, and what is said of the data."""

from __future__ import annotations

import os

import numpy as np
import pytest

from skvision.images import Look
from skvision.inspection.html_report.gallery import chosen, data_summary, gallery, short_names
from skvision.inspection.html_report.page_contents import Answers


def test_few_images_are_all_chosen():
    assert chosen(np.zeros(5, int), np.zeros(5, int), most=5).tolist() == [0, 1, 2, 3, 4]


def test_rare_pairs_are_complete_and_others_are_drawn():
    rng = np.random.default_rng(1)
    true = np.repeat([0, 1], [9000, 1000])
    predicted = true.copy()
    mistakes = rng.choice(10_000, 40, replace=False)
    predicted[mistakes] = 1 - true[mistakes]
    places = chosen(true, predicted, most=300)
    assert len(places) == len(set(places.tolist())) == 300
    assert set(mistakes.tolist()) <= set(places.tolist())
    kept = [(true[places] == k).sum() for k in (0, 1)]
    assert min(kept) > 120
    # not the first ones of each class
    assert places[true[places] == 0].mean() == pytest.approx(4500, rel=0.15)
    np.testing.assert_array_equal(places, chosen(true, predicted, most=300))


def test_a_gallery_counts_what_it_leaves_out():
    answers = Answers(np.array(["a", "b"]), np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0]))
    it = gallery(answers, np.array([0, 3]), ["data:,x", "data:,y"], list("wxyz"))
    assert (it.n, it.n_wrong, it.n_wrong_shown, it.is_sampled) == (4, 2, 1, True)
    assert [(each.name, each.true, each.predicted, each.top) for each in it.images] == [
        ("w", 0, 0, []),
        ("z", 1, 0, []),
    ]


def test_names_keep_the_class_folder():
    names = [os.path.join("data", "cat", "1.jpg"), os.path.join("data", "cat", "2.jpg")]
    assert short_names(names, 2) == [os.path.join("cat", "1.jpg"), os.path.join("cat", "2.jpg")]


def test_the_data_are_described():
    looks = [Look(30, 20, "PNG", None), Look(30, 20, "PNG", None), Look(8, 4, "JPEG", None)]
    it = data_summary("3 files", looks, ["cat", "dog", "dog"], [b"a", b"a", b"b"])
    assert it.formats == [("PNG", 2), ("JPEG", 1)]
    assert dict(it.sizes)["Most frequent size"] == "30 x 20 pixels, 2 images"
    assert dict(it.sizes)["Smallest image"] == "8 x 4 pixels"
    assert it.counts == [("dog", 2), ("cat", 1)]
    assert it.n_copies == 1
