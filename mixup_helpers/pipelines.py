"""MixUp in a tf.data pipeline: every batch mixed by random numbers that travel with it."""

import numpy as np

from mixup_helpers._arguments import as_int
from mixup_helpers._keras import tf
from mixup_helpers.mixing import _check_alpha


def mixup_batches(dataset, alpha=0.2, *, seed):
    """Mix every batch of a dataset with itself, for ``model.fit(mixed, shuffle=False)``.

    Each batch gets a ``lam`` from Beta(alpha, alpha) and a permutation of its own
    rows as partners. Both follow from a number that is paired with the batch before
    the parallel part begins, so the result does not depend on how many batches are
    mixed at once.

    Parameters
    ----------
    dataset : tf.data.Dataset
        Batches of pairs (x, y): shuffle and batch first. The last batch may be
        smaller. `x` holds numbers, shape (n, ...). `y` holds floats, shape (n, ...):
        one-hot rows, soft labels or numbers that may be averaged.
    alpha : float, default 0.2
        Strength of the mixing, as in `mixup_helpers.mixup_data`; 0 trains without MixUp.
    seed : int
        A seed, 0 or more. As for ``tf.data.Dataset.shuffle``, a seed that was set for
        all of TensorFlow (``keras.utils.set_random_seed``) counts as well.

    Returns
    -------
    tf.data.Dataset
        As many batches in the same order, (mixed x, soft y). Floats keep their dtype;
        integers and booleans in `x`, uint8 images for example, become float32 without
        being scaled.

    Raises
    ------
    TypeError
        If `dataset` is no tf.data.Dataset or does not hold pairs of tensors, `x` holds
        something other than numbers, `y` something other than floats, or `alpha` or
        `seed` is of the wrong type.
    ValueError
        If `dataset` is seen not to be batched, or `alpha` or `seed` is out of range.
    tf.errors.InvalidArgumentError
        When a batch is made, if its `x` and `y` turn out to differ in length.

    Notes
    -----
    Source: Zhang et al. 2018, section 2, with one ``lam`` per batch.

    Each pass through the result mixes anew. The first pass always mixes the same way,
    so does the second, and so on; a pass that is broken off counts too.

    The weights come from a table of 65,536 that NumPy draws here: a ratio of two gamma
    draws in float32, the usual way to a Beta draw, goes wrong for small alpha.

    To begin a pass costs tens of milliseconds. Where an epoch is hardly longer, give
    ``mixed.repeat()`` and ``steps_per_epoch=len(mixed)`` to ``model.fit``.

    Whether a dataset is batched can't always be seen: rows of shape (10,) with labels
    of shape (10,) look like a batch of ten, and would be mixed as one.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> rows = tf.data.Dataset.from_tensor_slices((np.zeros((70, 8, 8)), np.eye(70)))
    >>> mixed = mixup_batches(rows.batch(32), alpha=0.4, seed=0)
    >>> [(x.shape[0], bool(np.allclose(y.numpy().sum(axis=1), 1))) for x, y in mixed]
    [(32, True), (32, True), (6, True)]
    """
    _check_dataset(dataset)
    alpha, seed = _check_alpha(alpha), as_int(seed, "seed", least=0)
    lams = np.random.default_rng(seed).beta(alpha, alpha, size=2**16) if alpha > 0 else np.ones(1)
    lams = tf.constant(lams)  # kept beside the graph, not copied into it for every epoch
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)

    def mix(batch, seed):
        rows = tf.shape(batch[0])[0]
        agree = tf.debugging.assert_equal(rows, tf.shape(batch[1])[0], "x and y of a batch must have the same length")
        lam = tf.gather(lams, seed % len(lams))
        with tf.control_dependencies([agree]):  # or else the lines below may be the first to fail
            index = tf.random.experimental.stateless_shuffle(tf.range(rows), [seed, seed])

        def blend(values):
            values = values if values.dtype.is_floating else tf.cast(values, tf.float32)
            weight = tf.cast(lam, values.dtype)
            # Where nothing is mixed the partners must stay out altogether: 0 * inf would be NaN.
            return weight * values + tf.math.multiply_no_nan(tf.gather(values, index), 1 - weight)

        return blend(batch[0]), blend(batch[1])

    return tf.data.Dataset.zip(dataset, seeds).map(mix, num_parallel_calls=tf.data.AUTOTUNE)


def _check_dataset(dataset):
    """Say what can be seen to be wrong before an element is made."""
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(f"dataset must be a tf.data.Dataset, got {type(dataset).__name__}")
    spec = dataset.element_spec
    if not (isinstance(spec, tuple) and len(spec) == 2 and all(isinstance(part, tf.TensorSpec) for part in spec)):
        raise TypeError(f"dataset must hold pairs (x, y) of tensors, got {spec}")
    x, y = spec
    if not (x.dtype.is_floating or x.dtype.is_integer or x.dtype.is_bool):
        raise TypeError(f"dataset must hold numbers in x, got {x.dtype.name}")
    if not y.dtype.is_floating:
        raise TypeError(
            f"dataset must hold floats in y, got {y.dtype.name}: one-hot class ids first, "
            "for example with tf.one_hot(y, num_classes)"
        )
    if 0 in (x.shape.rank, y.shape.rank) or not x.shape[:1].is_compatible_with(y.shape[:1]):
        raise ValueError(f"dataset must be batched first: {x.shape} and {y.shape} have no first axis in common")
