"""``skvision report``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ._models import load_model
from ._options import Classes, Debug, Folders, GroupBy, Jobs, ModelFile, Trust
from ._start import use_threads

__all__ = ["page_of_folders", "report"]


def report(
    model: ModelFile,
    folders: Folders,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The file to write, for example report.html.")
    ],
    train: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder of training images, to find those that are in both; repeatable.",
        ),
    ] = None,
    group_by: GroupBy = None,
    classes: Classes = None,
    jobs: Jobs = None,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Write a page about a model's answers, to look at and to share.

    One HTML file with the accuracy, the confusion matrix, the most confident mistakes
    with heat maps, calibration, and all images to filter. Use images that the model hasn't
    seen. Unreadable images are listed in it, and classes that the model doesn't know are
    counted apart.
    """
    use_threads(jobs)
    from .._system.atomic import written_whole

    # check the output first, so that a wrong path doesn't waste the work
    with written_whole(out.expanduser()) as temporary:
        estimator = load_model(model, trust)
        page = page_of_folders(estimator, model, folders, classes, train or (), group_by)
        temporary.write_text(page, encoding="utf-8")
    typer.echo(f"Report written to {out}")


def page_of_folders(
    estimator: Any,
    model: Path,
    folders: Sequence[Path],
    classes: str | None,
    train: Sequence[Path] = (),
    group_by: str | None = None,
) -> str:
    """Return the page about a model's answers for the images in class folders."""
    from ..datasets import as_grouping
    from ..datasets.folders import unchecked_images
    from ..inspection.html_report import Origin, page_of

    names = None if classes is None else [name.strip() for name in classes.split(",")]
    known = [str(name) for name in estimator.classes_]
    find_groups = None if group_by is None else as_grouping(group_by)
    data = unchecked_images(list(folders), known=known, classes=names)
    groups = find_groups(data.data, list(map(str, folders))) if find_groups else None
    origin = Origin(str(model), ", ".join(os.path.basename(os.path.abspath(it)) for it in folders))
    return page_of(
        estimator,
        data.data,
        data.target,
        groups=groups,
        X_train=_images_in(train) if train else None,
        origin=origin,
        verbose=1,
    )


def _images_in(folders: Sequence[Path]) -> list[str]:
    from ..datasets import list_images
    from ..datasets.listing import existing_folders

    found = [file for folder in existing_folders(list(folders)) for file in list_images(folder)[0]]
    if not found:
        raise ValueError(f"There are no images in {', '.join(map(str, folders))} to compare with.")
    return found
