"""A training's progress bar, on standard error, so that output can be piped."""

from __future__ import annotations

from typing import Any

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ..networks.keras_compat import run_ahead

__all__ = ["TrainingProgress"]


class TrainingProgress(keras.callbacks.Callback):
    """One bar over all epochs, with the last epoch's figures beside it."""

    def __init__(self) -> None:
        super().__init__()
        run_ahead(self)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._steps = self.params.get("steps") or 1
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=Console(stderr=True),
            redirect_stdout=False,  # other printed lines stay on standard output
        )
        self._bar.start()
        self._task = self._bar.add_task(
            "training", total=self.params["epochs"] * self._steps, figures=""
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._bar.update(
            self._task,
            description=f"epoch {epoch + 1}/{self.params['epochs']}",
            completed=epoch * self._steps,
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._bar.advance(self._task)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        figures = "  ".join(f"{name} {value:.3f}" for name, value in (logs or {}).items())
        self._bar.update(self._task, figures=figures)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.close()

    def close(self) -> None:
        """Restore the terminal, also after an error."""
        if hasattr(self, "_bar"):
            self._bar.stop()
