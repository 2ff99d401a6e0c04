"""Groups of any type become numbers; what isn't a group per image is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skvision._sklearn.groups import group_codes


@pytest.mark.parametrize(
    "groups",
    [
        ["b", "a", "b"],
        ("b", "a", "b"),
        [7, 3, 7],
        [0.5, 0.25, 0.5],
        [True, False, True],
        np.array(["b", "a", "b"]),
        np.array(["b", "a", "b"], dtype=object),
        np.array([[7], [3], [7]], dtype=np.uint8),
        pd.Series(["b", "a", "b"], index=[5, 6, 7]),
        pd.Series(["b", "a", "b"], dtype="category"),
        pd.Series([7, 3, 7]),
        [np.int64(7), 3, 7],
    ],
)
def test_groups_of_any_type_become_numbers(groups):
    codes = group_codes(groups, 3)
    assert codes.dtype == np.int64
    assert codes.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (["a", "b"], r"groups has 2 entries, but X has 3 images.*sampler\.sample_indices_"),
        ("abc", "Received groups='abc'"),
        (5, "Received groups=5"),
        ({"a", "b", "c"}, "one group per image"),
        (np.zeros((3, 2)), r"shape \(3, 2\)"),
        ([[1, 2], [3, 4], [5, 6]], r"shape \(3, 2\)"),
        ([[1, 2], [3], [4]], "one group per image"),
        (["a", 1, "a"], "all be of one type. Received 'a' and 1"),
        (["a", None, "a"], "lacks a value for image 1"),
        ([0.0, 1.0, float("nan")], "lacks a value for image 2"),
        (np.array([np.nan, 1, 1]), "lacks a value for image 0"),
        (pd.Series([1, pd.NA, 2], dtype="Int64"), "lacks a value for image 1"),
        ([1j, 1j, 1j], "one group per image"),
        (np.array([1j, 1j, 1j]), "complex128.*one group per image"),
        (np.array(["2020-01-01"] * 3, dtype="datetime64[D]"), "one group per image"),
    ],
)
def test_what_is_not_a_group_per_image_is_refused(groups, said):
    with pytest.raises(ValueError, match=said):
        group_codes(groups, 3)
