"""What scikit-learn's callbacks are told of a fit: its tasks, as a tree.

scikit-learn has callbacks since 1.9 (`sklearn.callback`). With an earlier version nothing of
this does anything, and estimators have no ``set_callbacks``, as scikit-learn's own have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from .compat import fit_context

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's, which adds ``set_callbacks``."""

    def with_callbacks(method: Any) -> Any:
        """Stand in for scikit-learn's, which ends the callbacks when the method ends."""
        return method


__all__ = ["NO_TASK", "CallbackSupportMixin", "FitTask", "fit_as_task", "training_data"]

T = TypeVar("T")

#: what an estimator needs besides what it has to look as if fit had stopped, or a function that
#: makes it: it is called for callbacks alone that ask for the fitted estimator
AsFitted = Mapping[str, Any] | Callable[[], Mapping[str, Any]]


class FitTask:
    """A part of a fit that callbacks are told the beginning and the end of.

    Parameters
    ----------
    estimator : estimator, default=None
        Whose fit it is.
    context : sklearn.callback.CallbackContext, default=None
        The task's place in the tree. None where there are no callbacks: then nobody is
        told anything.
    data : mapping of str to object, default=None
        What is trained on, as `training_data` gives it. None for nothing.

    Examples
    --------
    >>> from skvision._sklearn.callbacks import NO_TASK
    >>> epoch = NO_TASK.subtask("epoch")
    >>> epoch.end()
    False
    """

    def __init__(
        self, estimator: Any = None, context: Any = None, data: Mapping[str, Any] | None = None
    ) -> None:
        self._estimator = estimator
        self._context = context
        self._data = data or {}
        if context is not None:
            context.call_on_fit_task_begin(estimator=estimator, **self._data)

    def subtask(self, name: str, n_subtasks: int | None = 0) -> FitTask:
        """Begin a part of this task; its ``task_id`` is the number of parts before it."""
        if self._context is None:
            return self
        context = self._context.subcontext(task_name=name, max_subtasks=n_subtasks)
        return FitTask(self._estimator, context, self._data)

    def skip(self, name: str, n_subtasks: int) -> None:
        """Count parts that an earlier process has done, without telling anybody."""
        for _ in range(n_subtasks if self._context is not None else 0):
            self._context.subcontext(task_name=name)

    def each(self, items: Iterable[T], name: str) -> Iterator[T]:
        """Go through `items`, with a part of this task from each to the next.

        Whether a callback asks to stop makes no difference.
        """
        for item in items:
            task = self.subtask(name)
            yield item
            task.end()

    def end(self, as_fitted: AsFitted | None = None) -> bool:
        """End the task.

        Parameters
        ----------
        as_fitted : mapping or callable that returns one, default=None
            Attributes that make a copy of the estimator one that can predict, as if fit
            had stopped here. None if it can't.

        Returns
        -------
        bool
            Whether a callback asks to stop what this task is one part of.
        """
        if self._context is None:
            return False
        return bool(
            self._context.call_on_fit_task_end(
                estimator=self._estimator, reconstruction_attributes=as_fitted, **self._data
            )
        )


#: tells nobody anything
NO_TASK = FitTask()


def training_data(X: Any, y: Any = None, sample_weight: Any = None) -> dict[str, Any]:
    """What a fit trains on, by the names that callbacks know.

    Examples
    --------
    >>> from skvision._sklearn.callbacks import training_data
    >>> training_data([0], [1], [0.5])
    {'X': [0], 'y': [1], 'metadata': {'sample_weight': [0.5]}}
    """
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return {"X": X, "y": y, "metadata": metadata}


@with_callbacks  # type: ignore[untyped-decorator]
def fit_as_task(
    estimator: Any,
    learn: Callable[[FitTask], T],
    data: Mapping[str, Any],
    name: str = "fit",
    n_subtasks: int | None = 0,
) -> T:
    """Do what a fit does, and tell callbacks where it begins and ends.

    Parameters
    ----------
    estimator : estimator
        Whose fit it is.
    learn : callable
        Called with the task; leaves the estimator fitted.
    data : mapping of str to object
        What is trained on, as `training_data` gives it.
    name : str, default="fit"
        What is done.
    n_subtasks : int or None, default=0
        How many parts it has at most; None if that can't be known.

    Returns
    -------
    object
        What `learn` returned.

    Notes
    -----
    It must lie within `skvision._sklearn.estimator.all_or_nothing`, if both are there: that would
    take from the estimator what scikit-learn ends the callbacks by.
    """
    task = FitTask(estimator, fit_context(estimator, name, n_subtasks), data)
    result = learn(task)
    # that its user wants to see how fit proceeds does not go for a callback's predictions
    task.end({"verbose": 0} if hasattr(estimator, "verbose") else {})
    return result
