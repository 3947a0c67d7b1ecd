"""Is this MixUp right? A check of any implementation, by what it does to batches whose rows can be told apart."""

import concurrent.futures
import html
import math
import textwrap
import threading

import numpy as np
from scipy import stats

from mixup_helpers._arguments import as_function, as_int
from mixup_helpers.mixing import _as_float, mix_labels

ROWS, CLASSES = 8, 10  # of a batch, and of its labels: each row has a class of its own
LARGEST = 10**7  # numbers of one input
ALPHAS = (0.3, 4.0)  # to test the distribution of lam at: one with most draws at the ends, one with most in the middle
RUNS = 400  # batches at each of them
FEW = 20  # batches at alpha 1, for what shows in any
TESTS = 9  # statistical tests in a report, which share its error rate
VISIBLE = 0.01  # a partner of a smaller weight can't be told from none
EXACT = 1e-4  # what float32 may differ by
ALIKE = 1e-3  # what two weights may that both come of float32


def check_mixup(fn, *, shape=(4, 4, 3), error_rate=0.001, seed=0):
    """Find out what an implementation of MixUp does right, what wrong, and what it does in its own way.

    Every row of the batches that it is given can be told from all others, so the result
    shows of which rows, and with which weights, each of its rows was made.

    Parameters
    ----------
    fn : callable
        ``fn(x, y, alpha, rng) -> (mixed_x, mixed_y)``. `x` is float32 of shape (n, \\*shape),
        `y` one-hot, float32 of shape (n, 10), `alpha` a float, `rng` a
        `numpy.random.Generator`, the only source of randomness. It is called with an
        `alpha` of 0.001, 0.3, 1 and 4, and of 0, -1 and NaN, which it may refuse, as it may
        `x` of uint8 and `y` as class ids, int64 of shape (n,). See `from_pairs`,
        `from_keras`, `from_torchvision` and `from_timm` for other forms.
    shape : tuple of int, default (4, 4, 3)
        Of one input; from 16 to ten million numbers.
    error_rate : float, default 0.001
        From 1e-300 to below 1. How often a right implementation may fail for bad luck. The tests of ``lam`` and
        of the partners share it; the other checks are exact.
    seed : int, default 0
        Decides all draws; the same report comes out for the same seed.

    Returns
    -------
    Report
        What was found, property by property.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range; the message names it.
        Errors of `fn` itself are part of the report.

    Notes
    -----
    The draws of ``lam`` are compared with Beta(alpha, alpha) by Kolmogorov's test, at alpha 0.3
    and 4 in 400 batches each; partners by the chi-squared test. What is right is what
    Zhang et al. 2018, section 2, write.

    Examples
    --------
    >>> from mixup_helpers import mixup_data
    >>> report = check_mixup(from_pairs(mixup_data))
    >>> report.failed, report.choices
    ([], ['lam per batch or row'])
    >>> def wrong(x, y, alpha, rng):
    ...     lam, index = rng.beta(alpha, alpha), rng.permutation(len(x))
    ...     lam = x.dtype.type(lam)
    ...     return lam * x + (1 - lam) * x[index], (1 - lam) * y + lam * y[index]
    >>> print(check_mixup(wrong)["labels match images"].replace(": ", "\\n"))
    fails
    labels are mixed with 1 - lam
    of a batch of 2, row 0 is 0.81 of row 0 and 0.19 of row 1, its label 0.19 of row 0 and 0.81 of row 1
    """
    as_function(fn, "fn")
    if not isinstance(shape, tuple):
        raise TypeError(f"shape must be a tuple of positive integers, got {shape!r}")
    shape = tuple(as_int(n, "each number of shape", 1, LARGEST) for n in shape)
    if not 2 * ROWS <= math.prod(shape) <= LARGEST:
        raise ValueError(f"shape must have from {2 * ROWS} to {LARGEST} numbers, got {shape}")
    error_rate = _as_float(error_rate, "error_rate")
    if not 1e-300 <= error_rate < 1:
        raise ValueError(f"error_rate must be from 1e-300 to below 1, got {error_rate}")
    seed = as_int(seed, "seed", least=0)
    return _Check(fn, shape, error_rate / TESTS, seed).report()


