"""``skvision train``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from ._arguments import read, read_config, read_grid, read_settings
from ._completion import activations, argument_names, heads, optimizers, resize_policies
from ._errors import Interrupted, message
from ._interruption import when_interrupted
from ._labelled import Labelled
from ._models import (
    MODEL_SUFFIXES,
    is_safe_file,
    load_model,
    model_writer,
    read_folders,
    read_test_folders,
    reads_as,
)
from ._options import Classes, Debug, Folders, GroupBy, SkipUnreadable, Trust
from ._start import start_quietly, use_threads
from ._trainable import MODELS, Model, Trainable
from ._withholding import Parts, calibrated, check_coverage, set_apart

__all__ = ["train"]

FOLDS = 3
TEST_FRACTION = 0.25


def _shorthand(
    name: str, metavar: str, text: str, complete: Callable[[str], list[str]] | None = None
) -> Any:
    """Return an option that is shorthand for ``--set name=...``; it isn't passed on by default."""
    defaults = {
        model: row.constructor().defaults[name].strip("'").replace("None", "none")
        for model, row in MODELS.items()
        if name in row.constructor().types
    }
    if len(defaults) < len(MODELS):
        text = f"{text} With --model {' or '.join(defaults)}."
    if len(set(defaults.values())) == 1:
        text = f"{text} Default: {next(iter(defaults.values()))}."
    else:
        each = ", ".join(f"{default} ({model})" for model, default in defaults.items())
        text = f"{text} Default: {each}."
    return typer.Option(metavar=metavar, help=text, autocompletion=complete)


Epochs = Annotated[str | None, _shorthand("epochs", "N", "Number of passes over the images.")]
ImageSize = Annotated[
    str | None, _shorthand("image_size", "SIZE", "Pixels, height x width: 32, or 32x48.")
]
Optimizer = Annotated[
    str | None, _shorthand("optimizer", "NAME", "SGD, Adam, RMSprop, ...", optimizers)
]
LearningRate = Annotated[
    str | None, _shorthand("learning_rate", "NUMBER", "Learning rate; none: the optimiser's.")
]
Activation = Annotated[
    str | None, _shorthand("activation", "NAME", "relu, tanh, LeakyReLU, ...", activations)
]
BatchSize = Annotated[str | None, _shorthand("batch_size", "N", "Number of images per step.")]
Resize = Annotated[
    str | None, _shorthand("resize", "POLICY", "stretch, crop or pad.", resize_policies)
]
Backbone = Annotated[
    str | None,
    _shorthand(
        "backbone",
        "NAME",
        "VGG16, ResNet50, ...; skvision networks lists them; or a model or network file.",
    ),
]
Head = Annotated[
    str | None,
    _shorthand("head", "NAME", "logistic, svm, knn, or forest (for a .joblib file).", heads),
]


def _show_arguments(context: typer.Context, asked: bool) -> None:
    if asked:
        typer.echo(MODELS[context.params["model"]].constructor().documentation)
        raise typer.Exit


