"""MixUp of one batch: the inputs, the labels, the loss (Zhang et al. 2018)."""

import numbers
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np

# Values that are mixed at a time: few enough to stay in a processor's second cache.
_BLOCK = 2**16
# Values from which on a second thread saves more than it costs. Python in a browser has no threads.
_LARGE = 2**23 if sys.platform != "emscripten" else sys.maxsize
# Arrays that are numbers and nothing else: no mask, no unit.
_PLAIN = (np.ndarray, np.memmap)
# What Python counts among the numbers, and we do not.
_NO_NUMBERS = (bool, np.timedelta64)


def mixup_data(x, y, alpha=1.0, *, rng=None, out=None):
    """Mix every row of a batch with a randomly chosen row of the same batch.

    Draws ``lam ~ Beta(alpha, alpha)`` once for the batch, then a permutation
    ``index`` of its rows, and returns ``lam * x + (1 - lam) * x[index]``.

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Inputs with the batch on the first axis: vectors, images, tables.
        Numbers or booleans, n at least 1.
    y : array_like, shape (n, ...)
        Labels: class ids, one-hot rows or soft labels. They are paired here,
        not averaged; see `mix_labels` and `mixup_loss`.
    alpha : float, default 1.0
        Strength of the mixing, 0 or from 1e-300 to 1e300. Small values leave
        most batches nearly unmixed, 1 draws ``lam`` uniformly, large values
        pull it to one half. With 0 nothing is mixed and ``lam`` is 1.
    rng : None, int, numpy.random.Generator or other seed, optional
        What `numpy.random.default_rng` takes. None draws from NumPy's global
        generator, so ``np.random.seed`` decides the result.
    out : ndarray, shape (n, ...), optional
        Memory for the mixed inputs, so that a loop need not ask for new memory
        for every batch. It has the shape and the dtype of `mixed_x` and shares
        no memory with `x` or `y`. The next call that is given it overwrites it.

    Returns
    -------
    mixed_x : ndarray, shape (n, ...)
        The mixed inputs: `out`, or a new array. The dtype follows NumPy's
        promotion of ``lam * x``: float32 stays float32, uint8 becomes float64
        (but stays uint8 with ``alpha=0``, where ``lam`` is the integer 1).
    y_a : ndarray, shape (n, ...)
        The labels as they came in (`y` itself if it was an array).
    y_b : ndarray, shape (n, ...)
        The labels of the partners, ``y[index]``.
    lam : float
        The weight of `x` and `y_a`, in [0, 1]; the integer 1 for ``alpha=0``.

    Raises
    ------
    TypeError
        If `x` or `y` holds something other than numbers, `alpha` is not a
        number, `rng` is not a generator or a seed, `out` is not an array, or
        `out` or the `x` beside it is of a subclass, such as a masked array.
    ValueError
        If `x` or `y` is a scalar, empty or ragged, their lengths differ,
        `alpha` or `rng` is out of range, or `out` has another shape or dtype,
        is read-only or overlaps with `x` or `y`.

    Notes
    -----
    Source: Zhang et al. 2018, section 2, with one ``lam`` per batch and
    the partners drawn from the same batch.

    A large batch is mixed block by block, a very large one on two threads. The
    result is the formula's, bit for bit; beside it, no memory of the size of the
    batch is needed.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.array([[0.0], [1.0], [2.0]]), np.eye(3)
    >>> mixed_x, y_a, y_b, lam = mixup_data(x, y, alpha=0.4, rng=3)
    >>> bool(np.allclose(mixed_x, lam * x + (1 - lam) * y_b.argmax(axis=1)[:, None]))
    True
    """
    x, y = _as_batch(x, "x"), _as_batch(y, "y")
    _check_length(x, y)
    alpha, rng = _check_alpha(alpha), _check_rng(rng)
    if out is not None:
        _check_out(out, x, y, alpha)

    lam = rng.beta(alpha, alpha) if alpha > 0 else 1
    index = rng.permutation(len(x))
    if alpha == 0:  # the partners must stay out altogether: 0 * inf would be NaN
        mixed_x = lam * x if out is None else np.multiply(lam, x, out=out)
    elif x.size > _BLOCK and type(x) in _PLAIN:
        mixed_x = np.empty_like(x, dtype=_mixed_dtype(x, alpha), subok=False) if out is None else out
        _mix_large(x, index, lam, mixed_x)
    else:
        mixed_x = lam * x + (1 - lam) * x[index]
        if out is not None:
            out[...] = mixed_x
            mixed_x = out
    return mixed_x, y, y[index], lam


def _mix_large(x, index, lam, out):
    """Write ``lam * x + (1 - lam) * x[index]`` into `out` without a temporary of the size of the batch."""
    x = np.asarray(x)  # slices of a memory map cost more than slices of its view
    if x.flags.c_contiguous and out.flags.c_contiguous:  # then rows can be cut anywhere
        x, out = x.reshape(len(x), -1), out.reshape(len(x), -1)
    half = len(x) // 2 if x.size >= _LARGE else 0
    if half:  # one processor alone can't use all of the memory's bandwidth
        with ThreadPoolExecutor(1) as thread:
            # In a copy of the context, so that the caller's np.errstate holds there too.
            first = thread.submit(copy_context().run, _mix_blocks, x, slice(half), index, lam, out)
            _mix_blocks(x, slice(half, None), index, lam, out)
        first.result()
    else:
        _mix_blocks(x, slice(None), index, lam, out)