class Report:
    """What `check_mixup` found.

    Parameters
    ----------
    rows : iterable of (str, str, str)
        Of each property the name, "holds", "fails" or "choice", and what was seen.

    Attributes
    ----------
    passed : list of str
        Names of the properties that hold.
    failed : list of str
        Names of those that don't.
    choices : list of str
        Names of those that may be one way or another, with the way that was seen.

    Examples
    --------
    >>> report = Report([("partners", "choice", "rolled by 1"), ("seed", "fails", "two runs differ")])
    >>> print(report)
    choice  partners  rolled by 1
    fails   seed      two runs differ
    >>> report.failed, report["partners"]
    (['seed'], 'choice: rolled by 1')
    """

    def __init__(self, rows):
        self._rows = list(rows)
        self.passed, self.failed, self.choices = (
            [name for name, status, _ in self._rows if status == kind] for kind in ("holds", "fails", "choice")
        )

    def __getitem__(self, name):
        for known, status, text in self._rows:
            if known == name:
                return f"{status}: {text}"
        raise KeyError(f"{name!r}; the properties are {', '.join(row[0] for row in self._rows)}")

    def __str__(self):
        wide = max(len(name) for name, _, _ in self._rows)
        return "\n".join(f"{status:6}  {name:{wide}}  {text}" for name, status, text in self._rows)

    def _repr_html_(self):
        rows = ["".join(f"<td>{html.escape(part)}</td>" for part in (s, name, text)) for name, s, text in self._rows]
        head = "<tr><th>status</th><th>property</th><th>what was seen</th></tr>"
        return f"<table>{head}{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"

    __repr__ = __str__

    def raise_if_failed(self):
        """Raise an AssertionError that says what fails, if anything does."""
        if self.failed:
            raise AssertionError("\n".join(f"{name}: {text}" for name, status, text in self._rows if status == "fails"))


def from_pairs(fn):
    """A function of the form of `mixup_helpers.mixup_data`, for `check_mixup`.

    Parameters
    ----------
    fn : callable
        ``fn(x, y, alpha, rng=rng) -> (mixed_x, y_a, y_b, lam)``.

    Returns
    -------
    callable
        ``mix(x, y, alpha, rng)``, as `check_mixup` takes it.

    Raises
    ------
    TypeError
        If `fn` is not callable.

    Examples
    --------
    >>> from mixup_helpers import mixup_data
    >>> check_mixup(from_pairs(mixup_data)).failed
    []
    """

    as_function(fn, "fn")

    def mix(x, y, alpha, rng):
        mixed_x, y_a, y_b, lam = fn(x, y, alpha, rng=rng)
        return mixed_x, mix_labels(y_a, y_b, lam)

    return mix


def from_keras(layer):
    """A Keras layer of the form of `keras.layers.MixUp`, for `check_mixup`.

    Parameters
    ----------
    layer : callable
        ``layer(alpha=..., seed=...)`` makes the layer; each call of the check makes one, with
        a seed drawn from the generator. The layer takes a dict of images and labels.

    Returns
    -------
    callable
        ``mix(x, y, alpha, rng)``, as `check_mixup` takes it.

    Raises
    ------
    TypeError
        If `layer` is not callable.

    Examples
    --------
    >>> import keras
    >>> mix = from_keras(keras.layers.MixUp)
    >>> x, y = np.ones((4, 8, 8, 1), "float32"), np.eye(4, dtype="float32")
    >>> mixed_x, mixed_y = mix(x, y, 0.2, np.random.default_rng(0))  # what check_mixup calls
    >>> mixed_x.shape, mixed_y.sum(axis=1).tolist()
    ((4, 8, 8, 1), [1.0, 1.0, 1.0, 1.0])
    """

    as_function(layer, "layer")

    def mix(x, y, alpha, rng):
        made = layer(alpha=alpha, seed=int(rng.integers(2**31)))
        mixed = made({"images": x, "labels": y}, training=True)
        return np.asarray(mixed["images"]), np.asarray(mixed["labels"])

    return mix