def train(
    folders: Folders,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The model file to write: NAME.skv.")],
    model: Annotated[
        Model,
        typer.Option(
            # eager, since the other options depend on the model
            is_eager=True,
            help="; ".join(f"{model}: {row.about}" for model, row in MODELS.items()) + ".",
        ),
    ] = Model.minivgg,
    backbone: Backbone = None,
    head: Head = None,
    epochs: Epochs = None,
    image_size: ImageSize = None,
    optimizer: Optimizer = None,
    learning_rate: LearningRate = None,
    activation: Activation = None,
    batch_size: BatchSize = None,
    resize: Resize = None,
    early_stopping: Annotated[
        bool, typer.Option("--early-stopping", help="Stop when the validation loss stops falling.")
    ] = False,
    seed: Annotated[
        str | None,
        typer.Option(metavar="N", help="The same seed gives the same model. Default: 0."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any argument of the classifier; repeatable.",
            autocompletion=argument_names,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A TOML file of arguments; --set and other options override it."
        ),
    ] = None,
    searched: Annotated[
        list[str] | None,
        typer.Option(
            "--search",
            metavar="NAME=VALUE,VALUE",
            help="Values to try by cross-validation; repeatable, to try all combinations.",
            autocompletion=argument_names,
        ),
    ] = None,
    cv: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=2, help=f"Number of cross-validation folds. Default: {FOLDS}."
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Processes of a search; without --search, threads. Default: 1 process, all cores.",
        ),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder of test images, instead of a share of the images; repeatable.",
        ),
    ] = None,
    test_fraction: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of the images held out to measure accuracy; 0 for none. "
            f"Default: {TEST_FRACTION}.",
        ),
    ] = None,
    group_by: GroupBy = None,
    coverage: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Calibrate the model on a quarter of the training images, for skvision predict "
            "--coverage, which withholds answers. Above 0 and below 1.",
        ),
    ] = None,
    classes: Classes = None,
    skip_unreadable: SkipUnreadable = False,
    trust: Trust = False,
    arguments: Annotated[
        bool,
        typer.Option(
            "--arguments",
            # not eager: --model is read before it, and required options are checked after it
            callback=_show_arguments,
            help="List the names for --set, --search and --config.",
        ),
    ] = False,
    debug: Debug = False,
) -> None:
    """Train a classifier on folders of images and write it to a file.

    With --group-by, related images are never on both sides: of the training and the test
    images, of the folds of a search, and of the validation split of --early-stopping.

    Ctrl-C ends the training; the model of the last complete epoch is still evaluated and
    written, and the exit code is 130.
    """
    row = MODELS[model]
    constructor = row.constructor()
    given = {
        "backbone": backbone,
        "head": head,
        "epochs": epochs,
        "image_size": image_size,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "activation": activation,
        "batch_size": batch_size,
        "resize": resize,
        "early_stopping": "true" if early_stopping else None,
        "random_state": seed,
    }
    options = {"random_state": "--seed"}
    explicit = {
        **read_settings(constructor, settings or ()),
        **{
            name: read(constructor, name, text, options.get(name, f"--{name.replace('_', '-')}"))
            for name, text in given.items()
            if text is not None
        },
    }
    grid = read_grid(constructor, searched or ())
    for name in grid.keys() & explicit.keys():
        raise ValueError(f"{name} is both set and searched; use only one of the two.")
    if cv is not None and not grid:
        raise typer.BadParameter("--cv needs --search.")
    if test and test_fraction is not None:
        raise typer.BadParameter("pass --test or --test-fraction, not both.")
    if test_fraction is None:
        test_fraction = TEST_FRACTION
    if not 0 <= test_fraction < 1:
        raise typer.BadParameter(
            f"--test-fraction must be at least 0 and below 1, not {test_fraction}."
        )
    check_coverage(coverage)
    if out.suffix not in MODEL_SUFFIXES:
        raise typer.BadParameter(f"--out must end in .skv (or .joblib), not {out.name!r}.")
    out = out.expanduser()
    parameters = {
        **row.defaults,
        **(read_config(constructor, config) if config else {}),
        **explicit,
    }
    _refuse_what_cannot_be_kept(out, [*grid.get("head", ()), parameters.get("head")])
    if Path(str(parameters.get("backbone"))).suffix in MODEL_SUFFIXES:
        # a classifier that is fine-tuned to new classes
        parameters["backbone"] = load_model(Path(parameters["backbone"]), trust)
    # joblib divides the cores among the processes of a search
    use_threads(None if grid else jobs)
    try:
        given_images = _Given(
            folders, test or (), test_fraction, skip_unreadable, classes, group_by, coverage
        )
        _train(given_images, out, row, parameters, grid, cv or FOLDS, jobs)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; no file was written") from None


