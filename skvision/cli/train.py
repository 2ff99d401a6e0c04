"""``skvision train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["train"]


def _image_size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().partition("x")
    try:
        return int(height), int(width or height)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no size; write 32 or 32x48.") from None


def train(
    folder: Annotated[Path, typer.Argument(help="One subfolder of pictures a class.")],
    out: Annotated[Path, typer.Option(help="The model file to write: NAME.joblib.")],
    epochs: Annotated[int, typer.Option(help="Passes over the pictures.")] = 30,
    image_size: Annotated[str, typer.Option(help="Pixels, height x width: 32, or 32x48.")] = "32",
    optimizer: Annotated[str, typer.Option(help="SGD, Adam, RMSprop, ...")] = "sgd",
    learning_rate: Annotated[
        float | None, typer.Option(help="Step size; the optimiser's own if not given.")
    ] = None,
    activation: Annotated[str, typer.Option(help="relu, tanh, LeakyReLU, ...")] = "relu",
    batch_size: Annotated[int, typer.Option(help="Pictures a step.")] = 32,
    resize: Annotated[str, typer.Option(help="stretch, crop or pad.")] = "stretch",
    test_fraction: Annotated[
        float, typer.Option(help="Share of the pictures kept back to measure accuracy; 0 for none.")
    ] = 0.25,
    early_stopping: Annotated[
        bool, typer.Option("--early-stopping", help="Stop when validation gets no better.")
    ] = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave unreadable pictures out.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
) -> None:
    """Train a MiniVGG on a folder of pictures and write it to a file."""
    size = _image_size(image_size)
    if not 0 <= test_fraction < 1:
        raise typer.BadParameter(
            f"--test-fraction must be at least 0 and below 1, not {test_fraction}."
        )
    if out.suffix != ".joblib":
        raise typer.BadParameter(f"--out must end in .joblib, not {out.name!r}.")

    from ..datasets import load_image_folder
    from ..persistence import written_whole
    from ._tensorflow import start_quietly

    # the output is tried before the training, so that no work is lost to a wrong path
    with written_whole(out) as temporary:
        data = load_image_folder(
            folder, validate=True, on_error="skip" if skip_unreadable else "raise"
        )
        counts = ", ".join(f"{(data.target == name).sum()} {name}" for name in data.target_names)
        typer.echo(f"{len(data.data)} pictures: {counts}")
        start_quietly()
        import joblib

        from ..classifiers import MiniVGGClassifier

        net = MiniVGGClassifier(
            image_size=size,
            epochs=epochs,
            optimizer=optimizer,
            learning_rate=learning_rate,
            activation=activation,
            batch_size=batch_size,
            resize=resize,
            early_stopping=early_stopping,
            random_state=seed,
            verbose=1,
        )
        _fit_and_score(net, data, test_fraction, seed)
        net.set_params(verbose=0)
        joblib.dump(net, temporary)
    typer.echo(f"Model written to {out}")


def _fit_and_score(net: Any, data: Any, test_fraction: float, seed: int) -> None:
    from sklearn.model_selection import train_test_split

    if not test_fraction:
        net.fit(data.data, data.target)
        return
    X_train, X_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=test_fraction, stratify=data.target, random_state=seed
    )
    net.fit(X_train, y_train)
    typer.echo(
        f"Accuracy {net.score(X_test, y_test):.4f} on {len(y_test)} pictures kept back "
        f"({net.score(X_train, y_train):.4f} on the {len(y_train)} trained on)"
    )