def from_torchvision(transform):
    """A transform of the form of `torchvision.transforms.v2.MixUp`, for `check_mixup`.

    Parameters
    ----------
    transform : callable
        ``transform(alpha=..., num_classes=...)`` makes the transform, which takes a batch of
        images, channels first, and labels. It draws from torch's global generator, which is
        seeded here under a lock.

    Returns
    -------
    callable
        ``mix(x, y, alpha, rng)``, as `check_mixup` takes it.

    Raises
    ------
    TypeError
        If `transform` is not callable.

    Examples
    --------
    >>> from torchvision.transforms import v2  # doctest: +SKIP
    >>> check_mixup(from_torchvision(v2.MixUp)).failed  # doctest: +SKIP
    ['smaller alpha mixes less']
    """
    as_function(transform, "transform")
    lock = threading.Lock()

    def mix(x, y, alpha, rng):
        import torch

        made = transform(alpha=alpha, num_classes=CLASSES)
        with lock:
            torch.manual_seed(int(rng.integers(2**63)))
            return _in_torch(made, x, y)

    return mix


def from_timm(mixup):
    """A class of the form of `timm.data.Mixup`, for `check_mixup`.

    Parameters
    ----------
    mixup : callable
        ``mixup(mixup_alpha=..., num_classes=...)`` makes the transform, which takes a batch of
        images, channels first, and class ids. It draws from NumPy's global generator, which is
        seeded here under a lock and put back.

    Returns
    -------
    callable
        ``mix(x, y, alpha, rng)``, as `check_mixup` takes it.

    Raises
    ------
    TypeError
        If `mixup` is not callable.

    Examples
    --------
    >>> from timm.data import Mixup  # doctest: +SKIP
    >>> "inputs unchanged" in check_mixup(from_timm(Mixup)).failed  # doctest: +SKIP
    True
    """
    as_function(mixup, "mixup")
    lock = threading.Lock()

    def mix(x, y, alpha, rng):
        made = mixup(mixup_alpha=alpha, num_classes=CLASSES)
        ids = y if y.ndim == 1 else y.argmax(axis=1)
        with lock:
            before = np.random.get_state()
            try:
                np.random.seed(int(rng.integers(2**32)))
                return _in_torch(made, x, ids)
            finally:
                np.random.set_state(before)

    return mix


def _in_torch(transform, x, y):
    """What a transform of tensors, channels first, makes of arrays, channels last; they share their memory."""
    import torch

    images = x.ndim == 4
    tensor = torch.from_numpy(x)
    mixed_x, mixed_y = transform(tensor.permute(0, 3, 1, 2) if images else tensor, torch.from_numpy(y))
    return (mixed_x.permute(0, 2, 3, 1) if images else mixed_x).numpy(), mixed_y.numpy()


