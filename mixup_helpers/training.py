"""MixUp during training: a data set that mixes every batch anew in every epoch."""

import sys
from collections import deque

import numpy as np

from mixup_helpers._arguments import as_int, refuse_mask
from mixup_helpers._keras import keras
from mixup_helpers.mixing import (
    _as_batch,
    _as_labels,
    _check_alpha,
    _check_length,
    _mixed_dtype,
    mix_labels,
    mixup_data,
)


class MixUpDataset(keras.utils.PyDataset):
    """Batches of mixed inputs and soft labels, for ``model.fit(data, shuffle=False)``.

    Every epoch goes through the rows in a new order and mixes every batch with a
    new ``lam`` and new partners. All of it depends on `seed`, the epoch and the
    number of the batch alone, so any number of workers gives the same batches,
    and two data sets that differ only in `alpha` have the same rows in the same
    batches. (Not the same partners: the draw of ``lam`` takes more or fewer random
    numbers for another `alpha`.)

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Inputs. A memory-mapped array is read batch by batch.
    y : array_like, shape (n, ...)
        One-hot rows, soft labels or numbers that may be averaged; integer class
        ids are refused.
    batch_size : int, default 32
        Rows in a batch. The last batch has what is left, at least one row.
    alpha : float, default 0.2
        Strength of the mixing, as in `mixup_helpers.mixup_data`; 0 trains without MixUp.
    seed : int, optional
        A seed, 0 or more. None takes fresh entropy once.
    workers, use_multiprocessing, max_queue_size : optional
        Passed to `keras.utils.PyDataset`.

    Raises
    ------
    TypeError, ValueError
        If `x`, `y`, `alpha`, `batch_size` or `seed` is of the wrong type or out
        of range, at construction; the message names the argument.

    Notes
    -----
    Source: Zhang et al. 2018, section 2.

    The rows are shuffled here, so give ``shuffle=False`` to ``model.fit``. By
    default it takes the batches of an epoch in an order that it draws from
    Python's global `random`, and then `seed` alone does not decide the run.
    Leave ``steps_per_epoch`` unset: with it, Keras starts and ends epochs in the
    middle of a pass through the rows. Validation data stay unmixed.

    The memory of a batch is used again once neither it nor a view of it is held by
    anyone, so a batch that you keep never changes.

    ``model.fit`` calls `on_epoch_end` before it starts and after every epoch. So its
    first epoch is number 1, and a second ``fit`` leaves out a number: two of one epoch
    are not the same as one of two. The rows come shuffled and mixed, so this is no data
    set for ``model.predict``.

    Examples
    --------
    >>> import numpy as np
    >>> data = MixUpDataset(np.zeros((70, 8, 8)), np.eye(10)[np.arange(70) % 10], seed=0)
    >>> len(data), [x.shape[0] for x, y in data]
    (3, [32, 32, 6])
    >>> x, y = data[0]
    >>> x.shape, y.shape, bool(np.allclose(y.sum(axis=1), 1))
    ((32, 8, 8), (32, 10), True)
    """

    def __init__(self, x, y, batch_size=32, alpha=0.2, *, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y = _as_batch(x, "x"), _as_labels(y, "y")
        refuse_mask(self.x, "x"), refuse_mask(self.y, "y")
        _check_length(self.x, self.y)
        self.batch_size = as_int(batch_size, "batch_size", least=1)
        self.alpha = _check_alpha(alpha)
        self.seed = np.random.SeedSequence(None if seed is None else as_int(seed, "seed", least=0)).entropy
        self._buffers = deque(maxlen=16)
        self._start_epoch(0)

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, index):
        index = as_int(index, "index", -sys.maxsize, sys.maxsize)
        if not 0 <= index < len(self):
            raise IndexError(f"index must be from 0 to {len(self) - 1}, got {index}")
        epoch, order = self._pass
        rows = order[index * self.batch_size : (index + 1) * self.batch_size]
        buffer = self._free_buffer(len(rows))
        mixed_x, y_a, y_b, lam = mixup_data(
            np.asarray(self.x[rows]),
            self.y[rows],
            self.alpha,
            rng=self._rng(epoch, index),
            out=None if buffer is None else buffer[: len(rows)],
        )
        self._buffers.append(mixed_x if buffer is None else buffer)
        return mixed_x[:], mix_labels(y_a, y_b, lam)  # a view: its holder may freeze or reshape it

    def on_epoch_end(self):
        """Called by Keras between epochs; by hand, call it after each pass."""
        self._start_epoch(self.epoch + 1)

    def _start_epoch(self, epoch):
        # Set at once: a thread that asks for a batch meanwhile gets one of the old epoch or one of the new.
        self._pass = epoch, self._rng(epoch).permutation(len(self.x))

    @property
    def epoch(self):
        """The number of the pass, from 0 on."""
        return self._pass[0]

    def _free_buffer(self, rows):
        """Memory of an earlier batch that nobody holds any more, nor a view of it; None if there is none."""
        dtype = _mixed_dtype(self.x, self.alpha)  # another one where alpha was set to 0 on the way
        for _ in range(len(self._buffers)):
            try:
                buffer = self._buffers.popleft()  # from here on no other thread sees it
            except IndexError:
                return None
            fits = buffer.dtype == dtype and len(buffer) >= rows
            if fits and sys.getrefcount(buffer) == 2:  # held here, and by the question
                return buffer
            self._buffers.append(buffer)
        return None

    def __getstate__(self):
        return self.__dict__ | {"_buffers": deque(maxlen=self._buffers.maxlen)}  # another process fills its own

    def _rng(self, *key):
        # Keyed, not advanced: a worker can make any batch without the ones before it.
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
