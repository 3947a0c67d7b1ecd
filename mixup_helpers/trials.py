"""Many small networks trained at once: a network for each seed, all of them in one TensorFlow program."""

import concurrent.futures
import os
import re
import sys
import threading

import numpy as np
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from mixup_helpers._arguments import as_finite, as_function, as_int, as_number, as_share, one_of
from mixup_helpers._keras import tf
from mixup_helpers.data import digits
from mixup_helpers.mixing import _check_alpha

BATCH = 32
MOST_EPOCHS = 10**6
STEPS = 45  # an epoch: as many batches as one pass over 1,437 digits takes, whatever the training size
# Keras keeps its learning rate, and the betas that it raises to powers, in single precision.
RATE, BETA_1, BETA_2 = (float(np.float32(value)) for value in (0.001, 0.9, 0.999))
# Each way of training is a program of its own. TensorFlow takes several in a row for a mistake, and warns.
OURS = re.compile(r"<function _(one_epoch|logits|input_gradients) .*retracing", re.DOTALL)
tf.get_logger().addFilter(lambda record: not OURS.search(record.getMessage()))


class Trials:
    """One way to train, tried once for each seed.

    Every seed has its own split, initial weights, order of the rows, partners and
    ``lam``. Two `Trials` of the same seeds, data and `model` have the split, the weights
    and the order in common, also the partners if `partner` is the same, and ``lam`` if
    `alpha` and `lam_per` are. So their results can be compared seed by seed. Train them
    with `train`.

    Parameters
    ----------
    seeds : iterable of int
        One network for each, from 0 to ``2**32 - 1``.
    alpha : float, default 0
        Strength of the mixing, as in `mixup_helpers.mixup_data`; 0 trains without MixUp.
    lam_per : {"batch", "sample"}
        One ``lam`` for a whole batch, as in the source, or one for every row.
    partner : {"batch", "class", "neighbour"}
        Whom a row is mixed with: a shuffled row of the batch; any training row of
        the same class; one of its 10 nearest training rows.
    mix_labels : bool, default True
        False keeps the label of the heavier row, and mixes the inputs alone.
    fresh : bool, default True
        False mixes the first epoch and repeats it, batch for batch.
    label_smoothing : float, default 0
        Share of each label that is spread evenly over all classes.
    noise : float, default 0
        Standard deviation of Gaussian noise added to the training inputs.
    dropout : float, default 0
        Share of the hidden units that is left out at each step.
    weight_decay : float, default 0
        Decoupled weight decay, as in AdamW, of every weight and bias.
    wrong_labels : float, default 0
        Share of the labels that is replaced by another class, but for those to test on.
    n_train : int, optional
        Number of training rows, with the classes' shares of the data; all that are left by default.
    n_validation : int, default 0
        Rows set apart from training, to choose by.
    split_seed : int, optional
        Gives every network the same split. By default each seed draws its own.
    model : {"mlp", "cnn"}
        The source's network of 64 hidden units, or for digits 16
        filters of 4 by 4 pixels with stride 2, then the output layer.
    data : tuple of (x, y), optional
        Inputs, shape (n, ...), and class ids from 0, shape (n,); the digits by default.
    dtype : {"float64", "float32"}
        What the networks compute in. In float64 the tables came out the same on every
        instruction set tried; float32 takes half the time, and after long training single answers differ.

    Attributes
    ----------
    x_train : ndarray, shape (seeds, n, features)
        Each seed's inputs for training.
    x_validation : ndarray, shape (seeds, n, features)
        Its inputs for choosing between settings.
    x_test : ndarray, shape (seeds, n, features)
        Its inputs for testing: a fifth of all rows.
    y_train : ndarray of int, shape (seeds, n)
        The class ids of `x_train`, with the wrong labels in them.
    y_validation : ndarray of int, shape (seeds, n)
        Those of `x_validation`, with the wrong labels in them.
    y_test : ndarray of int, shape (seeds, n)
        Those of `x_test`.
    weights : list of tensor, shape (seeds, ...)
        Of every network, in the order of Keras.
    epochs : int
        How many epochs it has been trained for.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range; the message names it.

    Notes
    -----
    Optimizer: Adam with Keras' defaults, batches of 32. An epoch is 45 batches: one
    pass over 1,437 training rows and 3 rows of the next, or more passes over fewer rows.

    Examples
    --------
    >>> trials = Trials(range(2), alpha=0.2, n_train=100)
    >>> trials.x_train.shape, trials.y_test.shape
    ((2, 100, 64), (2, 360))
    """

    def __init__(
        self, seeds, *, alpha=0.0, lam_per="batch", partner="batch", mix_labels=True, fresh=True,
        label_smoothing=0.0, noise=0.0, dropout=0.0, weight_decay=0.0, wrong_labels=0.0,
        n_train=None, n_validation=0, split_seed=None, model="mlp", data=None, dtype="float64",
    ):  # fmt: skip
        if not np.iterable(seeds):
            raise TypeError(f"seeds must be several, got {type(seeds).__name__}; range(20) for example")
        self.seeds = [as_int(seed, "each of seeds", 0, 2**32 - 1) for seed in seeds]
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds must be distinct, and at least one, got {self.seeds}")
        self.alpha = _check_alpha(alpha)
        self.lam_per = one_of(lam_per, "lam_per", ("batch", "sample"))
        self.partner = one_of(partner, "partner", ("batch", "class", "neighbour"))
        self.mix_labels = one_of(mix_labels, "mix_labels", (True, False))
        self.fresh = one_of(fresh, "fresh", (True, False))
        self.label_smoothing = as_share(label_smoothing, "label_smoothing")
        self.dropout = as_share(dropout, "dropout")
        self.noise, self.weight_decay = as_number(noise, "noise", 0), as_number(weight_decay, "weight_decay", 0)
        wrong_labels = as_share(wrong_labels, "wrong_labels")
        self.model = one_of(model, "model", tuple(MODELS))
        self.dtype = one_of(dtype, "dtype", ("float64", "float32"))

        x, y = _check_data(digits() if data is None else data, self.model)
        x, self.classes = x.reshape(len(x), -1).astype(dtype), int(y.max()) + 1
        held_out = -(-len(y) // 5)
        # A part of a stratified split is either nothing or has room for every class.
        left = len(y) - held_out
        n_validation = as_int(n_validation, "n_validation", 0, len(y))
        if n_validation and not self.classes <= n_validation <= left - self.classes:
            raise ValueError(
                f"n_validation must be 0 or from {self.classes} to {left - self.classes}, got {n_validation}"
            )
        left -= n_validation
        n_train = left if n_train is None else as_int(n_train, "n_train", 0, len(y))
        if n_train != left and not self.classes <= n_train <= left - self.classes:
            raise ValueError(f"n_train must be from {self.classes} to {left - self.classes}, or {left}, got {n_train}")

        split_seed = split_seed if split_seed is None else as_int(split_seed, "split_seed", 0, 2**32 - 1)
        try:
            splits = [
                _split(y, [held_out, n_validation, n_train], seed if split_seed is None else split_seed)
                for seed in self.seeds
            ]
        except ValueError as error:
            raise ValueError(f"data has too few rows of a class to be split: {error}") from error
        self._test, self._validation, self._train = (np.stack(part) for part in zip(*splits))
        self._x, self._given = x, np.stack(
            [_corrupt(y, wrong_labels, self.classes, self._rng(seed, "wrong labels")) for seed in self.seeds]
        )
        labels = tf.one_hot(self._given, self.classes, dtype=dtype)
        labels = labels * (1 - self.label_smoothing) + self.label_smoothing / self.classes
        self._data = tf.constant(x), labels
        self.y_test = y[self._test]
        self.y_validation, self.y_train = (
            np.take_along_axis(self._given, part, axis=1) for part in (self._validation, self._train)
        )

        self._streams = {
            name: [self._rng(seed, name) for seed in self.seeds]
            for name in ("rows", "partners", "lam", "noise", "dropout")
        }
        self._near = [_neighbours(part) for part in self.x_train] if self.partner == "neighbour" else None
        self._epoch = None
        shapes = MODELS[self.model][1](x.shape[1], self.classes)
        starts = [self._rng(seed, "weights") for seed in self.seeds]
        self.weights = [
            tf.constant(np.stack([_glorot(rng, *shape) for rng in starts]), dtype) for shape in shapes
        ]
        self._state = [tf.zeros_like(w) for w in self.weights], [tf.zeros_like(w) for w in self.weights]
        self.epochs = 0

    # The inputs are gathered when asked for: a copy for each network would be most of the memory.
    @property
    def x_train(self):
        return self._x[self._train]

    @property
    def x_validation(self):
        return self._x[self._validation]

    @property
    def x_test(self):
        return self._x[self._test]

    def _rng(self, seed, purpose):
        return np.random.default_rng([seed, *purpose.encode()])

    def draw(self):
        """Everything random about the next epoch; drawn by hand it is trained on only with ``fresh=False``.

        Returns
        -------
        dict of ndarray
            ``rows`` and ``partners``, shape (45, seeds, 32): indices into `x_train`;
            ``lam``, shape (45, seeds, 1 or 32, 1); with noise and dropout also
            ``noise``, added to the inputs, and ``kept``, a factor for each hidden unit.
            Without MixUp there are no ``partners`` and no ``lam``.
        """
        if self._epoch is None or self.fresh:
            parts = [self._draw(k) for k in range(len(self.seeds))]
            self._epoch = {name: np.stack([part[name] for part in parts], axis=1) for name in parts[0]}
        return self._epoch

    def _draw(self, k):
        rng = {name: streams[k] for name, streams in self._streams.items()}
        n = self._train.shape[1]
        passes = [rng["rows"].permutation(n) for _ in range(-(-STEPS * BATCH // n))]
        rows = np.concatenate(passes)[: STEPS * BATCH].reshape(STEPS, BATCH)
        drawn = {"rows": rows}
        if self.alpha:
            u = rng["partners"].random((STEPS, BATCH))
            if self.partner == "batch":
                partners = np.take_along_axis(rows, u.argsort(axis=1), axis=1)
            elif self.partner == "class":
                members = [np.flatnonzero(self.y_train[k] == c) for c in range(self.classes)]
                partners = np.array([members[c][int(v * len(members[c]))] for c, v in
                                     zip(self.y_train[k][rows.ravel()], u.ravel())]).reshape(rows.shape)
            else:
                near = self._near[k]
                partners = near[rows, (u * near.shape[1]).astype(int)]
            per = 1 if self.lam_per == "batch" else BATCH
            drawn["partners"] = partners
            drawn["lam"] = rng["lam"].beta(self.alpha, self.alpha, (STEPS, per, 1))
        if self.noise:
            shape = (STEPS, BATCH, self._x.shape[1])
            drawn["noise"] = self.noise * rng["noise"].standard_normal(shape)
        if self.dropout:
            shape = (STEPS, BATCH, self.weights[-2].shape[1])
            drawn["kept"] = (rng["dropout"].random(shape) >= self.dropout) / (1 - self.dropout)
        return drawn

    def fit(self, epochs, after_epoch=None):
        """Train for some epochs more; `train` does so with several `Trials` at a time.

        Parameters
        ----------
        epochs : int
            How many epochs more.
        after_epoch : callable, optional
            Called with these `Trials` after each epoch.

        Raises
        ------
        TypeError, ValueError
            If an argument is of the wrong type or out of range.
        """
        epochs = as_int(epochs, "epochs", 1, MOST_EPOCHS)
        if after_epoch is not None:
            as_function(after_epoch, "after_epoch")
        network, (x, y) = MODELS[self.model][0], self._data
        member = np.arange(len(self.seeds))[:, None]
        for _ in range(epochs):
            drawn = {  # of the indices, those into all of the data
                name: tf.constant(self._train[member, array] if array.dtype.kind == "i" else array,
                                  "int32" if array.dtype.kind == "i" else self.dtype)
                for name, array in self.draw().items()
            }
            t = tf.constant(self.epochs * STEPS, self.dtype)
            decay = tf.constant(RATE * self.weight_decay, self.dtype)
            self.weights, self._state = _one_epoch(
                network, self.mix_labels, x, y, drawn, self.weights, self._state, t, decay
            )
            self.epochs += 1
            if after_epoch:
                after_epoch(self)

    def logits(self, x):
        """What the networks answer before the softmax.

        Parameters
        ----------
        x : array or tensor, shape (seeds, n, features)

        Returns
        -------
        ndarray, shape (seeds, n, classes)

        Raises
        ------
        TypeError, ValueError
            If `x` is of another shape or holds something other than finite numbers.
        """
        x = self._as_inputs(x)
        return _logits(MODELS[self.model][0], self.weights, tf.constant(x, self.dtype)).numpy()

    def input_gradients(self, x, y):
        """How each network's loss changes with each of its inputs.

        Parameters
        ----------
        x : array or tensor, shape (seeds, n, features)
        y : array or tensor of int, shape (seeds, n)
            Class ids.

        Returns
        -------
        ndarray, shape (seeds, n, features)
            Gradients of each row's cross-entropy.

        Raises
        ------
        TypeError, ValueError
            If `x` is of another shape or holds something other than finite numbers, or `y` is
            not a class id for each of its rows.
        """
        x, y = self._as_inputs(x), as_finite(y, "y")
        if y.dtype.kind not in "iu" or y.shape != x.shape[:2] or not ((0 <= y) & (y < self.classes)).all():
            raise ValueError(f"y must hold ids from 0 to {self.classes - 1} in shape {x.shape[:2]}, got {y.dtype} in {y.shape}")
        network = MODELS[self.model][0]
        return _input_gradients(network, self.weights, tf.constant(x, self.dtype), tf.constant(y, "int64")).numpy()

    def _as_inputs(self, x):
        x, wanted = as_finite(x, "x"), (len(self.seeds), self._x.shape[1])
        if x.ndim != 3 or (x.shape[0], x.shape[2]) != wanted or not x.size:
            raise ValueError(f"x must have shape ({wanted[0]}, n, {wanted[1]}), got {x.shape}")
        return x


def train(trials, epochs, after_epoch=None):
    """Train several `Trials`, as many at a time as there are processors.

    Parameters
    ----------
    trials : dict or list of Trials
        All different.
    epochs : int
        How many epochs more.
    after_epoch : callable, optional
        Called with each of the `Trials` after each of its epochs.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range, or one object stands among the
        `trials` twice.

    Notes
    -----
    Shows a progress bar where somebody is watching.

    Examples
    --------
    >>> trials = Trials(range(2), alpha=0.2)
    >>> train([trials], epochs=1)
    >>> trials.epochs
    1
    """
    epochs = as_int(epochs, "epochs", 1, MOST_EPOCHS)
    trials = list(trials.values()) if isinstance(trials, dict) else trials
    if not isinstance(trials, (list, tuple)) or not all(isinstance(one, Trials) for one in trials):
        raise TypeError("trials must be a list or a dict of Trials")
    if not trials or len(set(trials)) < len(trials):
        raise ValueError("trials must be at least one, and different: none can be trained twice at a time")
    if after_epoch is not None:
        as_function(after_epoch, "after_epoch")
    locks = {one: threading.Lock() for one in trials}
    with (
        tqdm(total=epochs * len(trials), unit="epoch", leave=False, disable=not _watched()) as bar,
        concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        def one_epoch(trial):
            with locks[trial]:
                trial.fit(1, after_epoch)
            bar.update()

        # Epoch by epoch, so that all are done at about the same time and no processor is idle at the end.
        list(pool.map(one_epoch, list(trials) * epochs))


def _mlp(weights, x, kept=None):
    w1, b1, w2, b2 = weights
    hidden = tf.nn.relu(x @ w1 + b1[:, None])
    return (hidden if kept is None else hidden * kept) @ w2 + b2[:, None]


def _cnn(weights, x, kept=None):
    w1, b1, w2, b2 = weights
    members, n = x.shape[0], x.shape[1]
    images = tf.reshape(x, (members, n, 8, 8))
    # A convolution with other filters for each member is one product, once the patches stand side by side.
    patches = tf.stack([images[:, :, i : i + 5 : 2, j : j + 5 : 2] for i in range(4) for j in range(4)], axis=-1)
    maps = tf.nn.relu(tf.reshape(patches, (members, n * 9, 16)) @ w1 + b1[:, None])
    hidden = tf.reshape(maps, (members, n, 144))
    return (hidden if kept is None else hidden * kept) @ w2 + b2[:, None]


# The network, and the shapes of its weights.
MODELS = {
    "mlp": (_mlp, lambda features, classes: [(features, 64), (64,), (64, classes), (classes,)]),
    "cnn": (_cnn, lambda features, classes: [(16, 16), (16,), (144, classes), (classes,)]),
}


@tf.function(jit_compile=True)
def _one_epoch(network, mix_labels, x, y, drawn, weights, state, t, decay):
    m, v = state
    for step in tf.range(STEPS):
        now = {name: array[step] for name, array in drawn.items()}
        batch_x = tf.gather(x, now["rows"])
        batch_y = tf.gather(y, now["rows"], batch_dims=1)
        if "lam" in now:
            lam = now["lam"]
            batch_x = lam * batch_x + (1 - lam) * tf.gather(x, now["partners"])
            lam_y = lam if mix_labels else tf.cast(lam >= 0.5, lam.dtype)
            batch_y = lam_y * batch_y + (1 - lam_y) * tf.gather(y, now["partners"], batch_dims=1)
        if "noise" in now:
            batch_x += now["noise"]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = tf.nn.softmax_cross_entropy_with_logits(batch_y, network(weights, batch_x, now.get("kept")))
            # The mean over a network's batch; the sum over the networks, which know nothing of each other.
            loss = tf.reduce_sum(tf.reduce_mean(loss, axis=1))
        gradients = tape.gradient(loss, weights)
        # Adam, as Keras writes it.
        t += 1
        rate = RATE * tf.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
        m = [a + (g - a) * 0.1 for a, g in zip(m, gradients)]
        v = [a + (g * g - a) * 0.001 for a, g in zip(v, gradients)]
        weights = [w - decay * w - rate * a / (tf.sqrt(b) + 1e-7) for w, a, b in zip(weights, m, v)]
    return weights, (m, v)


@tf.function(jit_compile=True)
def _logits(network, weights, x):
    return network(weights, x)


@tf.function(jit_compile=True)
def _input_gradients(network, weights, x, y):
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, network(weights, x))
    return tape.gradient(loss, x)


def _glorot(rng, *shape):
    """The start of a weight matrix, or of a bias, as Keras has it."""
    if len(shape) == 1:
        return np.zeros(shape)
    # The 4 by 4 filters are a matrix of 16 rows here; each output reaches back to 16 pixels.
    fans = shape[0] + shape[1] * (16 if shape == (16, 16) else 1)
    return rng.uniform(-1, 1, shape) * np.sqrt(6 / fans)


def _split(y, sizes, seed):
    """Disjoint rows of the given numbers, each drawn with every class in its share."""
    parts, left = [], np.arange(len(y))
    for size in sizes:
        if size in (0, len(left)):
            part, left = left[:size], left[size:]
        else:
            left, part = train_test_split(left, test_size=size, stratify=y[left], random_state=seed)
        parts.append(part)
    return parts


def _corrupt(y, share, classes, rng):
    wrong = rng.permutation(len(y)) < round(share * len(y))
    return np.where(wrong, (y + rng.integers(1, classes, len(y))) % classes, y)


def _neighbours(x):
    """The 10 nearest other rows of each; of equally near ones the first, so that the number of threads does not decide."""
    squares = np.sum(x * x, axis=1)
    distances = squares[:, None] - 2 * x @ x.T + squares
    np.fill_diagonal(distances, np.inf)
    return distances.argsort(axis=1, kind="stable")[:, : min(10, len(x) - 1)]


def _check_data(data, model):
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise TypeError(f"data must be a pair (x, y), got {type(data).__name__}")
    x, y = as_finite(data[0], "x of data"), as_finite(data[1], "y of data")
    if len(x) != len(y):
        raise ValueError(f"x and y of data must have the same length, got {len(x)} and {len(y)}")
    if y.dtype.kind not in "iu" or y.ndim != 1:
        raise TypeError(f"y of data must hold class ids, got dtype {y.dtype} and shape {y.shape}")
    if y.min() < 0 or not 1 <= y.max() < len(y) or np.bincount(y.astype(int)).min() < 2:
        raise ValueError(f"y of data must be ids from 0 of at least 2 classes, each twice or more, got {np.unique(y)}")
    if not x[0].size:
        raise ValueError(f"x of data must have features, got shape {x.shape}")
    if model == "cnn" and x[0].size != 64:
        raise ValueError(f"model cnn takes digits of 8 by 8 pixels, got x of data of shape {x.shape}")
    return x, y.astype(int)


def _watched():
    """Whether a person watches: a terminal, or a notebook that could ask for input. Nobody watches nbval."""
    kernel = getattr(getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)(), "kernel", None)
    return sys.stderr.isatty() or getattr(kernel, "_allow_stdin", False)