def _refuse_what_cannot_be_kept(out: Path, chosen: list[Any]) -> None:
    """Raise ValueError before the training for a model that the file can't hold."""
    if not is_safe_file(out) or not any(chosen):
        return
    from ..feature_extraction.pipeline import UNSAFE_HEADS

    for head in chosen:
        if str(head).lower() in UNSAFE_HEADS:
            raise ValueError(
                f"A .skv file can't hold head={head!r} (SECURITY.md explains why). Write it to a "
                f"joblib file: --out {out.with_suffix('.joblib')}"
            )


@dataclass(frozen=True)
class _Given:
    """The folders of training and test images, as the user passed them, and their use."""

    folders: Sequence[Path]
    test: Sequence[Path]
    test_fraction: float
    skip_unreadable: bool
    classes: str | None
    group_by: str | None
    coverage: float | None

    def read(
        self, read_as: Callable[[], Any], meanwhile: Callable[[], Any]
    ) -> tuple[Any, Labelled | None]:
        """Read the folders of training images, and those of test images if there are any.

        `meanwhile` is called while training images are decoded.
        """
        from ..datasets.listing import existing_folders

        for folder in self.test:  # check them before decoding the others
            existing_folders(folder)
        data = read_folders(
            self.folders,
            self.skip_unreadable,
            self.classes,
            read_as,
            meanwhile=meanwhile,
            group_by=self.group_by,
        )
        if not self.test:
            return data, None
        test = read_test_folders(
            self.test, data.target_names, self.skip_unreadable, None, read_as, self.group_by
        )
        _refuse_shared(data.data, test.data)
        if self.group_by is not None:
            _refuse_shared_groups(data.groups, test.groups)
        return data, Labelled(test.data, test.target, test.get("groups"))

    @property
    def measured_on(self) -> str:
        """The name of the images that the accuracy is measured on."""
        return f"of {', '.join(map(str, self.test))}" if self.test else "held out"


def _refuse_shared(files: Sequence[str], test: Sequence[str]) -> None:
    from ..datasets.listing import real_names

    seen = set(real_names(files))
    shared = [file for file, real in zip(test, real_names(test), strict=True) if real in seen]
    if shared:
        raise ValueError(
            f"{len(shared)} images of --test are training images too, the first: {shared[0]}. "
            "Evaluate on images that the model hasn't seen."
        )


def _refuse_shared_groups(groups: Any, test: Any) -> None:
    shared = sorted(set(groups) & set(test))
    if shared:
        raise ValueError(
            f"{len(shared)} groups of --test are in the training images too, the first: "
            f"{str(shared[0])!r}. Evaluate on images of other groups, or leave --group-by out."
        )


def _train(
    given: _Given,
    out: Path,
    row: Trainable,
    parameters: dict[str, Any],
    grid: dict[str, list[Any]],
    folds: int,
    jobs: int | None,
) -> None:
    # check the output before the training, so that a wrong path doesn't waste the work
    with model_writer(out) as write:

        @cache
        def made() -> Any:
            # once the folders are listed: a wrong name among them takes no time
            start_quietly()
            return row.make(parameters)

        def read_as() -> Any:
            return reads_as(made())

        # the backend starts on one core, so the other ones decode images meanwhile
        data, kept_back = given.read(lambda: row.reads_as(parameters) or read_as(), read_as)
        counts = ", ".join(f"{(data.target == name).sum()} {name}" for name in data.target_names)
        seen = Labelled(data.data, data.target, data.get("groups"))
        groups = "" if seen.groups is None else f", in {len(set(seen.groups))} groups"
        typer.echo(f"{len(seen)} images: {counts}{groups}")
        net = made()
        seed = parameters["random_state"]
        if kept_back is None and given.test_fraction:
            seen, kept_back = _split(seen, given.test_fraction, seed)
        if given.coverage is not None:
            seen, apart = set_apart(seen, given.coverage, seed)
        if grid:
            net.set_params(**_best(net, row, grid, seen, folds, jobs, seed))
        interruptions: list[Any] = []
        with when_interrupted(interruptions.append):
            seen.fit(net)
        figures: list[str] = []
        failure = None
        model = net
        try:
            if kept_back:
                _measure(net, seen, kept_back, given, figures.append)
            if given.coverage is not None:
                parts = Parts(seen, apart, kept_back)
                model = calibrated(net, parts, given.coverage, figures.append)
        except KeyboardInterrupt as interruption:
            interruptions.append(interruption)
        except Exception as error:  # an image may have been deleted; keep the model anyway
            failure = error
        net.set_params(**{row.path("verbose"): 0})
        write(model)
    # only after the model is written, since the reader of the output may have closed it
    if figures:
        typer.echo(" ".join(figures))
    if interruptions:
        lacks = "" if figures or not kept_back else ", its accuracy not measured"
        if given.coverage is not None and model is net:
            lacks += ", not calibrated for --coverage"
        raise Interrupted(f"{_what_there_is(net, out)}{lacks}")
    if failure:
        lacks = "calibrated" if figures else "evaluated"
        raise ValueError(
            f"The model was written to {out}, but not {lacks}: {message(failure)}"
        ) from failure
    typer.echo(f"Model written to {out}")