class _Check:
    def __init__(self, fn, shape, level, seed):
        self.fn, self.shape, self.level, self.seed = fn, shape, level, seed
        self.x = np.random.default_rng([seed, 0]).random((ROWS, *shape)).astype(np.float32)
        self.y = np.eye(CLASSES, dtype=np.float32)[:ROWS]
        flat = self.x.reshape(ROWS, -1).astype(np.float64)
        self.unmix = {n: (np.linalg.pinv(flat[:n]), flat[:n]) for n in range(1, ROWS + 1)}

    def report(self):
        first = _tried(self.result)
        if first[0] == "fails":
            return Report([("result", *first)])
        checks = {
            "result": lambda: first,
            "mixes": self.mixes,
            "convex images": self.convex,
            "labels match images": self.labels_match,
            "label rows sum to 1": self.label_sums,
            "lam is Beta(alpha, alpha)": self.lam_is_beta,
            "lam per batch or row": self.lam_per,
            "partners": self.partners,
            "alpha = 0": self.alpha_zero,
            "smaller alpha mixes less": self.smaller_alpha,
            "inputs unchanged": self.inputs_unchanged,
            "batch sizes": self.batch_sizes,
            "float32": self.float32,
            "uint8": self.uint8,
            "class ids": self.class_ids,
            "bad alpha": self.bad_alpha,
            "seed": self.one_seed,
        }
        return Report([(name, *_tried(check)) for name, check in checks.items()])

    def call(self, x, y, run=0, alpha=1.0):
        """A result for copies of x and y, so that a fault of one call can't reach the next."""
        return self.fn(x.copy(), y.copy(), alpha, self.rng(run))

    def rng(self, run):
        return np.random.default_rng([self.seed, 1, run])

    def weights(self, n, run, alpha=1.0):
        """What `unmixed` finds in the result for the first n rows."""
        return self.unmixed(n, self.call(self.x[:n], self.y[:n], run, alpha))

    def unmixed(self, n, result):
        """The weight of each of n rows in each row of a result: in the images, and in the labels.

        Then how much the labels are smoothed, and what of each image is no blend of rows.
        """
        x, y = self.x[:n], self.y[:n]
        mixed_x, mixed_y = (np.asarray(part, np.float64) for part in result)
        if mixed_x.shape != x.shape or mixed_y.shape != y.shape:
            raise ValueError(f"shapes {x.shape} and {y.shape} became {mixed_x.shape} and {mixed_y.shape}")
        inverse, flat = self.unmix[n]
        images = mixed_x.reshape(n, -1) @ inverse
        stray = np.abs(images @ flat - mixed_x.reshape(n, -1)).max(axis=1)
        return images, *_unsmoothed(mixed_y, n), stray

    def few(self, alpha=1.0):
        """The size and the weights of some batches, the smallest first."""
        for n in (2, 4, ROWS):
            for run in range(FEW):
                yield n, *self.weights(n, run, alpha)

    def many(self, alpha):
        """The images' weights in many batches of 8: (runs, row of the result, row)."""
        return np.array([self.weights(ROWS, run, alpha)[0] for run in range(RUNS)])

    def one_each(self, found):
        """Of each batch one row, another each time, since the rows of a batch may share their lam."""
        return found[np.arange(RUNS), np.arange(RUNS) % ROWS]

    def result(self):
        try:
            found = self.call(self.x, self.y)
        except Exception as error:
            return "fails", f"a batch of {ROWS} with alpha 1 raises {_named(error)}"
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            return "fails", f"gives {type(found).__name__}, not a pair of images and labels"
        for name, part, given in zip(("images", "labels"), found, (self.x, self.y)):
            if np.shape(part) != given.shape:
                return "fails", f"{name} of shape {given.shape} become {np.shape(part)}"
        self.batches = {}
        for alpha in ALPHAS:
            try:
                self.batches[alpha] = self.many(alpha)
            except Exception as error:
                return "fails", f"a batch of {ROWS} with alpha {alpha:g} raises {_named(error)}"
        return "holds", "a pair of images and labels, of the shapes that came in"

    def mixes(self):
        batches = self.batches[ALPHAS[1]]
        if (batches.max(axis=2) < 1 - VISIBLE).any():
            return "holds", "rows are blended"
        if np.allclose(batches, np.eye(ROWS), rtol=0, atol=VISIBLE):
            return "fails", f"every batch comes back unmixed, also at alpha {ALPHAS[1]:g}"
        return "fails", "every row of the result is one whole row of the batch: is lam rounded to 0 or 1?"

    def convex(self):
        for n, images, _, _, stray in self.few():
            for i in range(n):
                if stray[i] > EXACT:
                    return "fails", f"of a batch of {n}, row {i} is no blend of rows: are features mixed?"
                if not images[i].min() >= -EXACT or not abs(images[i].sum() - 1) <= EXACT:
                    return "fails", f"of a batch of {n}, row {i} is {_blend(images[i])}"
                if (images[i] > EXACT).sum() > 2:
                    return "fails", f"of a batch of {n}, row {i} is {_blend(images[i])}: more than two rows"
        return "holds", "each row is a blend of two rows, with weights from 0 to 1"

    def labels_match(self):
        for alpha in (1.0, *ALPHAS):
            at = "" if alpha == 1 else f"at alpha {alpha:g} "
            for n, images, labels, smooth, _ in self.few(alpha):
                for i in range(n):
                    if not np.abs(images[i] - labels[i]).max() <= ALIKE:
                        example = f"of a batch of {n}, row {i} is {_blend(images[i])}, its label {_blend(labels[i])}"
                        return "fails", f"{at}{_mismatch(images[i], labels[i])}: {example}"
        if smooth:
            return "choice", f"the same rows and lam, but labels are smoothed by {smooth:.2f} as well"
        return "holds", "the same rows with the same lam"

    def label_sums(self):
        for run in range(FEW):
            sums = np.asarray(self.call(self.x, self.y, run)[1], np.float64).sum(axis=1)
            if not np.abs(sums - 1).max() <= EXACT:
                return "fails", f"a label sums to {sums[np.abs(sums - 1).argmax()]:.2f}"
        return "holds", "every label's shares sum to 1"

    def lam_is_beta(self):
        folded = []
        for alpha in ALPHAS:
            beta = stats.beta(alpha, alpha)
            lam, partner = map(self.one_each, _lam_and_partner(self.batches[alpha]))
            lam = lam[partner >= 0]
            folded.append(bool((lam >= 0.5 - EXACT).all()))
            low = 0.5 if folded[-1] else VISIBLE
            inside = beta.cdf(1 - VISIBLE) - beta.cdf(low)
            if len(lam) and stats.kstest(lam, lambda t: (beta.cdf(t) - beta.cdf(low)) / inside).pvalue < self.level:
                return "fails", f"at alpha {alpha:g}, {_not_beta(lam, beta)}"
            visible = beta.cdf(1 - VISIBLE) - beta.cdf(VISIBLE)
            # A row may be its own partner, or never.
            chances = [stats.binomtest(len(lam), RUNS, p).pvalue for p in (visible, visible * (1 - 1 / ROWS))]
            if max(chances) < self.level:
                share = f"{len(lam) / RUNS:.0%} of the rows are visibly mixed; {visible:.0%} should be"
                return "fails", f"at alpha {alpha:g}, {share}"
        if all(folded):
            return "choice", "folded: the larger of lam and 1 - lam, which gives a row's own image the greater weight"
        return "holds", f"{RUNS} draws fit at alpha {ALPHAS[0]:g}, and {RUNS} at alpha {ALPHAS[1]:g}"

    def lam_per(self):
        lam, partner = _lam_and_partner(self.batches[ALPHAS[1]])
        spread = [np.ptp(own[whom >= 0]) for own, whom in zip(lam, partner) if (whom >= 0).any()]
        several = max(spread, default=0) > VISIBLE
        return "choice", "rows of one batch have different lam" if several else "one lam for a batch"

    def partners(self):
        batches = self.batches[ALPHAS[1]]
        if (np.diagonal(batches, axis1=1, axis2=2) < VISIBLE).mean() > 0.5:
            taken = np.bincount(np.nonzero(self.one_each(batches) > VISIBLE)[1], minlength=ROWS)
            if not taken.any():
                return "fails", "no row of a batch is in the result"
            if stats.chisquare(taken).pvalue < self.level:
                return "fails", f"any two rows, but not a fair choice: they were taken {taken.tolist()} times"
            return "choice", "a row of the result is a blend of any two rows, not of its own and a partner"
        _, partner = _lam_and_partner(batches)
        drawn = self.one_each(partner)
        mixed = drawn >= 0
        if not mixed.any():
            return "fails", "nothing is mixed"
        seen = [set(partner[:, i].tolist()) - {-1} for i in range(ROWS)]
        if all(len(partners) < 2 for partners in seen):
            fixed = [partners.pop() if partners else i for i, partners in enumerate(seen)]
            if len(set(fixed)) < ROWS:
                return "fails", f"always the same, and row {max(fixed, key=fixed.count)} is the partner of several"
            if fixed == list(range(ROWS))[::-1]:
                return "choice", "flipped: the last row for the first"
            steps = {(i - p) % ROWS for i, p in enumerate(fixed)}
            return "choice", f"rolled by {steps.pop()}" if len(steps) == 1 else "the same in every batch"
        if all(len(set(whom[whom >= 0])) < 2 for whom in partner):
            return "fails", "one row of a batch is the partner of all others"
        whom = np.bincount(drawn[mixed], minlength=ROWS)
        steps = np.bincount((drawn - np.arange(RUNS))[mixed] % ROWS, minlength=ROWS)[1:]  # 0 would be no partner
        for times, what in [(whom, "the rows were partners"), (steps, "partners were 1 to 7 rows further on")]:
            if stats.chisquare(times).pvalue < self.level:
                return "fails", f"not a fair choice: {what} {times.tolist()} times"
        return "holds", f"a fair choice, as far as {whom.sum()} draws show"

    def alpha_zero(self):
        for n in (2, ROWS):
            for run in range(FEW):
                try:
                    result = self.call(self.x[:n], self.y[:n], run, 0.0)
                except NameError:  # a lam that is drawn only where alpha > 0
                    raise
                except Exception as error:
                    return "choice", f"refused: {_named(error)}"
                images, labels, *_ = self.unmixed(n, result)
                for i in range(n):
                    if not images[i].max() >= 1 - EXACT:
                        return "fails", f"mixes: of a batch of {n}, row {i} is {_blend(images[i])}"
                if not np.abs(images - labels).max() <= ALIKE:
                    return "fails", f"images stay whole, but labels of a batch of {n} change"
        return "holds", "mixes nothing"

    def smaller_alpha(self):
        batches = {0.001: self.many(0.001), **self.batches}
        slack = 0.5 * np.sqrt(np.log(1 / self.level) / (2 * RUNS))  # Hoeffding's bound
        amounts = []
        for alpha, found in batches.items():
            amount = 1 - self.one_each(found).max(axis=1).mean()
            right = stats.beta(alpha + 1, alpha).cdf(0.5)  # the mean of the smaller of lam and 1 - lam
            if not amount <= right + slack:
                return "fails", f"at alpha {alpha:g} the lighter row's mean weight is {amount:.2f}, not {right:.2f}"
            amounts.append(f"{amount:z.2f} at alpha {alpha:g}")
        return "holds", f"the lighter row's mean weight is {', '.join(amounts)}"

    def inputs_unchanged(self):
        x, y = self.x.copy(), self.y.copy()
        for run in range(FEW):
            self.fn(x, y, 1.0, self.rng(run))
            for name, now, before in (("images", x, self.x), ("labels", y, self.y)):
                if not np.array_equal(now, before):
                    return "fails", f"the {name} that came in are overwritten"
        return "holds", "images and labels that came in stay as they were"

    def batch_sizes(self):
        for n in (1, 3, 7):
            for run in range(FEW):
                try:
                    images, labels, _, stray = self.weights(n, run)
                except Exception as error:
                    return "fails", f"a batch of {n} raises {_named(error)}"
                right = stray.max() <= EXACT and abs(images.sum(axis=1) - 1).max() <= EXACT
                if not right or not np.abs(images - labels).max() <= ALIKE:
                    return "fails", f"a batch of {n} is mixed wrongly: row 0 is {_blend(images[0])}"
        return "holds", "batches of 1, 3 and 7 work"

    def float32(self):
        for name, part in zip(("images", "labels"), self.call(self.x, self.y)):
            if np.asarray(part).dtype != np.float32:
                return "fails", f"float32 {name} become {np.asarray(part).dtype}"
        return "holds", "float32 stays float32"

    def uint8(self):
        x = (255 * self.x).astype(np.uint8)
        for run in range(FEW):
            try:
                mixed_x, _ = (np.asarray(part) for part in self.call(x, self.y, run))
            except Exception as error:
                return "choice", f"refused: {_named(error)}"
            if mixed_x.shape != x.shape:
                return "fails", f"images of shape {x.shape} become {mixed_x.shape}"
            weights = self.weights(ROWS, run)[0]  # of the same draws
            wanted = np.tensordot(weights, x.astype(float), axes=1)
            off = np.abs(mixed_x - wanted).max()
            if not off < 1.1:  # 1 where what is behind the point is cut off
                return "fails", f"pixels are off by up to {off:.0f} grey values of 255"
        return "holds", f"uint8 images become {mixed_x.dtype}, and are right"

    def class_ids(self):
        ids = np.arange(ROWS)
        for run in range(FEW):
            images = self.weights(ROWS, run)[0]
            try:
                labels = np.asarray(self.call(self.x, ids, run)[1])
            except Exception as error:
                return "holds", f"refused: {_named(error)}"
            if labels.ndim == 2 and len(labels) == ROWS <= labels.shape[1]:
                if np.abs(_unsmoothed(labels, ROWS)[0] - images).max() <= ALIKE:
                    continue
                return "fails", "class ids become soft labels that don't match the images"
            if labels.shape != ids.shape or not np.allclose(labels, images @ ids, atol=0.01):
                return "fails", f"class ids become labels of shape {labels.shape} that don't match the images"
            blended = images.max(axis=1) < 0.9
            if blended.any():
                i = blended.argmax()
                a, b = np.sort(np.argsort(images[i])[-2:])
                return "fails", f"class ids are averaged: the classes {a} and {b} become {labels[i]:.1f}"
        return "holds", "turned into soft labels"

    def bad_alpha(self):
        for alpha in (-1.0, float("nan")):
            try:
                mixed_x, _ = self.call(self.x, self.y, alpha=alpha)
            except Exception:
                continue
            nan = " and gives NaN" if np.isnan(np.asarray(mixed_x)).any() else ""
            return "fails", f"alpha = {alpha:g} is accepted{nan}"
        return "holds", "a negative or NaN alpha is refused"

    def one_seed(self):
        def batch(run):
            return [np.array(part) for part in self.call(self.x, self.y, run)]

        def same(a, b):
            return all(np.array_equal(p, q) for p, q in zip(a, b))

        runs = range(FEW)
        alone = [batch(run) for run in runs]
        kept = self.call(self.x, self.y)
        if not all(same(batch(run), alone[run]) for run in runs):
            return "fails", "two calls with equal generators give different results"
        if not same(kept, alone[0]):
            return "fails", "a result is overwritten by a later call"
        if all(same(alone[0], other) for other in alone):
            return "fails", "another seed gives the same result"
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            try:
                pool.submit(int)
            except RuntimeError:  # no thread can start, as in a browser
                return "holds", "one seed gives one result"
            if not all(map(same, pool.map(batch, runs), alone)):
                return "fails", "four threads at once give other results than one after the other"
        return "holds", "one seed gives one result"


