"""MixUp for models that take no soft labels, scikit-learn's among them: two weighted rows for each mixed one."""

import numpy as np

from mixup_helpers._arguments import refuse_mask
from mixup_helpers.mixing import _as_batch, _check_alpha, _check_length, _check_rng


def weighted_pairs(x, y, alpha=0.2, *, rng=None):
    """Mix a table once, and give every mixed row to both of its classes, with weights.

    Draws a ``lam ~ Beta(alpha, alpha)`` for each row and a permutation ``index`` of
    the rows. The mixed row ``lam * x + (1 - lam) * x[index]`` then stands in the
    result twice: with the class ``y`` and the weight ``lam``, and with the class
    ``y[index]`` and the weight ``1 - lam``.

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Inputs with the rows on the first axis, n at least 1: numbers or booleans.
        Scale them first, and one-hot the columns that hold categories.
    y : array_like, shape (n,)
        A class for each row, as a number or a name; nothing is averaged.
    alpha : float, default 0.2
        Strength of the mixing, as in `mixup_helpers.mixup_data`. With 0 nothing is
        mixed and all weights are 1 and 0.
    rng : None, int, numpy.random.Generator or other seed, optional
        As in `mixup_helpers.mixup_data`.

    Returns
    -------
    mixed_x : ndarray, shape (2 * n, ...)
        The n mixed rows, and the same rows again; always a new array. float32 stays
        float32, integers and booleans become float64.
    labels : ndarray, shape (2 * n,)
        ``y``, then ``y[index]``.
    sample_weight : ndarray of float64, shape (2 * n,)
        The n values of ``lam``, then of ``1 - lam``. They sum to n.

    Raises
    ------
    TypeError
        If `x` or `y` is masked, `x` holds something other than numbers, `alpha` is not a number,
        or `rng` is not a generator or a seed.
    ValueError
        If `x` is a scalar, empty or ragged, `y` is not one value for each row, or
        `alpha` or `rng` is out of range.

    Notes
    -----
    Source: Zhang et al. 2018, section 2. Cross-entropy is linear in the label, so the
    weighted loss of the two rows is the loss of the soft label
    ``lam * y + (1 - lam) * y[index]``. Here ``lam`` is drawn for each row, since a table
    is mixed once and not anew in every step.

    Examples
    --------
    >>> x, y = [[0.0], [10.0], [20.0]], ["low", "low", "high"]
    >>> mixed_x, labels, sample_weight = weighted_pairs(x, y, alpha=1, rng=0)
    >>> for row in zip(mixed_x[:, 0].round(2), labels, sample_weight.round(2)):
    ...     print(*row)
    5.95 low 0.7
    10.0 low 0.71
    19.93 high 1.0
    5.95 high 0.3
    10.0 low 0.29
    19.93 low 0.0
    """
    x = _as_batch(x, "x")
    refuse_mask(x, "x"), refuse_mask(y, "y")
    try:
        y = np.asarray(y)
    except Exception as error:
        raise ValueError(f"y must hold one class for each row: {error}") from error
    if y.ndim != 1:
        raise ValueError(f"y must hold one class for each row, got shape {y.shape}")
    _check_length(x, y)
    alpha, rng = _check_alpha(alpha), _check_rng(rng)

    lam = rng.beta(alpha, alpha, size=len(x)) if alpha > 0 else np.ones(len(x))
    index = rng.permutation(len(x))
    # In the dtype of x, so that float32 stays float32; with all axes of x, to weigh whole rows.
    w = lam.astype(np.result_type(x.dtype, 0.0)).reshape(-1, *[1] * (x.ndim - 1))
    # With alpha = 0 the partners must stay out altogether: 0 * inf would be NaN.
    mixed_x = np.multiply(w, x) + np.multiply(1 - w, x[index]) if alpha > 0 else np.multiply(w, x)  # np.matrix, too
    return np.concatenate([mixed_x, mixed_x]), np.concatenate([y, y[index]]), np.concatenate([lam, 1 - lam])
