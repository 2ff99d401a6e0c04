"""``skvision augment``."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ._errors import Interrupted
from ._options import Debug, Jobs, SkipUnreadable
from ._start import use_threads

__all__ = ["augment"]


class Preset(StrEnum):
    """Strengths of augmentation, for use without detailed options."""

    light = "light"
    medium = "medium"
    strong = "strong"


class FillMode(StrEnum):
    """How pixels beyond an image's edges are filled."""

    nearest = "nearest"
    constant = "constant"
    reflect = "reflect"
    wrap = "wrap"


def _option(metavar: str, text: str) -> Any:
    return typer.Option(metavar=metavar, help=text)


Degrees = Annotated[float | None, _option("DEGREES", "Maximum rotation in either direction.")]
WidthShift = Annotated[
    float | None, _option("SHARE", "Maximum horizontal shift; pixels from 1 on.")
]
HeightShift = Annotated[float | None, _option("SHARE", "Maximum vertical shift; pixels from 1 on.")]
Shear = Annotated[float | None, _option("DEGREES", "Maximum shear in either direction.")]
Zoom = Annotated[float | None, _option("SHARE", "Maximum change of the size of the visible part.")]
Crop = Annotated[
    float | None, _option("SHARE", "Maximum share of each side to cut off; the rest is enlarged.")
]
ChannelShift = Annotated[
    float | None, _option("LEVELS", "Maximum shift of all channels, in levels of 255.")
]
Hue = Annotated[
    float | None,
    _option("SHARE", "Maximum shift of the hue on the colour circle, at most 0.5."),
]
Noise = Annotated[float | None, _option("STD", "Standard deviation of noise; white is 1.")]
Erase = Annotated[float | None, _option("SHARE", "Maximum share of the image to erase.")]
Brightness = Annotated[str | None, _option("LOW,HIGH", "Factors; 1,1 changes nothing.")]
Contrast = Annotated[str | None, _option("LOW,HIGH", "Factors; 1,1 changes nothing.")]
Saturation = Annotated[str | None, _option("LOW,HIGH", "Factors; 1,1 changes nothing.")]