def _split(images: Labelled, test_fraction: float, seed: Any) -> tuple[Labelled, Labelled]:
    """Split the images into training and held-out images."""
    import numpy as np

    names, counts = np.unique(images.y, return_counts=True)
    if images.groups is None and counts.min() < 2:
        raise ValueError(
            f"--test-fraction {test_fraction} holds out images of each class, so each class needs "
            f"2, but {names[counts.argmin()]} has {counts.min()}. Add images or set it to 0."
        )
    return images.split(test_fraction, seed, f"--test-fraction {test_fraction}")


def _best(
    net: Any,
    row: Trainable,
    grid: dict[str, list[Any]],
    seen: Labelled,
    folds: int,
    jobs: int | None,
    seed: Any,
) -> dict[str, Any]:
    from sklearn.base import clone

    from ._search import search, table

    candidate = clone(net).set_params(**{row.path("verbose"): 0})
    grid = {name: list(row.candidates(name, values, seed)) for name, values in grid.items()}
    n_candidates = math.prod(len(values) for values in grid.values())
    typer.echo(f"Combinations to try: {n_candidates}, with {folds} folds each")
    found = search(candidate, grid, seen, folds=folds, jobs=jobs, seed=seed, path=row.path)
    best: dict[str, Any] = found.best_params_
    typer.echo(table(found, grid, row.path))
    typer.echo("Best: " + ", ".join(f"{name}={best[row.path(name)]}" for name in grid))
    return best


def _measure(
    net: Any, seen: Labelled, kept_back: Labelled, given: _Given, tell: Callable[[str], None]
) -> None:
    accuracy, n_kept_back = float(net.score(kept_back.X, kept_back.y)), len(kept_back)
    net.held_out_ = {"accuracy": accuracy, "n_samples": n_kept_back}
    if kept_back.groups is not None:
        net.held_out_["n_groups"] = len(set(kept_back.groups))
    if given.test:
        net.held_out_["folders"] = [str(folder) for folder in given.test]
    tell(f"Accuracy {accuracy:.4f} on {n_kept_back} images {given.measured_on}")
    tell(f"({net.score(seen.X, seen.y):.4f} on the {len(seen)} training images)")


def _what_there_is(net: Any, out: Path) -> str:
    if not hasattr(net, "n_epochs_"):
        return f"interrupted during the evaluation; the model was written to {out}"
    lengths = ("epochs", "warmup_epochs", "fine_tune_epochs")
    planned = sum(getattr(net, name, 0) for name in lengths)
    done = f"interrupted after epoch {net.n_epochs_} of {planned}"
    model = "the best model so far" if net.early_stopping else "the model of that epoch"
    return f"{done}; {model} was written to {out}"
