"""All commands together, and what becomes of their errors."""

from __future__ import annotations

import sys
import warnings

import typer

from .. import __version__
from .evaluate import evaluate
from .predict import predict
from .train import train

__all__ = ["app", "main"]

USAGE_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    name="skvision",
    help="Classify photos: train on a folder, evaluate, predict.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (train, predict, evaluate):
    app.command()(_command)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"skvision {__version__}")
        raise typer.Exit


@app.callback()
def _skvision(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Classify photos: train on a folder, evaluate, predict."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command line; exit with 0, or with 2 and one line on standard error.

    Parameters
    ----------
    arguments : list of str, default=None
        The words after ``skvision``; None for the process's own.
    """
    warnings.showwarning = _one_line_warning
    try:
        code = typer.main.get_command(app).main(
            args=arguments, prog_name="skvision", standalone_mode=False
        )
    except KeyboardInterrupt:
        code = INTERRUPTED
    except (ValueError, OSError) as error:
        _say(_message(error))
        code = USAGE_ERROR
    except Exception as error:
        # the command line's own errors; which class depends on Typer's version
        if not hasattr(error, "format_message"):
            raise
        _say(f"{error.format_message()} See skvision --help.")
        code = USAGE_ERROR
    if code == INTERRUPTED:  # Typer makes this number of Ctrl-C too
        _say("interrupted; no file was written")
    sys.exit(code or 0)


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _say(message: str) -> None:
    print(f"skvision: {' '.join(message.split())}", file=sys.stderr)


def _one_line_warning(message: Warning | str, *rest: object) -> None:
    _say(f"warning: {message}")