def _mix_blocks(x, part, index, lam, out):
    """The rows `part` of `_mix_large`."""
    mine, index, out = x[part], index[part], out[part]
    own, other = np.array(lam, out.dtype), np.array(1 - lam, out.dtype)

    rows = _BLOCK // x[0].size
    if rows:
        scratch = np.empty((rows, *x.shape[1:]), out.dtype)
        direct = x.flags.c_contiguous and x.dtype == out.dtype  # else take would copy more than the rows
        for start in range(0, len(mine), rows):
            block = slice(start, start + rows)
            mixed = np.multiply(own, mine[block], out=out[block])
            partners = scratch[: len(mixed)]
            if direct:  # the index is in range, and only "clip" writes into out without a copy
                np.take(x, index[block], axis=0, out=partners, mode="clip")
                partners *= other
            else:
                np.multiply(other, x[index[block]], out=partners)
            mixed += partners
    else:
        length = max(1, _BLOCK // x[0, 0].size)
        scratch = np.empty((length, *x.shape[2:]), out.dtype)
        for row, partner, mixed_row in zip(mine, index, out, strict=True):
            for start in range(0, len(row), length):
                block = slice(start, start + length)
                mixed = np.multiply(own, row[block], out=mixed_row[block])
                mixed += np.multiply(other, x[partner, block], out=scratch[: len(mixed)])


def _mixed_dtype(x, alpha):
    """The dtype of ``lam * x``, whatever `lam` will be drawn."""
    return ((0.5 if alpha > 0 else 1) * x[:0]).dtype


def mix_labels(y_a, y_b, lam):
    """Soft labels: the two labels of each row, averaged with weight `lam`.

    Parameters
    ----------
    y_a, y_b : array_like, shape (n, ...)
        Labels as `mixup_data` returns them: one-hot rows, soft labels, or
        numbers that may be averaged. Integer class ids are refused, since the
        mean of class 3 and class 7 is not class 5. Integer one-hot rows are
        accepted.
    lam : float
        Weight of `y_a`, in [0, 1].

    Returns
    -------
    ndarray, shape (n, ...)
        ``lam * y_a + (1 - lam) * y_b``. float32 stays float32.

    Raises
    ------
    TypeError
        If the labels are integer class ids or no numbers, or `lam` is not a number.
    ValueError
        If the labels differ in shape or are empty, or `lam` is outside [0, 1].

    Notes
    -----
    Source: Zhang et al. 2018, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> mix_labels(np.eye(3)[[0, 1]], np.eye(3)[[2, 1]], 0.75)
    array([[0.75, 0.  , 0.25],
           [0.  , 1.  , 0.  ]])
    """
    y_a, y_b = _as_labels(y_a, "y_a"), _as_labels(y_b, "y_b")
    if y_a.shape != y_b.shape:
        raise ValueError(f"y_a and y_b must have the same shape, got {y_a.shape} and {y_b.shape}")
    lam = _check_lam(lam)
    # Unmixed labels stay as they are, also beside a NaN that marks a missing one.
    return lam * y_a + (1 - lam) * y_b if lam < 1 else lam * y_a


def mixup_loss(loss_fn, y_a, y_b, y_pred, lam):
    """The loss against both labels of each row, averaged with weight `lam`.

    For every loss that is linear in the label, cross-entropy among them, this
    equals ``loss_fn(mix_labels(y_a, y_b, lam), y_pred)``. It also serves losses
    that take class ids, which cannot be mixed themselves.

    Parameters
    ----------
    loss_fn : callable
        ``loss_fn(y_true, y_pred)``, in the argument order of Keras.
    y_a, y_b : array or tensor, shape (n, ...)
        Labels as `mixup_data` returns them, in the form that `loss_fn` takes.
    y_pred : array or tensor, shape (n, ...)
        What the model answers for the mixed inputs.
    lam : float
        Weight of `y_a`, in [0, 1]; a number, not a tensor.

    Returns
    -------
    scalar, array or tensor
        ``lam * loss_fn(y_a, y_pred) + (1 - lam) * loss_fn(y_b, y_pred)``, in
        whatever type and shape `loss_fn` returns; gradients flow through it.
        A loss of weight 0 is left out.

    Raises
    ------
    TypeError
        If `loss_fn` is not callable or `lam` is not a number.
    ValueError
        If the labels differ in shape or `lam` is outside [0, 1].

    Notes
    -----
    Source: Zhang et al. 2018, section 2, and the authors' training script.

    Examples
    --------
    >>> import numpy as np
    >>> def cross_entropy(y_true, y_pred):
    ...     return -np.sum(y_true * np.log(y_pred), axis=-1)
    >>> round(float(mixup_loss(cross_entropy, np.eye(2)[0], np.eye(2)[1], [0.75, 0.25], 0.5)), 3)
    0.837
    """
    if not callable(loss_fn):
        raise TypeError(f"loss_fn must be callable, got {type(loss_fn).__name__}")
    try:
        shape_a, shape_b = np.shape(y_a), np.shape(y_b)
    except Exception as error:  # ragged lists, or an object that fails when it is asked for its values
        raise ValueError(f"y_a and y_b must be rectangular arrays: {error}") from error
    # A tensor inside tf.function may know only a part of its shape.
    fits = [shape.is_compatible_with for shape in (shape_a, shape_b) if hasattr(shape, "is_compatible_with")]
    if not (all(fit(shape) for fit in fits for shape in (shape_a, shape_b)) if fits else shape_a == shape_b):
        raise ValueError(f"y_a and y_b must have the same shape, got {shape_a} and {shape_b}")
    lam = _check_lam(lam)
    if lam in (0, 1):  # the label without weight stays out: its loss may be infinite, and 0 * inf would be NaN
        return 1.0 * loss_fn(y_a if lam == 1 else y_b, y_pred)
    return lam * loss_fn(y_a, y_pred) + (1 - lam) * loss_fn(y_b, y_pred)


def _as_batch(value, name):
    """`value` as an array of numbers with at least one row, or an error that names it."""
    try:
        array = np.asanyarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array: {error}") from error
    except MemoryError:
        raise
    except Exception as error:  # a tensor without values, a GPU array: each has its own type
        raise TypeError(f"{name} cannot be read as an array: {error}") from error
    # bfloat16 and its kin are no NumPy kinds, but cast to float like numbers.
    if array.dtype.kind not in "biufc" and not np.can_cast(array.dtype, np.float64):
        raise TypeError(f"{name} must hold numbers, got dtype {array.dtype}")
    if array.ndim == 0:
        raise ValueError(f"{name} must have the batch on its first axis, got a scalar")
    if len(array) == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    return array


def _as_labels(value, name):
    """`value` as labels that may be averaged."""
    y = _as_batch(value, name)
    if np.can_cast(y.dtype, np.int64) or y.dtype.kind == "u":
        one_hot = y.ndim > 1 and y.shape[-1] > 1 and np.all((y == 0) | (y == 1)) and np.all(y.sum(-1) == 1)
        if not one_hot:
            raise TypeError(
                f"{name} holds integer class ids (dtype {y.dtype}, shape {y.shape}), whose average means "
                "nothing: one-hot them first, for example with np.eye(num_classes)[y]; "
                "or pass floats, if these numbers may be averaged"
            )
    return y


def _check_length(x, y):
    if len(x) != len(y):
        raise ValueError(f"x and y must have the same length, got {len(x)} and {len(y)}")


def _check_out(out, x, y, alpha):
    """Say what is wrong with the caller's memory before a random number is drawn or a value written."""
    if type(x) not in _PLAIN or type(out) not in _PLAIN:
        raise TypeError(f"out must be a plain array, as x, got {type(out).__name__} beside {type(x).__name__}")
    dtype = _mixed_dtype(x, alpha)
    if out.shape != x.shape or out.dtype != dtype:
        raise ValueError(f"out must have shape {x.shape} and dtype {dtype}, got {out.shape} and {out.dtype}")
    if not out.flags.c_contiguous:
        steps = zip(map(abs, out.strides), out.shape, strict=True)
        reach = out.itemsize
        for stride, length in sorted(step for step in steps if step[1] > 1):
            if stride < reach:
                raise ValueError("out has the same memory for several values")
            reach += stride * (length - 1)
    if not out.flags.writeable:
        raise ValueError("out is read-only")
    for name, array in [("x", x), ("y", y)]:
        if np.shares_memory(out, array):
            raise ValueError(f"out shares memory with {name}")


def _as_float(value, name):
    """`value` as a Python float, which leaves float32 arrays float32."""
    if isinstance(value, _NO_NUMBERS) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"{name} is too large for a float") from error


def _check_alpha(alpha):
    alpha = _as_float(alpha, "alpha")
    # Outside these bounds NumPy's beta draws are NaN or plainly wrong.
    if alpha != 0 and not 1e-300 <= alpha <= 1e300:
        raise ValueError(f"alpha must be 0 or from 1e-300 to 1e300, got {alpha}")
    return alpha


def _check_lam(lam):
    lam = _as_float(lam, "lam")
    if not 0 <= lam <= 1:
        raise ValueError(f"lam must be in [0, 1], got {lam}")
    return lam


def _check_rng(rng):
    if rng is None:
        return np.random
    if isinstance(rng, _NO_NUMBERS):
        raise TypeError(f"rng must be None, a numpy.random.Generator or a seed, got {type(rng).__name__}")
    try:
        return np.random.default_rng(rng)
    except Exception as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"rng must be None, a numpy.random.Generator or a seed: {error}") from error
