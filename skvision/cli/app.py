"""The commands, and the handling of their errors."""

from __future__ import annotations

import sys
import traceback
import warnings
from typing import Any

import typer

from .. import __version__
from ._errors import Interrupted, message, say
from ._options import Debug, Settings
from .augment import augment
from .check import check
from .evaluate import evaluate
from .exporting import export
from .feature_cache import cache
from .features import features
from .info import info
from .networks import networks
from .predict import predict
from .report import report
from .train import train

__all__ = ["app", "main"]

USAGE_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    name="skvision",
    help="Classify photos: train on a folder, evaluate, predict.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _command in (check, train, predict, evaluate, report, info, features, augment, export):
    app.command()(_command)
for _group, _commands in {"networks": networks, "cache": cache}.items():
    app.add_typer(_commands, name=_group)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"skvision {__version__}")
        raise typer.Exit


@app.callback()
def _skvision(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
    debug: Debug = False,
) -> None:
    """Classify photos: train on a folder, evaluate, predict."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command line; exit with 0, or with 2 and one line on standard error.

    Parameters
    ----------
    arguments : list of str, default=None
        The words after ``skvision``; None for those of the process.
    """
    warnings.showwarning = _one_line_warning
    settings = Settings()
    try:
        code = typer.main.get_command(app).main(
            args=arguments, prog_name="skvision", standalone_mode=False, obj=settings
        )
        if code == INTERRUPTED:  # Typer's exit code for Ctrl-C
            raise Interrupted("interrupted")
    except (KeyboardInterrupt, Interrupted) as interruption:
        say(str(interruption) or "interrupted")
        code = INTERRUPTED
    except Exception as error:
        _explain(error, settings.debug)
        code = USAGE_ERROR
    sys.exit(code or 0)


def _explain(error: Exception, debug: bool) -> None:
    # errors of the command line; their class depends on Typer's version
    if hasattr(error, "format_message"):
        say(f"{error.format_message()} See skvision --help.")
    elif debug:
        traceback.print_exception(error)
    elif isinstance(error, ValueError | OSError | ImportError | MemoryError) and str(error):
        say(message(error))
    else:  # an unexpected error, whose text alone may not be clear
        say(f"{type(error).__name__}: {error}. Add --debug to see where.")


def _one_line_warning(message: Warning | str, *rest: Any, **named: Any) -> None:
    say(f"warning: {message}")
