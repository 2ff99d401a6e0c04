"""``skvision predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._models import chunks, load_model

__all__ = ["predict"]


def predict(
    model: Annotated[Path, typer.Argument(help="A file that skvision train wrote.")],
    pictures: Annotated[list[Path], typer.Argument(help="Pictures, and folders of pictures.")],
    top: Annotated[int, typer.Option(min=1, help="How many classes to name for each.")] = 1,
    trust: Annotated[
        bool, typer.Option("--trust", help="Load the model although that can run code in it.")
    ] = False,
) -> None:
    """Name the class of each picture, with probabilities.

    Unreadable pictures are named on standard error, the others predicted; the
    exit code is then 2.
    """
    files = _files(pictures)
    estimator = load_model(model, trust)
    import numpy as np

    from ..datasets import find_unreadable

    unreadable = find_unreadable(files)
    bad = {error.source for error in unreadable}
    readable = [file for file in files if file not in bad]
    for chunk in chunks(readable, "predicting"):
        probabilities = estimator.predict_proba(np.array(chunk, dtype=object))
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
        for file, row, best in zip(chunk, probabilities, order, strict=True):
            named = ", ".join(f"{estimator.classes_[k]} {row[k]:.3f}" for k in best)
            typer.echo(f"{file}: {named}")
    for error in unreadable:
        typer.echo(f"skvision: {error}", err=True)
    if unreadable:
        raise typer.Exit(2)


def _files(pictures: list[Path]) -> list[str]:
    """Folders replaced by the pictures in them, names as the user wrote them."""
    from ..datasets import list_images

    files: list[str] = []
    for path in pictures:
        if path.is_dir():
            found, _ = list_images(path)
            if not found:
                raise ValueError(f"There are no pictures in the folder {path}.")
            files += found
        else:
            files.append(str(path))
    return files