def augment(
    source: Annotated[
        Path, typer.Argument(metavar="SRC", help="Folder with a subfolder per class.")
    ],
    destination: Annotated[
        Path | None, typer.Argument(metavar="DST", help="Folder to write to: empty, or new.")
    ] = None,
    per_class: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="Number of images per class; auto: that of the largest class."
        ),
    ] = None,
    preset: Annotated[
        Preset | None, typer.Option(help="Strength of augmentation; other options override it.")
    ] = None,
    rotation: Degrees = None,
    width_shift: WidthShift = None,
    height_shift: HeightShift = None,
    shear: Shear = None,
    zoom: Zoom = None,
    horizontal_flip: Annotated[
        bool | None, typer.Option(help="Mirror half of the images, left to right.")
    ] = None,
    vertical_flip: Annotated[
        bool | None, typer.Option(help="Mirror half of the images, top to bottom.")
    ] = None,
    crop: Crop = None,
    brightness: Brightness = None,
    contrast: Contrast = None,
    channel_shift: ChannelShift = None,
    hue: Hue = None,
    saturation: Saturation = None,
    noise: Noise = None,
    erase: Erase = None,
    fill_mode: Annotated[
        FillMode | None,
        typer.Option(help="Filling of pixels beyond the edges. Default: nearest."),
    ] = None,
    cval: Annotated[
        float | None,
        typer.Option(metavar="LEVEL", help="Level of constant filling, 0 to 255. Default: 0."),
    ] = None,
    include_originals: Annotated[
        bool,
        typer.Option("--include-originals/--only-new", help="Whether to copy the originals too."),
    ] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the same command after it was stopped.")
    ] = False,
    preview: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a figure of some originals and draws first."),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="The same seed gives the same files.")
    ] = 0,
    jobs: Jobs = None,
    skip_unreadable: SkipUnreadable = False,
    debug: Debug = False,
) -> None:
    """Write a larger data set from class folders: copies and augmented images.

    The file manifest.csv beside the images lists the source and the augmentation of each.
    --preview shows examples; without DST the command only writes the preview.
    """
    given = {
        "rotation_range": rotation,
        "width_shift_range": width_shift,
        "height_shift_range": height_shift,
        "shear_range": shear,
        "zoom_range": zoom,
        "horizontal_flip": horizontal_flip,
        "vertical_flip": vertical_flip,
        "crop_range": crop,
        "brightness_range": _pair("--brightness", brightness),
        "contrast_range": _pair("--contrast", contrast),
        "channel_shift_range": channel_shift,
        "hue_range": hue,
        "saturation_range": _pair("--saturation", saturation),
        "noise_std": noise,
        "erase_fraction": erase,
    }
    if destination is None and preview is None:
        raise typer.BadParameter("pass the folder to write to, DST, or a file to --preview.")
    if destination is not None and per_class is None:
        raise typer.BadParameter("pass --per-class, the number of images per class.")
    # factors of 1 change nothing
    if preset is None and not any(
        value not in (None, (1.0, 1.0)) and value for value in given.values()
    ):
        raise typer.BadParameter(
            "the images would stay unchanged: pass a --preset, or options such as --rotation 40."
        )
    target = None if per_class is None else _target(per_class)
    use_threads(jobs)
    from ..augmentation import ImageAugmenter
    from ..augmentation.destination import refuse_folder
    from ..augmentation.folder import write_folder
    from ..augmentation.folder_plan import plan_folder
    from ..augmentation.presets import PRESETS
    from ..datasets.listing import existing_folders

    filling = {"fill_mode": fill_mode and fill_mode.value, "cval": cval}
    parameters = {
        **(PRESETS[preset.value] if preset else {}),
        **{name: value for name, value in {**given, **filling}.items() if value is not None},
    }
    augmenter = ImageAugmenter(**parameters, random_state=seed)
    if destination is not None:
        destination = destination.expanduser()
        refuse_folder(existing_folders(source)[0], destination, resume)
    if preview is not None:
        _preview(augmenter, source, destination, preview, skip_unreadable)
    if destination is None:
        return
    try:
        plan = plan_folder(
            source,
            augmenter,
            target,
            include_originals=include_originals,
            on_error="skip" if skip_unreadable else "raise",
            random_state=seed,
        )
        manifest = write_folder(plan, destination, bar=True)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted; the same command with --resume continues {destination}"
        ) from None
    typer.echo(f"{len(plan.files)} images in {destination}, listed in {manifest}")


def _target(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(
            f"--per-class takes a whole number or auto, not {text!r}."
        ) from None


def _pair(option: str, text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"{option} takes two numbers such as 0.8,1.2, not {text!r}."
        ) from None
    return low, high


def _preview(
    augmenter: Any, source: Path, destination: Path | None, file: Path, skip_unreadable: bool
) -> None:
    from .._system.atomic import written_whole
    from ..augmentation.destination import refuse_within
    from ..datasets import load_image_folder
    from ..inspection.augmentation import AugmentationDisplay
    from ..inspection.plotting import import_matplotlib

    if destination is not None and destination.resolve() in file.resolve().parents:
        raise typer.BadParameter("--preview must be outside DST, which holds the data set.")
    data = load_image_folder(source, validate=skip_unreadable, on_error="skip")
    files = data.data
    refuse_within({source, *map(os.path.dirname, files)}, file)
    matplotlib = import_matplotlib()
    matplotlib.use("agg")
    known = matplotlib.backend_bases.FigureCanvasBase.filetypes
    if file.suffix[1:].lower() not in known:
        raise typer.BadParameter(
            f"--preview must have the ending of an image (.{', .'.join(known)}), not {file.name!r}."
        )
    with written_whole(file) as temporary:
        display = AugmentationDisplay.from_estimator(augmenter, files, y=data.target)
        display.figure_.savefig(temporary, dpi=150)
    typer.echo(f"Preview written to {file}")
