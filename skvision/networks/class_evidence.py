"""Where a class's score comes from on a feature map, on each of Keras' backends.

The evidence for a class is its log-odds: its score less the logarithm of the summed exponentials
of the other classes' scores. A score alone has no meaning, since a number added to the scores of
all classes changes no probability.

The gradient goes from the evidence back to the feature map only, so it costs little beside the
network itself. TensorFlow, JAX and PyTorch compute it by their public functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from .keras_compat import retracing_hidden
from .network_parts import NetworkParts

__all__ = ["METHODS", "ClassEvidence", "gradcam", "gradcam_plus_plus", "hirescam", "log_odds"]

#: number of networks with a random last layer that a map is compared with
N_RANDOM = 4


def gradcam(maps: Any, gradients: Any) -> Any:
    """Weigh each map by its mean gradient.

    Parameters
    ----------
    maps, gradients : tensor of shape (n, rows, columns, n_maps)
        Feature maps, and the gradient of a class's evidence with respect to them.

    Returns
    -------
    tensor of shape (n, rows, columns)
        The evidence at each point.

    References
    ----------
    R. R. Selvaraju and others, Grad-CAM: Visual Explanations from Deep Networks via
    Gradient-based Localization, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.networks.class_evidence import gradcam
    >>> maps, gradients = np.array([[[[1.0, 2.0], [3.0, 0.0]]], [[[2.0, -1.0], [0.0, 1.0]]]])
    >>> np.asarray(gradcam(maps[None], gradients[None])).tolist()
    [[[1.0, 3.0]]]
    """
    return ops.sum(maps * ops.mean(gradients, axis=(1, 2), keepdims=True), axis=3)


def gradcam_plus_plus(maps: Any, gradients: Any) -> Any:
    """Weigh each map by its positive gradients, of which rare ones count more.

    Parameters
    ----------
    maps, gradients : tensor of shape (n, rows, columns, n_maps)
        As in `gradcam`.

    Returns
    -------
    tensor of shape (n, rows, columns)
        The evidence at each point.

    References
    ----------
    A. Chattopadhyay and others, Grad-CAM++: Improved Visual Explanations for Deep
    Convolutional Networks, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.networks.class_evidence import gradcam_plus_plus
    >>> maps, gradients = np.array([[[[1.0, 2.0], [3.0, 0.0]]], [[[2.0, -1.0], [0.0, 1.0]]]])
    >>> np.asarray(gradcam_plus_plus(maps[None], gradients[None])).round(3).tolist()
    [[[0.7, 0.6]]]
    """
    square, cube = gradients**2, gradients**3
    divisor = 2 * square + cube * ops.sum(maps, axis=(1, 2), keepdims=True)
    shares = ops.where(divisor == 0, 0.0, square / ops.where(divisor == 0, 1.0, divisor))
    weights = ops.sum(shares * ops.relu(gradients), axis=(1, 2), keepdims=True)
    return ops.sum(maps * weights, axis=3)


def hirescam(maps: Any, gradients: Any) -> Any:
    """Multiply each value of the maps by its own gradient.

    If the layers after the maps are linear, the sum of the result over all points is the
    evidence itself, but for a constant.

    Parameters
    ----------
    maps, gradients : tensor of shape (n, rows, columns, n_maps)
        As in `gradcam`.

    Returns
    -------
    tensor of shape (n, rows, columns)
        The evidence at each point.

    References
    ----------
    R. L. Draelos, L. Carin, Use HiResCAM instead of Grad-CAM for faithful explanations of
    convolutional neural networks, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.networks.class_evidence import hirescam
    >>> maps, gradients = np.array([[[[1.0, 2.0], [3.0, 0.0]]], [[[2.0, -1.0], [0.0, 1.0]]]])
    >>> np.asarray(hirescam(maps[None], gradients[None])).tolist()
    [[[0.0, 0.0]]]
    """
    return ops.sum(maps * gradients, axis=3)


METHODS: dict[str, Callable[[Any, Any], Any]] = {
    "gradcam": gradcam,
    "gradcam++": gradcam_plus_plus,
    "hirescam": hirescam,
}


def log_odds(scores: Any, is_target: Any) -> Any:
    """Return the log-odds of one class per row against all others.

    Parameters
    ----------
    scores : tensor of shape (n, n_classes)
        Scores before the softmax.
    is_target : tensor of the same shape
        1 for the class of a row, 0 for the others.

    Returns
    -------
    tensor of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.networks.class_evidence import log_odds
    >>> scores = np.log([[0.2, 0.5, 0.3]]).astype("float32")
    >>> abs(float(log_odds(scores, np.array([[0, 1, 0]], "float32"))[0])) < 1e-6
    True
    """
    return chosen_score(scores, is_target) - ops.logsumexp(scores - 1e9 * is_target, axis=1)


def chosen_score(scores: Any, is_target: Any) -> Any:
    """Return the score of one class per row, for classes that were learnt one by one."""
    return ops.sum(scores * is_target, axis=1)


class ClassEvidence:
    """The head of a network with the gradients of its classes.

    Parameters
    ----------
    parts : NetworkParts
        The network.
    method : str
        A name in `METHODS`.
    against_others : bool, default=True
        Whether evidence is the log-odds of a class; else its score alone.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from skvision.networks.class_evidence import ClassEvidence
    >>> from skvision.networks.network_parts import split_network
    >>> parts = split_network(keras.Sequential([
    ...     keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 3, padding="same"),
    ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]))
    >>> evidence = ClassEvidence(parts, "hirescam")
    >>> of_class, of_random = evidence(np.ones((5, 4, 4, 2), "float32"), np.zeros(5, int))
    >>> of_class.shape, of_random.shape
    ((5, 4, 4), (4, 5, 4, 4))
    """

    def __init__(self, parts: NetworkParts, method: str, *, against_others: bool = True) -> None:
        self._head = parts.head
        self._weigh = METHODS[method]
        self._score = log_odds if against_others else chosen_score
        n_inputs = int(parts.head.outputs[1].shape[-1])
        draws = np.random.default_rng(0).standard_normal((N_RANDOM, n_inputs))
        self._random = draws.astype(np.float32)
        self._call = _BACKENDS[keras.config.backend()](self._head, self._evidences, self._weigh)

    def outputs(self, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the head's two outputs for feature maps (n, rows, columns, n_maps)."""
        scores, inputs = self._head.predict_on_batch(maps)
        return np.asarray(scores, np.float32), np.asarray(inputs, np.float32)

    def __call__(
        self,
        maps: np.ndarray,
        targets: np.ndarray,
        linear: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the evidence for each image's class at each point of its map.

        Parameters
        ----------
        maps : ndarray of shape (n, rows, columns, n_maps), float32
            Feature maps.
        targets : ndarray of shape (n,), int
            Index of a class per image.
        linear : tuple of ndarray, default=None
            Kernel (n_inputs, n_classes) and bias (n_classes,) of a linear model on the head's
            second output, whose scores take the place of the head's.

        Returns
        -------
        of_class : ndarray of shape (n, rows, columns), float32
            The evidence; negative where the image speaks against the class.
        of_random : ndarray of shape (n_draws, n, rows, columns), float32
            The same for networks whose last layer has random weights.
        """
        kernel_and_bias = tuple(np.asarray(each, np.float32) for each in linear or ())
        n_classes = kernel_and_bias[0].shape[1] if linear else self._head.outputs[0].shape[-1]
        is_target = (targets[:, np.newaxis] == np.arange(n_classes)).astype(np.float32)
        found = self._call(maps.astype(np.float32), is_target, kernel_and_bias)
        arrays = [ops.convert_to_numpy(each) for each in found]
        return arrays[0], np.stack(arrays[1:])

    def _evidences(self, outputs: Any, is_target: Any, linear: Any) -> list[Any]:
        scores, inputs = outputs
        if linear:
            scores = ops.matmul(inputs, linear[0]) + linear[1]
        return [
            self._score(scores, is_target),
            *[ops.matmul(inputs, each[:, None])[:, 0] for each in self._random],
        ]


# Each takes a head, what computes evidences (a list of (n,)) from its outputs, and what weighs
# maps by gradients. It returns a function of maps,
# a mask of the classes to explain, and a linear model.


def _with_tensorflow(head: Any, evidences: Any, weigh: Any) -> Callable[..., Any]:
    import tensorflow as tf

    def call(maps: Any, is_target: Any, linear: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(maps)
            each = evidences(head(maps, training=False), is_target, linear)
        zero = tf.UnconnectedGradients.ZERO
        return [weigh(maps, tape.gradient(one, maps, unconnected_gradients=zero)) for one in each]

    floats = tf.float32
    maps = tf.TensorSpec([None, *head.input_shape[1:]], floats)
    model = (tf.TensorSpec([None, None], floats), tf.TensorSpec([None], floats))
    # one trace for any number of images
    traced = {
        len(linear): tf.function(
            call,
            autograph=False,
            input_signature=[maps, tf.TensorSpec([None, None], floats), linear],
        )
        for linear in ((), model)
    }

    def run(maps: Any, is_target: Any, linear: Any) -> Any:
        with retracing_hidden():
            return traced[len(linear)](maps, is_target, linear)

    return run


def _with_jax(head: Any, evidences: Any, weigh: Any) -> Callable[..., Any]:
    import jax

    def call(weights: Any, maps: Any, is_target: Any, linear: Any) -> Any:
        def of(maps: Any) -> Any:
            outputs, _ = head.stateless_call(*weights, maps, training=False)
            return evidences(outputs, is_target, linear)

        each, pull = jax.vjp(of, maps)
        found = []
        for place in range(len(each)):
            only = [ops.full_like(one, float(k == place)) for k, one in enumerate(each)]
            found.append(weigh(maps, pull(only)[0]))
        return found

    traced = jax.jit(call)
    weights = [
        [variable.value for variable in variables]
        for variables in (head.trainable_variables, head.non_trainable_variables)
    ]
    return lambda maps, is_target, linear: traced(weights, maps, is_target, linear)


def _with_torch(head: Any, evidences: Any, weigh: Any) -> Callable[..., Any]:
    import torch

    def call(maps: Any, is_target: Any, linear: Any) -> Any:
        maps = ops.convert_to_tensor(maps).detach().requires_grad_(True)
        linear = tuple(map(ops.convert_to_tensor, linear))
        with torch.enable_grad():
            outputs = head(maps, training=False)
            each = evidences(outputs, ops.convert_to_tensor(is_target), linear)
            gradients = [
                torch.autograd.grad(
                    one.sum(), maps, retain_graph=True, allow_unused=True, materialize_grads=True
                )[0]
                for one in each
            ]
        with torch.no_grad():
            return [weigh(maps.detach(), gradient) for gradient in gradients]

    return call


_BACKENDS = {"tensorflow": _with_tensorflow, "jax": _with_jax, "torch": _with_torch}
