"""The tasks of a fit, as a tree, for scikit-learn's callbacks.

scikit-learn has callbacks since 1.9 (`sklearn.callback`). With an earlier version this module has
no effect, and estimators have no ``set_callbacks``, like those of scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from .compat import fit_context

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Replaces scikit-learn's mixin, which adds ``set_callbacks``."""

    def with_callbacks(method: Any) -> Any:
        """Replace scikit-learn's decorator, which ends the callbacks when the method ends."""
        return method


__all__ = ["NO_TASK", "CallbackSupportMixin", "FitTask", "fit_as_task", "training_data"]

T = TypeVar("T")

#: attributes that make an estimator look as if fit had stopped, or a function that returns them,
#: called only for callbacks that ask for the fitted estimator
AsFitted = Mapping[str, Any] | Callable[[], Mapping[str, Any]]


class FitTask:
    """A part of a fit whose beginning and end are reported to callbacks.

    Parameters
    ----------
    estimator : estimator, default=None
        The estimator that is fitted.
    context : sklearn.callback.CallbackContext, default=None
        The task's place in the tree. None if there are no callbacks; then nothing is
        reported.
    data : mapping of str to object, default=None
        The training data, by `training_data`. None for none.

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
        """Count parts that an earlier process has done, without reporting them."""
        for _ in range(n_subtasks if self._context is not None else 0):
            self._context.subcontext(task_name=name)

    def each(self, items: Iterable[T], name: str) -> Iterator[T]:
        """Iterate over `items`, with one part of this task per item.

        Requests of callbacks to stop are ignored.
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
            Attributes with which a copy of the estimator can predict, as if fit had stopped
            here. None if it can't predict yet.

        Returns
        -------
        bool
            Whether a callback asks to stop the parent task.
        """
        if self._context is None:
            return False
        return bool(
            self._context.call_on_fit_task_end(
                estimator=self._estimator, reconstruction_attributes=as_fitted, **self._data
            )
        )


#: a task without callbacks
NO_TASK = FitTask()


def training_data(X: Any, y: Any = None, sample_weight: Any = None) -> dict[str, Any]:
    """Return the data of a fit, by the names that callbacks expect.

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
    """Run a fit, and report its beginning and end to callbacks.

    Parameters
    ----------
    estimator : estimator
        The estimator to fit.
    learn : callable
        Called with the task; fits the estimator.
    data : mapping of str to object
        The training data, by `training_data`.
    name : str, default="fit"
        Name of the task.
    n_subtasks : int or None, default=0
        Maximum number of parts; None if unknown.

    Returns
    -------
    object
        The result of `learn`.

    Notes
    -----
    Use it within `skvision._sklearn.estimator.all_or_nothing`, not around it: restoring the
    attributes would remove those by which scikit-learn ends the callbacks.
    """
    task = FitTask(estimator, fit_context(estimator, name, n_subtasks), data)
    result = learn(task)
    # verbose applies to the fit, not to a callback's predictions
    task.end({"verbose": 0} if hasattr(estimator, "verbose") else {})
    return result
