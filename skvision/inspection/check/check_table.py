"""The table of checks: what each finds, how, why it matters and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .bursts import bursts
from .class_sizes import uneven_classes
from .duplicates import exact_duplicates, leaks, near_duplicates, two_labels
from .findings import Finding, NotApplicable, Subject
from .label_check import doubtful_labels
from .odd_ones import odd_ones, unreadable
from .shortcuts import shortcuts

__all__ = ["CHECKS", "Check", "CheckResult", "run_check"]


@dataclass(frozen=True)
class Check:
    """One check: five facts and a function.

    Parameters
    ----------
    code : str
        Its name in results and on the command line.
    meaning, how, why, cure : str
        What it finds, how it finds it, why that matters, and how to lower the risk.
    find : callable
        Takes a `Subject`; returns findings, or `NotApplicable`.
    """

    code: str
    meaning: str
    how: str
    why: str
    cure: str
    find: Callable[[Subject], list[Finding] | NotApplicable]


@dataclass(frozen=True)
class CheckResult:
    """What one check found: `status` tells "passed" apart from "not applicable"."""

    check: Check
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    @property
    def status(self) -> str:
        """One of "found", "passed" and "not applicable"."""
        if self.reason:
            return "not applicable"
        return "found" if self.findings else "passed"


def run_check(check: Check, subject: Subject) -> CheckResult:
    """Run one check; its findings are sorted, those with the highest score first."""
    found = check.find(subject)
    if isinstance(found, NotApplicable):
        return CheckResult(check, reason=found.reason)
    return CheckResult(check, tuple(sorted(found, key=lambda each: -each.score)))


#: in the order of results
CHECKS = (
    Check(
        "unreadable",
        "A file is empty, cut off, or no image.",
        "Each file is decoded.",
        "A training stops at it, or learns from half an image.",
        "Download or export the file again, or remove it.",
        unreadable,
    ),
    Check(
        "odd",
        "An image shows nothing, or differs from the others.",
        "Brightness, entropy, sharpness, colour, size, shape, mode and the ending of its name.",
        "Empty frames and placeholders have labels that nothing in them explains.",
        "Look at it; remove it, or photograph it again.",
        odd_ones,
    ),
    Check(
        "exact-duplicate",
        "Several images have the same pixels.",
        "Digests of the decoded pixels.",
        "Copies in training and test make the accuracy too high, and weigh double.",
        "Keep one of them.",
        exact_duplicates,
    ),
    Check(
        "near-duplicate",
        "Several images show one photo: re-encoded, resized, cropped, mirrored, brighter.",
        "Neighbours of a short descriptor are aligned and compared block by block.",
        "A random split puts one in training and another in test.",
        "Keep the largest, or keep them on one side of each split by groups.",
        near_duplicates,
    ),
    Check(
        "two-labels",
        "Copies of one photo have different labels.",
        "The labels of exact and near duplicates are compared.",
        "One of the labels is wrong, or the photo shows both classes.",
        "Correct the label; remove the photo if it shows both.",
        two_labels,
    ),
    Check(
        "leak",
        "A photo is in both data sets, training and test.",
        "Exact and near duplicates between X and against.",
        "The accuracy on the test images is too high.",
        "Remove it from the training images.",
        leaks,
    ),
    Check(
        "burst",
        "One camera took several photos within seconds.",
        "Camera and time in EXIF, with at most three seconds between two photos.",
        "They show the same animal or object, so a random split lets the test repeat training.",
        "Keep each series on one side of a split: groups.",
        bursts,
    ),
    Check(
        "shortcut",
        "The class can be told without looking at what the image shows.",
        "Trees on size, brightness, format, camera or compression alone, in five folds, against "
        "chance.",
        "A network learns the shortcut, and fails on photos from elsewhere.",
        "Take the photos of all classes in the same way, or convert them all to one size and "
        "format; test on photos from elsewhere.",
        shortcuts,
    ),
    Check(
        "uneven",
        "Classes have few images or none, or very different numbers.",
        "Images of each class are counted: fewer than five, or more than ten times as many.",
        "Small classes are hardly learnt, and accuracy hides that.",
        'Add images, or pass class_weight="balanced"; judge by the recall of each class.',
        uneven_classes,
    ),
    Check(
        "label",
        "An image looks more like another class than its own.",
        "A classifier on the bundled network's features predicts each image from the other folds, "
        "as find_label_issues does.",
        "Wrong labels mislead the training, and make every accuracy doubtful.",
        "Look at it; correct the label, or keep it: unusual images are found too.",
        doubtful_labels,
    ),
)