def _tried(check):
    try:
        return check()
    except Exception as error:
        return "fails", f"raises {_named(error)}"


def _unsmoothed(labels, n):
    """The weight of each of n rows, of which row i is of class i, in soft labels; and how much these are smoothed."""
    classes = labels.shape[1]
    rest = labels[:, n:]  # no row is of these classes: what they get, every class got
    smooth = rest.mean() * classes if rest.size and np.ptp(rest) < EXACT < rest.mean() < 0.99 / classes else 0.0
    return (labels[:, :n] - smooth / classes) / (1 - smooth), smooth


def _lam_and_partner(batches):
    """lam and partner of every row of the result, each (runs, rows); -1 where no partner can be told."""
    first, second = np.moveaxis(np.sort(np.argsort(batches, axis=2)[..., -2:], axis=2), 2, 0)
    row = np.broadcast_to(np.arange(ROWS), first.shape)
    lam_row = np.where(second == row, second, first)  # of a blend of two other rows, the first is as good
    partner = first + second - lam_row
    lam = np.take_along_axis(batches, lam_row[..., None], axis=2)[..., 0]
    return lam, np.where((lam > VISIBLE) & (lam < 1 - VISIBLE), partner, -1)


def _mismatch(image, label):
    a, b = np.argsort(image)[-2:]
    if image[b] < 1 - VISIBLE and np.allclose(label[[b, a]], image[[a, b]], rtol=0, atol=ALIKE):
        return "labels are mixed with 1 - lam"
    if np.array_equal(label > VISIBLE, image > VISIBLE):
        return "labels are mixed with another lam"
    return "labels are mixed with other rows"


def _not_beta(lam, beta):
    if np.ptp(lam) < VISIBLE:
        return f"lam is always {lam.mean():.2f}"
    middle, expected = np.mean(abs(lam - 0.5) < 0.25), np.diff(beta.cdf([0.25, 0.75]))[0]
    expected /= beta.cdf(1 - VISIBLE) - beta.cdf(VISIBLE)
    uniform = stats.kstest(lam, stats.uniform(VISIBLE, 1 - 2 * VISIBLE).cdf).pvalue > 0.001
    kind = "lam looks uniform" if uniform else f"the mean of lam is {lam.mean():.2f}"
    return f"{kind}: {middle:.0%} of the draws lie between 0.25 and 0.75, and {expected:.0%} should"


def _blend(weights):
    parts = [f"{weight:.2f} of row {j}" for j, weight in enumerate(weights) if not abs(weight) < 0.005]
    return " and ".join(parts) if parts else "nothing of any row"


def _named(error):
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {textwrap.shorten(text[0], 70)}" if text else type(error).__name__
