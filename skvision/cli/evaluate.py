"""``skvision evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._models import chunks, load_model

__all__ = ["evaluate"]


def evaluate(
    model: Annotated[Path, typer.Argument(help="A file that skvision train wrote.")],
    folder: Annotated[Path, typer.Argument(help="One subfolder of pictures a class.")],
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave unreadable pictures out.")
    ] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Load the model although that can run code in it.")
    ] = False,
) -> None:
    """Measure a model on a folder of pictures it has not seen.

    Prints accuracy, precision, recall and F1 of each class, and the confusion
    matrix (a row is a true class, a column a predicted one).
    """
    # before the pictures are decoded: a forgotten --trust should cost no time
    estimator = load_model(model, trust)
    import numpy as np
    from sklearn.metrics import accuracy_score, classification_report, confusion_matrix

    from ..datasets import load_image_folder

    data = load_image_folder(folder, validate=True, on_error="skip" if skip_unreadable else "raise")
    known = [str(name) for name in estimator.classes_]
    unknown = sorted(set(data.target_names) - set(known))
    if unknown:
        raise ValueError(
            f"{folder} has classes that the model does not know: {', '.join(unknown)}. It knows: "
            f"{', '.join(known)}."
        )
    predicted = np.concatenate(
        [estimator.predict(chunk) for chunk in chunks(data.data, "evaluating")]
    ).astype(str)
    typer.echo(
        f"Accuracy {accuracy_score(data.target, predicted):.4f} on {len(predicted)} pictures\n"
    )
    typer.echo(
        classification_report(data.target, predicted, labels=known, digits=3, zero_division=0)
    )
    typer.echo("Confusion matrix (rows: true, columns: predicted)")
    typer.echo(_table(known, confusion_matrix(data.target, predicted, labels=known)))


def _table(names: list[str], matrix: object) -> str:
    import numpy as np

    counts = np.asarray(matrix)
    width = max(*(len(name) for name in names), len(str(counts.max()))) + 2
    lines = [" " * width + "".join(f"{name:>{width}}" for name in names)]
    lines += [
        f"{name:>{width}}" + "".join(f"{count:>{width}}" for count in row)
        for name, row in zip(names, counts, strict=True)
    ]
    return "\n".join(lines)
